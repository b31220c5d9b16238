import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEventTime } from './event-time.ts';

test('text without a zone is UTC, whatever the zone of this machine', () => {
  const expected = Date.UTC(2001, 1, 3, 4, 5);
  for (const text of [
    '2001-02-03 04:05',
    '2001-02-03T04:05:00',
    '2001-02-03T04:05:00.000Z',
    '2001-02-03T06:05+02:00',
    '2001-02-03T06:05+0200',
  ]) {
    assert.equal(parseEventTime(text), expected, text);
  }
  assert.equal(parseEventTime('2001-02-03'), Date.UTC(2001, 1, 3));
  assert.equal(parseEventTime(expected), expected);
  assert.equal(parseEventTime(BigInt(expected)), expected);
});

test('what is no time is none', () => {
  for (const value of [
    '',
    'soon',
    '2001-13-45',
    '03/02/2001',
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e18,
    null,
    true,
    undefined,
  ]) {
    assert.equal(parseEventTime(value), undefined, String(value));
  }
});
