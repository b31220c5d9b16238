/** `verifyLog` over the database, its checkpoints, and copies of them that were kept elsewhere. */
import type { Selectable } from 'kysely';
import { PlatformError } from '../errors.ts';
import type { Database, Db } from '../storage/database.ts';
import { canonicalJson } from './canonical-json.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { readCheckpointFolder } from './checkpoint-folder-adapter.ts';
import { checkpointStore } from './checkpoint-store.ts';
import { type EventTables, eventOf } from './event-store.ts';
import { checkNote } from './note-key-adapter.ts';
import { parseVerifierKey, type VerifierKey } from './signed-note.ts';
import { type KnownCheckpoint, type LogVerification, type StoredEntry, verifyLog } from './verify-log.ts';

/**
 * @param folders with checkpoint files and verifier keys
 * @param kept copies from other machines, which an intruder here could not change
 * @throws PlatformError events/checkpoint-forged when a checkpoint was not signed by the key that it names
 */
export async function auditLog(options: {
  readonly database: Database;
  readonly folders: readonly string[];
  readonly kept?: readonly { readonly source: string; readonly note: string }[];
  readonly verifierKeys?: readonly string[];
}): Promise<LogVerification> {
  const { database, folders, kept = [], verifierKeys = [] } = options;
  const read = await Promise.all(folders.map(async (folder) => ({ folder, ...(await readCheckpointFolder(folder)) })));
  const keys = [...verifierKeys, ...read.flatMap((found) => found.keys)].map(parseVerifierKey);
  const fromFiles = read.flatMap(({ folder, notes }) =>
    [...notes].map(([name, note]) => knownCheckpoint(note, `${folder}/${name}`, keys)),
  );
  const fromTable = await Array.fromAsync(storedNotes(database.read), ({ note, size }) =>
    knownCheckpoint(note, `checkpoint ${size} of the database`, keys),
  );
  const fromElsewhere = kept.map(({ source, note }) => knownCheckpoint(note, source, keys));
  return verifyLog(() => storedEntries(database.read), [...fromFiles, ...fromTable, ...fromElsewhere]);
}

/** A checkpoint of a key that is not known here proves nothing by itself, but the log has to agree with it too. */
function knownCheckpoint(note: string, source: string, keys: readonly VerifierKey[]): KnownCheckpoint {
  const { verdict, text } = checkNote(note, keys);
  const checkpoint = parseCheckpoint(text);
  if (verdict === 'bad' || !checkpoint) throw new PlatformError('events/checkpoint-forged', source);
  return { ...checkpoint, source };
}

async function* storedNotes(db: Db): AsyncGenerator<{ size: number; note: string }> {
  const store = checkpointStore(db);
  for (let afterSize = 0; ; ) {
    const page = await store.page({ afterSize, limit: pageSize });
    // Several keys may have signed the same size, so a full page's last size is read again, unless it is all there is.
    const last = page.at(-1)?.size ?? 0;
    const whole = page.length < pageSize || page[0]?.size === last ? page : page.filter(({ size }) => size < last);
    yield* whole;
    if (page.length < pageSize) return;
    afterSize = whole.at(-1)?.size ?? last;
  }
}

async function* storedEntries(db: Db): AsyncGenerator<StoredEntry> {
  for (let after = 0; ; ) {
    const rows = await db
      .withTables<EventTables>()
      .selectFrom('events')
      .selectAll()
      .where('position', '>', after)
      .orderBy('position')
      .limit(pageSize)
      .execute();
    yield* rows.map(entryOf);
    const last = rows.at(-1)?.position;
    if (typeof last !== 'number') return;
    after = last;
  }
}

const pageSize = 1_000;

function entryOf(row: Selectable<EventTables['events']>): StoredEntry {
  const leaf = row.leaf === null ? undefined : Buffer.from(row.leaf, 'base64');
  try {
    const event = eventOf(row);
    return { event, leaf, isCanonical: canonicalJson(event.data) === row.data };
  } catch {
    // Data that is no JSON any more: the entry stands, unreadable, and its leaf cannot fit.
    return { event: eventOf({ ...row, data: 'null' }), leaf, isCanonical: false };
  }
}
