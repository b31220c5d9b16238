/** Tables through DuckDB: schema, checks and profile in one scan. Worker process only. */
import { extname } from 'node:path';
import { PlatformError } from '../errors.ts';
import type { DuckDb } from '../jobs/duckdb-adapter.ts';
import { compileChecks, fileColumn, readSamples, rowNumberColumn } from './check.ts';
import type { Check } from './data-config.ts';
import type { CheckResult, Column, ColumnProfile, Profile, Scan } from './dataset.ts';
import { type ColumnEvidence, valuesListed } from './infer-checks.ts';
import { profileAggregates, readProfile, topQuery } from './profile.ts';
import { sqlName, sqlText, valueTypeOf } from './sql-text.ts';

const relation = 'source_rows';

/** How each kind of file is read, and its rows numbered in file order. No compressed text: a small file could become a huge table. */
const formats: readonly { extensions: readonly string[]; read: string; row: string; options: string }[] = [
  { extensions: ['.parquet', '.pq'], read: 'read_parquet', row: 'file_row_number + 1', options: '' },
  { extensions: ['.csv', '.tsv'], read: 'read_csv', row: 'row_number() OVER ()', options: ', sample_size = 200000' },
  { extensions: ['.json', '.jsonl', '.ndjson'], read: 'read_json', row: 'row_number() OVER ()', options: '' },
];

/** @param files absolute paths  @returns what reads them as one table; `undefined` where they are none, or several kinds */
export function tableSql(files: readonly string[], root: string): string | undefined {
  const format = formats.find(({ extensions }) =>
    files.every((file) => extensions.includes(extname(file).toLowerCase())),
  );
  if (!format || files.length === 0) return undefined;
  const list = `[${files.map(sqlText).join(', ')}]`;
  const file = files.length === 1 ? 'NULL::VARCHAR' : `replace(filename, ${sqlText(`${root}/`)}, '')`;
  return `SELECT *, ${format.row} AS ${rowNumberColumn}, ${file} AS ${fileColumn}
    FROM ${format.read}(${list}, union_by_name = true${format.options})`;
}

/** @throws PlatformError `datasets/unreadable` when the files are not what their names say */
export async function scanTable(db: DuckDb, sql: string, checks: readonly Check[]): Promise<Scan> {
  const columns = await openTable(db, sql);
  await checkPatterns(db, checks);
  const compiled = compileChecks(checks, columns, relation);
  const aggregates = [...compiled.aggregates, ...profileAggregates(columns)];
  const [row = {}] = await read(db, `SELECT ${aggregates.join(',\n')} FROM ${relation}`);

  const results = [...compiled.judge(row)];
  for (const { index, sql: duplicates } of compiled.duplicates(results)) {
    const [found] = await read(db, duplicates);
    const result = results[index];
    if (result) results[index] = { ...result, samples: readSamples(found?.samples) };
  }
  return { columns, profile: await withTop(db, readProfile(columns, row)), checks: results };
}

/** The exact counts that suggestions rest on. Opens nothing new: call it after `scanTable`, on the same database. */
export async function readEvidence(db: DuckDb, profile: Profile): Promise<ReadonlyMap<string, ColumnEvidence>> {
  const evidence = new Map<string, ColumnEvidence>();
  for (const column of profile.columns) {
    const kind = valueTypeOf(column.type);
    if (column.count === 0 || (kind !== 'text' && kind !== 'integer')) continue;
    evidence.set(column.name, await evidenceOf(db, column));
  }
  return evidence;
}

async function evidenceOf(db: DuckDb, column: ColumnProfile): Promise<ColumnEvidence> {
  const c = sqlName(column.name);
  const isText = valueTypeOf(column.type) === 'text';
  const [counts = {}] = await read(
    db,
    `SELECT count(*) AS distinct, count(*) FILTER (WHERE k = 1) AS once, arg_max({value: v, count: k}, k, ${valuesListed + 1}) AS listed
     FROM (SELECT ${c} AS v, count(*) AS k FROM ${relation} WHERE ${c} IS NOT NULL GROUP BY 1)`,
  );
  const distinct = Number(counts.distinct);
  const listed = (Array.isArray(counts.listed) ? counts.listed : []) as { value: string | number; count: number }[];
  const shape = isText ? await shapeOf(db, c) : undefined;
  return {
    distinct,
    once: Number(counts.once),
    ...(distinct <= valuesListed && { values: listed.map(({ value, count }) => ({ value, count: Number(count) })) }),
    ...(shape !== undefined && { shape }),
  };
}

async function shapeOf(db: DuckDb, column: string): Promise<string | undefined> {
  const shape = ['[A-Z]', '[a-z]', '[0-9]'].reduceRight(
    (inner, letters, index) => `regexp_replace(${inner}, '${letters}', '${['A', 'a', '9'][index]}', 'g')`,
    column,
  );
  const shapes = await read(
    db,
    `SELECT DISTINCT ${shape} AS shape FROM ${relation} WHERE ${column} IS NOT NULL LIMIT 2`,
  );
  const [only, second] = shapes;
  return only && !second && String(only.shape).length <= 64 ? String(only.shape) : undefined;
}

async function openTable(db: DuckDb, sql: string): Promise<readonly Column[]> {
  await read(db, `CREATE OR REPLACE TEMP VIEW ${relation} AS ${sql}`);
  const described = await read(db, `DESCRIBE ${relation}`);
  return described
    .map((row) => ({ name: String(row.column_name), type: String(row.column_type) }))
    .filter(({ name }) => name !== rowNumberColumn && name !== fileColumn);
}

async function withTop(db: DuckDb, profile: Profile): Promise<Profile> {
  const columns: ColumnProfile[] = [];
  for (const column of profile.columns) {
    const sql = topQuery(column, relation);
    const top = sql ? await read(db, sql) : [];
    columns.push(
      top.length === 0
        ? column
        : {
            ...column,
            distinct: Number(top[0]?.distinct),
            top: top.map(({ value, count }) => ({ value: String(value), count: Number(count) })),
          },
    );
  }
  return { ...profile, columns };
}

async function checkPatterns(db: DuckDb, checks: readonly Check[]): Promise<void> {
  for (const [index, check] of checks.entries()) {
    if ('rows' in check || check.matches === undefined) continue;
    try {
      await db.rows(`SELECT regexp_matches('', ${sqlText(check.matches)})`);
    } catch (cause) {
      throw new PlatformError('datasets/bad-check', check.matches, {
        cause,
        message: `${check.matches} is not a pattern: ${firstLine(cause)}`,
        hint: 'Patterns are RE2: no look-around and no back-references.',
        at: [{ pointer: `/checks/${index}/matches`, message: firstLine(cause) }],
      });
    }
  }
}

async function read(db: DuckDb, sql: string): Promise<readonly Record<string, unknown>[]> {
  try {
    return await db.rows(sql);
  } catch (cause) {
    throw new PlatformError('datasets/unreadable', 'the source', {
      cause,
      message: `The data cannot be read: ${firstLine(cause)}`,
    });
  }
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n')[0] ?? '';
}

/** For a source that is no table: every check about columns or rows must say so. */
export function refuseWithoutTable(checks: readonly Check[]): readonly CheckResult[] {
  const reason = 'The source is no table of one kind (Parquet, CSV or JSON lines), so there is nothing to check it on.';
  return checks.map((check) => ({
    check,
    name: 'rows' in check ? 'rows' : check.column,
    severity: check.severity ?? 'error',
    verdict: { outcome: 'fail', reason, n: 0, method: 'schema' },
    failing: 0,
    share: 0,
    samples: [],
  }));
}
