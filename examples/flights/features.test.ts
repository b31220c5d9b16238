import assert from 'node:assert/strict';
import { test } from 'node:test';
import { featuresAtDeparture } from './features/features.ts';
import { isLate, landingTick, recentDelays } from './features/recent-delays.ts';
import { splitRows, splitRules } from './features/split-rows.ts';
import { seededRandom } from './random.ts';

type Flown = { minute: number; distance: number; origin: number; destination: number; late: boolean };

test('the shares equal those of a search through everything that had landed', () => {
  const flights = someFlights({ count: 3000, airports: 7, seed: 5 });
  const recent = recentDelays(7);
  for (const [row, flight] of flights.entries()) {
    const { recentOrigin, recentDestination } = featuresAtDeparture(recent, flight);
    const before = landedBefore(flights.slice(0, row), flight.minute);
    assert.equal(recentOrigin, shareAmong(before, flight.origin), `flight ${row}`);
    assert.equal(recentDestination, shareAmong(before, flight.destination), `flight ${row}`);
  }
});

test('a flight counts from the minute after its landing, and not before', () => {
  const recent = recentDelays(3);
  const early = { origin: 0, destination: 1, distance: 750, late: false };
  // 210 minutes and 750 miles at 7.5 a minute: it has landed at minute 310.
  recent.advance(0);
  recent.depart({ ...early, minute: 0 });
  recent.depart({ ...early, origin: 2, minute: 0, late: true });
  recent.advance(310);
  assert.equal(recent.share(2), 0);
  recent.advance(311);
  assert.deepEqual([recent.share(0), recent.share(1), recent.share(2)], [0, 0.5, 1]);
});

test('a flight never counts for its own features', () => {
  const recent = recentDelays(2);
  for (let minute = 0; minute < 200; minute++) {
    const { recentOrigin } = featuresAtDeparture(recent, {
      minute,
      distance: 0,
      origin: 0,
      destination: 1,
      late: true,
    });
    assert.equal(recentOrigin, 0);
  }
});

test('an airport nobody has landed at yet counts as an average one', () => {
  const recent = recentDelays(4);
  recent.advance(0);
  recent.depart({ minute: 0, distance: 0, origin: 0, destination: 1, late: true });
  recent.depart({ minute: 0, distance: 0, origin: 0, destination: 1, late: false });
  recent.advance(5000);
  assert.equal(recent.share(3), 0.5);
});

test('after a pause of weeks everything has landed', () => {
  const recent = recentDelays(2);
  recent.advance(0);
  recent.depart({ minute: 0, distance: 6000, origin: 0, destination: 1, late: true });
  recent.advance(50_000);
  assert.equal(recent.share(0), 1);
});

test('hour and weekday are those of the clock at the origin', () => {
  // Monday, 1 January 2001, 13:30
  const minute = Date.UTC(2001, 0, 1, 13, 30) / 60_000;
  const { hour, weekday } = featuresAtDeparture(recentDelays(1), {
    minute,
    distance: 1,
    origin: 0,
    destination: 0,
    late: false,
  });
  assert.deepEqual({ hour, weekday }, { hour: 13.5, weekday: 1 });
  assert.deepEqual([isLate(15), isLate(16)], [false, true]);
});

test('the last week of the file judges, the first day does neither', () => {
  const file = daysOf({ from: 100, to: 158, perDay: 10 });
  const { train, gate } = splitRows(file, undefined);
  assert.deepEqual(rangeOf(train.file, file.day), [101, 151]);
  assert.deepEqual(rangeOf(gate.file, file.day), [152, 158]);
  assert.equal(train.log.length + gate.log.length, 0);
});

test('no more rows than the rules allow, the same ones for the same seed', () => {
  const file = daysOf({ from: 0, to: 30, perDay: 100 });
  const rules = { ...splitRules, trainRows: 500, gateRows: 70 };
  const one = splitRows(file, undefined, rules);
  assert.deepEqual([one.train.file.length, one.gate.file.length], [500, 70]);
  assert.deepEqual(splitRows(file, undefined, rules), one);
  assert.notDeepEqual(splitRows(file, undefined, { ...rules, seed: 1 }), one);
});

test('a log that is ahead of the file trains, and judges by days that nothing was trained on', () => {
  const file = daysOf({ from: 0, to: 89, perDay: 20 });
  const log = daysOf({ from: 59, to: 120, perDay: 2, firstId: 59 * 20, idsPerDay: 20 });
  const { train, gate } = splitRows(file, log, { ...splitRules, trainRows: 1000 });
  const gateDays = new Set(Array.from(gate.log, (row) => log.day[row]));
  assert.deepEqual(
    [...gateDays].sort((a = 0, b = 0) => a - b),
    [87, 90, 93, 96, 99, 102, 105, 108, 111, 114, 117, 120],
  );
  assert.equal(gate.file.length, 0);
  assert.ok(Array.from(train.log).every((row) => !gateDays.has(log.day[row]) && (log.day[row] ?? 0) > 60));
  assert.equal(train.log.length + train.file.length, 1000);
  assert.deepEqual(rangeOf(train.file, file.day), [1, 82]);
  const logged = new Set(Array.from(log.id));
  assert.ok(Array.from(train.file).every((row) => !logged.has(file.id[row] ?? -1)));
});

test('a log that is no further than the file changes nothing', () => {
  const file = daysOf({ from: 0, to: 89, perDay: 20 });
  const log = daysOf({ from: 59, to: 90, perDay: 2 });
  assert.deepEqual(splitRows(file, log), splitRows(file, undefined));
});

function someFlights({ count, airports, seed }: { count: number; airports: number; seed: number }): Flown[] {
  const random = seededRandom(seed);
  const below = (n: number) => Math.floor(random() * n);
  let minute = 1000;
  return Array.from({ length: count }, () => {
    minute += below(4);
    return {
      minute,
      distance: below(3000),
      origin: below(airports),
      destination: below(airports),
      late: random() < 0.3,
    };
  });
}

/** By landing, and in order of departure where two land at once. */
function landedBefore(flights: readonly Flown[], minute: number): Flown[] {
  const tick = ({ minute: at, distance }: Flown) => landingTick(at, distance);
  return flights.filter((flight) => tick(flight) < minute * 15).toSorted((a, b) => tick(a) - tick(b));
}

function shareAmong(landed: readonly Flown[], airport: number): number {
  // A flight from an airport to itself touches it twice.
  const touching = landed.flatMap((flight) =>
    [flight.origin, flight.destination].filter((at) => at === airport).map(() => flight),
  );
  const last = touching.slice(-30);
  if (last.length === 0) return landed.length === 0 ? 0 : lateAmong(landed);
  return lateAmong(last);
}

const lateAmong = (flights: readonly Flown[]) => flights.filter(({ late }) => late).length / flights.length;

function daysOf({
  from,
  to,
  perDay,
  firstId = 0,
  idsPerDay = perDay,
}: {
  from: number;
  to: number;
  perDay: number;
  firstId?: number;
  idsPerDay?: number;
}) {
  const rows = Array.from({ length: (to - from + 1) * perDay }, (_, row) => row);
  return {
    length: rows.length,
    day: Int32Array.from(rows, (row) => from + Math.floor(row / perDay)),
    id: Int32Array.from(rows, (row) => firstId + Math.floor(row / perDay) * idsPerDay + (row % perDay)),
  };
}

const rangeOf = (rows: Uint32Array, day: Int32Array) => {
  const days = Array.from(rows, (row) => day[row] ?? 0);
  return [Math.min(...days), Math.max(...days)];
};
