/** Recomputes the whole log from its entries and says where it was touched first. */
import type { Checkpoint } from './checkpoint.ts';
import type { LoggedEvent } from './event.ts';
import { entryHash } from './log-entry.ts';
import { isSame } from './merkle-proof.ts';
import { addLeaves, type CompactRange, emptyRange, type Hash, rootOf } from './merkle-tree.ts';

/** An event with the leaf that was stored beside it. `isCanonical`: its data is written as the log writes it. */
export type StoredEntry = {
  readonly event: LoggedEvent;
  readonly leaf: Hash | undefined;
  readonly isCanonical: boolean;
};

/** A checkpoint and where it was found: `the database`, `/backup/checkpoints/checkpoint`. */
export type KnownCheckpoint = Checkpoint & { readonly source: string };

export type LogProblem = {
  readonly kind: 'changed' | 'dropped' | 'reordered' | 'truncated' | 'rewritten';
  /** The first entry that is not what it was. */
  readonly position: number;
  /** With `rewritten`, the entry lies between the two: the leaves were replaced too, and only checkpoints still know. */
  readonly upTo?: number;
  readonly says: string;
};

export type LogVerification =
  | { readonly ok: true; readonly size: number; readonly root: Hash; readonly checkpoints: number }
  | { readonly ok: false; readonly problem: LogProblem };

/**
 * @param entries every entry, by position; read twice when something is wrong
 * @param checkpoints whose signatures have been checked
 */
export async function verifyLog(
  entries: () => AsyncIterable<StoredEntry>,
  checkpoints: readonly KnownCheckpoint[],
): Promise<LogVerification> {
  const ahead = checkpoints.toSorted((a, b) => a.size - b.size);
  let goodSize = 0;
  const passCheckpoints = (range: CompactRange): LogProblem | undefined => {
    while (ahead[0]?.size === range.size) {
      const checkpoint = ahead.shift()!; // it is there: its size was just read
      const problem = compare(checkpoint, range, goodSize);
      if (problem) return problem;
      goodSize = checkpoint.size;
    }
    return undefined;
  };

  let range = emptyRange;
  const atStart = passCheckpoints(range);
  if (atStart) return { ok: false, problem: atStart };
  for await (const entry of entries()) {
    const position = range.size + 1;
    const { event, leaf } = entry;
    if (event.position !== position || !leaf || !isSame(leaf, entryHash(event)) || !entry.isCanonical) {
      return { ok: false, problem: await explain(entries, { ...entry, position }) };
    }
    range = addLeaves(range, [leaf]);
    const problem = passCheckpoints(range);
    if (problem) return { ok: false, problem };
  }
  const [beyond] = ahead;
  if (beyond) return { ok: false, problem: truncated(beyond, range.size) };
  return { ok: true, size: range.size, root: rootOf(range), checkpoints: checkpoints.length };
}

function compare(checkpoint: KnownCheckpoint, range: CompactRange, goodSize: number): LogProblem | undefined {
  if (isSame(checkpoint.root, rootOf(range))) return undefined;
  return {
    kind: 'rewritten',
    position: goodSize + 1,
    upTo: checkpoint.size,
    says: `Between entry ${goodSize + 1} and entry ${checkpoint.size}, the log is not what ${checkpoint.source} has signed.`,
  };
}

function truncated(checkpoint: KnownCheckpoint, size: number): LogProblem {
  return {
    kind: 'truncated',
    position: size + 1,
    says: `The log ends after entry ${size}; ${checkpoint.source} has signed ${checkpoint.size} entries.`,
  };
}

type BadEntry = StoredEntry & { /** where it should stand */ readonly position: number };

/** What happened, from the leaf: it knows the contents of an entry and the position it was given. */
async function explain(entries: () => AsyncIterable<StoredEntry>, bad: BadEntry): Promise<LogProblem> {
  const { position } = bad;
  const loggedAt = await originalPosition(entries, bad);
  if (bad.event.position === position && (loggedAt === undefined || loggedAt === position)) {
    return { kind: 'changed', position, says: `Entry ${position} was changed.` };
  }
  const now = await whereIsNow(entries, position);
  if (now !== undefined) {
    return { kind: 'reordered', position, says: `Entry ${position} was moved: it now stands at ${now}.` };
  }
  return { kind: 'dropped', position, says: `Entry ${position} is missing.` };
}

/** The position with which this entry's leaf was made, if its contents are still the same. */
async function originalPosition(entries: () => AsyncIterable<StoredEntry>, bad: BadEntry): Promise<number | undefined> {
  if (!bad.leaf) return undefined;
  let last = bad.position;
  for await (const { event } of entries()) last = Math.max(last, event.position);
  // Entries may be missing at the end as well, so look some way beyond it.
  for (let candidate = 1; candidate <= last + 1_000; candidate += 1) {
    if (isSame(bad.leaf, entryHash({ ...bad.event, position: candidate }))) return candidate;
  }
  return undefined;
}

async function whereIsNow(entries: () => AsyncIterable<StoredEntry>, position: number): Promise<number | undefined> {
  for await (const { event, leaf } of entries()) {
    if (leaf && event.position !== position && isSame(leaf, entryHash({ ...event, position }))) return event.position;
  }
  return undefined;
}
