/** Sends what waits in the queue. A receiver that is slow or dead holds up nobody but itself. */
import { randomUUID } from 'node:crypto';
import { eventStore } from '../events/event-store.ts';
import { startLoop } from '../events/loop-worker.ts';
import type { Database } from '../storage/database.ts';
import { pauseWebhook } from './change-webhook.ts';
import { type Attempt, type Delivery, healthAfter, judge, type Outcome, sayProblem, type Target } from './delivery.ts';
import { deliveryStore, queuedTopic } from './delivery-store.ts';
import { guardedPost } from './guarded-post-adapter.ts';
import type { SecretBox } from './secret-box-adapter.ts';
import { deliveryHeaders } from './signature-adapter.ts';
import type { Webhook, WebhookPolicy } from './webhook.ts';
import { exampleData, type WebhookEvent, webhookPayload } from './webhook-event.ts';
import { webhookStore } from './webhook-store.ts';

export type DeliveryOptions = {
  readonly database: Database;
  readonly secrets: SecretBox;
  readonly policy: WebhookPolicy;
  /** Where `$NAME` of a project's `alerts:` is looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly now: () => number;
  readonly random: () => number;
  readonly onError: (error: unknown) => void;
  readonly timeoutMs?: number | undefined;
  readonly pagerDutyUrl?: string | undefined;
};

export type Deliveries = AsyncDisposable & {
  /** Sends an example, once and at once. The attempt is in the log like any other. */
  readonly test: (webhook: Webhook, event: WebhookEvent) => Promise<Outcome>;
};

/** Connections at once: to one receiver, and in all. */
const mostPerTarget = 4;
const mostAtOnce = 200;
const keptAnswer = 1_000;
const writingMs = 10_000;
const keptMs = 30 * 86_400_000;
const pruneEveryMs = 3_600_000;

export async function startDeliveries(options: DeliveryOptions): Promise<Deliveries> {
  const { database, now, random, onError, timeoutMs = 30_000 } = options;
  const owner = randomUUID();
  const closing = new AbortController();
  const sending = new Map<number, { readonly key: string; readonly work: Promise<void> }>(); // by seq
  let prunedAt = 0;

  // The folder of SQLite has one server: what an earlier one had in hand when it died is free. On PostgreSQL its lease ends.
  if (database.dialect === 'sqlite') await database.write((tx) => deliveryStore(tx).release());

  async function pass(): Promise<boolean> {
    const at = now();
    if (at - prunedAt >= pruneEveryMs) {
      prunedAt = at;
      await database.write((tx) => deliveryStore(tx).removeBefore(at - keptMs));
    }
    const due = await deliveryStore(database.read).dueTargets(at);
    for (const { key, failures } of due) {
      const busy = [...sending.values()].filter((one) => one.key === key).length;
      // One that fails is tried with a single message now and then.
      const limit = Math.min((failures > 0 ? 1 : mostPerTarget) - busy, mostAtOnce - sending.size);
      if (limit <= 0) continue;
      const found = await deliveryStore(database.read).nextFor(key, { at, limit });
      // Where the clock has jumped, a lease may be over before its attempt.
      const next = found.filter((seq) => !sending.has(seq));
      if (next.length === 0) continue;
      // The lease outlives the attempt and what it takes to write it down.
      const lease = { owner, until: at + timeoutMs + writingMs };
      const claimed = await database.write((tx) => deliveryStore(tx).claim(next, { at, lease }));
      for (const delivery of claimed) begin(key, delivery);
    }
    return false;
  }

  function begin(key: string, delivery: Delivery): void {
    const work = attempt(delivery).catch((error: unknown) => {
      if (!closing.signal.aborted) onError(error);
    });
    sending.set(delivery.seq, { key, work });
    void work.then(() => {
      sending.delete(delivery.seq);
      loop.wake();
    });
  }

  async function attempt(delivery: Delivery): Promise<void> {
    const startedAt = now();
    const outcome = await send(options, delivery, { at: startedAt, timeoutMs, signal: closing.signal });
    const at = now();
    const made: Attempt = attemptOf(outcome, startedAt, at);
    const tries = delivery.tries + 1;
    const judgement = judge(outcome, { tries, random });
    await database.write(async (tx) => {
      const webhooks = webhookStore(tx);
      const { target } = delivery;
      const webhook = target.kind === 'webhook' ? await webhooks.lock(target.webhook) : undefined;
      const saved = await deliveryStore(tx).saveAttempt(
        { id: delivery.id, attempts: [...delivery.attempts, made] },
        {
          state: judgement.kind === 'again' ? 'waiting' : judgement.kind,
          dueAt: judgement.kind === 'again' ? at + judgement.afterMs : delivery.dueAt,
          ...{ tries, at },
        },
        owner,
      );
      if (!saved || !webhook) return;
      const health = healthAfter(webhook, judgement, { at, random });
      if (health.failures !== webhook.failures) await webhooks.setHealth(webhook.id, health);
      if (health.pausedBecause !== undefined && webhook.state.kind === 'active') {
        const failing = { ...webhook, ...health };
        await pauseWebhook({ webhooks, events: eventStore(tx) }, failing, { at, because: health.pausedBecause });
      }
    });
  }

  const loop = startLoop({ pass, everyMs: 1_000, onError });
  const listening = database.onCommit(queuedTopic, loop.wake);

  return {
    test: async (webhook, event) => {
      const at = now();
      const delivery = {
        id: randomUUID(),
        target: { kind: 'webhook', webhook: webhook.id } satisfies Target,
        body: JSON.stringify(webhookPayload(event, at, exampleData(event))),
      };
      const outcome = await send(options, delivery, { at, timeoutMs, signal: closing.signal });
      const delivered = outcome.kind === 'answered' && outcome.status >= 200 && outcome.status < 300;
      await database.write(async (tx) => {
        if (!(await webhookStore(tx).lock(webhook.id))) return; // deleted meanwhile, and its log with it
        await deliveryStore(tx).insert(
          { ...delivery, event, subject: 'test', project: 'default', createdAt: at },
          { state: delivered ? 'delivered' : 'failed', attempts: [attemptOf(outcome, at, now())] },
        );
      });
      return outcome;
    },
    [Symbol.asyncDispose]: async () => {
      listening[Symbol.dispose]();
      await loop[Symbol.asyncDispose]();
      closing.abort();
      await Promise.all([...sending.values()].map(({ work }) => work));
      await database.write((tx) => deliveryStore(tx).release(owner));
    },
  };
}

