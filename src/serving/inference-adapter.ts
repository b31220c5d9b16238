/**
 * Models in inference threads. Batch-while-busy: a free thread takes everything that waits for one version at once, so that an idle
 * server adds no delay and a busy one makes large batches by itself. Versions are never mixed in a batch.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { PlatformError } from '../errors.ts';
import { threadEntry } from '../storage/thread-entry.ts';
import { allocate, type FromInference, fill, sizeOf, type ToInference, viewsOf } from './inference-message.ts';
import { isBatchable, isDatatype, type RawValues, type TensorData, type TensorSpec } from './tensor.ts';

export type ModelFile = {
  /** Two loads of one key are one load. */
  readonly key: string;
  readonly path: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
};

export type ModelRequest = {
  readonly rows: number;
  readonly values: readonly RawValues[];
  readonly shapes: readonly (readonly number[])[];
};

export type ModelAnswer = {
  readonly outputs: readonly { readonly shape: readonly number[]; readonly data: TensorData }[];
  /** The batch it was computed in, and its first row there. */
  readonly batchRows: number;
  readonly row: number;
};

/** A version that stays loaded while somebody holds it. */
export interface ModelLease extends Disposable {
  /** What the model said to rows of zeros, if it refused them. */
  readonly warmUpError: string | undefined;
  run(request: ModelRequest): Promise<ModelAnswer>;
}

export type InferenceOptions = {
  /** Batches computed at the same time. There is one thread more, so that loading a version or losing a thread stops nothing. */
  readonly concurrency: number;
  readonly maxBatchRows?: number;
  /** What one batch may take: a slow model gets smaller batches. */
  readonly batchBudgetMs?: number;
  /** Beyond this predicted waiting time a request is refused. */
  readonly maxWaitMs?: number;
};

type Waiting = ModelRequest & {
  readonly resolve: (answer: ModelAnswer) => void;
  readonly reject: (error: unknown) => void;
  /** How often a thread died with it. */
  deaths: number;
  /** Its batch failed: it is tried by itself, so that one poison row fails alone. */
  alone: boolean;
};

type Model = {
  readonly file: ModelFile;
  readonly batchable: boolean;
  readonly queue: Waiting[];
  queuedRows: number;
  leases: number;
  /** Smoothed; undefined before the first batch. */
  msPerRow: number | undefined;
  loading: Promise<Loaded | undefined>;
};

type Loaded = Extract<FromInference, { kind: 'loaded' }>;

type Slot = {
  worker: Worker;
  readonly loaded: Set<string>;
  state: 'starting' | 'free' | 'busy';
  batch: { readonly model: Model; readonly requests: readonly Waiting[]; readonly rows: number } | undefined;
  loads: { readonly resolve: (loaded: Loaded) => void; readonly reject: (error: Error) => void } | undefined;
};

/** Threads start with the first version that is loaded: a server without models, or without rollouts, has none. */
export async function startInference(options: InferenceOptions): Promise<Inference> {
  return new Inference(options);
}

export class Inference implements AsyncDisposable {
  readonly #options: Required<InferenceOptions>;
  readonly #models = new Map<string, Model>();
  readonly #slots: Slot[] = [];
  /** Models with waiting requests, the longest waiting first. */
  readonly #ready: Model[] = [];
  #running = 0;
  #scheduled = false;
  #closing = false;
  /** Loads go one after another through the threads, so that at most one of them does not answer. */
  #loads: Promise<unknown> = Promise.resolve();

  constructor(options: InferenceOptions) {
    this.#options = { maxBatchRows: 256, batchBudgetMs: 20, maxWaitMs: 5_000, ...options };
  }

  /** For health pages and crash tests. */
  get threads(): readonly Worker[] {
    return this.#slots.map(({ worker }) => worker);
  }

