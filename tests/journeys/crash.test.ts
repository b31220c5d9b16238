/** The server is killed in the middle of everything, again and again: what it has said yes to stays, and what it had begun goes on. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { linearModel } from '../fixtures/onnx/tiny-models.ts';
import {
  infer,
  linkProject,
  registerModel,
  rollouts,
  type Spawned,
  ship,
  spawnServer,
  until,
} from './spawned-server.ts';

const kills = 6;
const mlflow = '/api/2.0/mlflow';

/** What the server has acknowledged. */
type Acknowledged = {
  readonly predictions: { id: string; answer: readonly number[] }[];
  readonly labels: { key: string; value: number }[];
  readonly steps: number[];
  readonly models: string[];
};

const rollout = `rollout:
  shadow: {requests: 300}
  steps: [{to: 25%, min: 100}, {to: 50%, min: 200}]
  guardrails: [{errors: {margin: 30%}}]
`;

test('nothing that was acknowledged is lost by kill -9, and the rollout ends as it should', {
  timeout: 300_000,
}, async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-crash-'));
  const dataFolder = join(place.path, 'data');
  await using open = new AsyncDisposableStack();
  const start = async (): Promise<Spawned> => open.use(await spawnServer({ dataFolder }));

  let server = await start();
  await linkProject(server, { folder: join(place.path, 'project'), more: rollout });
  const files = (weight: number) => ({ 'model.onnx': linearModel({ weight, bias: 0 }) });
  await ship(server, await registerModel(server, { name: 'line', files: files(1) }));
  await until('the first version serves', async () => (await infer(server, 0)).status === 200);
  type Created = { run: { info: { run_id: string } } };
  const { run } = await server.must<Created>('POST', `${mlflow}/runs/create`, { experiment_id: '0' });
  const runId = run.info.run_id;
  await ship(server, await registerModel(server, { name: 'line', files: files(2) }));

  const all: Acknowledged = { predictions: [], labels: [], steps: [], models: [] };
  for (let round = 1; round <= kills; round++) {
    const before = { predictions: all.predictions.length, labels: all.labels.length };
    const stop = new AbortController();
    const load = keepBusy(server, { runId, all, signal: stop.signal });
    // Long enough for some of everything, and never at the same moment twice.
    await until(
      'the load runs',
      async () => all.predictions.length >= before.predictions + 20 && all.labels.length > before.labels,
    );
    await wait(97 * round);
    await server.kill();
    stop.abort();
    await load;

    server = await start();
    const fresh = {
      ...all,
      predictions: all.predictions.slice(before.predictions),
      labels: all.labels.slice(before.labels),
    };
    await checkAll(server, { runId, all: fresh });
    const [newest] = await rollouts(server);
    assert.ok(newest && /^(shadow|step|promoting|promoted)$/.test(newest.state), JSON.stringify(newest));
    if (round === 1) assert.equal(newest.state, 'shadow');
  }

  await until('the rollout is through', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, i) => infer(server, i)));
    const [newest] = await rollouts(server);
    assert.ok(newest && !/^(paused|rolled-back|aborted|superseded)$/.test(newest.state), JSON.stringify(newest));
    return newest.state === 'promoted';
  });
  await until('everybody gets the new version', async () => (await infer(server, 1)).body.model_version === '2');
  await checkAll(server, { runId, all });
  const verified = await server.must<{ bad?: unknown; size: number }>('POST', '/api/v1/audit/verify');
  assert.equal(verified.bad, undefined, JSON.stringify(verified));
  assert.ok(verified.size > all.models.length);
});

/** Predictions, their labels, metrics and new models, until the server is gone. */
async function keepBusy(
  server: Spawned,
  { runId, all, signal }: { readonly runId: string; readonly all: Acknowledged; readonly signal: AbortSignal },
): Promise<void> {
  const again = async (work: () => Promise<void>) => {
    while (!signal.aborted) {
      try {
        await work();
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        return; // the connection broke: no answer, no promise
      }
    }
  };
  const predict = async () => {
    const { status, body } = await infer(server, all.predictions.length);
    assert.equal(status, 200, JSON.stringify(body));
    all.predictions.push({ id: body.id, answer: body.outputs[0].data });
    await wait(4); // or a fast machine is through with the rollout before the first kill
  };
  await Promise.all([
    ...Array.from({ length: 3 }, () => again(predict)),
    again(async () => {
      const known = all.predictions[all.labels.length];
      if (!known) return wait(5);
      const label = { key: known.id, value: known.answer[0] ?? 0 };
      await server.must('POST', '/api/v1/endpoints/line/labels', { labels: [label] });
      all.labels.push(label);
    }),
    again(async () => {
      const step = (all.steps.at(-1) ?? 0) + 1;
      const metric = { run_id: runId, key: 'loss', value: step / 3, timestamp: step, step };
      await server.must('POST', `${mlflow}/runs/log-metric`, metric);
      all.steps.push(step);
    }),
    again(async () => {
      const name = `made-${all.models.length}`;
      const { status, body } = await server.call('POST', `${mlflow}/registered-models/create`, { name });
      // Made just before a kill, and the answer lost: then it is there, and the next try learns so.
      assert.ok(status === 200 || /RESOURCE_ALREADY_EXISTS/.test(JSON.stringify(body)), JSON.stringify(body));
      all.models.push(name);
    }),
  ]);
}

async function checkAll(
  server: Spawned,
  { runId, all }: { readonly runId: string; readonly all: Acknowledged },
): Promise<void> {
  for (let at = 0; at < all.predictions.length; at += 20) {
    await Promise.all(
      all.predictions.slice(at, at + 20).map(async ({ id, answer }) => {
        const found = await server.must<{ outputs: { y: number } }>('GET', `/api/v1/predictions/${id}`);
        assert.equal(found.outputs.y, answer[0], id);
      }),
    );
  }
  // A label that is known is counted as known and not taken again.
  for (let at = 0; at < all.labels.length; at += 5_000) {
    const labels = all.labels.slice(at, at + 5_000);
    const again = await server.must('POST', '/api/v1/endpoints/line/labels', { labels });
    assert.deepEqual(again, { accepted: 0, known: labels.length });
  }
  const history = await server.must<{ metrics?: { step: number | string }[] }>(
    'GET',
    `${mlflow}/metrics/get-history?run_id=${runId}&metric_key=loss`,
  );
  const steps = new Set(history.metrics?.map(({ step }) => Number(step)));
  assert.deepEqual(
    all.steps.filter((step) => !steps.has(step)),
    [],
  );

  const told = new Set<string>();
  for (let after: number | undefined = 0; after !== undefined; ) {
    type Page = { items: { position: number; subject: string }[]; next?: number };
    const page: Page = await server.must('GET', `/api/v1/events?after=${after}&limit=1000`);
    for (const [i, { position, subject }] of page.items.entries()) {
      assert.equal(position, after + i + 1, 'the log has no gap');
      told.add(subject);
    }
    after = page.items.length === 0 ? undefined : page.items.at(-1)?.position;
  }
  assert.deepEqual(
    all.models.filter((name) => !told.has(`model/${name}`)),
    [],
  );
}
