import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { NewEvent } from '../events/event.ts';
import { startSequencer } from '../events/event-sequencer-worker.ts';
import { eventStore, lastPosition, readEvents } from '../events/event-store.ts';
import { openTestServer } from '../http/test-server.ts';
import { announce } from '../storage/announcements.ts';
import { eachDatabase, type OpenTestDatabase, type TestDatabase } from '../storage/test-databases.ts';
import { queuedTopic } from './delivery-store.ts';
import { type DeliveryOptions, startDeliveries } from './delivery-worker.ts';
import { startOutbox } from './outbox-worker.ts';
import { openSecretBox } from './secret-box-adapter.ts';
import { openReceiver } from './test-receiver.ts';
import type { RegistryFacts } from './webhook-message.ts';
import { webhookRoutes } from './webhook-routes.ts';

const local = { schemes: ['http'], allowPrivateAddresses: true };

const facts: RegistryFacts = {
  model: async (name) => ({
    tags: name.startsWith('prompt') ? { 'mlflow.prompt.is_prompt': 'true' } : {},
    description: '',
  }),
  version: async () => ({ tags: { now: '1' }, description: '' }),
};

/** What the answers have, all in one: the tests assert what they use. */
type Body = {
  readonly id: string;
  readonly state: string;
  readonly signed: boolean;
  readonly failures: number;
  readonly waiting: number;
  readonly pausedBecause: string;
  readonly subject: string;
  readonly tries: number;
  readonly body: string;
  readonly attempts: readonly { readonly status: number; readonly answer: string; readonly problem: string }[];
  readonly items: readonly Body[];
  readonly delivered: boolean;
  readonly problem: string;
  readonly answer: string;
  readonly code: string;
};
type Call = { readonly status: number; readonly body: Body };

/** The whole machine on a real database, with a clock that the test moves. */
async function openNotify(open: OpenTestDatabase, options: Partial<DeliveryOptions> = {}) {
  await using resources = new AsyncDisposableStack();
  const database = resources.use(await open());
  const clock = { now: 1_700_000_000_000 };
  const now = () => clock.now;
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  if (database.dialect === 'postgres') resources.use(startSequencer({ database, onError }));
  const secrets = await openSecretBox(join(database.folder, 'keys', 'webhooks'));
  const machine = {
    database,
    secrets,
    policy: local,
    environment: {},
    version: '1',
    now,
    random: () => 1,
    onError,
    ...options,
  };
  const server = resources.use(await openTestServer());
  const start = async () => {
    await using opening = new AsyncDisposableStack();
    const deliveries = opening.use(await startDeliveries(machine));
    opening.use(startOutbox({ database, factsOf: () => facts, now, onError }));
    return Object.assign(opening.move(), { deliveries });
  };
  let running = await start();
  const deliveries = {
    test: (...words: Parameters<typeof running.deliveries.test>) => running.deliveries.test(...words),
  };
  await server.register(
    webhookRoutes({ database, deliveries, secrets, policy: machine.policy, now, newUuid: () => randomUUID() }),
  );
  const call = async (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, payload?: object): Promise<Call> => {
    const answer = await server.inject({ method, url: `/api/v1/webhooks${path}`, ...(payload && { payload }) });
    return { status: answer.statusCode, body: JSON.parse(answer.body || '{}') };
  };
  const opened = resources.move();
  return {
    ...{ database, clock, errors, call },
    append: (event: Partial<NewEvent>) => append(database, { at: clock.now, ...event }),
    /** As time goes by: the queue is looked at again. */
    pass: async (ms: number) => {
      clock.now += ms;
      await database.write(async (tx) => announce(tx, queuedTopic));
    },
    restart: async () => {
      await running.disposeAsync();
      running = await start();
    },
    [Symbol.asyncDispose]: async () => {
      await running.disposeAsync();
      await opened.disposeAsync();
      assert.deepEqual(errors, []);
    },
  };
}

/** Returns when it has its place in the log. */
async function append(database: TestDatabase, event: Partial<NewEvent>): Promise<void> {
  const before = await lastPosition(database.read);
  await database.write((tx) =>
    eventStore(tx).append({
      ...{ type: 'tracking.run-ended', project: 'p', subject: 'run/a', actor: 'ada', at: 1 },
      data: { experiment: '1', name: 'r', status: 'FINISHED' },
      ...event,
    }),
  );
  await until(async () => (await lastPosition(database.read)) > before);
}

