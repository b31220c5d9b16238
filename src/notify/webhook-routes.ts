/** Webhooks and what was delivered to them, over HTTP. Only administrators see them: an address is often a secret. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { PlatformError } from '../errors.ts';
import { eventStore, lastPosition } from '../events/event-store.ts';
import { done } from '../http/view.ts';
import type { Database, Db } from '../storage/database.ts';
import { createWebhook, deleteWebhook, requireWebhook, updateWebhook, type WebhookDeps } from './change-webhook.ts';
import { type Delivery, deliveryStates, type Outcome, sayProblem } from './delivery.ts';
import { deliveryStore } from './delivery-store.ts';
import type { Deliveries } from './delivery-worker.ts';
import { skipUnread } from './outbox-worker.ts';
import type { SecretBox } from './secret-box-adapter.ts';
import { maxDescriptionLength, maxSecretLength, type Webhook, type WebhookPolicy } from './webhook.ts';
import { webhookEvents } from './webhook-event.ts';
import { webhookStore } from './webhook-store.ts';

export type WebhookRoutesDeps = {
  readonly database: Database;
  readonly deliveries: Pick<Deliveries, 'test'>;
  readonly secrets: SecretBox;
  readonly policy: WebhookPolicy;
  readonly now: () => number;
  /** A UUID: ids in this form are MLflow's. */
  readonly newUuid: () => string;
};

const event = Type.Enum([...webhookEvents]);
const events = Type.Array(event, { minItems: 1, maxItems: webhookEvents.length });
const settings = {
  description: Type.Optional(Type.String({ maxLength: maxDescriptionLength })),
  secret: Type.Optional(
    Type.String({
      maxLength: maxSecretLength,
      description: 'Signs deliveries. It is never shown again; empty ends the signing.',
    }),
  ),
  active: Type.Optional(Type.Boolean()),
};

const webhookView = Type.Object({
  id: Type.String(),
  name: Type.String(),
  description: Type.Optional(Type.String()),
  url: Type.String(),
  events: Type.Array(event),
  state: Type.Enum(['active', 'disabled', 'paused']),
  pausedAt: Type.Optional(Type.Number()),
  pausedBecause: Type.Optional(Type.String()),
  signed: Type.Boolean(),
  failures: Type.Integer({ description: 'Attempts since the last one that succeeded.' }),
  failingSince: Type.Optional(Type.Number()),
  waiting: Type.Optional(Type.Integer({ description: 'Messages in the queue.' })),
  createdAt: Type.Number(),
  updatedAt: Type.Number(),
});

const deliveryView = Type.Object({
  id: Type.String(),
  to: Type.Object({
    kind: Type.Enum(['webhook', 'slack', 'pagerduty', 'address']),
    webhook: Type.Optional(Type.String()),
    project: Type.Optional(Type.String()),
    value: Type.Optional(Type.String()),
  }),
  event: Type.String(),
  subject: Type.String(),
  state: Type.Enum([...deliveryStates]),
  tries: Type.Integer(),
  dueAt: Type.Number(),
  createdAt: Type.Number(),
  endedAt: Type.Optional(Type.Number()),
  body: Type.Optional(Type.String()),
  attempts: Type.Array(
    Type.Object({
      at: Type.Number(),
      ms: Type.Number(),
      status: Type.Optional(Type.Integer()),
      answer: Type.Optional(Type.String()),
      problem: Type.Optional(Type.String()),
    }),
  ),
});

const tags = ['webhooks'];
const config = { permission: 'admin' } as const;
const id = Type.Object({ id: Type.String({ maxLength: 100 }) });

