/** Data checks: all of them become one query over the data, and its one row becomes their verdicts. */
import type { Verdict } from '../statistics/verdict.ts';
import { type Check, type ColumnCheck, parseShare, type RowsCheck } from './data-config.ts';
import type { CheckResult, Column, Sample } from './dataset.ts';
import { isFloat, sqlName, sqlText, valueTypeOf } from './sql-text.ts';

export const samplesKept = 20;

/** One thing asked of the data; a check in the file may ask several. */
type Rule = {
  readonly check: Check;
  readonly name: string;
  /** SQL that is true for a row that breaks the rule; `undefined`: the query counts nothing for it. */
  readonly breaks?: string;
  readonly column?: string;
  /** What the share is of: values, or all rows. */
  readonly of?: 'values' | 'rows';
  /** Known before any row is read: the column is missing or of another type. */
  readonly refusal?: string;
  readonly holds?: string;
};

/** What is compiled: aggregates for one SELECT, and how to read the row that comes back. */
export type CompiledChecks = {
  readonly aggregates: readonly string[];
  /** @param row the answer, by the aliases in `aggregates` */
  judge(row: Readonly<Record<string, unknown>>): readonly CheckResult[];
  /** Queries for the samples of failing `unique` rules, which no single scan can name. */
  duplicates(results: readonly CheckResult[]): readonly { readonly index: number; readonly sql: string }[];
};

/** Names of the row number and the file in the relation that the aggregates read. */
export const rowNumberColumn = '__row';
export const fileColumn = '__file';

/** @param relation the SQL of the relation, with `__row` and `__file`, for follow-up queries */
export function compileChecks(checks: readonly Check[], columns: readonly Column[], relation: string): CompiledChecks {
  const rules = checks.flatMap((check) => ('rows' in check ? [rowsRule(check)] : columnRules(check, columns)));
  const aggregates = ['count(*) AS n', ...rules.flatMap((rule, index) => aggregatesOf(rule, index))];
  return {
    aggregates,
    judge: (row) => rules.map((rule, index) => judge(rule, index, row)),
    duplicates: (results) =>
      results.flatMap((result, index) => {
        const rule = rules[index];
        if (!rule?.holds?.startsWith('unique') || result.failing === 0 || !rule.column) return [];
        return [{ index, sql: duplicatesOf(rule.column, relation) }];
      }),
  };
}

/** Rows as samples, in the shape the aggregates and the duplicates' queries give them. */
export function readSamples(value: unknown): readonly Sample[] {
  if (!Array.isArray(value)) return [];
  return value.map((sample: { row: unknown; file: unknown; value: unknown }) => ({
    row: Number(sample.row),
    ...(typeof sample.file === 'string' && { file: sample.file }),
    value: readable(sample.value),
  }));
}

function rowsRule(check: RowsCheck): Rule {
  const { min, max } = check.rows;
  const name =
    min !== undefined && max !== undefined
      ? `between ${min} and ${max} rows`
      : min !== undefined
        ? `at least ${min} rows`
        : `at most ${max} rows`;
  return { check, name };
}

function columnRules(check: ColumnCheck, columns: readonly Column[]): readonly Rule[] {
  const found = columns.find(({ name }) => name === check.column);
  const { column } = check;
  const rule = (name: string, rest: Omit<Rule, 'check' | 'name' | 'column'>): Rule => ({
    check,
    name: `${column} ${name}`,
    column,
    ...(found ? rest : { refusal: `There is no column ${column}.` }),
  });
  const c = sqlName(column);
  const type = found?.type ?? '';
  const kind = valueTypeOf(type);
  const comparable = kind === 'integer' || kind === 'number' || kind === 'time';
  // NaN sorts above every number in DuckDB, and is in no range.
  const nan = isFloat(type) ? ` OR isnan(${c})` : '';
  const range = (name: string, bounds: readonly (string | number)[], sql: (...bounds: string[]) => string): Rule => {
    if (!comparable) return rule(name, { refusal: `${column} is ${type}; only numbers and times have a range.` });
    const wrong = bounds.find((bound) =>
      kind === 'time' ? Number.isNaN(Date.parse(String(bound))) : !isNumber(bound),
    );
    if (wrong !== undefined)
      return rule(name, { refusal: `${wrong} is not a ${kind === 'time' ? 'time' : 'number'}.` });
    const literal = (bound: string | number) =>
      kind === 'time' ? `CAST(${sqlText(String(bound))} AS ${type})` : String(Number(bound));
    return rule(name, { breaks: `${sql(...bounds.map(literal))}${nan}`, of: 'values' });
  };
  const rules: Rule[] = [];

  if (check.type !== undefined) {
    const fits = kind === check.type || (check.type === 'number' && kind === 'integer');
    rules.push(
      rule(`is ${check.type}`, fits ? { holds: 'type' } : { refusal: `${column} is ${type}, not ${check.type}.` }),
    );
  }
  if (check.notNull) rules.push(rule('is never null', { breaks: `${c} IS NULL`, of: 'rows' }));
  if (check.between) {
    const [low, high] = check.between;
    rules.push(range(`between ${low} and ${high}`, [low, high], (least, most) => `${c} < ${least} OR ${c} > ${most}`));
  }
  if (check.min !== undefined) rules.push(range(`at least ${check.min}`, [check.min], (least) => `${c} < ${least}`));
  if (check.max !== undefined) rules.push(range(`at most ${check.max}`, [check.max], (most) => `${c} > ${most}`));
  if (check.matches !== undefined) {
    const { matches } = check;
    rules.push(
      kind === 'text'
        ? rule(`matches ${matches}`, { breaks: `NOT regexp_matches(${c}, ${sqlText(matches)})`, of: 'values' })
        : rule(`matches ${matches}`, { refusal: `${column} is ${type}; only text has a pattern.` }),
    );
  }
  if (check.in !== undefined) {
    const first = check.in.slice(0, 5).join(', ');
    const numeric = (kind === 'integer' || kind === 'number') && check.in.every(isNumber);
    const breaks = numeric
      ? `${c} NOT IN (${check.in.map(Number).join(', ')})`
      : `CAST(${c} AS VARCHAR) NOT IN (${check.in.map((value) => sqlText(String(value))).join(', ')})`;
    rules.push(rule(`is one of ${first}${check.in.length > 5 ? ', …' : ''}`, { breaks, of: 'values' }));
  }
  if (check.unique) rules.push(rule('is unique', { holds: 'unique', of: 'values' }));
  return rules;
}

