/** What may be done to a webhook. */
import { PlatformError } from '../errors.ts';
import type { EventStore } from '../events/event-store.ts';
import type { DeliveryStore } from './delivery-store.ts';
import {
  invalid,
  maxDescriptionLength,
  maxSecretLength,
  validateLength,
  validateName,
  validateUrl,
  type Webhook,
  type WebhookPolicy,
  webhookSubject,
} from './webhook.ts';
import type { WebhookEvent } from './webhook-event.ts';
import type { WebhookStore } from './webhook-store.ts';

export type WebhookDeps = {
  readonly webhooks: WebhookStore;
  readonly deliveries: DeliveryStore;
  readonly events: EventStore;
  readonly policy: WebhookPolicy;
  readonly seal: (secret: string) => string;
  readonly now: () => number;
};

/** What a caller says of a webhook; what is absent stays as it is. */
export type WebhookChange = {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly url?: string | undefined;
  readonly events?: readonly WebhookEvent[] | undefined;
  /** An empty one ends the signing. */
  readonly secret?: string | undefined;
  readonly active?: boolean | undefined;
};

export async function createWebhook(
  { webhooks, events: log, policy, seal, now }: Omit<WebhookDeps, 'deliveries'>,
  input: WebhookChange & { readonly name: string; readonly url: string; readonly events: readonly WebhookEvent[] },
  { id, since, actor }: { readonly id: string; readonly since: number; readonly actor: string },
): Promise<Webhook> {
  const { name, url, events, description, secret, active = true } = input;
  check(input, policy);
  const at = now();
  const webhook: Webhook = {
    ...{ id, name, url, since },
    ...(description && { description }),
    ...(secret && { secret: seal(secret) }),
    events: inOrder(events),
    state: { kind: active ? 'active' : 'disabled' },
    ...{ createdAt: at, updatedAt: at, failures: 0, restUntil: 0 },
  };
  await webhooks.insert(webhook);
  await tell(log, webhook, { type: 'notify.webhook-created', at, actor });
  return webhook;
}

/** Activating one that is paused sends what has waited, at once. @param since the last place in the log, for one that was disabled */
export async function updateWebhook(
  { webhooks, deliveries, events: log, policy, seal, now }: WebhookDeps,
  id: string,
  { change, since, actor }: { readonly change: WebhookChange; readonly since: number; readonly actor: string },
): Promise<Webhook> {
  check(change, policy);
  const before = await webhooks.lock(id);
  if (!before) throw new PlatformError('notify/webhook-not-found', id);
  const { name, url, events, description, secret, active } = change;
  const at = now();
  const { description: _description, secret: _secret, failingSince: _failingSince, ...kept } = before;
  const newDescription = description ?? before.description;
  const newSecret = secret === undefined ? before.secret : secret && seal(secret);
  const resumes = active === true && before.state.kind !== 'active';
  const after: Webhook = {
    ...kept,
    ...(name !== undefined && { name }),
    ...(url !== undefined && { url }),
    ...(events !== undefined && { events: inOrder(events) }),
    ...(newDescription && { description: newDescription }),
    ...(newSecret && { secret: newSecret }),
    ...(active === false && { state: { kind: 'disabled' } }),
    // A receiver that was mended, or another one, is tried at once.
    ...(resumes || url !== undefined
      ? { failures: 0, restUntil: 0 }
      : before.failingSince !== undefined && { failingSince: before.failingSince }),
    ...(resumes && { state: { kind: 'active' } }),
    ...(resumes && before.state.kind === 'disabled' && { since }),
    updatedAt: at,
  };
  await webhooks.replace(after);
  const target = { kind: 'webhook', webhook: id } as const;
  if (active === false) await deliveries.removeOf(target, { state: 'waiting' });
  else if (resumes || url !== undefined) await deliveries.hurry(target, at);
  await tell(log, after, { type: 'notify.webhook-changed', at, actor });
  return after;
}

/** Deletes it with its log of deliveries. */
export async function deleteWebhook(
  { webhooks, deliveries, events: log, now }: Omit<WebhookDeps, 'policy' | 'seal'>,
  id: string,
  actor: string,
): Promise<void> {
  const webhook = await webhooks.lock(id);
  if (!webhook) throw new PlatformError('notify/webhook-not-found', id);
  await deliveries.removeOf({ kind: 'webhook', webhook: id });
  await webhooks.remove(id);
  await tell(log, webhook, { type: 'notify.webhook-deleted', at: now(), actor });
}

export async function pauseWebhook(
  { webhooks, events: log }: Pick<WebhookDeps, 'webhooks' | 'events'>,
  webhook: Webhook,
  { at, because }: { readonly at: number; readonly because: string },
): Promise<void> {
  const paused: Webhook = { ...webhook, state: { kind: 'paused', at, because }, updatedAt: at };
  await webhooks.replace(paused);
  await tell(log, paused, { type: 'notify.webhook-paused', at, actor: 'rule:notify', reason: because });
}

export async function requireWebhook(webhooks: WebhookStore, id: string): Promise<Webhook> {
  const webhook = await webhooks.find(id);
  if (!webhook) throw new PlatformError('notify/webhook-not-found', id);
  return webhook;
}

function check({ name, url, events, description, secret }: WebhookChange, policy: WebhookPolicy): void {
  if (name !== undefined) validateName(name);
  if (url !== undefined) validateUrl(url, policy);
  if (events?.length === 0) {
    throw invalid('events', 'Webhook events must be a non-empty list of WebhookEvent objects: [].');
  }
  validateLength('description', description, maxDescriptionLength);
  validateLength('secret', secret, maxSecretLength);
}

const inOrder = (events: readonly WebhookEvent[]): readonly WebhookEvent[] => [...new Set(events)].sort();

/** The log names the host only: the rest of an address is often a secret. */
function tell(
  log: EventStore,
  { id, name, url, events, state }: Webhook,
  told: { readonly type: string; readonly at: number; readonly actor: string; readonly reason?: string },
): Promise<void> {
  return log.append({
    ...told,
    project: 'default',
    subject: webhookSubject(id),
    data: { name, host: URL.parse(url)?.host ?? '', events, state: state.kind },
  });
}
