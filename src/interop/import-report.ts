/** What an import found when it compared both sides. */
import { createHash } from 'node:crypto';
import type { EntityRecord, PointsSummary } from './mlflow-record.ts';

export const countedKinds = [
  'experiments',
  'runs',
  'params',
  'tags',
  'metrics',
  'points',
  'datasets',
  'logged models',
  'registered models',
  'versions',
  'aliases',
  'artifacts',
] as const;
export type CountedKind = (typeof countedKinds)[number];

export type ImportReport = {
  readonly source: string;
  readonly isDryRun: boolean;
  /** Absent are kinds of which neither side has any. */
  readonly counts: Readonly<Partial<Record<CountedKind, Counted>>>;
  /** Of artifacts. */
  readonly bytes: { readonly source: number; readonly here: number };
  /** What was new here, and what was here already and is something else now: in a dry run, what would be. */
  readonly added: number;
  readonly changed: number;
  readonly differences: Listed;
  /** What could not be read or brought. */
  readonly unreachable: Listed;
  /** Artifacts that stay in a store of their own, as many runs and models as each has. */
  readonly stays: Readonly<Record<string, number>>;
  readonly leftOut: Readonly<Record<string, number>>;
  /** What was complete already and too slow to read twice; `--deep` does. */
  readonly notReadAgain: { readonly runs: number; readonly artifacts: number };
};

/** Digests are in any order: the sum of those of each thing. */
export type Counted = {
  readonly source: number;
  readonly here: number;
  readonly sourceDigest: string;
  readonly hereDigest: string;
};

/** The first of them, and how many there are. */
export type Listed = { readonly total: number; readonly first: readonly string[] };

const listedAtMost = 200;
const modulus = 1n << 128n;

export class Tally {
  readonly #sides = new Map<CountedKind, { source: number; here: number; sourceSum: bigint; hereSum: bigint }>();
  readonly #lists = { differences: [] as string[], unreachable: [] as string[] };
  readonly #totals = { differences: 0, unreachable: 0 };
  readonly #stays = new Map<string, number>();
  readonly #reasons = new Map<string, { readonly example: string; n: number }>();
  readonly bytes = { source: 0, here: 0 };
  readonly notReadAgain = { runs: 0, artifacts: 0 };
  added = 0;
  changed = 0;

  /** @param text stands for the thing in the digest: the same on both sides when the thing is the same */
  count(side: 'source' | 'here', kind: CountedKind, text: string, number = 1): void {
    const found = this.#sides.get(kind) ?? { source: 0, here: 0, sourceSum: 0n, hereSum: 0n };
    this.#sides.set(kind, found);
    found[side] += number;
    const digest = BigInt(`0x${createHash('sha256').update(text).digest('hex').slice(0, 32)}`);
    found[`${side}Sum`] = (found[`${side}Sum`] + digest) % modulus;
  }

  countRecord(side: 'source' | 'here', record: EntityRecord): void {
    const text = canonical(record);
    const all = (kind: CountedKind, items: readonly unknown[]) => {
      if (items.length > 0) this.count(side, kind, canonical([nameless(record), items]), items.length);
    };
    switch (record.kind) {
      case 'experiment':
        this.count(side, 'experiments', text);
        break;
      case 'run':
        this.count(side, 'runs', text);
        all('params', record.params);
        all('tags', record.tags);
        all('datasets', record.datasets);
        break;
      case 'logged-model':
        this.count(side, 'logged models', text);
        break;
      case 'model':
        this.count(side, 'registered models', text);
        break;
      case 'version':
        this.count(side, 'versions', text);
        all('aliases', record.aliases);
    }
  }

  countPoints(side: 'source' | 'here', runId: string, { metrics, points, digest }: PointsSummary): void {
    if (points === 0) return;
    this.count(side, 'metrics', `${runId} ${metrics}`, metrics);
    this.count(side, 'points', `${runId} ${digest}`, points);
  }

  note(list: 'differences' | 'unreachable', text: string): void {
    this.#totals[list] += 1;
    if (this.#lists[list].length < listedAtMost) this.#lists[list].push(text);
  }

  /** A whole folder that cannot be read is one thing to mend, however many runs it has. */
  noteReason(reason: string, example: string): void {
    const found = this.#reasons.get(reason) ?? { example, n: 0 };
    found.n += 1;
    this.#reasons.set(reason, found);
  }

  stays(location: string): void {
    const store = /^[a-z0-9+.-]+:\/\/[^/]*/i.exec(location)?.[0] ?? location;
    this.#stays.set(store, (this.#stays.get(store) ?? 0) + 1);
  }

  report(of: Pick<ImportReport, 'source' | 'isDryRun' | 'leftOut'>): ImportReport {
    const counts: Partial<Record<CountedKind, Counted>> = {};
    for (const kind of countedKinds) {
      const one = this.#sides.get(kind);
      if (!one) continue;
      const hex = (sum: bigint) => sum.toString(16).padStart(32, '0');
      const digests = { sourceDigest: hex(one.sourceSum), hereDigest: hex(one.hereSum) };
      counts[kind] = { source: one.source, here: one.here, ...digests };
    }
    const listed = (list: 'differences' | 'unreachable') => ({ total: this.#totals[list], first: this.#lists[list] });
    for (const [reason, { example, n }] of this.#reasons) {
      this.note(
        'unreachable',
        n === 1 ? `${example}: ${reason}` : `${n} runs and models, such as ${example}: ${reason}`,
      );
    }
    this.#reasons.clear();
    return {
      ...of,
      counts,
      bytes: { ...this.bytes },
      added: this.added,
      changed: this.changed,
      differences: listed('differences'),
      unreachable: listed('unreachable'),
      stays: Object.fromEntries(this.#stays),
      notReadAgain: { ...this.notReadAgain },
    };
  }
}

const nameless = (record: EntityRecord): string =>
  record.kind === 'version'
    ? `${record.model}/${record.version}`
    : record.kind === 'model'
      ? record.name
      : `${record.kind} ${record.id}`;

/** In one order of keys and of all that has none, so that equal things have equal texts. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).toSorted().join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).filter(([, one]) => one !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, one]) => `${JSON.stringify(name)}:${canonical(one)}`).join(',')}}`;
}

/** The fields in which two records of one name differ. What the source cannot say, such as when a run was deleted, plays no part. */
export function differingFields(source: EntityRecord, here: EntityRecord): readonly string[] {
  const [one, other] = [source, here] as readonly Readonly<Record<string, unknown>>[];
  const fields = new Set([...Object.keys(one ?? {}), ...Object.keys(other ?? {})]);
  if (source.kind === 'run' && source.deletedAt === undefined) fields.delete('deletedAt');
  return [...fields].filter((field) => canonical(one?.[field]) !== canonical(other?.[field])).toSorted();
}