export const webhookRoutes =
  (deps: WebhookRoutesDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { database, deliveries, newUuid } = deps;

    app.get(
      '/api/v1/webhooks',
      {
        config,
        schema: {
          tags,
          summary: 'List webhooks, newest first',
          response: { 200: Type.Object({ items: Type.Array(webhookView) }) },
        },
      },
      async () => ({ items: (await webhookStore(database.read).list()).map((webhook) => viewWebhook(webhook)) }),
    );

    app.post(
      '/api/v1/webhooks',
      {
        config,
        schema: {
          tags,
          summary: 'Make a webhook',
          body: Type.Object(
            { name: Type.String(), url: Type.String(), events, ...settings },
            { additionalProperties: false },
          ),
          response: { 201: webhookView },
        },
      },
      async ({ body, actor }, reply) =>
        reply.code(201).send(viewWebhook(await addWebhook(deps, body, { id: newUuid(), actor }))),
    );

    app.get(
      '/api/v1/webhooks/:id',
      { config, schema: { tags, summary: 'One webhook', params: id, response: { 200: webhookView } } },
      async ({ params }) => {
        const webhook = await requireWebhook(webhookStore(database.read), params.id);
        const waiting = await deliveryStore(database.read).waitingFor({ kind: 'webhook', webhook: webhook.id });
        return viewWebhook(webhook, waiting);
      },
    );

    app.patch(
      '/api/v1/webhooks/:id',
      {
        config,
        schema: {
          tags,
          summary: 'Change a webhook; `active: true` also resumes one that is paused',
          params: id,
          body: Type.Object(
            {
              name: Type.Optional(Type.String()),
              url: Type.Optional(Type.String()),
              events: Type.Optional(events),
              ...settings,
            },
            { additionalProperties: false },
          ),
          response: { 200: webhookView },
        },
      },
      async ({ params, body, actor }) =>
        viewWebhook(
          await database.write(async (tx) =>
            updateWebhook(webhookDeps(deps, tx), params.id, { change: body, since: await lastPosition(tx), actor }),
          ),
        ),
    );

    app.delete(
      '/api/v1/webhooks/:id',
      {
        config,
        schema: {
          tags,
          summary: 'Delete a webhook and the log of its deliveries',
          params: id,
          response: { 204: done },
        },
      },
      async ({ params, actor }, reply) => {
        await database.write((tx) => deleteWebhook(webhookDeps(deps, tx), params.id, actor));
        return reply.code(204).send();
      },
    );

    app.post(
      '/api/v1/webhooks/:id/test',
      {
        config,
        schema: {
          tags,
          summary: 'Send an example now, once',
          params: id,
          // Without a body the framework gives null.
          body: Type.Union([
            Type.Object({ event: Type.Optional(event) }, { additionalProperties: false }),
            Type.Null(),
          ]),
          response: {
            200: Type.Object({
              delivered: Type.Boolean(),
              status: Type.Optional(Type.Integer()),
              answer: Type.Optional(Type.String()),
              problem: Type.Optional(Type.String()),
            }),
          },
        },
      },
      async ({ params, body }) => {
        const webhook = await requireWebhook(webhookStore(database.read), params.id);
        const [first] = webhook.events;
        return viewOutcome(await deliveries.test(webhook, body?.event ?? first!)); // none is without events
      },
    );

    app.get(
      '/api/v1/webhooks/deliveries',
      {
        config,
        schema: {
          tags,
          summary: 'List what was or will be delivered in these 30 days, newest first',
          querystring: Type.Object({
            webhook: Type.Optional(Type.String()),
            project: Type.Optional(Type.String({ description: 'Whose events they tell of.' })),
            state: Type.Optional(Type.Enum([...deliveryStates])),
            limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
            cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
          }),
          response: { 200: Type.Object({ items: Type.Array(deliveryView), next: Type.Optional(Type.String()) }) },
        },
      },
      async ({ query: { cursor, limit, ...query } }) => {
        const found = await deliveryStore(database.read).list({
          ...query,
          limit: limit + 1,
          ...(cursor !== undefined && { before: Number(cursor) }),
        });
        const page = found.slice(0, limit);
        const last = page.at(-1);
        return {
          items: page.map((delivery) => viewDelivery(delivery)),
          ...(found.length > limit && last && { next: String(last.seq) }),
        };
      },
    );

    app.get(
      '/api/v1/webhooks/deliveries/:id',
      { config, schema: { tags, summary: 'One delivery with its body', params: id, response: { 200: deliveryView } } },
      async ({ params }) => {
        const delivery = await requireDelivery(database.read, params.id);
        return viewDelivery(delivery, delivery.body);
      },
    );

    app.post(
      '/api/v1/webhooks/deliveries/:id/redeliver',
      {
        config,
        schema: {
          tags,
          summary: 'Deliver again, under the same id',
          params: id,
          response: { 202: deliveryView },
        },
      },
      async ({ params }, reply) => {
        const delivery = await database.write(async (tx) => {
          await requireDelivery(tx, params.id);
          await deliveryStore(tx).requeue(params.id, deps.now());
          return requireDelivery(tx, params.id);
        });
        return reply.code(202).send(viewDelivery(delivery));
      },
    );
  };

/** What a use case needs to change webhooks in this transaction. */
export const webhookDeps = (
  { policy, secrets, now }: Pick<WebhookRoutesDeps, 'policy' | 'secrets' | 'now'>,
  tx: Db,
): WebhookDeps => ({
  ...{ policy, now, seal: secrets.seal },
  webhooks: webhookStore(tx),
  deliveries: deliveryStore(tx),
  events: eventStore(tx),
});

/** Makes a webhook that is told of everything from now on. */
export const addWebhook = (
  deps: Pick<WebhookRoutesDeps, 'database' | 'policy' | 'secrets' | 'now'>,
  input: Parameters<typeof createWebhook>[1],
  { id, actor }: { readonly id: string; readonly actor: string },
): Promise<Webhook> =>
  deps.database.write(async (tx) => {
    const since = await lastPosition(tx);
    const own = webhookDeps(deps, tx);
    if (!(await own.webhooks.any())) await skipUnread(tx, since);
    return createWebhook(own, input, { id, since, actor });
  });

async function requireDelivery(db: Db, id: string): Promise<Delivery> {
  const delivery = await deliveryStore(db).find(id);
  if (!delivery) throw new PlatformError('notify/delivery-not-found', id);
  return delivery;
}

const viewWebhook = (webhook: Webhook, waiting?: number): Static<typeof webhookView> => {
  const { id, name, url, description, state, failures, failingSince, createdAt, updatedAt } = webhook;
  return {
    ...{ id, name, url, events: [...webhook.events], state: state.kind, failures, createdAt, updatedAt },
    ...(description !== undefined && { description }),
    ...(state.kind === 'paused' && { pausedAt: state.at, pausedBecause: state.because }),
    ...(failingSince !== undefined && { failingSince }),
    ...(waiting !== undefined && { waiting }),
    signed: webhook.secret !== undefined,
  };
};

function viewDelivery(delivery: Delivery, body?: string): Static<typeof deliveryView> {
  const { id, target, event, subject, state, tries, dueAt, createdAt, endedAt, attempts } = delivery;
  return {
    ...{ id, event, subject, state, tries, dueAt, createdAt },
    to: target,
    ...(endedAt !== undefined && { endedAt }),
    ...(body !== undefined && { body }),
    attempts: [...attempts],
  };
}

function viewOutcome(outcome: Outcome) {
  const delivered = outcome.kind === 'answered' && outcome.status >= 200 && outcome.status < 300;
  return {
    delivered,
    ...(outcome.kind === 'answered' && { status: outcome.status, answer: outcome.body }),
    ...(!delivered && { problem: sayProblem(outcome) }),
  };
}
