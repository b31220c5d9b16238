/** A version's inputs and outputs, prepared once so that no request looks anything up twice. */
import type { Endpoint } from './endpoint.ts';
import type { ReferenceBins } from './reference-bins.ts';
import { isBatchable, isFloat, rowSize, type TensorSpec } from './tensor.ts';

/** A sealed version as the registry hands it over. */
export type ServableVersion = {
  readonly model: string;
  readonly version: number;
  /** The ONNX file on this machine. */
  readonly path: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** The cells of its reference profile, over which its inputs and scores are counted. */
  readonly bins?: ReferenceBins;
  /** What it came from, as the registry keeps it; shown by `replay`. */
  readonly lineage?: Readonly<Record<string, unknown>>;
};

/** What an input is for when the model lacks it: it is logged, not passed on. */
export const extraNames = ['key', 'time', 'assign'] as const;
export type Extra = (typeof extraNames)[number];

export type ModelSignature = {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly inputIndex: ReadonlyMap<string, number>;
  readonly outputIndex: ReadonlyMap<string, number>;
  /** Whether several rows, of several requests, may be computed at once. */
  readonly batchable: boolean;
  /** Values per row of each input; of a whole request where the model takes no batches (-1 when that is not fixed). */
  readonly widths: readonly number[];
  readonly score: { readonly output: number; readonly column: number } | undefined;
};

export function compileSignature(
  { inputs, outputs }: Pick<ServableVersion, 'inputs' | 'outputs'>,
  task: Endpoint['task'],
): ModelSignature {
  const batchable = isBatchable(inputs, outputs);
  return {
    inputs,
    outputs,
    inputIndex: new Map(inputs.map(({ name }, index) => [name, index])),
    outputIndex: new Map(outputs.map(({ name }, index) => [name, index])),
    batchable,
    widths: inputs.map((spec) => (batchable ? rowSize(spec) : fixedSize(spec)) ?? -1),
    score: scoreColumn(outputs, task),
  };
}

function fixedSize({ shape }: TensorSpec): number | undefined {
  return shape.some((dimension) => dimension < 0) ? undefined : shape.reduce((size, dimension) => size * dimension, 1);
}

/** The last of two columns, or the only one, of the first float output that looks so; several classes have no single score. */
function scoreColumn(outputs: readonly TensorSpec[], task: Endpoint['task']): ModelSignature['score'] {
  if (task === 'multiclass') return undefined;
  const widest = task === 'binary' ? 2 : 1;
  for (const wanted of widest === 2 ? [2, 1] : [1]) {
    const output = outputs.findIndex((spec) => isFloat(spec.datatype) && columnsOf(spec) === wanted);
    if (output >= 0) return { output, column: wanted - 1 };
  }
  return undefined;
}

// A classifier exported without `zipmap` may leave the number of classes free; a binary one then still has two.
function columnsOf(spec: TensorSpec): number {
  return rowSize(spec) ?? (spec.shape.length === 2 ? 2 : -1);
}
