/** Signed checkpoints in the database, each with what it takes to go on from there. */
import type { Db } from '../storage/database.ts';
import type { CompactRange } from './merkle-tree.ts';

type CheckpointTables = {
  checkpoints: { origin: string; size: number; note: string; range: string; at: number };
};

export type SignedCheckpoint = { readonly note: string; readonly range: CompactRange };

export const checkpointStore = (db: Db) => {
  const checkpoints = db.withTables<CheckpointTables>();
  return {
    /** The newest one of this key. */
    last: async (origin: string): Promise<SignedCheckpoint | undefined> => {
      const row = await checkpoints
        .selectFrom('checkpoints')
        .select(['size', 'note', 'range'])
        .where('origin', '=', origin)
        .orderBy('size', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row && { note: row.note, range: { size: row.size, roots: decodeRoots(row.range) } };
    },
    /** Newest first, of all keys. */
    newest: (limit: number): Promise<{ size: number; note: string; at: number }[]> =>
      checkpoints
        .selectFrom('checkpoints')
        .select(['size', 'note', 'at'])
        .orderBy('size', 'desc')
        .limit(limit)
        .execute(),
    insert: async (origin: string, { note, range }: SignedCheckpoint, at: number): Promise<void> => {
      const values = { origin, size: range.size, note, range: encodeRoots(range), at };
      await checkpoints.insertInto('checkpoints').values(values).execute();
    },
    /** Notes of all keys, smallest log first. */
    page: (options: {
      readonly afterSize: number;
      readonly limit: number;
    }): Promise<{ size: number; note: string }[]> =>
      checkpoints
        .selectFrom('checkpoints')
        .select(['size', 'note'])
        .where('size', '>', options.afterSize)
        .orderBy('size')
        .orderBy('origin')
        .limit(options.limit)
        .execute(),
  };
};

const encodeRoots = ({ roots }: CompactRange) => roots.map((root) => Buffer.from(root).toString('base64')).join(' ');
const decodeRoots = (text: string) => text.split(' ').map((root) => Buffer.from(root, 'base64'));
