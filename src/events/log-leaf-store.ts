/** The Merkle leaves as they were stored with the events. */
import { PlatformError } from '../errors.ts';
import type { Db } from '../storage/database.ts';
import type { EventTables } from './event-store.ts';
import type { Hash } from './merkle-tree.ts';

/**
 * Leaves from index `start` up to, not including, `end`, or to the end of the log.
 * @throws PlatformError events/log-changed when one is missing between them
 */
export async function readLeaves(
  db: Db,
  { start, end }: { readonly start: number; readonly end: number },
): Promise<Hash[]> {
  const rows = await db
    .withTables<EventTables>()
    .selectFrom('events')
    .select(['position', 'leaf'])
    .where('position', '>', start)
    .where('position', '<=', end)
    .orderBy('position')
    .execute();
  return rows.map(({ position, leaf }, index) => {
    const expected = start + index + 1;
    if (position !== expected || leaf === null) {
      throw new PlatformError('events/log-changed', `entry ${expected} is missing`);
    }
    return Buffer.from(leaf, 'base64');
  });
}
