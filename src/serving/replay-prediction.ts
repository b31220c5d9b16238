/** Computes a logged prediction again, with the same version and in a batch of the same size, and compares bit for bit. */
import { PlatformError } from '../errors.ts';
import type { Endpoint } from './endpoint.ts';
import type { Inference } from './inference-adapter.ts';
import type { ResolveVersion } from './live-endpoints.ts';
import { compileLines } from './log-line.ts';
import { compileSignature, type ModelSignature } from './model-signature.ts';
import type { PredictionRecord, Scalar } from './prediction.ts';
import type { RawValues } from './tensor.ts';
import { versionKey } from './traffic.ts';

/** What computes: two machines may round differently, and then this says why. */
export type InferenceRuntime = {
  readonly onnxruntime: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cpuFeatures: readonly string[];
  /** Threads within one batch. */
  readonly threads: number;
};

export type Replay = {
  readonly identical: boolean;
  readonly recorded: PredictionRecord['outputs'];
  readonly computed: PredictionRecord['outputs'];
  readonly model: string;
  readonly version: number;
  /** Data versions, code, environment and seed of the model. */
  readonly lineage: Readonly<Record<string, unknown>>;
  readonly runtime: InferenceRuntime;
};

export type ReplayDeps = {
  readonly inference: Pick<Inference, 'load'>;
  readonly resolveVersion: ResolveVersion;
  readonly runtime: InferenceRuntime;
};

/** @throws PlatformError `serving/not-replayable` when the model failed then, or its inputs were too wide for the log */
export async function replayPrediction(
  { inference, resolveVersion, runtime }: ReplayDeps,
  { record, endpoint }: { readonly record: PredictionRecord; readonly endpoint: Endpoint },
): Promise<Replay> {
  if (record.outcome === 'error') {
    throw new PlatformError('serving/not-replayable', record.id, { hint: `The model failed: ${record.errorCode}.` });
  }
  const { model, version: number } = record;
  const version = await resolveVersion({ model, version: number });
  if (!version) throw new PlatformError('serving/not-replayable', record.id, { hint: `${model} ${number} is gone.` });
  const signature = compileSignature(version, endpoint.task);
  const rows = signature.batchable ? (record.batch?.rows ?? 1) : 1;
  const values = valuesOf(record, signature);
  const { inputs, outputs, path } = version;
  using lease = await inference.load({ key: versionKey(version), path, inputs, outputs });
  const request = {
    rows,
    // Every row of the batch is this one: what a row gives depends on the size of the batch, not on its neighbours.
    values: values.map((own) => Array.from({ length: rows }, () => Array.from(own)).flat()),
    shapes: inputs.map(({ shape }, index) =>
      signature.batchable ? [rows, ...shape.slice(1)] : closed(shape, values[index]?.length ?? 0),
    ),
  };
  const answer = await lease.run(request);
  // Written and read as the log would, so that the comparison is of what a reader of the log sees.
  const line = compileLines(endpoint, signature).answered(
    '',
    { ...request, id: undefined, extras: {}, outputs: undefined },
    {
      ...{ id: record.id, unit: record.unit, key: undefined, at: 0, eventTime: 0, latencyMs: 0 },
      row: signature.batchable ? (record.batch?.row ?? 0) : 0,
      outputs: answer.outputs,
      score: undefined,
      batch: { rows, row: 0 },
    },
  );
  const { outputs: computed } = JSON.parse(`{${line}`) as Pick<PredictionRecord, 'outputs'>; // our own line
  return {
    identical: JSON.stringify(computed) === JSON.stringify(record.outputs),
    recorded: record.outputs,
    computed,
    ...{ model, version: number, lineage: version.lineage ?? {}, runtime },
  };
}

function valuesOf({ id, inputs }: PredictionRecord, signature: ModelSignature): readonly RawValues[] {
  const missing = (name: string): PlatformError =>
    new PlatformError('serving/not-replayable', id, { hint: `Its input '${name}' was too wide to be written down.` });
  return signature.inputs.map(({ name, datatype }, index) => {
    const width = signature.widths[index] ?? -1;
    const cells: Scalar[] = [];
    if (width === 1) {
      if (!Object.hasOwn(inputs, name)) throw missing(name);
      cells.push(inputs[name] ?? null);
    } else {
      while (Object.hasOwn(inputs, `${name}[${cells.length}]`)) cells.push(inputs[`${name}[${cells.length}]`] ?? null);
      // A free size that happened to be one is written like a single value.
      if (cells.length === 0 && width < 0 && Object.hasOwn(inputs, name)) cells.push(inputs[name] ?? null);
      if (cells.length === 0 || (width >= 0 && cells.length !== width)) throw missing(name);
    }
    const isLong = datatype === 'INT64' || datatype === 'UINT64';
    return isLong ? cells.map((cell) => (typeof cell === 'string' ? BigInt(cell) : cell)) : cells;
  });
}

/** One free dimension can be told from the number of values; with more the request's own shape is lost. */
function closed(shape: readonly number[], size: number): readonly number[] {
  const fixed = shape.reduce((product, one) => (one < 0 ? product : product * one), 1);
  let open = size / fixed;
  return shape.map((one) => {
    if (one >= 0) return one;
    const here = open;
    open = 1;
    return here;
  });
}
