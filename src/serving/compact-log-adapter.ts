/** The prediction log as tables: segments become Parquet by endpoint and hour, and come back as the lines they were. Worker process only. */
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type DuckDb, openDuckDb } from '../jobs/duckdb-adapter.ts';
import type { JobContext } from '../jobs/job.ts';

export type CompactInput = {
  readonly endpoint: string;
  /** The segment file. */
  readonly file: string;
  readonly first: number;
  readonly last: number;
  /** Where tables go. */
  readonly folder: string;
};

/**
 * Writes one segment as Parquet files, one per hour of its wall clock, and reads them again before it says so: the segment may be
 * removed after that. A second run writes the same files.
 */
export async function compactLog(
  { endpoint, file, first, last, folder }: CompactInput,
  { signal }: Pick<JobContext, 'signal'>,
): Promise<{ readonly tables: readonly string[] }> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  using db = await openDuckDb({ folders: [folder], files: [file], tempFolder: folder }, signal);
  await db.rows(
    `CREATE TEMP TABLE part AS SELECT *, strftime(make_timestamp("at" * 1000), '%Y%m%d%H') AS "hour" FROM ${lines([file])}`,
  );
  const hours = await db.rows('SELECT DISTINCT "hour" FROM part ORDER BY "hour"');
  const tables: string[] = [];
  for (const { hour } of hours) {
    const name = `${String(first).padStart(16, '0')}-${last}.parquet`;
    const path = join(folder, `endpoint=${endpoint}`, `hour=${hour}`, name);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const columns = `SELECT * EXCLUDE "hour" FROM part WHERE "hour" = ${text(String(hour))} ORDER BY seq`;
    await db.rows(`COPY (${columns}) TO ${text(`${path}.new`)} (FORMAT parquet, COMPRESSION zstd)`);
    await settle(`${path}.new`, path);
    tables.push(path);
  }
  const [found] = await db.rows(
    `SELECT count(*) AS n, count(DISTINCT seq) AS numbers, min(seq) AS low, max(seq) AS high FROM ${parquet(tables)}`,
  );
  const complete =
    found?.['n'] === last - first + 1 &&
    found['numbers'] === found['n'] &&
    found['low'] === first &&
    found['high'] === last;
  if (!complete) throw new Error(`the tables of ${file} do not hold its records ${first} to ${last}`);
  return { tables };
}

/** Records that are only in tables, as the lines they were. */
export async function readLogTables(
  {
    tables,
    where,
  }: {
    readonly tables: readonly string[];
    readonly where: { readonly after: number; readonly limit: number } | { readonly id: string };
  },
  { signal }: Pick<JobContext, 'signal'>,
  tempFolder: string,
): Promise<readonly string[]> {
  if (tables.length === 0) return [];
  using db = await openDuckDb({ folders: [], files: tables, tempFolder }, signal);
  const condition =
    'id' in where ? `id = ${text(where.id)} OR predictionId = ${text(where.id)}` : `seq > ${Math.trunc(where.after)}`;
  const limit = 'id' in where ? '' : `LIMIT ${Math.trunc(where.limit)}`;
  const rows = await db.rows(`SELECT * FROM ${parquet(tables)} WHERE ${condition} ORDER BY seq ${limit}`);
  return rows.map(lineOf);
}

export type LoggedRowsInput = {
  /** Segment files and tables, without overlap. */
  readonly files: readonly string[];
  readonly tables: readonly string[];
  /** Event time, milliseconds since 1970: from and including, to and excluding. */
  readonly from: number;
  readonly to: number;
  /** Named as in the endpoint's settings; `target` becomes the label's column. */
  readonly key?: string;
  readonly time?: string;
  readonly target: string;
  /** The model's inputs, which say the columns' types; absent: read from what was logged. */
  readonly columns?: readonly { readonly name: string; readonly datatype: string }[];
  readonly out: string;
};

/** Writes the inputs of predictions that have a label as one Parquet file: the newest prediction and the last label of each key. */
export async function exportLoggedRows(
  input: LoggedRowsInput,
  { signal }: Pick<JobContext, 'signal'>,
): Promise<{ readonly path: string; readonly rows: number }> {
  const { files, tables, from, to, key, time, target, out } = input;
  await mkdir(dirname(out), { recursive: true, mode: 0o700 });
  using db = await openDuckDb(
    { folders: [dirname(out)], files: [...files, ...tables], tempFolder: dirname(out) },
    signal,
  );
  const sources = [...(files.length > 0 ? [lines(files)] : []), ...(tables.length > 0 ? [parquet(tables)] : [])];
  const all = sources.map((source) => `SELECT seq, kind, key, eventTime, outcome, inputs, "value" FROM ${source}`);
  await db.rows(
    `CREATE TEMP TABLE records AS ${all.length > 0 ? all.join(' UNION ALL BY NAME ') : `SELECT * FROM ${noRecords}`}`,
  );
  await db.rows(
    `CREATE TEMP TABLE joined AS
     SELECT answers.seq, answers.eventTime, answers.inputs, labels."value" FROM
       (SELECT key, max(seq) AS seq, arg_max(eventTime, seq) AS eventTime, arg_max(inputs, seq) AS inputs FROM records
         WHERE kind = 'prediction' AND outcome = 'ok' AND eventTime >= ${Math.trunc(from)} AND eventTime < ${Math.trunc(to)} GROUP BY key) AS answers
       JOIN (SELECT key, arg_max("value", seq) AS "value" FROM records WHERE kind = 'label' GROUP BY key) AS labels USING (key)`,
  );
  const typed = input.columns?.map(({ name, datatype }) => ({ name, type: columnTypes[datatype] ?? 'VARCHAR' })) ?? [];
  const seen = await seenColumns(db);
  const isExtra = (name: string) => name === key || name === time;
  const inputs = [
    ...(typed.length > 0 ? typed : seen.filter(({ name }) => !isExtra(name))),
    ...(key === undefined || typed.some(({ name }) => name === key)
      ? []
      : [seen.find(({ name }) => name === key) ?? { name: key, type: 'VARCHAR' }]),
  ].filter(({ name }) => name !== time && name !== target);
  const columns = [
    ...inputs.map(
      ({ name, type }) => `CAST(json_extract_string(inputs, ${pointer(name)}) AS ${type}) AS ${identifier(name)}`,
    ),
    ...(time === undefined ? [] : [`make_timestamp(eventTime * 1000) AS ${identifier(time)}`]),
    `${await labelColumn(db)} AS ${identifier(target)}`,
  ];
  await db.rows(
    `COPY (SELECT ${columns.join(', ')} FROM joined ORDER BY seq) TO ${text(`${out}.new`)} (FORMAT parquet, COMPRESSION zstd)`,
  );
  await settle(`${out}.new`, out);
  const [counted] = await db.rows('SELECT count(*) AS n FROM joined');
  return { path: out, rows: Number(counted?.['n'] ?? 0) };
}

