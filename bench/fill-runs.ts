/**
 * Many runs at once, written past the server: the same ones into a data folder of ours or into MLflow's SQLite file.
 * `node bench/fill-runs.ts <empty data folder> [runs] [points of each of its ten metrics]`
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../src/storage/open-database.ts';

/** The runs of several experiments take turns. */
export type Shape = { readonly runs: number; readonly pointsPerMetric: number; readonly experiments?: number };

/** A run has 10 metrics `m0` to `m9`, 10 parameters `p0` to `p9` and 6 tags; values are uniform and independent. */
const keys = 10;
const tagsPerRun = 6;

/** Into the experiments from 0 on of the folder. @returns the bytes that one point takes on the disk */
export async function fillRondo(folder: string, shape: Shape): Promise<number> {
  {
    await using _ = await openDatabase({ folder }); // makes the tables
  }
  using database = openForFilling(join(folder, 'rondo.db'));
  const addExperiment = database.prepare(`insert or ignore into experiments
    (id, name, project, artifact_location, lifecycle, created_at, updated_at) values (?, ?, 'default', ?, 'active', 0, 0)`);
  for (let id = 0; id < (shape.experiments ?? 1); id += 1) {
    addExperiment.run(id, id === 0 ? 'Default' : `experiment-${id}`, `mlflow-artifacts:/${id}`);
  }
  const insert = {
    run: database.prepare(`insert into runs (id, experiment_id, name, user_id, status, start_time, end_time, artifact_uri, lifecycle)
      values (?1, ?8, ?2, ?3, ?4, ?5, ?6, ?7, 'active')`),
    tag: database.prepare('insert into run_tags (run_id, key, value) values (?, ?, ?)'),
    param: database.prepare('insert into run_params (run_id, key, value) values (?, ?, ?)'),
    metric: database.prepare(`insert into metric_series (run_id, key, value, timestamp, step, experiment_id, is_nan)
      values (?, ?, ?, ?, ?, (select experiment_id from runs where id = ?1), 0)`),
  };
  database.exec('begin');
  fill(shape, insert);
  database.exec('commit');
  const before = sizeOf(database);
  const points = shape.runs * keys * shape.pointsPerMetric;
  const [first, last] = Object.values(
    database.prepare('select min(id) as first, max(id) as last from metric_series').get() ?? {},
  ).map(Number);
  const addPoints = database.prepare(`
    insert into metric_points (series_id, step, timestamp, value, is_nan)
    with recursive steps (step) as (select 0 union all select step + 1 from steps where step + 1 < ${shape.pointsPerMetric})
    select id, steps.step, timestamp - (${shape.pointsPerMetric - 1} - steps.step) * 1000,
      value + (${shape.pointsPerMetric - 1} - steps.step) * 0.001, 0
    from metric_series cross join steps where id >= ? and id < ?`);
  const part = Math.max(1, Math.floor(2_000_000 / shape.pointsPerMetric)); // series a transaction
  for (let from = first ?? 0; from <= (last ?? -1); from += part) addPoints.run(from, from + part);
  return (sizeOf(database) - before) / points;
}

/** Into experiment 0 of a file that `mlflow server` has made its tables in. */
export function fillMlflow(file: string, shape: Shape): void {
  using database = openForFilling(file);
  const insert = {
    run: database.prepare(`insert into runs (run_uuid, name, user_id, status, start_time, end_time, artifact_uri,
      experiment_id, lifecycle_stage, source_type, source_name, source_version, entry_point_name)
      values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'active', 'UNKNOWN', '', '', '')`),
    tag: database.prepare('insert into tags (run_uuid, key, value) values (?, ?, ?)'),
    param: database.prepare('insert into params (run_uuid, key, value) values (?, ?, ?)'),
    metric: database.prepare(`insert into latest_metrics (run_uuid, key, value, timestamp, step, is_nan)
      values (?, ?, ?, ?, ?, 0)`),
  };
  database.exec('begin');
  fill(shape, insert);
  database.exec(`
    insert into metrics (run_uuid, key, value, timestamp, step, is_nan)
    with recursive steps (step) as (select 0 union all select step + 1 from steps where step + 1 < ${shape.pointsPerMetric})
    select run_uuid, key, value + (${shape.pointsPerMetric - 1} - steps.step) * 0.001,
      timestamp - (${shape.pointsPerMetric - 1} - steps.step) * 1000, steps.step, 0
    from latest_metrics cross join steps`);
  database.exec('commit');
}

type Statements = Readonly<Record<'run' | 'tag' | 'param' | 'metric', ReturnType<DatabaseSync['prepare']>>>;

function fill({ runs, pointsPerMetric, experiments = 1 }: Shape, insert: Statements): void {
  const random = numbersFrom(7);
  const statuses = ['FINISHED', 'FINISHED', 'FINISHED', 'FAILED'] as const;
  const firstStart = Date.UTC(2026, 0, 1);
  for (let number = 0; number < runs; number += 1) {
    const id = Array.from({ length: 4 }, () => random.bits().toString(16).padStart(8, '0')).join('');
    const name = `run-${number}`;
    const user = `user-${random.below(20)}`;
    const start = firstStart + number * 60_000;
    const end = start + random.below(50_000);
    insert.run.run(
      id,
      name,
      user,
      statuses[random.below(4)] ?? 'FINISHED',
      start,
      end,
      `mlflow-artifacts:/${number % experiments}/${id}/artifacts`,
      number % experiments,
    );
    const tags = [
      `mlflow.runName/${name}`,
      `mlflow.user/${user}`,
      'mlflow.source.name/train.py',
      'mlflow.source.type/LOCAL',
    ];
    while (tags.length < tagsPerRun) tags.push(`t${tags.length}/${random.below(10)}`);
    for (const tag of tags) insert.tag.run(id, ...(tag.split('/') as [string, string])); // as written above
    for (let key = 0; key < keys; key += 1) {
      insert.param.run(id, `p${key}`, String(random.below(10 * (key + 1))));
      insert.metric.run(id, `m${key}`, random.bits() / 2 ** 32, end, pointsPerMetric - 1);
    }
  }
}

/** Mulberry32: the same numbers for both servers. */
function numbersFrom(seed: number) {
  let state = seed;
  const bits = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
  return { bits, below: (end: number): number => Math.floor((bits() / 2 ** 32) * end) };
}

/** Without a journal: a fill that is broken off is thrown away. */
function openForFilling(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec(
    'pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -1000000; pragma foreign_keys = off',
  );
  return database;
}

function sizeOf(database: DatabaseSync): number {
  const { page_count: pages } = database.prepare('pragma page_count').get() ?? {};
  const { page_size: size } = database.prepare('pragma page_size').get() ?? {};
  return Number(pages) * Number(size);
}

if (import.meta.main) {
  const [folder, runs = '100000', points = '50'] = process.argv.slice(2);
  if (folder === undefined || folder.startsWith('-'))
    throw new Error('Say where: node bench/fill-runs.ts <empty data folder> [runs] [points]');
  const began = performance.now();
  const bytes = await fillRondo(folder, { runs: Number(runs), pointsPerMetric: Number(points) });
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  console.log(
    `${runs} runs, ${Number(runs) * keys * Number(points)} points, ${bytes.toFixed(1)} bytes a point, ${seconds} s`,
  );
}
