/** One regression tree on binned columns, grown leaf by leaf: the leaf that gains most is split next. @see LightGBM (Ke et al. 2017) */
import type { BinnedColumns } from './bin-columns.ts';

export type TreeShape = {
  readonly leaves: number;
  readonly depth: number;
  /** Fewest rows of a leaf. */
  readonly minRows: number;
  /** Added to the curvature of every leaf, so that small leaves say less. */
  readonly l2: number;
};

/** Node 0 is the root; children come after their parents. `feature` is -1 at a leaf, and `value` counts only there. */
export type Tree = {
  readonly feature: Int32Array;
  readonly threshold: Float32Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly value: Float32Array;
};

type Split = { gain: number; column: number; bin: number; leftG: number; leftH: number; leftRows: number };
/** A leaf that may still be split: rows `start` to `end` of the shared order, and the sums of their gradients. */
type Leaf = {
  node: number;
  start: number;
  end: number;
  depth: number;
  g: number;
  h: number;
  histogram: Float64Array;
  split: Split | undefined;
};

/** g, h and rows of each bin side by side. */
const stride = 3;
const binsPerColumn = 256;

export interface TreeGrower {
  /**
   * @param g gradient and @param h curvature of the loss by row
   * @param scores each row's leaf value is added to its score
   * @returns undefined when no split is worth anything
   */
  grow(g: Float64Array, h: Float64Array, scores: Float64Array): Tree | undefined;
}

/** @param rate share of the best step that is taken */
export function treeGrower(data: BinnedColumns, shape: TreeShape, rate: number): TreeGrower {
  const order = new Uint32Array(data.rows);
  const aside = new Uint32Array(data.rows);
  const spare: Float64Array[] = [];
  const size = data.columns * binsPerColumn * stride;
  const newHistogram = () => spare.pop()?.fill(0) ?? new Float64Array(size);

  return {
    grow(g, h, scores) {
      for (let row = 0; row < data.rows; row++) order[row] = row;
      const nodes = newNodes(shape.leaves);
      const root = { node: 0, start: 0, end: data.rows, depth: 0, g: sum(g), h: sum(h), histogram: newHistogram() };
      fill(root.histogram, data, order, 0, data.rows, g, h);
      const leaves: Leaf[] = [{ ...root, split: bestSplit(root, data, shape) }];
      let count = 1;
      while (leaves.length < shape.leaves) {
        const leaf = mostGain(leaves);
        if (!leaf?.split) break;
        const { column, bin, leftG, leftH } = leaf.split;
        const middle = partition(data, order, aside, leaf, column, bin);
        nodes.feature[leaf.node] = column;
        nodes.threshold[leaf.node] = data.bounds[column]?.[bin] ?? 0;
        nodes.left[leaf.node] = count;
        nodes.right[leaf.node] = count + 1;
        const depth = leaf.depth + 1;
        const left = { node: count, start: leaf.start, end: middle, depth, g: leftG, h: leftH };
        const right = { node: count + 1, start: middle, end: leaf.end, depth, g: leaf.g - leftG, h: leaf.h - leftH };
        count += 2;
        // Only the smaller half is counted; the other is what remains of the parent.
        const isLeftSmaller = middle - leaf.start <= leaf.end - middle;
        const smaller = isLeftSmaller ? left : right;
        const counted = newHistogram();
        fill(counted, data, order, smaller.start, smaller.end, g, h);
        const remaining = leaf.histogram;
        for (let at = 0; at < size; at++) remaining[at] = (remaining[at] ?? 0) - (counted[at] ?? 0);
        const halves = [
          { ...left, histogram: isLeftSmaller ? counted : remaining },
          { ...right, histogram: isLeftSmaller ? remaining : counted },
        ].map((half) => ({ ...half, split: half.depth < shape.depth ? bestSplit(half, data, shape) : undefined }));
        leaves.splice(leaves.indexOf(leaf), 1, ...halves);
      }
      for (const leaf of leaves) {
        spare.push(leaf.histogram);
        const value = Math.fround((-rate * leaf.g) / (leaf.h + shape.l2));
        nodes.value[leaf.node] = value;
        for (let at = leaf.start; at < leaf.end; at++) {
          const row = order[at] ?? 0;
          scores[row] = (scores[row] ?? 0) + value;
        }
      }
      return count === 1 ? undefined : cut(nodes, count);
    },
  };
}

