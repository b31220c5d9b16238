/**
 * The rules of drift on three million real flights: one alert in half a year, for the two features that really moved, and
 * no false one. Spring is better than winter, and the training data is winter.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { featureNames, featuresAtDeparture } from '../examples/flights/features/features.ts';
import { originalFile, originalFlights, readFlights } from '../examples/flights/features/read-flights.ts';
import { recentDelays } from '../examples/flights/features/recent-delays.ts';
import { seededRandom } from '../examples/flights/random.ts';
import { changeOf, type Firing, firingNames, observe } from '../src/monitoring/alert.ts';
import { driftReferences, type FeatureDrift, judgeDrift } from '../src/monitoring/drift.ts';
import { monitorPlan } from '../src/monitoring/monitors-config.ts';
import { profileColumn } from '../src/monitoring/reference-profile.ts';
import { addCounts, type Cell, cellCount, cellFinder } from '../src/statistics/histogram.ts';

const dayMs = 86_400_000;
const jan1 = Date.UTC(2001, 0, 1);
const day = (month: number, date: number) => (Date.UTC(2001, month - 1, date) - jan1) / dayMs;
const dateOf = (at: number) => new Date(jan1 + at * dayMs).toISOString().slice(5, 10);

const columns = await readColumns();
const plan = monitorPlan({ drift: { window: '7d', every: '1d', persist: 3, features: 'all' } }).drift;

for (const seed of [1, 2]) {
  test(`seed ${seed}: one alert, both recent features, opened by the seven days up to 1 May`, () => {
    const { found, thresholds, greatest } = replay({ from: day(1, 2), to: day(3, 25), start: day(3, 1), seed });
    assert.deepEqual(
      found.map(({ change, names }) => `${change} ${names.join(' ')}`.trim()),
      ['open recent_destination recent_origin', 'resolve'],
    );
    const [opened, resolved] = found.map(({ end }) => dateOf(end - 1));
    assert.equal(opened, '05-01', 'the last day of the window that opened it');
    assert.ok((resolved ?? '') >= '05-14' && (resolved ?? '') <= '05-20', resolved ?? 'it never cleared');
    for (const feature of ['recent_origin', 'recent_destination']) {
      const threshold = thresholds.get(feature) ?? 0;
      assert.ok(threshold > 0.24 && threshold < 0.28, `${feature} ${threshold}`);
    }
    for (const feature of ['hour', 'weekday', 'distance', 'origin', 'destination']) {
      assert.ok((greatest.get(feature) ?? 0) < 0.06, `${feature} ${greatest.get(feature)}`);
    }
  });
}

test('March against January and February: no alert', () => {
  const { found } = replay({ from: day(1, 2), to: day(2, 22), start: day(3, 1), until: day(4, 1), seed: 3 });
  assert.deepEqual(found, []);
});

test('against a reference that has seen April: no alert from 8 May on', () => {
  const { found } = replay({ from: day(1, 2), to: day(4, 30), start: day(5, 1), seed: 4 });
  assert.deepEqual(found, []);
});

function replay({
  from,
  to,
  start,
  until = day(7, 1),
  seed,
}: {
  from: number;
  to: number;
  start: number;
  until?: number;
  seed: number;
}) {
  assert.ok(plan);
  const training = sample(from, to, 300_000, seed);
  const days = training.map((row) => columns.day[row]! * dayMs);
  const features = Object.fromEntries(
    featureNames.map((name) => [
      name,
      profileColumn(
        training.map((row) => columns.values[name][row]!),
        days,
      ),
    ]),
  );
  const references = driftReferences({ rows: training.length, features }, plan);
  const finders = references.map(({ column }) => cellFinder(column.bins));
  const counts = new Map<number, Record<string, number[]>>();
  let states: Readonly<Record<string, Firing>> = {};
  let open: { items: { name: string; says: string }[] } | undefined;
  const found: { change: string; end: number; names: readonly string[] }[] = [];
  const greatest = new Map<string, number>();
  for (let today = start; today < until; today++) {
    const ofToday: Record<string, number[]> = {};
    const rows = sample(today, today + 1, 984, seed * 1000 + today);
    for (const [i, { feature, column }] of references.entries()) {
      const cells = new Array<number>(cellCount(column.bins)).fill(0);
      for (const row of rows) cells[finders[i]!(columns.values[feature as never][row])]! += 1;
      ofToday[feature] = cells;
    }
    counts.set(today, ofToday);
    const end = today + 1;
    if (end - start < 7) continue;
    const window = Object.fromEntries(
      references.map(({ feature }) => [
        feature,
        Array.from({ length: 7 }, (_, i) => counts.get(end - 7 + i)![feature]!).reduce(addCounts),
      ]),
    );
    const judged: readonly FeatureDrift[] = judgeDrift(
      references,
      { counts: window, days: new Array(7).fill(984) },
      plan,
    );
    for (const { feature, value = 0 } of judged) greatest.set(feature, Math.max(value, greatest.get(feature) ?? 0));
    const observations = judged.map((one) => ({
      name: one.feature,
      ratio: one.state === 'over' || one.state === 'calm' ? one.ratio : undefined,
    }));
    states = observe(states, observations, { persist: plan.persist, clearAt: 0.8 }, end);
    const names = firingNames(states);
    const change = changeOf(open as never, names);
    if (change !== 'none' && change !== 'keep') found.push({ change, end, names });
    open =
      names.length > 0 ? { items: [...(open?.items ?? []), ...names.map((name) => ({ name, says: '' }))] } : undefined;
  }
  return { found, greatest, thresholds: new Map(references.map(({ feature, threshold }) => [feature, threshold])) };
}

function sample(from: number, to: number, wanted: number, seed: number): number[] {
  const random = seededRandom(seed);
  const [first, end] = [columns.starts[from]!, columns.starts[to]!];
  const chance = wanted / (end - first);
  const rows: number[] = [];
  for (let row = first; row < end; row++) if (random() < chance) rows.push(row);
  return rows;
}

async function readColumns() {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const flights = await readFlights(connection, originalFlights(originalFile()));
  connection.closeSync();
  instance.closeSync();
  const recent = recentDelays(flights.airports.length);
  const values: Record<(typeof featureNames)[number], Cell[]> = {
    hour: [],
    weekday: [],
    distance: [],
    origin: [],
    destination: [],
    recent_origin: [],
    recent_destination: [],
  };
  const days = new Int32Array(flights.length);
  const starts: number[] = [];
  for (let row = 0; row < flights.length; row++) {
    const flight = {
      minute: flights.minute[row]!,
      distance: flights.distance[row]!,
      origin: flights.origin[row]!,
      destination: flights.destination[row]!,
      late: flights.late[row] === 1,
    };
    const features = featuresAtDeparture(recent, flight);
    values.hour.push(features.hour);
    values.weekday.push(features.weekday);
    values.distance.push(flight.distance);
    values.origin.push(flights.airports[flight.origin]);
    values.destination.push(flights.airports[flight.destination]);
    values.recent_origin.push(features.recentOrigin);
    values.recent_destination.push(features.recentDestination);
    const today = Math.floor(flight.minute / 1440 - jan1 / dayMs);
    days[row] = today;
    while (starts.length <= today) starts.push(row);
  }
  starts.push(flights.length);
  return { values, day: days, starts };
}
