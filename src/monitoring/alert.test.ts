import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeOf, type Firing, firingNames, observe } from './alert.ts';

const rule = { persist: 3, clearAt: 0.8 };

function run(ratios: readonly (number | undefined)[]): readonly boolean[] {
  let states: Readonly<Record<string, Firing>> = {};
  return ratios.map((ratio, at) => {
    states = observe(states, [{ name: 'x', ratio }], rule, at);
    return firingNames(states).length > 0;
  });
}

test('fires after so many windows in a row, and not before', () => {
  assert.deepEqual(run([1.1, 1.2, 0.9, 1.1, 1.2, 1.3]), [false, false, false, false, false, true]);
});

test('stays until it is below the lower line, so that it does not flap', () => {
  assert.deepEqual(run([2, 2, 2, 0.9, 0.85, 0.79, 2]), [false, false, true, true, true, false, false]);
});

test('a window that cannot be judged changes nothing: no data is not health', () => {
  assert.deepEqual(run([2, 2, undefined, 2, undefined, undefined]), [false, false, false, true, true, true]);
});

test('one alert: opened once, changed when something joins, resolved when all is quiet', () => {
  const open = { items: [{ name: 'a', says: '' }] };
  assert.equal(changeOf(undefined, []), 'none');
  assert.equal(changeOf(undefined, ['a']), 'open');
  assert.equal(changeOf(open, ['a']), 'keep');
  assert.equal(changeOf(open, ['a', 'b']), 'change');
  assert.equal(changeOf({ items: [...open.items, { name: 'b', says: '' }] }, ['b']), 'keep');
  assert.equal(changeOf(open, []), 'resolve');
});
