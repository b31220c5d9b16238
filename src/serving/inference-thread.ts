/** Entry of an inference thread: holds sessions and runs one batch after another, since onnxruntime blocks the thread it runs on. */
import { parentPort } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { allocate, type FromInference, fill, sizeOf, type ToInference, viewsOf } from './inference-message.ts';
import { type Datatype, datatypes, type NumericArray, type TensorSpec } from './tensor.ts';

type Loaded = {
  readonly session: InferenceSession;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
};

const port = parentPort!; // this file is only ever started as a worker
const sessions = new Map<string, Loaded>();
let last: Promise<void> = Promise.resolve();

port.on('message', (message: ToInference) => {
  last = last.then(() => handle(message));
});

async function handle(message: ToInference): Promise<void> {
  switch (message.kind) {
    case 'load':
      say(await load(message));
      return;
    case 'unload': {
      const loaded = sessions.get(message.key);
      sessions.delete(message.key);
      await loaded?.session.release();
      return;
    }
    case 'close':
      port.close();
      return;
    case 'run':
      try {
        // The adapter sends batches only where it has loaded.
        const answer = await run(sessions.get(message.key) as Loaded, message);
        port.postMessage(answer, [answer.tensors.numbers]);
      } catch (error) {
        say({ kind: 'failed', message: messageOf(error) });
      }
  }
}

async function load({ key, path, inputs, outputs }: Extract<ToInference, { kind: 'load' }>): Promise<FromInference> {
  try {
    const session = await InferenceSession.create(path, {
      // One thread a batch: parallelism comes from several batches, and spinning would burn the cores of the others.
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      // Fatal only: errors come as exceptions, and a client's bad rows must not fill the log of the server.
      logSeverityLevel: 4,
      extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
    });
    const loaded = { session, inputs, outputs };
    sessions.set(key, loaded);
    return { kind: 'loaded', key, ...(await warmUp(loaded)) };
  } catch (error) {
    return { kind: 'refused', key, message: messageOf(error) };
  }
}

/** The first runs allocate: they should not be a client's. A model may well refuse zeros, so a failure is only reported. */
async function warmUp(loaded: Loaded): Promise<{ warmUpError: string } | { msPerRow?: number }> {
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
      const { ms } = await run(loaded, { shapes, tensors: { numbers, strings } });
      msPerRow = ms / (shapes[0]?.[0] ?? 1);
    } catch (error) {
      return { warmUpError: messageOf(error) };
    }
  }
  return { ...(msPerRow !== undefined && { msPerRow }) };
}

async function run(
  { session, inputs, outputs }: Loaded,
  { shapes, tensors }: Pick<Extract<ToInference, { kind: 'run' }>, 'shapes' | 'tensors'>,
): Promise<Extract<FromInference, { kind: 'ran' }>> {
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
    kind: 'ran',
    shapes: found.map((tensor) => tensor.dims),
    tensors: { numbers: answer.numbers, strings },
    ms: performance.now() - started,
  };
}

const say = (message: FromInference): void => port.postMessage(message);
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
