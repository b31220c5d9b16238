/** A model in onnxruntime, in whatever thread or process this is: it blocks the one it runs in. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { modelLogId } from './examine-model-adapter.ts';
import { allocate, fill, type PackedTensors, sizeOf, viewsOf } from './inference-message.ts';
import { type Datatype, datatypes, type NumericArray, type TensorSpec } from './tensor.ts';

export type Session = {
  readonly session: InferenceSession;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
};

/** @param warnings whether the runtime may tell them on standard error, where each names `modelLogId` */
export async function openSession(
  { path, inputs, outputs }: { path: string; inputs: readonly TensorSpec[]; outputs: readonly TensorSpec[] },
  { warnings = false }: { warnings?: boolean } = {},
): Promise<Session> {
  const session = await InferenceSession.create(path, {
    // One thread a batch: parallelism comes from several batches, and spinning would burn the cores of the others.
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // Fatal only: errors come as exceptions, and a client's bad rows must not fill the log of the server.
    logSeverityLevel: warnings ? 2 : 4,
    logId: modelLogId,
    extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
  });
  return { session, inputs, outputs };
}

/** The first runs allocate: they should not be a client's. A model may well refuse zeros, so a failure is only reported. */
export async function warmUp(loaded: Session): Promise<{ warmUpError: string } | { msPerRow?: number }> {
  let msPerRow: number | undefined;
  for (const rows of [1, 32, 32]) {
    const shapes = loaded.inputs.map(({ shape }) =>
      shape.map((size, axis) => (size >= 0 ? size : axis === 0 ? rows : 1)),
    );
    const sizes = shapes.map(sizeOf);
    const { numbers } = allocate(loaded.inputs, sizes);
    const strings = loaded.inputs.map(({ datatype }, index) =>
      datatype === 'BYTES' ? new Array<string>(sizes[index] ?? 0).fill('') : [],
    );
    try {
      const { ms } = await runSession(loaded, { shapes, tensors: { numbers, strings } });
      msPerRow = ms / (shapes[0]?.[0] ?? 1);
    } catch (error) {
      return { warmUpError: messageOf(error) };
    }
  }
  return { ...(msPerRow !== undefined && { msPerRow }) };
}

export async function runSession(
  { session, inputs, outputs }: Session,
  { shapes, tensors }: { shapes: readonly (readonly number[])[]; tensors: PackedTensors },
): Promise<{ shapes: readonly (readonly number[])[]; tensors: PackedTensors; ms: number }> {
  const started = performance.now();
  const views = viewsOf(tensors.numbers, inputs, shapes.map(sizeOf));
  const feeds: Record<string, Tensor> = {};
  for (let index = 0; index < inputs.length; index++) {
    const { name, datatype } = inputs[index] as TensorSpec; // index < length
    const data = views[index] ?? tensors.strings[index];
    // onnxruntime's overloads cannot follow a type and its array that come from one table.
    feeds[name] = new Tensor(datatypes[datatype as Datatype].onnx as 'float32', data as Float32Array, shapes[index]);
  }
  const results = await session.run(feeds);
  const found = outputs.map(({ name }) => {
    const tensor = results[name];
    if (!tensor) throw new Error(`the model gave no output '${name}'`);
    return tensor;
  });
  const answer = allocate(
    outputs,
    found.map((tensor) => tensor.size),
  );
  const strings = found.map((tensor, index) => {
    const view = answer.views[index];
    if (!view) return tensor.data as unknown as string[]; // string tensors hold a plain array
    if (tensor.data.constructor === view.constructor) (view as Float32Array).set(tensor.data as Float32Array);
    else fill(view, 0, tensor.data as NumericArray);
    return [];
  });
  return {
    shapes: found.map((tensor) => tensor.dims),
    tensors: { numbers: answer.numbers, strings },
    ms: performance.now() - started,
  };
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
