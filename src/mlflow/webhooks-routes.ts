/** MLflow's calls about webhooks. Its clients know the events of the registry only: the others of a webhook are neither shown nor touched. */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { lastPosition } from '../events/event-store.ts';
import { deleteWebhook, requireWebhook, updateWebhook } from '../notify/change-webhook.ts';
import { sayProblem } from '../notify/delivery.ts';
import type { Webhook } from '../notify/webhook.ts';
import { isMlflowEvent, type MlflowEvent, mlflowActions, mlflowEvents } from '../notify/webhook-event.ts';
import { addWebhook, type WebhookRoutesDeps, webhookDeps } from '../notify/webhook-routes.ts';
import { webhookStore } from '../notify/webhook-store.ts';
import { offsetOf } from '../tracking/page-token.ts';
import { addCall, takeBodies } from './calls-routes.ts';
import { integer, invalidRequest, list, type Message, object, oneOf, text } from './message.ts';
import { nextToken } from './paging.ts';
import { some } from './views.ts';

/** As protocol buffers number them. */
const numbered = (names: readonly string[]): Readonly<Record<string, number>> =>
  Object.fromEntries(names.map((name, index) => [name.toUpperCase(), index + 1]));
const entities = numbered(Object.keys(mlflowActions));
const actions = numbered(['created', 'updated', 'deleted', 'set', 'exceeded']);
const statuses = { ACTIVE: 1, DISABLED: 2 } as const;

const eventFields = { entity: oneOf(entities), action: oneOf(actions) };
const settings = { description: text(), secret: text(), status: oneOf(statuses) };
const path = '/mlflow/webhooks';

export const mlflowWebhookRoutes =
  (deps: WebhookRoutesDeps): FastifyPluginAsync =>
  async (app) => {
    takeBodies(app);
    addWebhookCalls(app, deps);
  };

function addWebhookCalls(app: FastifyInstance, deps: WebhookRoutesDeps): void {
  const { database, deliveries, newUuid } = deps;

  addCall(
    app,
    {
      method: 'POST',
      path,
      permission: 'admin',
      fields: {
        name: text({ required: true }),
        url: text({ required: true }),
        events: list(object(eventFields), { required: true }),
        ...settings,
      },
    },
    async ({ name = '', url = '', events = [], description, secret, status }, { actor }) => {
      const input = { name, url, events: events.map(eventOf), description, secret, active: status !== 'DISABLED' };
      return { webhook: view(await addWebhook(deps, input, { id: newUuid(), actor })) };
    },
  );

  addCall(
    app,
    { method: 'GET', path, permission: 'admin', fields: { max_results: integer(), page_token: text() } },
    async (message) => {
      const limit = Number(message.max_results ?? 0) || 100;
      if (limit < 1 || limit > 1000) throw invalidRequest('max_results must be between 1 and 1000.');
      const offset = offsetOf(message.page_token);
      const seen = (await webhookStore(database.read).list()).filter(isSeen);
      const page = seen.slice(offset, offset + limit);
      return { ...some('webhooks', page.map(view)), ...nextToken(seen.length > offset + limit, offset, limit) };
    },
  );

  addCall(app, { method: 'GET', path: `${path}/:webhook_id`, permission: 'admin', fields: {} }, async (_, context) => ({
    webhook: view(await requireWebhook(webhookStore(database.read), idOf(context))),
  }));

  addCall(
    app,
    {
      method: 'PATCH',
      path: `${path}/:webhook_id`,
      permission: 'admin',
      fields: { name: text(), url: text(), events: list(object(eventFields)), ...settings },
    },
    async ({ name, url, events, description, secret, status }, context) => {
      const id = idOf(context);
      const named = events?.map(eventOf) ?? [];
      const changed = await database.write(async (tx) => {
        const own = (await requireWebhook(webhookStore(tx), id)).events.filter((event) => !isMlflowEvent(event));
        return updateWebhook(webhookDeps(deps, tx), id, {
          change: {
            ...{ name: name || undefined, url: url || undefined, description, secret },
            ...(named.length > 0 && { events: [...named, ...own] }),
            ...(status !== undefined && { active: status === 'ACTIVE' }),
          },
          since: await lastPosition(tx),
          actor: context.actor,
        });
      });
      return { webhook: view(changed) };
    },
  );

  addCall(
    app,
    { method: 'DELETE', path: `${path}/:webhook_id`, permission: 'admin', fields: {} },
    async (_, context) => {
      await database.write((tx) => deleteWebhook(webhookDeps(deps, tx), idOf(context), context.actor));
      return {};
    },
  );

  addCall(
    app,
    {
      method: 'POST',
      path: `${path}/:webhook_id/test`,
      permission: 'admin',
      fields: { event: object(eventFields) },
    },
    async ({ event }, context) => {
      const asked = event && eventOf(event);
      const webhook = await requireWebhook(webhookStore(database.read), idOf(context));
      const [first] = webhook.events;
      const outcome = await deliveries.test(webhook, asked ?? first!); // none is without events
      return {
        result:
          outcome.kind === 'answered'
            ? {
                success: outcome.status >= 200 && outcome.status < 300,
                response_status: outcome.status,
                response_body: outcome.body,
              }
            : { success: false, error_message: `Failed to test webhook: ${sayProblem(outcome)}` },
      };
    },
  );
}

const idOf = ({ params }: { readonly params: Readonly<Record<string, string>> }): string => params.webhook_id ?? '';

function eventOf({ entity, action }: Message<typeof eventFields>): MlflowEvent {
  if (entity === undefined || action === undefined) {
    throw invalidRequest(
      `An event of a webhook has an entity and an action. Valid events are: ${mlflowEvents.join(', ')}`,
    );
  }
  const [lowerEntity, lowerAction] = [entity.toLowerCase(), action.toLowerCase()];
  const found = mlflowEvents.find((event) => event === `${lowerEntity}.${lowerAction}`);
  if (found) return found;
  const valid = mlflowEvents
    .filter((event) => event.startsWith(`${lowerEntity}.`))
    .map((event) => `'${event.slice(lowerEntity.length + 1)}'`)
    .sort();
  throw invalidRequest(
    `Invalid action '${lowerAction}' for entity '${lowerEntity}'. Valid actions are: [${valid.join(', ')}]`,
  );
}

/** A webhook without an event that they know makes clients fail, and with it the whole list. */
const isSeen = ({ events }: Webhook): boolean => events.some(isMlflowEvent);

const view = ({ id, name, description, url, events, state, createdAt, updatedAt }: Webhook) => ({
  webhook_id: id,
  name,
  ...(description !== undefined && { description }),
  url,
  events: events.filter(isMlflowEvent).map((event) => {
    const [entity = '', action = ''] = event.toUpperCase().split('.');
    return { entity, action };
  }),
  status: state.kind === 'active' ? 'ACTIVE' : 'DISABLED',
  creation_timestamp: createdAt,
  last_updated_timestamp: updatedAt,
});
