import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { test } from 'node:test';
import { endpointClient } from './client/endpoint-client.ts';
import { labelCalendar } from './client/label-calendar.ts';
import { type ReplayPlan, replayFlights } from './client/replay-flights.ts';
import { tally } from './client/tally.ts';
import { modelRows } from './features/model-rows.ts';
import type { Flights } from './features/read-flights.ts';
import { seededRandom } from './random.ts';

type Input = { readonly name: string; readonly data: readonly (string | number)[] };
type Label = { readonly key: number; readonly value: number };

const plan: ReplayPlan = { from: 1, to: 2, requests: 300, seed: 1, concurrency: 4, rate: 0 };

test('asks once about each sampled flight, with the features it would be trained on', async () => {
  await using server = await endpoint();
  const flights = someFlights();
  const report = await server.replay(flights, plan);
  assert.equal(report.requests, 300);
  assert.equal(report.failed, 0);
  assert.deepEqual(report.answers, { '3 champion': 300 });
  const rowOf = modelRows(flights);
  for (const inputs of server.asked) {
    const value = (name: string) => inputs.find((input) => input.name === name)?.data[0];
    const id = Number(value('flight_id'));
    const row = rowOf(flights.id.indexOf(id));
    assert.equal(Math.fround(Number(value('recent_origin'))), row.recentOrigin);
    assert.equal(Math.fround(Number(value('recent_destination'))), row.recentDestination);
    assert.equal(Math.fround(Number(value('hour'))), row.hour);
    assert.equal(value('origin'), row.origin);
    assert.equal(value('date'), new Date(row.minute * 60_000).toISOString());
  }
});

test('tells every outcome once', async () => {
  await using server = await endpoint();
  const flights = someFlights();
  const report = await server.replay(flights, plan);
  assert.equal(report.labels, 300);
  assert.equal(report.lostLabels, 0);
  assert.equal(new Set(server.labels.map(({ key }) => key)).size, 300);
  for (const { key, value } of server.labels) assert.equal(value, flights.late[flights.id.indexOf(key)]);
});

test('counts what failed and goes on', async () => {
  await using server = await endpoint({ failEvery: 10 });
  const report = await server.replay(someFlights(), plan);
  assert.equal(report.requests, 300);
  assert.equal(report.failed, 30);
  assert.match(report.failures[0] ?? '', /^503 busy/);
});

test('asks in order of departure, and waits where it is told to', async () => {
  await using server = await endpoint();
  const seenBefore: number[] = [];
  await server.replay(someFlights(), { ...plan, concurrency: 1 }, async (_day, settle) => {
    await settle();
    seenBefore.push(server.asked.length);
  });
  const dates = server.asked.map((inputs) => String(inputs.find(({ name }) => name === 'date')?.data[0]));
  assert.deepEqual(dates, dates.toSorted());
  assert.equal(seenBefore.length, 2);
  assert.equal(seenBefore[0], 0);
  assert.equal(seenBefore[1], dates.filter((date) => date < '1970-01-03').length);
});

test('percentiles are exact to 4 %', () => {
  const counts = tally();
  for (let ms = 1; ms <= 1000; ms++) counts.add({ status: 200, body: '', ms });
  const { requests, latencyMs } = counts.report();
  assert.equal(requests, 1000);
  assert.equal(latencyMs.max, 1000);
  for (const [found, truth] of [
    [latencyMs.p50, 500],
    [latencyMs.p95, 950],
    [latencyMs.p99, 990],
  ] as const) {
    assert.ok(found >= truth && found <= truth * 1.045, `${found} for ${truth}`);
  }
  assert.equal(tally().report().latencyMs.p99, 0);
});

test('outcomes come due in order of landing, strictly after it', () => {
  const calendar = labelCalendar();
  calendar.add({ id: 1, minute: 0, distance: 1500, late: true });
  calendar.add({ id: 2, minute: 10, distance: 0, late: false });
  assert.deepEqual(calendar.due(220), []);
  assert.deepEqual(calendar.due(221), [{ key: 2, value: 0 }]);
  assert.deepEqual(calendar.due(411), [{ key: 1, value: 1 }]);
  assert.equal(calendar.size, 0);
});

/** Answers like an endpoint, and keeps what it was asked and told. */
async function endpoint({ failEvery = Number.POSITIVE_INFINITY } = {}) {
  const asked: (readonly Input[])[] = [];
  const labels: Label[] = [];
  const server = createServer(async (request, response) => {
    const body = (await json(request)) as { inputs?: readonly Input[]; labels?: readonly Label[] };
    if (body.labels) labels.push(...body.labels);
    if (body.inputs) asked.push(body.inputs);
    const isFailing = body.inputs !== undefined && asked.length % failEvery === 0;
    response.writeHead(isFailing ? 503 : 200, { 'content-type': 'application/json' });
    response.end(
      isFailing ? 'busy' : '{"model_name":"flights","model_version":"3","parameters":{"variant":"champion"}}',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    asked,
    labels,
    async replay(
      flights: Flights,
      options: ReplayPlan,
      onDay?: (day: number, settle: () => Promise<void>) => Promise<void>,
    ) {
      using client = endpointClient({ url: `http://127.0.0.1:${port}`, endpoint: 'flights', connections: 5 });
      const listener = {
        onDay: async (day: number, _report: unknown, settle: () => Promise<void>) => onDay?.(day, settle),
      };
      return await replayFlights({ flights, client }, options, listener, new AbortController().signal);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Three days from 1 January 1970, a flight every three minutes. */
function someFlights(): Flights {
  const random = seededRandom(11);
  const rows = Array.from({ length: 1440 }, (_, row) => row);
  const below = (n: number) => () => Math.floor(random() * n);
  return {
    length: rows.length,
    id: Int32Array.from(rows, (row) => row + 1000),
    minute: Int32Array.from(rows, (row) => row * 3),
    delay: Int16Array.from(rows, below(40)),
    distance: Int32Array.from(rows, below(2500)),
    late: Uint8Array.from(rows, below(2)),
    origin: Uint16Array.from(rows, below(5)),
    destination: Uint16Array.from(rows, below(5)),
    airports: ['ATL', 'ORD', 'LAX', 'DFW', 'DEN'],
  };
}
