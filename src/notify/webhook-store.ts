/** Webhooks in the database. */
import { isPostgres } from '../storage/column-types.ts';
import type { Db } from '../storage/database.ts';
import type { Health } from './delivery.ts';
import type { Webhook, WebhookState } from './webhook.ts';
import type { WebhookEvent } from './webhook-event.ts';

type WebhookRow = {
  id: string;
  name: string;
  description: string | null;
  url: string;
  events: string;
  state: string;
  secret: string | null;
  since: number;
  created_at: number;
  updated_at: number;
  paused_at: number | null;
  paused_because: string | null;
  failures: number;
  failing_since: number | null;
  rest_until: number;
};

export type WebhookTables = { webhooks: WebhookRow };

export type WebhookStore = ReturnType<typeof webhookStore>;

export const webhookStore = (db: Db) => {
  const webhooks = db.withTables<WebhookTables>();

  return {
    async insert(webhook: Webhook): Promise<void> {
      await webhooks.insertInto('webhooks').values(rowOf(webhook)).execute();
    },

    async find(id: string): Promise<Webhook | undefined> {
      const row = await webhooks.selectFrom('webhooks').selectAll().where('id', '=', id).executeTakeFirst();
      return row && webhookOf(row);
    },

    /** Keeps others from changing it until the commit. */
    async lock(id: string): Promise<Webhook | undefined> {
      let select = webhooks.selectFrom('webhooks').selectAll().where('id', '=', id);
      if (isPostgres(db)) select = select.forUpdate();
      const row = await select.executeTakeFirst();
      return row && webhookOf(row);
    },

    async any(): Promise<boolean> {
      return (await webhooks.selectFrom('webhooks').select('id').limit(1).executeTakeFirst()) !== undefined;
    },

    /** Newest first. */
    async list(): Promise<readonly Webhook[]> {
      const rows = await webhooks
        .selectFrom('webhooks')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .execute();
      return rows.map(webhookOf);
    },

    async replace(webhook: Webhook): Promise<void> {
      await webhooks.updateTable('webhooks').set(rowOf(webhook)).where('id', '=', webhook.id).execute();
    },

    async setHealth(id: string, { failures, failingSince, restUntil }: Health): Promise<void> {
      await webhooks
        .updateTable('webhooks')
        .set({ failures, failing_since: failingSince ?? null, rest_until: restUntil })
        .where('id', '=', id)
        .execute();
    },

    async remove(id: string): Promise<void> {
      await webhooks.deleteFrom('webhooks').where('id', '=', id).execute();
    },
  };
};

function rowOf(webhook: Webhook): WebhookRow {
  const { state } = webhook;
  return {
    id: webhook.id,
    name: webhook.name,
    description: webhook.description ?? null,
    url: webhook.url,
    events: JSON.stringify(webhook.events),
    state: state.kind,
    secret: webhook.secret ?? null,
    since: webhook.since,
    created_at: webhook.createdAt,
    updated_at: webhook.updatedAt,
    paused_at: state.kind === 'paused' ? state.at : null,
    paused_because: state.kind === 'paused' ? state.because : null,
    failures: webhook.failures,
    failing_since: webhook.failingSince ?? null,
    rest_until: webhook.restUntil,
  };
}

function webhookOf(row: WebhookRow): Webhook {
  return {
    id: row.id,
    name: row.name,
    ...(row.description !== null && { description: row.description }),
    url: row.url,
    events: JSON.parse(row.events) as readonly WebhookEvent[], // written by this store only
    state: stateOf(row),
    ...(row.secret !== null && { secret: row.secret }),
    since: Number(row.since),
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
    failures: Number(row.failures),
    ...(row.failing_since !== null && { failingSince: Number(row.failing_since) }),
    restUntil: Number(row.rest_until),
  };
}

function stateOf(row: WebhookRow): WebhookState {
  if (row.state !== 'paused') return { kind: row.state as 'active' | 'disabled' }; // written by this store only
  return { kind: 'paused', at: Number(row.paused_at), because: row.paused_because ?? '' };
}