const columnTypes: Readonly<Record<string, string>> = {
  ...{ BOOL: 'BOOLEAN', FP32: 'FLOAT', FP64: 'DOUBLE', BYTES: 'VARCHAR' },
  ...{ INT8: 'TINYINT', INT16: 'SMALLINT', INT32: 'INTEGER', INT64: 'BIGINT' },
  ...{ UINT8: 'UTINYINT', UINT16: 'USMALLINT', UINT32: 'UINTEGER', UINT64: 'UBIGINT' },
};

/** Names as they were logged, with the narrowest type that all their values have. */
async function seenColumns(db: DuckDb): Promise<readonly { readonly name: string; readonly type: string }[]> {
  const rows = await db.rows(
    `SELECT name, list_sort(list(DISTINCT kind)) AS kinds, min(place) AS place FROM (
       SELECT name, place, json_type(json_extract(inputs, '/' || replace(replace(name, '~', '~0'), '/', '~1'))) AS kind FROM
         (SELECT inputs, unnest(json_keys(inputs)) AS name, generate_subscripts(json_keys(inputs), 1) AS place FROM joined))
     GROUP BY name ORDER BY place, name`,
  );
  return rows.map(({ name, kinds }) => ({
    name: String(name),
    type: typeOf((kinds as readonly string[]).filter((kind) => kind !== 'NULL')),
  }));
}

function typeOf(kinds: readonly string[]): string {
  const only = (...allowed: readonly string[]) => kinds.length > 0 && kinds.every((kind) => allowed.includes(kind));
  if (only('BIGINT', 'UBIGINT')) return 'BIGINT';
  if (only('BIGINT', 'UBIGINT', 'DOUBLE')) return 'DOUBLE';
  return only('BOOLEAN') ? 'BOOLEAN' : 'VARCHAR';
}

async function labelColumn(db: DuckDb): Promise<string> {
  const rows = await db.rows('SELECT DISTINCT json_type("value") AS kind FROM joined');
  return `CAST(json_extract_string("value", '$') AS ${typeOf(rows.map(({ kind }) => String(kind)))})`;
}

/** The columns of a table, in the order of a line. */
const columns = {
  ...{ seq: 'BIGINT', kind: 'VARCHAR', at: 'BIGINT', eventTime: 'BIGINT', id: 'VARCHAR', predictionId: 'VARCHAR' },
  ...{ key: 'VARCHAR', unit: 'VARCHAR', latencyMs: 'DOUBLE', role: 'VARCHAR', model: 'VARCHAR', version: 'INTEGER' },
  ...{
    generation: 'BIGINT',
    rollout: 'VARCHAR',
    outcome: 'VARCHAR',
    errorCode: 'VARCHAR',
    runtime: 'VARCHAR',
    inputs: 'JSON',
    outputs: 'JSON',
  },
  ...{ score: 'DOUBLE', batch: 'JSON', value: 'JSON' },
} as const;
const jsonColumns = new Set<string>(['inputs', 'outputs', 'batch', 'value']);

function lineOf(row: Readonly<Record<string, unknown>>): string {
  const parts: string[] = [];
  for (const name of Object.keys(columns)) {
    const value = row[name];
    if (value === null || value === undefined) continue;
    // JSON columns hold the text of the line itself, digit for digit.
    parts.push(
      `"${name}":${jsonColumns.has(name) ? String(value) : typeof value === 'bigint' ? `${value}` : JSON.stringify(value)}`,
    );
  }
  return `{${parts.join(',')}}`;
}

const columnList = Object.entries(columns)
  .map(([name, type]) => `${text(name)}: '${type}'`)
  .join(', ');
const lines = (files: readonly string[]): string =>
  `read_json([${files.map(text).join(', ')}], format = 'newline_delimited', maximum_object_size = 134217728, columns = {${columnList}})`;
const parquet = (files: readonly string[]): string =>
  `read_parquet([${files.map(text).join(', ')}], union_by_name = true)`;
const noRecords = `(SELECT ${Object.entries(columns)
  .map(([name, type]) => `CAST(NULL AS ${type}) AS ${identifier(name)}`)
  .join(', ')} WHERE false)`;

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** As a JSON Pointer: names of inputs may hold anything. */
const pointer = (name: string): string => text(`/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);

/** On disk under its real name, or not there. */
async function settle(temporary: string, path: string): Promise<void> {
  {
    await using file = await open(temporary, 'r');
    await file.sync();
  }
  await rename(temporary, path);
  await using folder = await open(dirname(path), 'r');
  await folder.sync();
}