function fill(
  histogram: Float64Array,
  { bins, columns }: BinnedColumns,
  order: Uint32Array,
  start: number,
  end: number,
  g: Float64Array,
  h: Float64Array,
): void {
  for (let at = start; at < end; at++) {
    const row = order[at]!; // the hot loop: the bounds hold by construction, and checks would double its time
    const rowG = g[row]!;
    const rowH = h[row]!;
    let place = row * columns;
    for (let base = 0; base < histogram.length; base += binsPerColumn * stride) {
      const cell = base + bins[place++]! * stride;
      histogram[cell]! += rowG;
      histogram[cell + 1]! += rowH;
      histogram[cell + 2]! += 1;
    }
  }
}

function bestSplit(
  leaf: Pick<Leaf, 'g' | 'h' | 'start' | 'end' | 'histogram'>,
  { columns, bounds }: BinnedColumns,
  { minRows, l2 }: TreeShape,
): Split | undefined {
  const rows = leaf.end - leaf.start;
  if (rows < 2 * minRows) return undefined;
  const whole = (leaf.g * leaf.g) / (leaf.h + l2);
  let best: Split | undefined;
  for (let column = 0; column < columns; column++) {
    let leftG = 0;
    let leftH = 0;
    let leftRows = 0;
    const last = bounds[column]?.length ?? 0;
    for (let bin = 0; bin < last; bin++) {
      const cell = (column * binsPerColumn + bin) * stride;
      leftG += leaf.histogram[cell] ?? 0;
      leftH += leaf.histogram[cell + 1] ?? 0;
      leftRows += leaf.histogram[cell + 2] ?? 0;
      if (leftRows < minRows) continue;
      if (rows - leftRows < minRows) break;
      const rightG = leaf.g - leftG;
      const gain = (leftG * leftG) / (leftH + l2) + (rightG * rightG) / (leaf.h - leftH + l2) - whole;
      if (gain > 1e-9 && gain > (best?.gain ?? 0)) best = { gain, column, bin, leftG, leftH, leftRows };
    }
  }
  return best;
}

/** Stable, so that rows stay in order and memory is read forwards. @returns where the right half starts */
function partition(
  { bins, columns }: BinnedColumns,
  order: Uint32Array,
  aside: Uint32Array,
  { start, end }: Leaf,
  column: number,
  bin: number,
): number {
  let left = start;
  let right = 0;
  for (let at = start; at < end; at++) {
    const row = order[at] ?? 0;
    if ((bins[row * columns + column] ?? 0) <= bin) order[left++] = row;
    else aside[right++] = row;
  }
  order.set(aside.subarray(0, right), left);
  return left;
}

function mostGain(leaves: readonly Leaf[]): Leaf | undefined {
  let found: Leaf | undefined;
  for (const leaf of leaves) if (leaf.split && leaf.split.gain > (found?.split?.gain ?? 0)) found = leaf;
  return found;
}

function newNodes(leaves: number): Tree {
  const most = 2 * leaves - 1;
  return {
    feature: new Int32Array(most).fill(-1),
    threshold: new Float32Array(most),
    left: new Int32Array(most),
    right: new Int32Array(most),
    value: new Float32Array(most),
  };
}

function cut(nodes: Tree, count: number): Tree {
  return {
    feature: nodes.feature.slice(0, count),
    threshold: nodes.threshold.slice(0, count),
    left: nodes.left.slice(0, count),
    right: nodes.right.slice(0, count),
    value: nodes.value.slice(0, count),
  };
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
