/** Checks suggested from data, for people to edit: Deequ's rules for constraint suggestion, and a pattern where text has one shape. */
import { stringify } from 'yaml';
import type { Check, ColumnCheck } from './data-config.ts';
import type { ColumnProfile, Profile } from './dataset.ts';
import { valueTypeOf } from './sql-text.ts';

/** What the profile does not say, counted exactly. */
export type ColumnEvidence = {
  /** Exact. */
  readonly distinct: number;
  /** Distinct values that occur once. */
  readonly once: number;
  /** All values, most frequent first; only where there are few. */
  readonly values?: readonly { readonly value: string | number | boolean; readonly count: number }[];
  /** Letters as `A` and `a`, digits as `9`; only where all values share it. */
  readonly shape?: string;
};

/** A longer list is not read by anybody, and the next value that is missing in it is an alarm about nothing. */
export const valuesListed = 100;

// Deequ, ConstraintSuggestionRunner: the defaults of its rules.
const categorical = 0.1;
const fractionallyCategorical = { once: 0.4, covered: 0.9 } as const;
const leastCompleteness = 0.2;
const z = 1.96; // of the 95 % interval

/** @returns checks that the data itself passes */
export function inferChecks(profile: Profile, evidence: ReadonlyMap<string, ColumnEvidence>): readonly Check[] {
  if (profile.rows === 0) return [];
  const checks: Check[] = profile.columns.flatMap((column) => {
    const known = evidence.get(column.name);
    return [
      ...completeness(column, profile.rows),
      ...(known ? uniqueness(column, known, profile.rows) : []),
      ...(known ? domain(column, known) : []),
      ...sign(column),
    ];
  });
  return [...checks, { rows: { min: Math.ceil(profile.rows / 2) } }];
}

/** The block as it stands in rondo.yaml, ready to be pasted below `data.<name>`. */
export function checksAsYaml(checks: readonly Check[]): string {
  const lines = checks.map((check) => `  - ${stringify(check, { collectionStyle: 'flow', lineWidth: 0 }).trim()}`);
  return `checks:\n${lines.join('\n')}\n`;
}

/** CompleteIfComplete and RetainCompleteness. */
function completeness({ name, count }: ColumnProfile, rows: number): readonly ColumnCheck[] {
  if (count === rows) return [{ column: name, notNull: true }];
  const complete = count / rows;
  if (complete <= leastCompleteness) return [];
  const tolerate = 1 - Math.floor(wilsonLower(complete, rows) * 100) / 100;
  return [{ column: name, notNull: true, tolerate: Number(tolerate.toFixed(2)) }];
}

/** UniqueIfApproximatelyUnique, but exact: a suggestion its own data breaks would be refused at once. */
function uniqueness(
  { name, count }: ColumnProfile,
  { distinct }: ColumnEvidence,
  rows: number,
): readonly ColumnCheck[] {
  return rows > 1 && count === rows && distinct === rows ? [{ column: name, unique: true }] : [];
}

/** CategoricalRange, FractionalCategoricalRange, or the shape of the text. */
function domain({ name, type, count }: ColumnProfile, known: ColumnEvidence): readonly ColumnCheck[] {
  const once = known.distinct === 0 ? 1 : known.once / known.distinct;
  if (known.values && known.values.length === known.distinct) {
    if (once <= categorical) return [{ column: name, in: known.values.map(({ value }) => value) }];
    if (once <= fractionallyCategorical.once) {
      const frequent: (typeof known.values)[number][] = [];
      let covered = 0;
      for (const entry of known.values) {
        if (covered / count >= fractionallyCategorical.covered) break;
        frequent.push(entry);
        covered += entry.count;
      }
      const tolerate = Number((1 - Math.floor(wilsonLower(covered / count, count) * 100) / 100).toFixed(2));
      return [{ column: name, in: frequent.map(({ value }) => value), tolerate }];
    }
  }
  if (valueTypeOf(type) === 'text' && known.shape !== undefined)
    return [{ column: name, matches: patternOf(known.shape) }];
  return [];
}

/** NonNegative. */
function sign({ name, type, min }: ColumnProfile): readonly ColumnCheck[] {
  const kind = valueTypeOf(type);
  const signed = kind === 'integer' || kind === 'number';
  return signed && typeof min === 'number' && min >= 0 ? [{ column: name, min: 0 }] : [];
}

/** `AAA-99` becomes `^[A-Z]{3}-[0-9]{2}$`. */
export function patternOf(shape: string): string {
  const classes: Readonly<Record<string, string>> = { A: '[A-Z]', a: '[a-z]', '9': '[0-9]' };
  const runs = shape.match(/(.)\1*/gsu) ?? [];
  const parts = runs.map((run) => {
    const [first = ''] = run;
    const one = classes[first] ?? first.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
    const length = [...run].length;
    return length === 1 ? one : `${one}{${length}}`;
  });
  return `^${parts.join('')}$`;
}

/** Lower bound of Wilson's interval for a share. */
function wilsonLower(p: number, n: number): number {
  const centre = p + (z * z) / (2 * n);
  const spread = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return (centre - spread) / (1 + (z * z) / n);
}
