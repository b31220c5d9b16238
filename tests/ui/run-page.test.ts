/** The pure parts of the run page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTable } from '../../ui/src/pages/run/csv.ts';
import { groupsOf } from '../../ui/src/pages/run/metric-groups.ts';
import { smoothed } from '../../ui/src/parts/chart/smooth.ts';

test('a smoothed constant is that constant, from the first point to the last', () => {
  const x = Array.from({ length: 50 }, (_, at) => at);
  const curve = smoothed(
    x,
    x.map(() => 0.3),
    x.map(() => 1),
    0.2,
  );
  for (const value of curve) assert.ok(Math.abs((value ?? 0) - 0.3) < 1e-12); // the sums of weights round
});

test('a thinned series is smoothed as all its points are, up to the width of a stretch', () => {
  const all = Array.from({ length: 3000 }, (_, at) => at);
  const y = all.map((at) => Math.sin(at / 300) + (at % 2 === 0 ? 0.1 : -0.1));
  const full = smoothed(
    all,
    y,
    all.map(() => 1),
    0.1,
  );
  const ends = Array.from({ length: 300 }, (_, at) => at * 10 + 9);
  const means = ends.map((end) => y.slice(end - 9, end + 1).reduce((sum, value) => sum + value, 0) / 10);
  const thinned = smoothed(
    ends,
    means,
    ends.map(() => 10),
    0.1,
  );
  for (const [at, end] of ends.entries())
    assert.ok(Math.abs((thinned[at] ?? 9) - (full[end] ?? 0)) < 0.02, `at ${end}`);
});

test('a gap stays a gap, and its neighbours are smoothed without it', () => {
  const curve = smoothed([0, 1, 2, 3, 4], [1, 1, undefined, 3, 3], [1, 1, 1, 1, 1], 0.5);
  assert.equal(curve[2], undefined);
  assert.ok((curve[1] ?? 0) >= 1 && (curve[3] ?? 9) <= 3);
});

test('metrics stand in groups by their prefix: those without one first, those of the machine last', () => {
  const groups = groupsOf(['system/cpu', 'val/loss', 'auc', 'train/a/b', 'train/a/c']);
  assert.deepEqual(
    groups.map(({ name, keys, isSystem }) => [name, keys.join(' '), isSystem]),
    [
      ['', 'auc', false],
      ['train/a', 'train/a/b train/a/c', false],
      ['val', 'val/loss', false],
      ['system', 'system/cpu', true],
    ],
  );
  const late = groupsOf(['b', 'a', 'new/x', 'val/a', 'val/b'], new Set(['a', 'new/x', 'val/a']));
  assert.deepEqual(
    late.map(({ keys }) => keys.join(' ')),
    ['b a', 'val/b val/a', 'new/x'],
  );
});

test('a table of text is read with its quotes, and its last row only when it is whole', () => {
  const text = 'a,b\r\n"x, ""y""\nz",2\n3,4';
  assert.deepEqual(readTable(text, ',', false), {
    columns: ['a', 'b'],
    rows: [
      ['x, "y"\nz', '2'],
      ['3', '4'],
    ],
  });
  assert.deepEqual(readTable(text, ',', true).rows, [['x, "y"\nz', '2']]);
  assert.deepEqual(readTable('', ',', false), { columns: [], rows: [] });
  assert.deepEqual(readTable('a\tb', '\t', false), { columns: ['a', 'b'], rows: [] });
  const long = readTable('h\n'.repeat(1000), ',', false);
  assert.deepEqual([long.rows.length, long.more], [100, true]);
  assert.equal(readTable('h\n'.repeat(101), ',', false).more, undefined);
});
