/** Reads gate rows with DuckDB and scores them with onnxruntime. Worker process only. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { sqlName, sqlText } from '../datasets/sql-text.ts';
import { PlatformError } from '../errors.ts';
import type { DuckDb } from '../jobs/duckdb-adapter.ts';
import type { Task } from '../serving/endpoint.ts';
import { compileSignature, type ModelSignature } from '../serving/model-signature.ts';
import { type Datatype, datatypes, isDatatype, type TensorSpec } from '../serving/tensor.ts';

/** A sealed version on this machine. */
export type ScoredModel = {
  readonly model: string;
  readonly version: number;
  /** `flight-delay@2`, for messages. */
  readonly name: string;
  /** The ONNX file. */
  readonly path: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
};

/** Columns by name, as DuckDB's values. */
export type Table = { readonly rows: number; readonly columns: ReadonlyMap<string, readonly unknown[]> };

/** @throws PlatformError gates/unreadable, gates/missing-column */
export async function readTable(db: DuckDb, path: string, wanted: readonly string[]): Promise<Table> {
  const source = `read_parquet(${sqlText(path)})`;
  const names = await columnNames(db, source, path);
  const missing = wanted.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new PlatformError('gates/missing-column', missing.join(', '), {
      hint: `write a column of that name into the gate rows; they have ${names.join(', ')}`,
    });
  }
  const selected = [...new Set(wanted)];
  const reader = await db.connection.runAndReadAll(`SELECT ${selected.map(sqlName).join(', ')} FROM ${source}`);
  const columns = reader.getColumnsJS();
  return {
    rows: columns[0]?.length ?? 0,
    columns: new Map(selected.map((name, i) => [name, (columns[i] ?? []).map(plain)])),
  };
}

export async function columnNames(db: DuckDb, source: string, path: string): Promise<readonly string[]> {
  try {
    const described = await db.rows(`DESCRIBE SELECT * FROM ${source}`);
    return described.map(({ column_name }) => String(column_name));
  } catch (cause) {
    throw new PlatformError('gates/unreadable', path, { hint: 'write it as Parquet', cause });
  }
}

/** A version loaded for scoring. */
export type Scorer = AsyncDisposable & {
  /** The columns it reads. */
  readonly inputs: readonly string[];
  readonly outputs: readonly TensorSpec[];
  /** One score a row: the probability of 1, or the value. @throws PlatformError gates/no-score */
  score(table: Table, signal: AbortSignal, onRows?: (done: number) => void): Promise<Float64Array>;
  /** Milliseconds of each run over the given numbers of rows, walking through the table. */
  time(
    table: Table,
    options: { batch: number; runs: number; budgetMs: number },
    signal: AbortSignal,
  ): Promise<number[]>;
};

/** Rows per run: large enough to be cheap, small enough to be cancelled soon. */
const chunk = 1024;

export async function openScorer(model: ScoredModel, task: Task): Promise<Scorer> {
  const signature = compileSignature(model, task);
  const session = await InferenceSession.create(model.path, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
    extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
  }).catch((cause: unknown) => {
    throw new PlatformError('gates/cannot-load', model.name, { cause });
  });
  const step = signature.batchable ? chunk : 1;
  return {
    inputs: model.inputs.map(({ name }) => name),
    outputs: model.outputs,
    async score(table, signal, onRows) {
      const { score } = signature;
      if (!score) {
        throw new PlatformError('gates/no-score', model.name, {
          hint: 'a binary model needs two probabilities or one, a regression one value per row',
        });
      }
      const scores = new Float64Array(table.rows);
      for (let from = 0; from < table.rows; from += step) {
        signal.throwIfAborted();
        const to = Math.min(from + step, table.rows);
        const values = await run(session, signature, feedsOf(signature, table, from, to), score.output);
        const width = values.length / (to - from);
        for (let row = from; row < to; row++) scores[row] = Number(values[(row - from) * width + score.column]);
        onRows?.(to);
      }
      return scores;
    },
    async time(table, { batch, runs, budgetMs }, signal) {
      const size = Math.min(batch, table.rows);
      if (size === 0) return [];
      const measured: number[] = [];
      const started = performance.now();
      // The first runs allocate; they are not what a warm server does.
      for (let i = -20; i < runs && performance.now() - started < budgetMs; i++) {
        signal.throwIfAborted();
        const from = ((Math.max(i, 0) * size) % Math.max(table.rows - size + 1, 1)) | 0;
        const feeds = feedsOf(signature, table, from, from + size);
        const at = performance.now();
        await session.run(feeds);
        if (i >= 0) measured.push(performance.now() - at);
      }
      return measured;
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}

async function run(
  session: InferenceSession,
  { outputs }: ModelSignature,
  feeds: Record<string, Tensor>,
  output: number,
): Promise<ArrayLike<number | bigint>> {
  const name = outputs[output]?.name ?? '';
  const tensor = (await session.run(feeds, [name]))[name];
  if (!tensor) throw new PlatformError('gates/no-score', name);
  return tensor.data as ArrayLike<number | bigint>; // a float output, by the signature
}

function feedsOf({ inputs, widths }: ModelSignature, table: Table, from: number, to: number): Record<string, Tensor> {
  return Object.fromEntries(
    inputs.map((spec, index) => {
      const values = (table.columns.get(spec.name) ?? []).slice(from, to).flat();
      const width = widths[index] === -1 ? values.length / (to - from) : widths[index];
      const dims = [to - from, ...spec.shape.slice(1).map((size) => (size < 0 ? (width ?? 1) : size))];
      return [spec.name, tensorOf(spec, values, dims)];
    }),
  );
}

/** Values into the input's own type; nothing is rounded or guessed except what the type cannot hold. */
function tensorOf({ name, datatype }: TensorSpec, values: readonly unknown[], dims: readonly number[]): Tensor {
  if (!isDatatype(datatype)) throw new PlatformError('gates/cannot-load', name, { hint: `its type is ${datatype}` });
  if (datatype === 'BYTES')
    return new Tensor(
      'string',
      values.map((value) => String(value ?? '')),
      dims,
    );
  const { onnx, array } = datatypes[datatype as Exclude<Datatype, 'BYTES'>];
  const big = datatype === 'INT64' || datatype === 'UINT64';
  const numbers = values.map((value) => {
    const x = numberOf(value);
    if (!Number.isNaN(x) || datatype === 'FP32' || datatype === 'FP64') return big ? BigInt(Math.trunc(x)) : x;
    throw new PlatformError('gates/unreadable', name, { hint: `an input of type ${datatype} cannot be missing` });
  });
  // The table pairs type and array; onnxruntime's overloads cannot follow that.
  const data = (array as unknown as { from(values: readonly unknown[]): Float32Array }).from(numbers);
  return new Tensor(onnx as 'float32', data, dims);
}

const numberOf = (value: unknown) => (value === null || value === undefined ? Number.NaN : Number(value));

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Date) return value.toISOString();
  return Array.isArray(value) ? value.map(plain) : value;
}