async function until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (let tries = 0; tries < 500; tries++) {
    const found = await look();
    if (found) return found;
    await wait(10);
  }
  throw new Error('waited in vain');
}

eachDatabase((name, open) => {
  test(`${name}: an event reaches who asked for it, signed as MLflow signs`, async () => {
    await using receiver = await openReceiver();
    await using notify = await openNotify(open);
    await notify.append({ subject: 'run/before' });
    const secret = 'a secret';
    const made = await notify.call('POST', '', { name: 'h', url: receiver.url, events: ['run.ended'], secret });
    assert.equal(made.status, 201);
    assert.equal(made.body.signed, true);
    assert.ok(!JSON.stringify(made.body).includes(secret));
    await notify.append({ type: 'tracking.run-started', subject: 'run/b' });
    await notify.append({ subject: 'run/b', at: 1_700_000_000_500 });
    const [one] = await receiver.has(1);
    assert.ok(one);
    assert.deepEqual(one.payload, {
      ...{ entity: 'run', action: 'ended', timestamp: '2023-11-14T22:13:20.500000+00:00' },
      data: {
        ...{ run_id: 'b', experiment_id: '1', run_name: 'r', status: 'FINISHED', project: 'p', actor: 'ada' },
      },
    });
    const { 'x-mlflow-delivery-id': id, 'x-mlflow-timestamp': at, 'x-mlflow-signature': signature } = one.headers;
    assert.equal(at, '1700000000');
    const expected = createHmac('sha256', secret).update(`${id}.${at}.${one.body}`).digest('base64');
    assert.equal(signature, `v1,${expected}`);
    const logged = await until(async () => {
      const { body } = await notify.call('GET', `/deliveries?webhook=${made.body.id}`);
      return body.items[0]?.state === 'delivered' && body;
    });
    assert.deepEqual(
      logged.items.map((item) => [item.id, item.subject, item.attempts[0]?.status, item.attempts[0]?.answer]),
      [[id, 'run/b', 200, 'ok']],
    );
    const row = await notify.database.read
      .withTables<{ webhooks: { secret: string } }>()
      .selectFrom('webhooks')
      .select('secret')
      .executeTakeFirstOrThrow();
    assert.ok(!row.secret.includes(secret), 'secrets are kept encrypted');
  });

  test(`${name}: what fails comes again until it arrives, in the order of its subject, and others go ahead`, async () => {
    let down = true;
    await using receiver = await openReceiver((one, response) => {
      response.statusCode = down && one.payload.data['run_id'] === 'a' ? 503 : 200;
      response.end();
    });
    await using notify = await openNotify(open);
    await notify.call('POST', '', { name: 'h', url: receiver.url, events: ['run.created', 'run.ended'] });
    await notify.append({ type: 'tracking.run-started', subject: 'run/a' });
    await until(async () => (await notify.call('GET', '')).body.items[0]?.failures === 1);
    await notify.append({ subject: 'run/a' });
    await notify.append({ subject: 'run/b' });
    await until(async () => {
      await notify.pass(1_000);
      return receiver.received.some(({ payload }) => payload.data['run_id'] === 'b');
    });
    down = false;
    await until(async () => {
      await notify.pass(60_000); // again and again: an attempt may still be on its way
      return (await notify.call('GET', '/deliveries?state=waiting')).body.items.length === 0;
    });
    const ofA = receiver.received.filter(({ payload }) => payload.data['run_id'] === 'a');
    const ways = ofA.map(({ payload }) => payload.action);
    assert.deepEqual(ways, [...new Array(ways.length - 1).fill('created'), 'ended']);
    const ids = new Set(ofA.slice(0, -1).map(({ headers }) => headers['x-mlflow-delivery-id']));
    assert.equal(ids.size, 1, 'a message keeps its id, so that a receiver knows what it has');
  });

  test(`${name}: a dead receiver is paused with its reason and an event, loses nothing, and holds up nobody`, async () => {
    let dead = true;
    await using deadReceiver = await openReceiver((_, response) => {
      response.statusCode = dead ? 500 : 200;
      response.end();
    });
    await using silent = await openReceiver(() => {});
    await using well = await openReceiver();
    await using notify = await openNotify(open, { timeoutMs: 20_000 });
    const make = async (name: string, url: string) =>
      (await notify.call('POST', '', { name, url, events: ['run.ended'] })).body.id;
    const deadId = await make('dead', deadReceiver.url);
    await make('silent', silent.url);
    await make('well', well.url);
    for (let n = 0; n < 30; n++) await notify.append({ subject: `run/${n}` });
    await well.has(30);
    assert.ok(silent.received.length <= 4, 'connections to one receiver are bounded');
    const paused = await until(async () => {
      await notify.pass(3_600_000);
      const { body } = await notify.call('GET', `/${deadId}`);
      return body.state === 'paused' && body;
    });
    assert.match(
      paused.pausedBecause,
      /^1\d attempts in a row failed over \d+ hours, the last because it answered 500$/,
    );
    const told = await until(
      async () => (await readEvents(notify.database.read, { limit: 1, types: ['notify.webhook-paused'] }))[0],
    );
    assert.deepEqual([told.subject, told.reason], [`webhook/${deadId}`, paused.pausedBecause]);

    const before = deadReceiver.received.length;
    await notify.append({ subject: 'run/later' });
    await notify.pass(3_600_000);
    await well.has(31);
    assert.equal(deadReceiver.received.length, before, 'a paused one is left alone');
    dead = false;
    assert.equal((await notify.call('PATCH', `/${deadId}`, { active: true })).body.state, 'active');
    await until(async () => (await notify.call('GET', `/${deadId}`)).body.waiting === 0);
    const arrived = new Set(deadReceiver.received.slice(before).map(({ payload }) => payload.data['run_id']));
    const given = (await notify.call('GET', `/deliveries?webhook=${deadId}&state=failed`)).body.items;
    assert.equal(arrived.size + given.length, 31);
    assert.ok(arrived.has('later'));
  });

  test(`${name}: what waits survives a restart, and what was given up can be delivered again`, async () => {
    let status = 503;
    await using receiver = await openReceiver((_, response) => {
      response.statusCode = status;
      response.end('no');
    });
    await using notify = await openNotify(open);
    await notify.call('POST', '', { name: 'h', url: receiver.url, events: ['run.ended'] });
    await notify.append({ subject: 'run/a' });
    await until(async () => (await notify.call('GET', '')).body.items[0]?.failures === 1);
    status = 422;
    await notify.restart();
    await notify.pass(10_000);
    const failed = await until(async () => (await notify.call('GET', '/deliveries?state=failed')).body.items[0]);
    assert.deepEqual(
      failed.attempts.map((attempt) => [attempt.status, attempt.answer, attempt.problem]),
      [
        [503, 'no', 'it answered 503'],
        [422, 'no', 'it answered 422'],
      ],
    );
    status = 200;
    await notify.pass(60_000);
    assert.equal((await notify.call('POST', `/deliveries/${failed.id}/redeliver`)).status, 202);
    const done = await until(async () => {
      const { body } = await notify.call('GET', `/deliveries/${failed.id}`);
      return body.state === 'delivered' && body;
    });
    assert.equal(done.attempts.length, 3);
    assert.deepEqual(JSON.parse(done.body), receiver.received.at(-1)?.payload);
  });

  test(`${name}: nobody is led into a private network, by an address, a name or a redirect`, async () => {
    await using inside = await openReceiver();
    const port = new URL(inside.url).port;
    await using notify = await openNotify(open, { policy: { schemes: ['http'], allowPrivateAddresses: false } });
    const make = (url: string) => notify.call('POST', '', { name: 'h', url, events: ['run.ended'] });
    const literal = await make(inside.url);
    assert.deepEqual([literal.status, literal.body.code], [400, 'notify/invalid']);
    const { body } = await make(`http://localhost:${port}/hook`);
    const result = await notify.call('POST', `/${body.id}/test`);
    assert.deepEqual(result.body.delivered, false);
    assert.match(result.body.problem, /^localhost is (127\.0\.0\.1|::1), which is no public address$/);
    await notify.append({});
    const failed = await until(
      async () => (await notify.call('GET', '/deliveries?state=failed&limit=200')).body.items[1],
    );
    assert.equal(failed.tries, 1, 'that does not pass by itself');
    assert.equal(inside.received.length, 0);
  });

  test(`${name}: a redirect is not followed, and an endless answer is cut`, async () => {
    await using inside = await openReceiver();
    await using receiver = await openReceiver((one, response) => {
      if (one.path === '/hook') response.writeHead(302, { location: inside.url }).end();
      else response.write('x'.repeat(1_000_000)); // and never ends
    });
    await using notify = await openNotify(open);
    const make = async (url: string) =>
      (await notify.call('POST', '', { name: 'h', url, events: ['run.ended', 'alert.opened'] })).body.id;
    const redirected = await notify.call('POST', `/${await make(receiver.url)}/test`, { event: 'run.ended' });
    assert.deepEqual(
      [redirected.body.delivered, redirected.body.problem],
      [false, 'it answered 302; redirects are not followed'],
    );
    assert.equal(inside.received.length, 0);
    const endless = await notify.call('POST', `/${await make(`${receiver.url}2`)}/test`);
    assert.deepEqual([endless.body.delivered, endless.body.answer.length], [true, 65_536]);
    assert.equal(receiver.received.at(-1)?.payload.entity, 'alert', 'the first of its events');
  });

  test(`${name}: bad input is refused, and what is not there is said not to be`, async () => {
    await using notify = await openNotify(open);
    const good = { name: 'h', url: 'http://example.com', events: ['run.ended'] };
    const bad = [
      { ...good, events: [] },
      { ...good, events: ['run.flew'] },
      { ...good, url: 'ftp://example.com' },
      { ...good, name: 'a b' },
      { ...good, secret: 'x'.repeat(1_001) },
      { ...good, more: 1 },
      {},
    ];
    for (const body of bad) assert.equal((await notify.call('POST', '', body)).status, 400, JSON.stringify(body));
    for (const [method, path, payload] of [
      ['GET', '/nothing'],
      ['PATCH', '/nothing', { active: true }],
      ['DELETE', '/nothing'],
      ['POST', '/nothing/test'],
      ['GET', '/deliveries/nothing'],
      ['POST', '/deliveries/nothing/redeliver'],
    ] as const) {
      assert.equal((await notify.call(method, path, payload)).status, 404, `${method} ${path}`);
    }
    const { id } = (await notify.call('POST', '', good)).body;
    assert.equal((await notify.call('PATCH', `/${id}`, { events: [] })).status, 400);
    assert.equal((await notify.call('PATCH', `/${id}`, { active: false })).body.state, 'disabled');
    await notify.append({});
    assert.equal((await notify.call('DELETE', `/${id}`)).status, 204);
    assert.deepEqual((await notify.call('GET', '/deliveries')).body.items, []);
  });

  test(`${name}: prompts are told apart from models, and what was made is told as it was then`, async () => {
    await using receiver = await openReceiver();
    await using notify = await openNotify(open);
    const events = ['model_version_tag.set', 'prompt_version_tag.set', 'prompt_tag.set', 'model_version.created'];
    await notify.call('POST', '', { name: 'h', url: receiver.url, events });
    const tag = { key: 'k', value: 'v' };
    for (const model of ['m', 'prompt']) {
      const subject = `model/${model}`;
      await notify.append({ type: 'registry.model-tag-set', subject, data: tag });
      await notify.append({ type: 'registry.version-tag-set', subject, data: { model, version: 2, ...tag } });
    }
    await notify.append({
      type: 'registry.version-registered',
      subject: 'model/m/3',
      data: { model: 'm', version: 3, source: 's3://b/p', tags: { first: '1' }, description: 'first' },
    });
    await notify.append({
      type: 'registry.version-registered',
      subject: 'model/m/4',
      data: { model: 'm', version: 4, source: 's3://b/p', run: 'r' }, // more tags than an event holds
    });
    const told = (await receiver.has(5)).map(({ payload: { entity, action, data } }) => [`${entity}.${action}`, data]);
    assert.deepEqual(
      new Set(told.map((one) => JSON.stringify(one))),
      new Set([
        JSON.stringify(['model_version_tag.set', { name: 'm', version: '2', ...tag }]),
        JSON.stringify(['prompt_tag.set', { name: 'prompt', ...tag }]),
        JSON.stringify(['prompt_version_tag.set', { name: 'prompt', version: '2', ...tag }]),
        JSON.stringify([
          'model_version.created',
          { name: 'm', version: '3', source: 's3://b/p', run_id: null, tags: { first: '1' }, description: 'first' },
        ]),
        JSON.stringify([
          'model_version.created',
          { name: 'm', version: '4', source: 's3://b/p', run_id: 'r', tags: { now: '1' }, description: null },
        ]),
      ]),
    );
  });
});
