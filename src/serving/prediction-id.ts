/** Ids that tell when: a prediction is found again by the segments of that time, without an index over all of them. */

/** @param process what no other process of this installation has, 6 or more letters and digits  @returns ids in order of time */
export function predictionIds(process: string): (at: number) => string {
  let count = 0;
  let last = -1;
  let head = '';
  return (at) => {
    if (at !== last) head = at.toString(36).padStart(9, '0') + process;
    last = at;
    count = (count + 1) % 36 ** 5;
    return head + count.toString(36).padStart(5, '0');
  };
}

/** A row of a request with several: `…-0`, `…-1`. */
export const rowId = (id: string, row: number, rows: number): string => (rows === 1 ? id : `${id}-${row}`);

/** @returns milliseconds since 1970; undefined for what is no id of ours */
export function timeOfPrediction(id: string): number | undefined {
  return /^[0-9a-z]{20,40}(-\d{1,5})?$/.test(id) ? Number.parseInt(id.slice(0, 9), 36) : undefined;
}
