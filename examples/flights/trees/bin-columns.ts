/** Columns cut into at most 255 bins, so that a tree looks at bins and not at values. */

const mostBins = 255;

export type BinnedColumns = {
  readonly rows: number;
  readonly columns: number;
  /** Row after row, so that all bins of a row lie in one line of cache. */
  readonly bins: Uint8Array;
  /** For each column the upper bound of each bin but the last. A value goes left of a split when it is ≤ the bound. */
  readonly bounds: readonly Float32Array[];
};

/** @param columns equally long, finite, already rounded to 32 bits: the model file and its runtime know no others */
export function binColumns(columns: readonly Float32Array[]): BinnedColumns {
  const rows = columns[0]?.length ?? 0;
  if (rows === 0 || columns.some((column) => column.length !== rows))
    throw new RangeError('columns are empty or differ');
  const bounds = columns.map(boundsOf);
  const bins = new Uint8Array(rows * columns.length);
  columns.forEach((column, place) => {
    const edges = bounds[place] ?? new Float32Array(0);
    for (let row = 0; row < rows; row++) bins[row * columns.length + place] = binOf(edges, column[row] ?? 0);
  });
  return { rows, columns: columns.length, bins, bounds };
}

/** Every distinct value its own bin where there are few; otherwise bins of about equally many rows. */
function boundsOf(column: Float32Array): Float32Array {
  const sorted = column.slice().sort();
  if (!Number.isFinite(sorted[0]) || !Number.isFinite(sorted.at(-1))) throw new RangeError('a column is not finite');
  const distinct = distinctOf(sorted);
  const bounds: number[] = [];
  if (distinct.length <= mostBins) {
    for (let at = 1; at < distinct.length; at++) bounds.push(between(distinct[at - 1] ?? 0, distinct[at] ?? 0));
    return Float32Array.from(bounds);
  }
  for (let bin = 1; bin < mostBins; bin++) {
    const at = Math.floor((sorted.length * bin) / mostBins);
    const value = sorted[at] ?? 0;
    const after = distinct[upperBound(distinct, value)];
    if (after === undefined) break;
    const bound = between(value, after);
    if (bound > (bounds.at(-1) ?? Number.NEGATIVE_INFINITY)) bounds.push(bound);
  }
  return Float32Array.from(bounds);
}

/** Half way, but as 32 bits, and never so high that the right value would go left. */
function between(left: number, right: number): number {
  const middle = Math.fround((left + right) / 2);
  return middle < right ? middle : left;
}

function distinctOf(sorted: Float32Array): Float32Array {
  return sorted.filter((value, at) => at === 0 || value !== sorted[at - 1]);
}

function upperBound(sorted: Float32Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first bin whose bound is not below the value. */
function binOf(bounds: Float32Array, value: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= (bounds[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}
