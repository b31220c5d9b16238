/** The queue of messages, which is also the log of what was delivered. */
import { type Generated, sql } from 'kysely';
import { announce } from '../storage/announcements.ts';
import type { Db } from '../storage/database.ts';
import { type Attempt, type Delivery, type DeliveryState, type Target, targetKey } from './delivery.ts';
import type { WebhookTables } from './webhook-store.ts';

type DeliveryRow = {
  seq: number;
  id: string;
  target_key: string;
  target: string;
  project: string;
  event: string;
  subject: string;
  body: string;
  state: string;
  tries: number;
  due_at: number;
  lease_owner: string | null;
  lease_until: number | null;
  created_at: number;
  ended_at: number | null;
  attempts: string;
};
type DeliveryTables = { webhook_deliveries: Omit<DeliveryRow, 'seq'> & { seq: Generated<number> } };

/** Said after the commit that put a message into the queue. */
export const queuedTopic = 'notify/queued';

export type NewDelivery = Pick<Delivery, 'id' | 'target' | 'event' | 'subject' | 'body' | 'createdAt'> & {
  readonly project: string;
};

/** Who sends, and until when nobody else may take that one for dead. */
export type Lease = { readonly owner: string; readonly until: number };

/** Of the log a page is read. */
export type DeliveryQuery = {
  readonly webhook?: string;
  readonly project?: string;
  readonly state?: DeliveryState;
  readonly before?: number;
  readonly limit: number;
};

export type DeliveryStore = ReturnType<typeof deliveryStore>;