  /** Loads and warms a version in every thread, or shares what is loaded. @throws PlatformError `serving/cannot-load` */
  async load(file: ModelFile): Promise<ModelLease> {
    for (const { name, datatype } of [...file.inputs, ...file.outputs]) {
      if (isDatatype(datatype)) continue;
      throw new PlatformError('serving/cannot-load', file.key, {
        hint: `'${name}' is ${datatype}, which is not served.`,
      });
    }
    while (this.#slots.length <= this.#options.concurrency) this.#slots.push(this.#newSlot());
    let model = this.#models.get(file.key);
    if (!model) {
      model = {
        file,
        batchable: isBatchable(file.inputs, file.outputs),
        queue: [],
        queuedRows: 0,
        leases: 0,
        msPerRow: undefined,
        loading: Promise.resolve(undefined),
      };
      this.#models.set(file.key, model);
      model.loading = this.#loadEverywhere(model);
    }
    model.leases++;
    const held = model;
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      held.leases--;
      this.#unloadUnused(held);
    };
    try {
      const { warmUpError } = (await held.loading) ?? {};
      return { warmUpError, run: (request) => this.#enqueue(held, request), [Symbol.dispose]: release };
    } catch (error) {
      release();
      throw error;
    }
  }

  #enqueue(model: Model, request: ModelRequest): Promise<ModelAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<ModelAnswer>();
    const wait = (model.msPerRow ?? 0) * (model.queuedRows + request.rows);
    if (this.#closing || (wait > this.#options.maxWaitMs && model.queue.length > 0)) {
      reject(new PlatformError('serving/overloaded', model.file.key, { data: { retryAfterSeconds: 1 } }));
      return promise;
    }
    this.#push(model, { ...request, resolve, reject, deaths: 0, alone: false });
    this.#schedule();
    return promise;
  }

