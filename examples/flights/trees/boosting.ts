/** Gradient-boosted trees for a yes or no: each tree corrects, by a step of the learning rate, what those before it got wrong. */
import { binColumns } from './bin-columns.ts';
import { type Tree, type TreeShape, treeGrower } from './grow-tree.ts';

export type BoostingOptions = TreeShape & { readonly trees: number; readonly learningRate: number };

export type Ensemble = {
  /** Log-odds before the first tree. */
  readonly base: number;
  readonly trees: readonly Tree[];
};

/**
 * Yields after every tree, so that whoever trains can look, report or stop.
 * @param columns 32-bit floats, finite, one array a feature
 * @param labels 1 and 0, both present
 */
export function* boost(
  columns: readonly Float32Array[],
  labels: Uint8Array,
  { trees: wanted, learningRate, ...shape }: BoostingOptions,
): Generator<Ensemble, void> {
  const positive = labels.reduce((sum, label) => sum + label, 0);
  if (positive === 0 || positive === labels.length) throw new RangeError('the labels are all the same');
  const base = Math.fround(Math.log(positive / (labels.length - positive)));
  const grower = treeGrower(binColumns(columns), shape, learningRate);
  const scores = new Float64Array(labels.length).fill(base);
  const g = new Float64Array(labels.length);
  const h = new Float64Array(labels.length);
  const trees: Tree[] = [];
  while (trees.length < wanted) {
    for (let row = 0; row < labels.length; row++) {
      const p = probability(scores[row] ?? 0);
      g[row] = p - (labels[row] ?? 0);
      h[row] = p * (1 - p);
    }
    const tree = grower.grow(g, h, scores);
    if (!tree) break;
    trees.push(tree);
    yield { base, trees };
  }
  if (trees.length === 0) throw new RangeError('the features say nothing about the label: no split was found');
}

/** Log-odds of every row, summed as 64 bits. @param from number of the first tree to add; then `scores` holds the sum of those before it */
export function addTrees(
  { base, trees }: Ensemble,
  columns: readonly Float32Array[],
  scores: Float64Array,
  from = 0,
): Float64Array {
  if (from === 0) scores.fill(base);
  for (let number = from; number < trees.length; number++) {
    const { feature, threshold, left, right, value } = trees[number] as Tree; // number < length
    for (let row = 0; row < scores.length; row++) {
      let node = 0;
      for (let column = feature[0] ?? -1; column >= 0; column = feature[node] ?? -1) {
        const goesLeft = (columns[column]?.[row] ?? 0) <= (threshold[node] ?? 0);
        node = (goesLeft ? left[node] : right[node]) ?? 0;
      }
      scores[row] = (scores[row] ?? 0) + (value[node] ?? 0);
    }
  }
  return scores;
}

export function probability(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds));
}
