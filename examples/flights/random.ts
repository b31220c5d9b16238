/** Chance that can be repeated: the same seed draws the same sample tomorrow. */

/** Uniform on [0, 1). @see sfc32 of PractRand */
export function seededRandom(seed: number): () => number {
  let a = seed | 0;
  let b = 0x9e3779b9;
  let c = 0x243f6a88;
  let counter = 1;
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 0x1_0000_0000;
  };
  // Near seeds start alike; a few rounds pull them apart.
  for (let round = 0; round < 15; round++) next();
  return next;
}

/** `wanted` of the rows in their old order, each equally likely; all of them when there are no more. */
export function sampleRows(rows: Uint32Array, wanted: number, seed: number): Uint32Array {
  if (rows.length <= wanted) return rows;
  const random = seededRandom(seed);
  const sample = new Uint32Array(wanted);
  let taken = 0;
  // Selection sampling (Knuth 3.4.2 S): one pass, exact size, order kept.
  for (let seen = 0; taken < wanted; seen++) {
    if (random() * (rows.length - seen) < wanted - taken) sample[taken++] = rows[seen] ?? 0;
  }
  return sample;
}