async function send(
  { database, secrets, policy, environment, version, pagerDutyUrl = pagerDuty }: DeliveryOptions,
  { id, target, body }: Pick<Delivery, 'id' | 'target' | 'body'>,
  { at, timeoutMs, signal }: { readonly at: number; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Outcome> {
  const agent = { 'User-Agent': `rondo/${version}` };
  const post = (url: string, text: string, secret?: string) =>
    guardedPost(
      { url, headers: { ...deliveryHeaders({ id, body: text, at, secret }), ...agent }, body: text, timeoutMs },
      { policy, signal },
    );
  if (target.kind === 'webhook') {
    const webhook = await webhookStore(database.read).find(target.webhook);
    if (!webhook) return { kind: 'refused', problem: 'the webhook was deleted' };
    const secret = webhook.secret === undefined ? undefined : secrets.open(webhook.secret);
    if (webhook.secret !== undefined && secret === undefined) {
      return { kind: 'refused', problem: 'its secret was encrypted with another key; set it again' };
    }
    return post(webhook.url, body, secret);
  }
  const value = target.value.startsWith('$') ? environment[target.value.slice(1)] : target.value;
  if (!value) return { kind: 'refused', problem: `the variable ${target.value.slice(1)} is not set for the server` };
  if (target.kind === 'pagerduty') {
    return post(pagerDutyUrl, JSON.stringify({ routing_key: value, ...JSON.parse(body) }));
  }
  return post(value, body);
}

const pagerDuty = 'https://events.pagerduty.com/v2/enqueue';

function attemptOf(outcome: Outcome, startedAt: number, endedAt: number): Attempt {
  const well = outcome.kind === 'answered' && outcome.status >= 200 && outcome.status < 300;
  return {
    at: startedAt,
    ms: endedAt - startedAt,
    ...(outcome.kind === 'answered' && { status: outcome.status, answer: outcome.body.slice(0, keptAnswer) }),
    ...(!well && { problem: sayProblem(outcome) }),
  };
}