  #push(model: Model, waiting: Waiting): void {
    if (model.queue.length === 0) this.#ready.push(model);
    model.queue.push(waiting);
    model.queuedRows += waiting.rows;
  }

  /** At the end of the turn, when every request that arrived in it has been read: they share a batch without having waited. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    for (let turn = this.#ready.length; turn > 0 && this.#running < this.#options.concurrency; turn--) {
      const model = this.#ready.shift() as Model; // turn counts what is there
      const slot = this.#slots.find((one) => one.state === 'free' && one.loaded.has(model.file.key));
      if (slot) this.#dispatch(slot, model);
      if (model.queue.length > 0) this.#ready.push(model);
    }
  }

  #dispatch(slot: Slot, model: Model): void {
    const requests = this.#takeBatch(model);
    const { inputs } = model.file;
    let rows = 0;
    for (const request of requests) rows += request.rows;
    const shapes = inputs.map((spec, index) =>
      // A request outside a batch has its own shapes; every request has one per input.
      model.batchable ? [rows, ...spec.shape.slice(1)] : ((requests[0] as Waiting).shapes[index] as readonly number[]),
    );
    const { numbers, views } = allocate(inputs, shapes.map(sizeOf));
    const strings = inputs.map((_, index) => {
      const view = views[index];
      const all: string[] = [];
      let offset = 0;
      for (const request of requests) {
        const values = request.values[index] as RawValues; // one per input
        if (view) fill(view, offset, values);
        else for (let i = 0; i < values.length; i++) all.push(values[i] as string); // BYTES, checked
        offset += values.length;
      }
      return all;
    });
    slot.state = 'busy';
    slot.batch = { model, requests, rows };
    this.#running++;
    const order: ToInference = { kind: 'run', key: model.file.key, shapes, tensors: { numbers, strings } };
    slot.worker.postMessage(order, [numbers]);
  }

  #takeBatch(model: Model): Waiting[] {
    const { maxBatchRows, batchBudgetMs } = this.#options;
    const affordable = model.msPerRow === undefined ? 1 : Math.floor(batchBudgetMs / model.msPerRow);
    const limit = model.batchable ? Math.max(1, Math.min(maxBatchRows, affordable)) : 1;
    const taken: Waiting[] = [];
    let rows = 0;
    for (const request of model.queue) {
      if (taken.length > 0 && (!model.batchable || request.alone || rows + request.rows > limit)) break;
      taken.push(request);
      rows += request.rows;
      if (request.alone) break;
    }
    model.queue.splice(0, taken.length);
    model.queuedRows -= rows;
    return taken;
  }

  #newSlot(): Slot {
    const slot: Slot = {
      worker: new Worker(threadEntry(import.meta.url, './inference-thread')),
      loaded: new Set(),
      state: 'free',
      batch: undefined,
      loads: undefined,
    };
    slot.worker.on('message', (message: FromInference) => this.#onMessage(slot, message));
    // An 'error' is followed by 'exit', which is handled below; unheard it would end the process.
    slot.worker.on('error', () => {});
    slot.worker.once('exit', () => this.#onExit(slot));
    return slot;
  }

  #onMessage(slot: Slot, message: FromInference): void {
    switch (message.kind) {
      case 'loaded':
        slot.loaded.add(message.key);
        slot.loads?.resolve(message);
        return;
      case 'refused':
        slot.loads?.reject(new PlatformError('serving/cannot-load', message.key, { hint: message.message }));
        return;
      case 'ran':
        this.#onRan(slot, message);
        return;
      case 'failed':
        this.#onFailed(slot, message.message);
    }
  }

  #onRan(slot: Slot, { shapes, tensors, ms }: Extract<FromInference, { kind: 'ran' }>): void {
    const batch = this.#free(slot);
    if (!batch) return;
    const { model, requests, rows } = batch;
    const { outputs } = model.file;
    const views = viewsOf(tensors.numbers, outputs, shapes.map(sizeOf));
    const perRow = ms / rows;
    model.msPerRow = model.msPerRow === undefined ? perRow : model.msPerRow * 0.9 + perRow * 0.1;
    if (model.batchable && shapes.some((shape) => shape[0] !== rows)) {
      const error = new PlatformError('serving/wrong-shape', `${model.file.key}, ${rows} rows`);
      for (const request of requests) request.reject(error);
    } else {
      let row = 0;
      for (const request of requests) {
        const from = row;
        request.resolve({
          batchRows: rows,
          row: from,
          outputs: outputs.map((_, index) => {
            const all = views[index] ?? (tensors.strings[index] as readonly string[]); // one or the other
            const shape = shapes[index] as readonly number[]; // one per output
            if (!model.batchable || requests.length === 1) return { shape, data: all };
            const width = sizeOf(shape) / rows;
            const [start, end] = [from * width, (from + request.rows) * width];
            return {
              shape: [request.rows, ...shape.slice(1)],
              data: Array.isArray(all) ? all.slice(start, end) : (all as Float32Array).subarray(start, end),
            };
          }),
        });
        row += request.rows;
      }
    }
    this.#unloadUnused(model);
    this.#schedule();
  }

  #onFailed(slot: Slot, message: string): void {
    const batch = this.#free(slot);
    if (!batch) return;
    const { model, requests } = batch;
    if (requests.length === 1) requests[0]?.reject(new PlatformError('serving/model-failed', message));
    else this.#again(model, requests);
    this.#unloadUnused(model);
    this.#schedule();
  }

  /** Puts the requests of a batch that came to nothing in front of the queue, each by itself. */
  #again(model: Model, requests: readonly Waiting[]): void {
    if (model.queue.length === 0 && requests.length > 0) this.#ready.unshift(model);
    for (const request of requests) {
      request.alone = true;
      model.queuedRows += request.rows;
    }
    model.queue.unshift(...requests);
  }

  #free(slot: Slot): Slot['batch'] {
    const { batch } = slot;
    if (!batch) return undefined;
    slot.batch = undefined;
    slot.state = slot.loads ? 'starting' : 'free';
    this.#running--;
    return batch;
  }

  /** A thread that died is replaced; what it computed is tried once more, by itself, since it may be what killed it. */
  #onExit(slot: Slot): void {
    const batch = this.#free(slot);
    const place = this.#slots.indexOf(slot);
    slot.loads?.reject(new PlatformError('serving/cannot-load', 'the model', { hint: 'its thread died' }));
    slot.state = 'starting';
    if (place < 0 || this.#closing) {
      for (const request of batch?.requests ?? []) request.reject(new PlatformError('serving/overloaded', 'the model'));
      return;
    }
    const fresh = this.#newSlot();
    this.#slots[place] = fresh;
    if (batch) {
      for (const request of batch.requests) request.deaths++;
      const given = batch.requests.filter((request) => request.deaths > 1);
      const error = new PlatformError('serving/model-crashed', batch.model.file.key);
      for (const request of given) request.reject(error);
      this.#again(
        batch.model,
        batch.requests.filter((request) => request.deaths <= 1),
      );
    }
    this.#loads = this.#loads.then(async () => {
      for (const model of this.#models.values()) {
        // A model that no longer loads leaves its requests to the other threads.
        await this.#loadInto(fresh, model).catch(() => undefined);
      }
    });
    this.#schedule();
  }

  #loadEverywhere(model: Model): Promise<Loaded | undefined> {
    const loading = this.#loads.then(async () => {
      let loaded: Loaded | undefined;
      // By place, since a thread may be replaced meanwhile.
      for (let place = 0; place < this.#slots.length; place++) {
        loaded = (await this.#loadInto(this.#slots[place] as Slot, model)) ?? loaded; // place < length
      }
      model.msPerRow ??= loaded?.msPerRow;
      return loaded;
    });
    this.#loads = loading.catch(() => undefined);
    return loading;
  }

  async #loadInto(slot: Slot, { file }: Model): Promise<Loaded | undefined> {
    if (slot.loaded.has(file.key) || this.#closing) return undefined;
    const { promise, resolve, reject } = Promise.withResolvers<Loaded>();
    slot.loads = { resolve, reject };
    // Batches sent before are answered first; none are sent while it loads.
    const wasBusy = slot.state === 'busy';
    if (!wasBusy) slot.state = 'starting';
    slot.worker.postMessage({ kind: 'load', ...file } satisfies ToInference);
    try {
      return await promise;
    } finally {
      slot.loads = undefined;
      if (slot.state === 'starting' && this.#slots.includes(slot)) slot.state = 'free';
      this.#schedule();
    }
  }

  /** A version nobody holds stays until what was asked of it is answered. */
  #unloadUnused(model: Model): void {
    const { key } = model.file;
    const inUse = model.leases > 0 || model.queue.length > 0 || this.#slots.some(({ batch }) => batch?.model === model);
    if (inUse || this.#models.get(key) !== model) return;
    this.#models.delete(key);
    this.#loads = this.#loads.then(() => {
      if (this.#models.has(key)) return; // loaded again meanwhile, and still there
      for (const slot of this.#slots) {
        if (slot.loaded.delete(key)) slot.worker.postMessage({ kind: 'unload', key } satisfies ToInference);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    for (const model of this.#models.values()) {
      for (const request of model.queue.splice(0))
        request.reject(new PlatformError('serving/overloaded', model.file.key));
    }
    await Promise.all(this.#slots.map(({ worker }) => endThread(worker)));
  }
}

/** A thread that is stopped inside onnxruntime takes the process down with it: it ends itself, between two calls. */
async function endThread(worker: Worker): Promise<void> {
  if (worker.threadId === -1) return; // it has ended already
  const ended = once(worker, 'exit');
  worker.postMessage({ kind: 'close' } satisfies ToInference);
  const late = setTimeout(() => void worker.terminate(), endGraceMs);
  await ended;
  clearTimeout(late);
}

const endGraceMs = 5_000;
