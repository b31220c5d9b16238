/** A body of any length as parts that fit into memory. */

/** The least that S3 takes is 5 MiB, the most is 10,000 parts: 16 MiB each are enough for 80 GB, and larger ones for 2.5 TB. */
export const firstPartSize = 16 * 2 ** 20;
const sizeOfPart = (number: number): number => firstPartSize * 2 ** Math.floor((number - 1) / 2_000);

/** Each is filled to its size, except for the last; none for an empty body. A part is the caller's own. */
export async function* partsOfBody(body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, undefined> {
  let number = 1;
  let chunks: Uint8Array[] = [];
  let missing = sizeOfPart(number);
  for await (let chunk of body) {
    while (chunk.length >= missing) {
      yield Buffer.concat([...chunks, chunk.subarray(0, missing)]);
      chunk = chunk.subarray(missing);
      chunks = [];
      number += 1;
      missing = sizeOfPart(number);
    }
    if (chunk.length === 0) continue;
    chunks.push(chunk);
    missing -= chunk.length;
  }
  if (chunks.length > 0) yield Buffer.concat(chunks);
  return undefined;
}
