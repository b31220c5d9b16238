/** The server is killed between what happens and what is told of it, again and again: everything is told, in its order. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openReceiver } from '../../src/notify/test-receiver.ts';
import { eachDatabase } from '../../src/storage/test-databases.ts';
import { type Spawned, spawnServer, until } from './spawned-server.ts';

const mlflow = '/api/2.0/mlflow';
const kills = 5;

type Created = { run: { info: { run_id: string } } };

eachDatabase((name, open) => {
  test(`${name}: every acknowledged run is told of at least once and in its order, through kill -9`, {
    timeout: 300_000,
  }, async () => {
    let deaf = false;
    await using receiver = await openReceiver((_, response) => {
      if (deaf) response.destroy();
      else response.end();
    });
    await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-webhooks-'));
    await using database = await open();
    await using servers = new AsyncDisposableStack();
    const start = async (): Promise<Spawned> =>
      servers.use(
        await spawnServer({
          dataFolder: join(place.path, 'data'),
          env: {
            MLFLOW_WEBHOOK_ALLOWED_SCHEMES: 'http',
            MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS: 'true',
            MLFLOW_WEBHOOK_REQUEST_TIMEOUT: '2',
            ...(database.url !== undefined && { DATABASE_URL: database.url }),
          },
        }),
      );
    let server = await start();
    const { id } = await server.must<{ id: string }>('POST', '/api/v1/webhooks', {
      ...{ name: 'ci', url: receiver.url, events: ['run.created', 'run.ended'], secret: 'kept over restarts' },
    });
    const created: string[] = [];
    const ended: string[] = [];
    for (let round = 1; round <= kills; round++) {
      deaf = round % 2 === 0; // then it all waits in the queue while the server dies
      const before = ended.length;
      const stop = new AbortController();
      const load = keepRunning(server, { created, ended, signal: stop.signal });
      await until('the load runs', async () => ended.length >= before + 5);
      await wait(53 * round);
      await server.kill();
      stop.abort();
      await load;
      server = await start();
    }
    deaf = false;
    await server.must('PATCH', `/api/v1/webhooks/${id}`, { active: true, url: receiver.url });
    // On PostgreSQL what a dead server had in hand is free only when its lease ends, ten seconds after a receiver's time.
    for (let tries = 0; tries < 900 && !(await isAllTold(server, id, ended.at(-1) ?? '')); tries++) await wait(100);

    const told = (action: string) =>
      new Set(
        receiver.received.filter((one) => one.payload.action === action).map(({ payload }) => payload.data['run_id']),
      );
    const [toldCreated, toldEnded] = [told('created'), told('ended')];
    assert.deepEqual(
      created.filter((run) => !toldCreated.has(run)),
      [],
    );
    assert.deepEqual(
      ended.filter((run) => !toldEnded.has(run)),
      [],
    );
    const firstOf = (run: string, action: string) =>
      receiver.received.findIndex(({ payload }) => payload.data['run_id'] === run && payload.action === action);
    assert.deepEqual(
      ended.filter((run) => firstOf(run, 'created') > firstOf(run, 'ended')),
      [],
    );
    assert.ok(receiver.received.every(({ headers }) => headers['x-mlflow-signature'] !== undefined));
  });
});

async function isAllTold(server: Spawned, webhook: string, last: string): Promise<boolean> {
  const { waiting } = await server.must<{ waiting: number }>('GET', `/api/v1/webhooks/${webhook}`);
  const deliveries = `/api/v1/webhooks/deliveries?webhook=${webhook}&state=delivered&limit=200`;
  const { items } = await server.must<{ items: { subject: string; event: string }[] }>('GET', deliveries);
  return waiting === 0 && items.some(({ subject, event }) => subject === `run/${last}` && event === 'run.ended');
}

/** Starts runs and ends them; what was acknowledged is written down. */
async function keepRunning(
  server: Spawned,
  { created, ended, signal }: { readonly created: string[]; readonly ended: string[]; readonly signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    try {
      const started = await server.call<Created>('POST', `${mlflow}/runs/create`, { experiment_id: '0' });
      if (started.status !== 200) continue;
      const run = started.body.run.info.run_id;
      created.push(run);
      const end = { run_id: run, status: 'FINISHED', end_time: 1 };
      if ((await server.call('POST', `${mlflow}/runs/update`, end)).status === 200) ended.push(run);
    } catch {
      await wait(5); // it was killed just now
    }
  }
}
