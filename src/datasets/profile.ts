/** What each column looks like: the aggregates to ask for, and the answer as a profile. */
import { type Column, type ColumnProfile, type Profile, profileQuantiles } from './dataset.ts';
import { isFloat, sqlName, valueTypeOf } from './sql-text.ts';

const topKept = 20;
/** Above this many distinct values a list of the most frequent ones says nothing and costs a hash table of all of them. */
const distinctForTop = 20_000;

export function profileAggregates(columns: readonly Column[]): readonly string[] {
  return columns.flatMap(({ name, type }, index) => {
    const c = sqlName(name);
    const kind = valueTypeOf(type);
    const aggregates = [`count(${c}) AS p${index}_count`];
    if (kind !== 'other') aggregates.push(`approx_count_distinct(${c}) AS p${index}_distinct`);
    if (kind === 'text' || kind === 'time') {
      aggregates.push(`CAST(min(${c}) AS VARCHAR) AS p${index}_min`, `CAST(max(${c}) AS VARCHAR) AS p${index}_max`);
    }
    if (kind === 'integer' || kind === 'number') {
      const x = `CAST(${c} AS DOUBLE)`;
      // One NaN would make the mean NaN and hide everything else about the column: it is counted instead.
      const finite = isFloat(type) ? ` FILTER (WHERE isfinite(${c}))` : '';
      if (isFloat(type)) aggregates.push(`count(*) FILTER (WHERE isnan(${c})) AS p${index}_nan`);
      aggregates.push(
        ...[
          `min(${x})${finite} AS p${index}_min`,
          `max(${x})${finite} AS p${index}_max`,
          `avg(${x})${finite} AS p${index}_mean`,
          `stddev_samp(${x})${finite} AS p${index}_sd`,
          `approx_quantile(${x}, [${profileQuantiles.join(', ')}])${finite} AS p${index}_quantiles`,
        ],
      );
    }
    return aggregates;
  });
}

/** @param row with the aliases of `profileAggregates` and the number of rows as `n` */
export function readProfile(columns: readonly Column[], row: Readonly<Record<string, unknown>>): Profile {
  const rows = Number(row.n);
  return {
    rows,
    columns: columns.map(({ name, type }, index) => {
      const of = (what: string) => row[`p${index}_${what}`] ?? undefined;
      const count = Number(of('count'));
      const { min, max, mean, sd, nan, quantiles } = {
        min: scalar(of('min')),
        max: scalar(of('max')),
        mean: number(of('mean')),
        sd: number(of('sd')),
        nan: number(of('nan')),
        quantiles: of('quantiles'),
      };
      return {
        name,
        type,
        count,
        nulls: rows - count,
        distinct: Math.min(count, Number(of('distinct') ?? 0)),
        ...(nan !== undefined && { nan }),
        ...(min !== undefined && { min }),
        ...(max !== undefined && { max }),
        ...(mean !== undefined && { mean }),
        ...(sd !== undefined && { sd }),
        ...(Array.isArray(quantiles) && { quantiles: quantiles.map(Number) }),
      };
    }),
  };
}

/** The follow-up query for a column's most frequent values, where they are worth it; it also counts the distinct ones exactly. */
export function topQuery(column: ColumnProfile, relation: string): string | undefined {
  const kind = valueTypeOf(column.type);
  if (kind !== 'text' && kind !== 'boolean') return undefined;
  if (column.count === 0 || column.distinct > distinctForTop || column.distinct > column.count / 2) return undefined;
  const c = sqlName(column.name);
  return `SELECT CAST(${c} AS VARCHAR) AS value, count(*) AS count, count(*) OVER () AS distinct FROM ${relation} WHERE ${c} IS NOT NULL
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${topKept}`;
}

function scalar(value: unknown): number | string | undefined {
  return typeof value === 'string' ? value : number(value);
}

function number(value: unknown): number | undefined {
  return value === undefined || value === null ? undefined : Number(value);
}