/** Numbers in the file may be written as text (`'0.5'`). */
function isNumber(value: unknown): boolean {
  return value !== '' && typeof value !== 'boolean' && Number.isFinite(Number(value));
}

function aggregatesOf(rule: Rule, index: number): readonly string[] {
  if (rule.refusal !== undefined || rule.column === undefined) return [];
  const c = sqlName(rule.column);
  const values = `count(${c}) AS n${index}`;
  if (rule.holds === 'unique') return [values, `count(${c}) - count(DISTINCT ${c}) AS f${index}`];
  if (rule.breaks === undefined) return [];
  const broken = `FILTER (WHERE ${rule.breaks})`;
  const sample = `{row: ${rowNumberColumn}, file: ${fileColumn}, value: CAST(${c} AS VARCHAR)}`;
  return [
    values,
    `count(*) ${broken} AS f${index}`,
    `arg_min(${sample}, ${rowNumberColumn}, ${samplesKept}) ${broken} AS s${index}`,
  ];
}

function duplicatesOf(column: string, relation: string): string {
  const c = sqlName(column);
  return `SELECT list({row: row, file: file, value: value}) AS samples FROM (
    SELECT ${rowNumberColumn} AS row, ${fileColumn} AS file, CAST(${c} AS VARCHAR) AS value FROM ${relation} WHERE ${c} IN (
      SELECT ${c} FROM ${relation} WHERE ${c} IS NOT NULL GROUP BY ${c} HAVING count(*) > 1 ORDER BY ${c} LIMIT ${samplesKept}
    ) ORDER BY ${c}, ${rowNumberColumn} LIMIT ${samplesKept})`;
}

function judge(rule: Rule, index: number, row: Readonly<Record<string, unknown>>): CheckResult {
  const rows = Number(row.n);
  const base = { check: rule.check, name: rule.name, severity: rule.check.severity ?? 'error' } as const;
  if (rule.refusal !== undefined) {
    const verdict: Verdict = { outcome: 'fail', reason: rule.refusal, n: rows, method: 'schema' };
    return { ...base, verdict, failing: rows, share: 1, samples: [] };
  }
  if ('rows' in rule.check)
    return { ...base, verdict: judgeRows(rule.check, rule.name, rows), failing: 0, share: 0, samples: [] };
  if (rule.holds === 'type') {
    const verdict: Verdict = { outcome: 'pass', reason: `${rule.name}.`, n: rows, method: 'schema' };
    return { ...base, verdict, failing: 0, share: 0, samples: [] };
  }
  const n = rule.of === 'rows' ? rows : Number(row[`n${index}`]);
  const failing = Number(row[`f${index}`]);
  const threshold = parseShare(rule.check.tolerate);
  const samples = readSamples(row[`s${index}`]);
  if (n === 0) {
    const verdict: Verdict = {
      outcome: 'inconclusive',
      reason: `${rule.name}: there are no values to judge.`,
      threshold,
      n,
      method,
    };
    return { ...base, verdict, failing, share: 0, samples };
  }
  const share = failing / n;
  const verdict: Verdict = {
    outcome: share <= threshold ? 'pass' : 'fail',
    reason: `${rule.name}: ${failing === 0 ? 'true for all' : `${failing} of`} ${n} ${rule.of === 'rows' ? 'rows' : 'values'}${failing === 0 ? '' : ` (${percent(share)}) are not, ${percent(threshold)} may be`}.`,
    value: share,
    threshold,
    n,
    method,
  };
  return { ...base, verdict, failing, share, samples };
}

const method = 'counted, all rows';

function judgeRows({ rows: { min, max } }: RowsCheck, name: string, rows: number): Verdict {
  const holds = (min === undefined || rows >= min) && (max === undefined || rows <= max);
  const threshold = min !== undefined && rows < min ? min : (max ?? min);
  return {
    outcome: holds ? 'pass' : 'fail',
    reason: `${name}: there are ${rows}.`,
    value: rows,
    ...(threshold !== undefined && { threshold }),
    n: rows,
    method,
  };
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

function readable(value: unknown): string | number | boolean | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'number' || typeof value === 'boolean' ? value : String(value);
}
