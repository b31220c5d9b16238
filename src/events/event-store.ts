/** The events table: rows <-> events. */
import type { Generated, Selectable } from 'kysely';
import { PlatformError } from '../errors.ts';
import { announce } from '../storage/announcements.ts';
import { isPostgres } from '../storage/column-types.ts';
import type { Db } from '../storage/database.ts';
import { canonicalJson } from './canonical-json.ts';
import type { LoggedEvent, NewEvent } from './event.ts';
import { appendedTopic, waitingTopic } from './event-topics.ts';
import { logEntry, maxEntryBytes } from './log-entry.ts';
import { leafHash } from './merkle-tree.ts';

export type EventTables = {
  events: {
    arrival: Generated<number>;
    position: number | null;
    /** The Merkle leaf, base64. */
    leaf: string | null;
    type: string;
    project: string;
    subject: string;
    actor: string;
    at: number;
    endpoint_time: number | null;
    reason: string | null;
    data: string;
  };
};

export type EventStore = ReturnType<typeof eventStore>;

export const eventStore = (tx: Db) => {
  const db = tx.withTables<EventTables>();
  const insert = (event: NewEvent, place: { position: number | null; leaf: string | null }) =>
    db
      .insertInto('events')
      .values({ ...place, ...columnsOf(event) })
      .execute();

  return {
    /** In the transaction of the change that the event tells of. @throws PlatformError events/too-large */
    append: async (event: NewEvent): Promise<void> => {
      if (isPostgres(tx)) {
        leafOf({ ...event, position: Number.MAX_SAFE_INTEGER }); // too large is told here, not to the sequencer
        await insert(event, { position: null, leaf: null });
        announce(tx, waitingTopic);
      } else {
        const position = (await lastPosition(tx)) + 1;
        await insert(event, { position, leaf: leafOf({ ...event, position }) });
        announce(tx, appendedTopic);
      }
    },
  };
};

export type EventQuery = {
  /** Positions start at 1. With `order: 'newest'`, only events before this one. */
  readonly after?: number | undefined;
  readonly limit: number;
  readonly types?: readonly string[] | undefined;
  readonly subject?: string | undefined;
  readonly project?: string | undefined;
  readonly order?: 'oldest' | 'newest' | undefined;
};

/** Events that have their place in the log. */
export async function readEvents(db: Db, query: EventQuery): Promise<LoggedEvent[]> {
  const { after, limit, types, subject, project, order = 'oldest' } = query;
  let select = db.withTables<EventTables>().selectFrom('events').selectAll().where('position', 'is not', null);
  if (after !== undefined) select = select.where('position', order === 'oldest' ? '>' : '<', after);
  if (types !== undefined) select = select.where('type', 'in', types);
  if (subject !== undefined) select = select.where('subject', '=', subject);
  if (project !== undefined) select = select.where('project', '=', project);
  const rows = await select
    .orderBy('position', order === 'oldest' ? 'asc' : 'desc')
    .limit(limit)
    .execute();
  return rows.map(eventOf);
}

/** The size of the log: 0 when it is empty. */
export async function lastPosition(db: Db): Promise<number> {
  const row = await db
    .withTables<EventTables>()
    .selectFrom('events')
    .select((e) => e.fn.max('position').as('last'))
    .executeTakeFirst();
  return row?.last ?? 0;
}

export function leafOf(event: LoggedEvent): string {
  const entry = logEntry(event);
  if (entry.length > maxEntryBytes) {
    throw new PlatformError('events/too-large', `${event.type} of ${event.subject}`, {
      hint: 'Store large things as files and log their digest.',
    });
  }
  return Buffer.from(leafHash(entry)).toString('base64');
}

export function eventOf(row: Selectable<EventTables['events']>): LoggedEvent {
  return {
    position: row.position!, // only sequenced rows are read
    type: row.type,
    project: row.project,
    subject: row.subject,
    actor: row.actor,
    at: row.at,
    data: JSON.parse(row.data),
    ...(row.endpoint_time !== null && { endpointTime: row.endpoint_time }),
    ...(row.reason !== null && { reason: row.reason }),
  };
}

function columnsOf(event: NewEvent) {
  return {
    type: event.type,
    project: event.project,
    subject: event.subject,
    actor: event.actor,
    at: event.at,
    endpoint_time: event.endpointTime ?? null,
    reason: event.reason ?? null,
    data: canonicalJson(event.data),
  };
}
