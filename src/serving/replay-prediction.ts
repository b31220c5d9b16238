/** Computes a logged prediction again, with the same version and in a batch of the same size, and compares bit for bit. */
import { PlatformError } from '../errors.ts';
import type { Endpoint } from './endpoint.ts';
import type { Inference } from './inference-adapter.ts';
import { type InferenceRuntime, runtimeDifferences } from './inference-runtime.ts';
import type { ResolveVersion } from './live-endpoints.ts';
import { compileLines } from './log-line.ts';
import { compileSignature, type ModelSignature } from './model-signature.ts';
import type { PredictionRecord, Scalar } from './prediction.ts';
import type { Runtimes } from './runtime-adapter.ts';
import type { RawValues } from './tensor.ts';
import { versionKey } from './traffic.ts';

export type Replay = {
  readonly identical: boolean;
  /** Between two numbers in the same place; absent where something else than a number differs. */
  readonly greatestDifference?: number;
  /** What was to be expected of this machine, in words. */
  readonly because: string;
  readonly recorded: PredictionRecord['outputs'];
  readonly computed: PredictionRecord['outputs'];
  readonly model: string;
  readonly version: number;
  /** Data versions, code, environment and seed of the model. */
  readonly lineage: Readonly<Record<string, unknown>>;
  /** What computes now, and what computed the record, unless that is older than this was written down. */
  readonly runtime: { readonly current: InferenceRuntime; readonly recorded?: InferenceRuntime };
};

export type ReplayDeps = {
  readonly inference: Pick<Inference, 'load'>;
  readonly resolveVersion: ResolveVersion;
  readonly runtimes: Runtimes;
};

/** @throws PlatformError `serving/not-replayable` when the model failed then, or its inputs were too wide for the log */
export async function replayPrediction(
  { inference, resolveVersion, runtimes }: ReplayDeps,
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
  const identical = JSON.stringify(computed) === JSON.stringify(record.outputs);
  const then = record.runtime === undefined ? undefined : await runtimes.find(record.runtime);
  const greatestDifference = differenceOf(record.outputs, computed);
  return {
    identical,
    ...(greatestDifference !== undefined && { greatestDifference }),
    because: reasonOf(identical, then && runtimeDifferences(then, runtimes.current)),
    recorded: record.outputs,
    computed,
    ...{ model, version: number, lineage: version.lineage ?? {} },
    runtime: { current: runtimes.current, ...(then && { recorded: then }) },
  };
}

/** @param differences between what computed then and what computes now; undefined when nobody knows what computed then */
function reasonOf(identical: boolean, differences: readonly string[] | undefined): string {
  if (!differences) return 'the record does not say what computed it';
  const told = differences.join('; ');
  if (identical) return told === '' ? 'computed as it was then' : `the same bits, although not computed alike: ${told}`;
  return told === ''
    ? 'computed as it was then, so the model does not give the same answer twice'
    : `not computed alike: ${told}`;
}

function differenceOf(recorded: unknown, computed: unknown): number | undefined {
  if (typeof recorded === 'number' && typeof computed === 'number') return Math.abs(recorded - computed);
  if (typeof recorded !== 'object' || typeof computed !== 'object' || !recorded || !computed) {
    return recorded === computed ? 0 : undefined;
  }
  const [a, b] = [Object.entries(recorded), Object.entries(computed)]; // arrays by their places
  if (a.length !== b.length) return undefined;
  let greatest = 0;
  for (const [place, [name, value]] of a.entries()) {
    const [otherName, other] = b[place] ?? [];
    const difference = name === otherName ? differenceOf(value, other) : undefined;
    if (difference === undefined) return undefined;
    greatest = Math.max(greatest, difference);
  }
  return greatest;
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
