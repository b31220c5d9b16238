import assert from 'node:assert/strict';
import { test } from 'node:test';
import { truncate, validateKey, validParam } from './names.ts';

const message = (key: string): string => {
  try {
    validateKey(key, () => 'key');
    return 'fine';
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
};

test('keys may have letters of any script, slashes, colons and spaces', () => {
  assert.deepEqual(['a', 'val/acc', 'a b', 'x:y', 'größe', 'a.b-c_d'].map(message), Array(6).fill('fine'));
});

test('keys that would mean another path are refused with what they mean', () => {
  assert.match(message('a//b'), /^Invalid value "a\/\/b" for parameter 'key' supplied: .* resolve to 'a\/b'$/);
  for (const key of ['', '.', '..', '../x', '/a', 'a/../b', 'a/'])
    assert.match(message(key), /Names may be treated as files/);
});

test('other characters are refused', () => {
  assert.match(message('a{b'), /Names may only contain alphanumerics/);
});

test('a value is cut between characters, never inside one', () => {
  assert.equal(truncate('ab😀cd', 3), 'ab😀');
  assert.equal(validParam({ key: 'p', value: 'x'.repeat(6001) }).value.length, 6000);
});
