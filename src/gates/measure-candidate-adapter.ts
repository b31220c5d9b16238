/** The worker's job: everything that a plan needs measured, and the verdicts on it. */
import { tmpdir } from 'node:os';
import { sqlText } from '../datasets/sql-text.ts';
import { PlatformError } from '../errors.ts';
import { type DuckDb, openDuckDb } from '../jobs/duckdb-adapter.ts';
import type { JobContext } from '../jobs/job.ts';
import type { Task } from '../serving/endpoint.ts';
import type { TestReport } from './gate.ts';
import { type GateEvidence, groupingKey } from './gate-evidence.ts';
import type { GateTest, Grouping } from './gates-config.ts';
import { judge } from './judge.ts';
import { columnNames, openScorer, readTable, type ScoredModel, type Scorer, type Table } from './score-rows-adapter.ts';
import { sliceNames } from './slice-names.ts';

/** What the server prepares; plain data, since it travels to another process. */
export type MeasureInput = {
  readonly plan: readonly GateTest[];
  readonly task: Task;
  /** The column with the truth. */
  readonly target: string;
  readonly candidate: ScoredModel;
  readonly champion?: ScoredModel;
  /** Parquet files on this machine. */
  readonly rows?: string;
  readonly dataDigest?: string;
  readonly parity?: string;
  readonly dataChecks?: NonNullable<GateEvidence['dataChecks']>;
};

/** Enough runs for an upper bound of a 99 % point (299), and a limit for slow models. */
const timing = { runs: 500, budgetMs: 20_000 };

export async function measureCandidate(input: MeasureInput, context: JobContext): Promise<readonly TestReport[]> {
  const { plan, task, candidate, champion, rows: rowsFile, parity: parityFile, dataChecks } = input;
  const files = [rowsFile, parityFile].filter((file) => file !== undefined);
  using db = await openDuckDb({ folders: [], files, tempFolder: tmpdir() }, context.signal);
  await using own = await openScorer(candidate, task);

  const evidence: { -readonly [Key in keyof GateEvidence]: GateEvidence[Key] } = {
    latencies: new Map(),
    ...(dataChecks && { dataChecks }),
  };
  const compares = champion !== undefined && plan.some(({ kind }) => kind === 'paired');
  if (rowsFile !== undefined) {
    await using other = compares ? await openScorer(champion, task) : undefined;
    const groupings = plan.flatMap((test) => ('by' in test && test.by ? [test.by] : []));
    const table = await readTable(db, rowsFile, [
      input.target,
      ...own.inputs,
      ...(other?.inputs ?? []),
      ...groupings.map(({ column }) => column),
    ]);
    context.log(`${table.rows} rows`);
    evidence.rows = await scoreRows(table, { ...input, own, other, groupings }, context);
    evidence.latencies = await timeRuns(own, table, plan, context);
  }
  if (parityFile !== undefined && plan.some(({ kind }) => kind === 'parity')) {
    context.progress(0.95, 'comparing answers with the trainer’s');
    evidence.parity = await compareAnswers(db, parityFile, own, context.signal);
  }
  return plan.map((test) => judge(test, evidence));
}

type Scoring = {
  readonly task: Task;
  readonly target: string;
  readonly own: Scorer;
  readonly other: Scorer | undefined;
  readonly groupings: readonly Grouping[];
};

async function scoreRows(
  table: Table,
  { task, target, own, other, groupings }: Scoring,
  { signal, progress }: JobContext,
): Promise<NonNullable<GateEvidence['rows']>> {
  const truth = truthOf(table.columns.get(target) ?? [], target, task);
  const parts = other ? 2 : 1;
  const told = (part: number) => (done: number) =>
    progress((0.8 * (part + done / table.rows)) / parts, `scored ${done} of ${table.rows} rows`);
  const candidate = await own.score(table, signal, told(0));
  const champion = other && (await other.score(table, signal, told(1)));
  const groups = new Map(
    groupings.map((by) => [groupingKey(by), sliceNames(by, table.columns.get(by.column) ?? [])] as const),
  );
  return { truth, candidate, ...(champion && { champion }), groups };
}

/** @throws PlatformError gates/bad-label: a row without truth must not be guessed */
function truthOf(values: readonly unknown[], target: string, task: Task): Float64Array {
  return Float64Array.from(values, (value, row) => {
    const truth = value === null || value === undefined ? Number.NaN : Number(value);
    const fits = task === 'regression' ? Number.isFinite(truth) : truth === 0 || truth === 1;
    if (!fits)
      throw new PlatformError('gates/bad-label', `${target} in row ${row + 1}`, { data: { value: String(value) } });
    return truth;
  });
}

async function timeRuns(
  own: Scorer,
  table: Table,
  plan: readonly GateTest[],
  { signal, progress }: JobContext,
): Promise<GateEvidence['latencies']> {
  const latencies = new Map<number, readonly number[]>();
  for (const test of plan) {
    if (test.kind !== 'latency' || latencies.has(test.batch)) continue;
    progress(0.85, `measuring latency at batch ${test.batch}`);
    latencies.set(test.batch, await own.time(table, { ...timing, batch: test.batch }, signal));
  }
  return latencies;
}

/** The file holds the inputs and a column `score` with the trainer's answer: the probability of 1, or the value. */
async function compareAnswers(
  db: DuckDb,
  path: string,
  own: Scorer,
  signal: AbortSignal,
): Promise<NonNullable<GateEvidence['parity']>> {
  const names = await columnNames(db, `read_parquet(${sqlText(path)})`, path);
  const expectedName = names.includes('score') ? 'score' : 'expected';
  const table = await readTable(db, path, [...own.inputs, expectedName]);
  const expected = table.columns.get(expectedName) ?? [];
  const scores = await own.score(table, signal);
  // An answer that is no number is as far off as can be.
  const differences = scores.map((score, row) => {
    const difference = Math.abs(score - Number(expected[row] ?? Number.NaN));
    return Number.isNaN(difference) ? Number.MAX_VALUE : difference;
  });
  return {
    rows: table.rows,
    greatest: differences.reduce((most, difference) => Math.max(most, difference), 0),
    beyond: (tolerance) => differences.filter((difference) => difference > tolerance).length,
  };
}