export const deliveryStore = (db: Db) => {
  const deliveries = db.withTables<DeliveryTables>();

  return {
    /** @param end for one that was sent without waiting in the queue */
    async insert(delivery: NewDelivery, end?: Pick<Delivery, 'state' | 'attempts'>): Promise<void> {
      const { target, createdAt, ...rest } = delivery;
      const row: Omit<DeliveryRow, 'seq'> = {
        ...rest,
        target_key: targetKey(target),
        target: JSON.stringify(target),
        state: end?.state ?? 'waiting',
        tries: end?.attempts.length ?? 0,
        due_at: createdAt,
        lease_owner: null,
        lease_until: null,
        created_at: createdAt,
        ended_at: end ? createdAt : null,
        attempts: JSON.stringify(end?.attempts ?? []),
      };
      await deliveries.insertInto('webhook_deliveries').values(row).execute();
      if (!end) announce(db, queuedTopic);
    },

    async find(id: string): Promise<Delivery | undefined> {
      const row = await deliveries.selectFrom('webhook_deliveries').selectAll().where('id', '=', id).executeTakeFirst();
      return row && deliveryOf(row);
    },

    /** Newest first. */
    async list({ webhook, project, state, before, limit }: DeliveryQuery): Promise<readonly Delivery[]> {
      let select = deliveries.selectFrom('webhook_deliveries').selectAll();
      if (webhook !== undefined) {
        select = select.where('target_key', '=', targetKey({ kind: 'webhook', webhook }));
      }
      if (project !== undefined) select = select.where('project', '=', project);
      if (state !== undefined) select = select.where('state', '=', sql.lit(state));
      if (before !== undefined) select = select.where('seq', '<', before);
      return (await select.orderBy('seq', 'desc').limit(limit).execute()).map(deliveryOf);
    },

    async waitingFor(target: Target): Promise<number> {
      const row = await deliveries
        .selectFrom('webhook_deliveries')
        .select(({ fn }) => fn.countAll().as('n'))
        .where('state', '=', waiting)
        .where('target_key', '=', targetKey(target))
        .executeTakeFirstOrThrow();
      return Number(row.n);
    },

    /** Receivers with a message that is due, and how often in a row they have failed. Webhooks that rest are none. */
    async dueTargets(at: number): Promise<readonly { readonly key: string; readonly failures: number }[]> {
      const webhooks = await db
        .withTables<DeliveryTables & WebhookTables>()
        .selectFrom('webhooks')
        .select(['id', 'failures'])
        .where('webhooks.state', '=', 'active')
        .where('rest_until', '<=', at)
        .where(({ exists, selectFrom }) =>
          exists(
            selectFrom('webhook_deliveries as one')
              .select('one.seq')
              .where('one.state', '=', waiting)
              .where('one.target_key', '=', sql<string>`${sql.lit(webhookKey)} || webhooks.id`)
              .where('one.due_at', '<=', at),
          ),
        )
        .execute();
      const others = await deliveries
        .selectFrom('webhook_deliveries')
        .select('target_key')
        .where('state', '=', waiting)
        .where('target_key', '<', webhookKey) // the other kinds of targets come before it
        .where('due_at', '<=', at)
        .groupBy('target_key')
        .execute();
      return [
        ...webhooks.map(({ id, failures }) => ({ key: webhookKey + id, failures: Number(failures) })),
        ...others.map((row) => ({ key: row.target_key, failures: 0 })),
      ];
    },

    /** The oldest message of each subject for one receiver: the next ones wait until it has arrived or is given up. */
    async nextFor(target: string, { at, limit }: { readonly at: number; readonly limit: number }): Promise<number[]> {
      const rows = await deliveries
        .selectFrom('webhook_deliveries as one')
        .select('one.seq')
        .where('one.state', '=', waiting)
        .where('one.target_key', '=', target)
        // The plus keeps the databases from the index by time: in the order of this query they find the first ones at once.
        .where(sql`+one.due_at`, '<=', at)
        .where((is) => is.or([is('one.lease_until', 'is', null), is('one.lease_until', '<', at)]))
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('webhook_deliveries as earlier')
                .select('earlier.seq')
                .where('earlier.state', '=', waiting)
                .where('earlier.target_key', '=', target)
                .whereRef('earlier.subject', '=', 'one.subject')
                .whereRef('earlier.seq', '<', 'one.seq'),
            ),
          ),
        )
        // One message that a receiver cannot bear does not keep it from the others.
        .orderBy('one.tries')
        .orderBy('one.seq')
        .limit(limit)
        .execute();
      return rows.map(({ seq }) => Number(seq));
    },

    /** Takes those that nobody else has taken meanwhile. */
    async claim(
      seqs: readonly number[],
      { at, lease }: { readonly at: number; readonly lease: Lease },
    ): Promise<readonly Delivery[]> {
      const rows = await deliveries
        .updateTable('webhook_deliveries')
        .set({ lease_owner: lease.owner, lease_until: lease.until })
        .where('seq', 'in', seqs)
        .where('state', '=', waiting)
        .where((is) => is.or([is('lease_until', 'is', null), is('lease_until', '<', at)]))
        .returningAll()
        .execute();
      return rows.map(deliveryOf).sort((a, b) => a.seq - b.seq);
    },

    /** After an attempt. `false`: it was deleted, or somebody else has it now. */
    async saveAttempt(
      { id, attempts }: Pick<Delivery, 'id' | 'attempts'>,
      after: { readonly state: DeliveryState; readonly tries: number; readonly dueAt: number; readonly at: number },
      owner: string,
    ): Promise<boolean> {
      const rows = await deliveries
        .updateTable('webhook_deliveries')
        .set({
          state: after.state,
          tries: after.tries,
          due_at: after.dueAt,
          ended_at: after.state === 'waiting' ? null : after.at,
          lease_owner: null,
          lease_until: null,
          attempts: JSON.stringify(attempts.slice(-keptAttempts)),
        })
        .where('id', '=', id)
        .where('lease_owner', '=', owner)
        .returning('id')
        .execute();
      return rows.length === 1;
    },

    /** Gives back what an owner has and did not send; without one, what everybody has. */
    async release(owner?: string): Promise<void> {
      let update = deliveries
        .updateTable('webhook_deliveries')
        .set({ lease_owner: null, lease_until: null })
        .where('state', '=', waiting);
      update =
        owner === undefined ? update.where('lease_owner', 'is not', null) : update.where('lease_owner', '=', owner);
      await update.execute();
    },

    /** Sends it again from the beginning. One that is being sent now stays as it is. */
    async requeue(id: string, at: number): Promise<void> {
      await deliveries
        .updateTable('webhook_deliveries')
        .set({ state: 'waiting', tries: 0, due_at: at, ended_at: null })
        .where('id', '=', id)
        .where('lease_owner', 'is', null)
        .execute();
      announce(db, queuedTopic);
    },

    /** What waits for a receiver is due now. */
    async hurry(target: Target, at: number): Promise<void> {
      await deliveries
        .updateTable('webhook_deliveries')
        .set({ due_at: at })
        .where('state', '=', waiting)
        .where('target_key', '=', targetKey(target))
        .execute();
      announce(db, queuedTopic);
    },

    /** What waits for a receiver, or all of what it was ever sent. */
    async removeOf(target: Target, { state }: { readonly state?: DeliveryState } = {}): Promise<void> {
      let remove = deliveries.deleteFrom('webhook_deliveries').where('target_key', '=', targetKey(target));
      if (state !== undefined) remove = remove.where('state', '=', state);
      await remove.execute();
    },

    async removeBefore(at: number): Promise<void> {
      await deliveries.deleteFrom('webhook_deliveries').where('created_at', '<', at).execute();
    },
  };
};

const keptAttempts = 20;

/** Written out: an index of what waits serves only a query that says so itself, not one with a parameter. */
const waiting = sql.lit('waiting');
const webhookKey = 'webhook/';

function deliveryOf(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    seq: Number(row.seq),
    target: JSON.parse(row.target) as Target, // written by this store only, like the other two
    event: row.event,
    subject: row.subject,
    body: row.body,
    state: row.state as DeliveryState,
    tries: Number(row.tries),
    dueAt: Number(row.due_at),
    createdAt: Number(row.created_at),
    ...(row.ended_at !== null && { endedAt: Number(row.ended_at) }),
    attempts: JSON.parse(row.attempts) as readonly Attempt[],
  };
}
