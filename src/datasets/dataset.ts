/** Named data and its immutable versions. */
import { createHash } from 'node:crypto';
import type { Verdict } from '../statistics/verdict.ts';
import type { Check, Severity } from './data-config.ts';

/** A file of a version. */
export type TreeEntry = {
  /** Relative to the source's folder, with `/`. */
  readonly path: string;
  readonly size: number;
  /** sha256 over the binary digests of the chunks, in order: known after one pass, and equal for equal content. */
  readonly digest: string;
  /** sha256 of each chunk. */
  readonly chunks: readonly string[];
};

/** A column as DuckDB names its type: `BIGINT`, `VARCHAR`, `TIMESTAMP`. */
export type Column = { readonly name: string; readonly type: string };

export type ColumnProfile = {
  readonly name: string;
  readonly type: string;
  readonly count: number;
  readonly nulls: number;
  /** Only where the type has it. */
  readonly nan?: number;
  /** Approximate beyond a few thousand (HyperLogLog, a few percent). */
  readonly distinct: number;
  readonly min?: number | string;
  readonly max?: number | string;
  readonly mean?: number;
  readonly sd?: number;
  /** At 1, 5, 25, 50, 75, 95 and 99 %, by t-digest. */
  readonly quantiles?: readonly number[];
  /** Most frequent values; absent where nearly every value is another. */
  readonly top?: readonly { readonly value: string; readonly count: number }[];
};

export const profileQuantiles = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99] as const;

export type Profile = { readonly rows: number; readonly columns: readonly ColumnProfile[] };

/** A row that breaks a check. */
export type Sample = {
  /** Counted from 1, in file order. */
  readonly row: number;
  /** Where the source is more than one file. */
  readonly file?: string;
  readonly value: string | number | boolean | null;
};

export type CheckResult = {
  readonly check: Check;
  /** As a person says it: `distance between 0 and 6000`. */
  readonly name: string;
  readonly severity: Severity;
  readonly verdict: Verdict;
  readonly failing: number;
  /** Of the non-null values, or of all rows for `notNull`. */
  readonly share: number;
  readonly samples: readonly Sample[];
};

/** What a look at the source found; absent parts: it is no table. */
export type Scan = {
  readonly columns: readonly Column[];
  readonly profile: Profile | undefined;
  readonly checks: readonly CheckResult[];
};

export type DatasetVersion = {
  readonly project: string;
  readonly name: string;
  readonly version: number;
  /** The digest over the whole tree: the identity of the data. */
  readonly root: string;
  readonly source: string;
  readonly files: number;
  readonly bytes: number;
  /** Bytes that were not in the store before. */
  readonly newBytes: number;
  readonly rows?: number;
  readonly columns: readonly Column[];
  readonly profile?: Profile;
  readonly checks: readonly CheckResult[];
  readonly actor: string;
  readonly createdAt: number;
};

/** What adding came to. */
export type AddOutcome =
  | {
      readonly outcome: 'added' | 'unchanged';
      readonly version: number;
      readonly root: string;
      readonly newBytes: number;
      readonly checks: readonly CheckResult[];
    }
  | { readonly outcome: 'refused'; readonly checks: readonly CheckResult[] };

/** Failing checks of severity `error` keep data out; nothing to judge (`inconclusive`) does not: a log may still be empty. */
export function refusals(checks: readonly CheckResult[]): readonly CheckResult[] {
  return checks.filter(({ severity, verdict }) => severity === 'error' && verdict.outcome === 'fail');
}

/** The digest of a file from its chunks' digests. */
export function fileDigest(chunks: readonly string[]): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk, 'hex');
  return hash.digest('hex');
}

/** The root digest: sha256 over `<digest> <size> <path>` lines, sorted by the bytes of the path. Does not depend on where it lies. */
export function rootDigest(entries: readonly TreeEntry[]): string {
  const hash = createHash('sha256');
  for (const { digest, size, path } of sortTree(entries)) hash.update(`${digest} ${size} ${path}\n`);
  return hash.digest('hex');
}

export function sortTree(entries: readonly TreeEntry[]): readonly TreeEntry[] {
  return entries
    .map((entry) => ({ entry, bytes: Buffer.from(entry.path) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ entry }) => entry);
}
