import assert from 'node:assert/strict';
import { test } from 'node:test';
import { histogramOf } from '../statistics/histogram.ts';
import { type Random, seededRandom } from '../statistics/seeded-random.ts';
import { cycleOf } from './calendar-feature.ts';
import { driftReferences, judgeDrift } from './drift.ts';
import { profileColumn } from './reference-profile.ts';

const dayMs = 86_400_000;
const plan = { windowMs: 7 * dayMs, minRows: 500, features: 'all' } as const;

function reference(name: string, value: (random: Random, day: number) => number | string | null, seed = 1) {
  const random = seededRandom(seed);
  const days = Array.from({ length: 60 * 500 }, (_, i) => Math.floor(i / 500) * dayMs);
  const column = profileColumn(
    days.map((day) => value(random, day / dayMs)),
    days,
  );
  return driftReferences({ rows: days.length, features: { [name]: column } }, plan);
}

function judge(
  references: ReturnType<typeof reference>,
  values: readonly (number | string | null)[],
  days: readonly number[] = new Array(7).fill(values.length / 7),
) {
  const [one] = references;
  assert.ok(one);
  const counts = { [one.feature]: histogramOf(one.column.bins, values).counts };
  const [judged] = judgeDrift(references, { counts, days }, plan);
  assert.ok(judged);
  return judged;
}

const draw = (n: number, value: (random: Random) => number | string | null, seed = 99) => {
  const random = seededRandom(seed);
  return Array.from({ length: n }, () => value(random));
};

test('the same distribution is calm in 200 windows of 500 to 5,000 rows', () => {
  const references = reference('x', (random) => random.normal());
  for (let seed = 0; seed < 200; seed++) {
    const judged = judge(
      references,
      draw(500 + (seed % 10) * 500, (random) => random.normal(), seed),
    );
    assert.equal(judged.state, 'calm', `seed ${seed}: ${judged.value} over ${judged.threshold}`);
  }
});

test('a shift of half a standard deviation is over, with its direction', () => {
  const references = reference('x', (random) => random.normal());
  const up = judge(
    references,
    draw(2000, (random) => random.normal() + 0.5),
  );
  assert.equal(up.state, 'over');
  assert.equal(up.moved?.kind, 'higher');
  assert.equal(
    judge(
      references,
      draw(2000, (random) => random.normal() - 0.5),
    ).moved?.kind,
    'lower',
  );
});

test('a significant shift that is too small to matter is calm', () => {
  const judged = judge(
    reference('x', (random) => random.normal()),
    draw(20_000, (random) => random.normal() + 0.1),
  );
  assert.equal(judged.state, 'calm');
  assert.ok((judged.p ?? 1) < 0.001);
});

test('what the season did to the training period is no drift', () => {
  // Weeks that swing by one standard deviation.
  const references = reference('x', (random, day) => random.normal() + Math.sin((day / 30) * 2 * Math.PI));
  assert.ok((references[0]?.threshold ?? 0) > 0.2);
  assert.equal(
    judge(
      references,
      draw(3500, (random) => random.normal() + 0.8),
    ).state,
    'calm',
  );
  assert.equal(
    judge(
      references,
      draw(3500, (random) => random.normal() + 2.5),
    ).state,
    'over',
  );
});

test('a category that takes over is named', () => {
  const references = reference('carrier', (random) => ['AA', 'DL', 'UA'][random.below(3)] ?? null);
  const judged = judge(
    references,
    draw(2000, (random) => (random.chance(0.7) ? 'DL' : 'AA')),
  );
  assert.equal(judged.state, 'over');
  assert.deepEqual(judged.moved?.kind === 'more' && judged.moved.category, 'DL');
});

test('values that go missing are drift, although the rest looks the same', () => {
  const references = reference('x', (random) => random.normal());
  const judged = judge(
    references,
    draw(2000, (random) => (random.chance(0.3) ? null : random.normal())),
  );
  assert.equal(judged.state, 'over');
  assert.ok(Math.abs((judged.missing?.current ?? 0) - 0.3) < 0.05);
});

test('a column that vanished is over, not unjudged', () => {
  assert.equal(
    judge(
      reference('x', (random) => random.normal()),
      draw(2000, () => null),
    ).state,
    'over',
  );
});

test('too few rows are told, not judged', () => {
  assert.equal(
    judge(
      reference('x', (random) => random.normal()),
      draw(499, () => 9),
    ).state,
    'too few rows',
  );
});

test('calendar features need windows of whole cycles', () => {
  assert.equal(cycleOf('weekday'), 7 * dayMs);
  assert.equal(cycleOf('dayOfWeek'), 7 * dayMs);
  assert.equal(cycleOf('month'), 365 * dayMs);
  assert.equal(cycleOf('hour'), dayMs);
  assert.equal(cycleOf('recent_origin'), undefined);
  assert.equal(
    judge(
      reference('month', () => 1),
      draw(2000, () => 2),
    ).state,
    'too short',
  );
});

test('a week of which a day is missing says nothing about weekdays', () => {
  const references = reference('weekday', (_random, day) => day % 7);
  // 2,000 rows, evenly over six days, and 3 on the seventh.
  const values = [...Array.from({ length: 2000 }, (_, i) => i % 6), 6, 6, 6];
  const sparse = judge(references, values, [334, 334, 333, 333, 333, 333, 3]);
  assert.equal(sparse.state, 'too few rows');
  assert.equal(sparse.because, 'one of its days has 3 rows, 72 are needed to see a whole cycle');
  assert.equal(judge(references, values, [287, 287, 287, 286, 286, 285, 285]).state, 'over');
  // What does not follow the calendar is judged all the same.
  const other = reference('x', (random) => random.normal());
  const moved = draw(2003, (random) => random.normal() + 1);
  assert.equal(judge(other, moved, [334, 334, 333, 333, 333, 333, 3]).state, 'over');
});
