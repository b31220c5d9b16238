import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventStore, readEvents } from '../events/event-store.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { endpointStore } from './endpoint-store.ts';
import { saveEndpoint } from './save-endpoint.ts';
import { saveTraffic } from './set-traffic.ts';

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
