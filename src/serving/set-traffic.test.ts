import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linearModel, linearSignature } from '../../tests/fixtures/onnx/tiny-models.ts';
import { PlatformError } from '../errors.ts';
import { eventStore, readEvents } from '../events/event-store.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { endpointStore } from './endpoint-store.ts';
import { saveEndpoint } from './save-endpoint.ts';
import { rollBack, saveTraffic, setTraffic } from './set-traffic.ts';
import { openTestServing } from './test-serving.ts';

const endpoint = {
  name: 'flights',
  project: 'p',
  task: 'binary',
  key: 'id',
  latencyMs: 100,
  log: { sampled: 0.5 },
} as const;
const champion = { model: 'm', version: 1 };
const now = () => 5;

eachDatabase((name, open) => {
  test(`${name}: settings change without touching traffic, and only a change is an event`, async () => {
    await using database = await open();
    const save = (latencyMs: number) =>
      database.write((tx) =>
        saveEndpoint(
          { endpoints: endpointStore(tx), events: eventStore(tx), now },
          { endpoint: { ...endpoint, latencyMs }, actor: 'user:ada' },
        ),
      );
    assert.deepEqual([await save(100), await save(100), await save(200)], [true, false, true]);
    const stored = await endpointStore(database.read).find('flights');
    assert.deepEqual(stored?.endpoint, { ...endpoint, latencyMs: 200 });
    assert.deepEqual(stored?.traffic, { generation: 0 });
    assert.equal((await endpointStore(database.read).list()).length, 1);
  });

  test(`${name}: of sixteen changes at once one is written, with its event`, async () => {
    await using database = await open();
    await database.write((tx) =>
      saveEndpoint({ endpoints: endpointStore(tx), events: eventStore(tx), now }, { endpoint, actor: 'owner' }),
    );
    const settled = await Promise.allSettled(
      Array.from({ length: 16 }, (_, i) =>
        database.write((tx) =>
          saveTraffic(
            { endpoints: endpointStore(tx), events: eventStore(tx), now, endpointNow: now },
            {
              endpoint: 'flights',
              traffic: { generation: 1, champion: { model: 'm', version: i } },
              reason: `change ${i}`,
              actor: 'owner',
            },
          ),
        ),
      ),
    );
    const written = settled.flatMap((one, i) => (one.status === 'fulfilled' ? [i] : []));
    assert.equal(written.length, 1);
    for (const one of settled) {
      if (one.status === 'rejected') assert.equal((one.reason as { code: string }).code, 'serving/traffic-changed');
    }
    const stored = await endpointStore(database.read).find('flights');
    assert.deepEqual(stored?.traffic, { generation: 1, champion: { ...champion, version: written[0] } });
    if (name === 'sqlite') {
      const events = await readEvents(database.read, { limit: 10, types: ['serving.traffic-set'] });
      assert.deepEqual(
        events.map(({ reason, subject }) => [reason, subject]),
        [[`change ${written[0]}`, 'endpoint/flights']],
      );
    }
  });
});

async function twoVersions() {
  const serving = await openTestServing();
  for (const version of [1, 2, 3]) {
    await serving.addVersion({ model: 'm', version, ...linearSignature }, linearModel({ weight: version, bias: 0 }));
  }
  await serving.addEndpoint(
    { name: 'e' },
    { champion: { model: 'm', version: 2 }, previous: { model: 'm', version: 1 } },
  );
  const served = async () => {
    const asked = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], data: [1] }] };
    return (await serving.infer('e', asked)).body['model_version'];
  };
  return { serving, served };
}

test('the way back is in force before it is written down, and although it cannot be', async () => {
  const { serving, served } = await twoVersions();
  await using _serving = serving;
  const { trafficDeps } = serving.serving;
  const seen: unknown[] = [];
  const full = new PlatformError('storage/read-only', 'the data folder');
  const save = async () => {
    seen.push(await served());
    throw full;
  };
  const back = rollBack({ ...trafficDeps, save }, { endpoint: 'e', reason: 'bad', actor: 'user:ada' });
  await assert.rejects(back, full);
  assert.deepEqual([...seen, await served()], ['1', '1']);
  // Forward, a version serves only once that is written down.
  const forward = setTraffic(
    { ...trafficDeps, save },
    { endpoint: 'e', change: () => ({ champion: { model: 'm', version: 3 } }), reason: 'new', actor: 'user:ada' },
  );
  await assert.rejects(forward, full);
  assert.deepEqual([...seen, await served()], ['1', '1', '1']);
});

test('when somebody was faster, the way back begins from what they made', async () => {
  const { serving, served } = await twoVersions();
  await using _serving = serving;
  const { trafficDeps } = serving.serving;
  let faster = async (): Promise<unknown> => serving.setTraffic('e', { champion: { model: 'm', version: 3 } });
  const save: typeof trafficDeps.save = async (change) => {
    const others = faster;
    faster = async () => undefined;
    await others();
    return trafficDeps.save(change);
  };
  // They left nothing to go back to, and what they made is in force.
  const back = rollBack({ ...trafficDeps, save }, { endpoint: 'e', reason: 'bad', actor: 'user:ada' });
  await assert.rejects(back, { code: 'serving/nothing-to-roll-back-to' });
  assert.equal(await served(), '3');
  assert.equal(serving.serving.live.get('e').plan.traffic.generation, 2);
});
