import { inspectOnnx, type OnnxInspection } from './inspect-onnx.ts';
import { readOnnxModel } from './onnx-model.ts';
import { MalformedMessage } from './protobuf-reader.ts';
import { elementCount } from './tensor.ts';

export type OnnxSummary = OnnxInspection & {
  /** How often each operator is called, the most frequent first; those of other domains are written `domain:op`. */
  readonly operators: readonly { readonly name: string; readonly calls: number }[];
  /** Weights and constants. The numbers of tree ensembles stand in attributes and are not among them. */
  readonly tensors: { readonly count: number; readonly elements: number };
};

/** The graph in short, for a reader. @param bytes @param files as for `inspectOnnx`, whose findings tell what is wrong with them */
export function summariseOnnx(bytes: Uint8Array, files: ReadonlyMap<string, number>): OnnxSummary {
  const inspection = inspectOnnx(bytes, files);
  const empty = { ...inspection, operators: [], tensors: { count: 0, elements: 0 } };
  try {
    const { calls, functions, tensors } = readOnnxModel(bytes);
    const all = [...calls, ...functions.flatMap((body) => body.calls)];
    const byName = Map.groupBy(all, ({ domain, op }) => (domain === '' ? op : `${domain}:${op}`));
    return {
      ...inspection,
      operators: [...byName]
        .map(([name, found]) => ({ name, calls: found.length }))
        .sort((a, b) => b.calls - a.calls || (a.name < b.name ? -1 : 1)),
      tensors: {
        count: tensors.length,
        elements: Number(tensors.reduce((sum, { dims }) => sum + elementCount(dims.map((d) => (d < 0n ? 0n : d))), 0n)),
      },
    };
  } catch (error) {
    if (error instanceof MalformedMessage) return empty; // which its findings say already
    throw error;
  }
}
