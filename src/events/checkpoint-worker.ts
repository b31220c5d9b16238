/** Signs the log: at most once a second while it grows, and when it closes. */
import { join } from 'node:path';
import { PlatformError } from '../errors.ts';
import type { Database } from '../storage/database.ts';
import { type Checkpoint, formatCheckpoint, parseCheckpoint } from './checkpoint.ts';
import { type CheckpointFolder, openCheckpointFolder } from './checkpoint-folder-adapter.ts';
import { checkpointStore, type SignedCheckpoint } from './checkpoint-store.ts';
import { eventSignal } from './event-signal.ts';
import { readLeaves } from './log-leaf-store.ts';
import { startLoop } from './loop-worker.ts';
import { isSame } from './merkle-proof.ts';
import { addLeaves, type CompactRange, emptyRange, rootOf } from './merkle-tree.ts';
import { checkNote, type NoteKey, openNoteKey } from './note-key-adapter.ts';
import { formatVerifierKey } from './signed-note.ts';

export type CheckpointOptions = {
  readonly database: Database;
  /** The data folder: the key lies in `keys/`, the signed checkpoints in `checkpoints/`. */
  readonly folder: string;
  readonly now: () => number;
};

export async function startCheckpoints(
  options: CheckpointOptions & { readonly onError: (error: unknown) => void },
): Promise<AsyncDisposable> {
  const signer = await openLogSigner(options);
  const sign = async () => {
    await signer.sign();
    return false;
  };
  await using resources = new AsyncDisposableStack();
  resources.defer(() => sign().then(() => {}, options.onError)); // runs last, after the loop has ended
  const loop = resources.use(
    startLoop({ pass: sign, everyMs: 10_000, atMostEveryMs: 1_000, onError: options.onError }),
  );
  resources.use(eventSignal(options.database).onAppend(loop.wake));
  return resources.move();
}

/** One at a time in each data folder, so that no two checkpoints of one key ever disagree. */
export async function openLogSigner({ database, folder, now }: CheckpointOptions) {
  const key = await openNoteKey(join(folder, 'keys', 'log.pem'));
  const files = await openCheckpointFolder(join(folder, 'checkpoints'));
  await files.writeVerifierKey(formatVerifierKey(key.verifier));
  return {
    verifierKey: formatVerifierKey(key.verifier),
    /**
     * Signs what is there, if it has grown, and returns the newest checkpoint.
     * @throws PlatformError events/log-changed when the log does not begin with what was signed before; nothing is signed then
     */
    sign: async (): Promise<string | undefined> => {
      const origin = key.verifier.name;
      const last = await checkpointStore(database.read).last(origin);
      const published = await publishedCheckpoint(files, key);
      const range = await extend(database, last, published);
      if (last && range.size === last.range.size) {
        if (published?.size !== range.size) await files.write(last.note, now()); // a crash came between the two
        return last.note;
      }
      if (range.size === 0) return undefined;
      const note = key.sign(formatCheckpoint({ origin, size: range.size, root: rootOf(range) }));
      const at = now();
      await database.write((tx) => checkpointStore(tx).insert(origin, { note, range }, at));
      await files.write(note, at);
      return note;
    },
  };
}

async function publishedCheckpoint(files: CheckpointFolder, key: NoteKey): Promise<Checkpoint | undefined> {
  const note = await files.newest();
  if (note === undefined) return undefined;
  const { verdict, text } = checkNote(note, [key.verifier]);
  if (verdict === 'unknown') return undefined; // of a key that was replaced
  const checkpoint = verdict === 'good' ? parseCheckpoint(text) : undefined;
  if (!checkpoint) throw changed('the file checkpoints/checkpoint is not what was signed');
  return checkpoint;
}

/** The log as it is now, which has to begin with what was signed. */
async function extend(
  database: Database,
  last: SignedCheckpoint | undefined,
  published: Checkpoint | undefined,
): Promise<CompactRange> {
  let range = last?.range ?? emptyRange;
  if (last && !signs(last.note, range)) throw changed('a row of the table checkpoints is not what was signed');
  for (;;) {
    if (published?.size === range.size && !isSame(published.root, rootOf(range))) {
      throw changed(`its first ${range.size} entries are not those that were signed`);
    }
    // Where a published checkpoint lies ahead, the log has to pass through it.
    const ahead = published && published.size > range.size ? published.size : Number.POSITIVE_INFINITY;
    const start = range.size;
    const leaves = await readLeaves(database.read, { start, end: Math.min(start + leavesAtOnce, ahead) });
    if (leaves.length === 0) break;
    range = addLeaves(range, leaves);
  }
  if (published && published.size > range.size) {
    throw changed(`it has ${range.size} entries, and ${published.size} were signed`);
  }
  return range;
}

/** Few enough to hash between two requests. */
const leavesAtOnce = 1_000;

function signs(note: string, range: CompactRange): boolean {
  const checkpoint = parseCheckpoint(note);
  return checkpoint?.size === range.size && isSame(checkpoint.root, rootOf(range));
}

function changed(what: string): PlatformError {
  return new PlatformError('events/log-changed', what, {
    hint: 'Run `rondo audit verify`. If an older backup was restored on purpose, move the folder checkpoints/ away.',
  });
}
