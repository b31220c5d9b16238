import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson, pythonJson } from './json.ts';
import { float, integer, list, object, oneOf, readMessage, readQuery, text } from './message.ts';

const fields = {
  run_id: text({ required: true }),
  step: integer(),
  value: float(),
  status: oneOf({ RUNNING: 1, FINISHED: 3 }),
  tags: list(object({ key: text({ required: true }), value: text() })),
};
const read = (json: unknown) => readMessage(fields, json);

test('integers may be texts, and are exact to 64 bits', () => {
  const big = parseJson('{"run_id": "a", "step": 9007199254740993, "value": 0.1234567890123456}');
  assert.deepEqual(read(big), { run_id: 'a', step: 9007199254740993n, value: 0.1234567890123456 });
  assert.equal(read({ run_id: 'a', step: '7' }).step, 7);
  assert.equal(read({ run_id: 'a', step: '-9223372036854775808' }).step, -(2n ** 63n));
  assert.throws(
    () => read({ run_id: 'a', step: '9223372036854775808' }),
    /Invalid value "9223372036854775808" for parameter 'step'/,
  );
});

test('numbers may be texts, NaN and infinities are', () => {
  const numberIn = (value: string) => read({ run_id: 'a', value }).value;
  assert.ok(Number.isNaN(numberIn('NaN')));
  for (const text of ['Infinity', 'inf', '+INF']) assert.equal(numberIn(text), Number.POSITIVE_INFINITY);
  assert.equal(numberIn('-Infinity'), Number.NEGATIVE_INFINITY);
  assert.deepEqual(['1e3', ' -2.5 ', '.5', '7.'].map(numberIn), [1000, -2.5, 0.5, 7]);
  for (const text of ['0x10', '0b1', '0o7', 'x', ' ', '1e', '.', '1 2', 'infinit']) {
    assert.throws(() => numberIn(text), { message: new RegExp(`Invalid value "${text}" for parameter 'value'`) });
  }
});

test('half of a surrogate pair is no text', () => {
  const half = { message: /Invalid value "\\ud800" for parameter 'run_id' supplied/ };
  assert.throws(() => read(parseJson(String.raw`{"run_id": "\ud800"}`)), half);
  assert.equal(read(parseJson(String.raw`{"run_id": "\ud83d\ude00"}`)).run_id, '😀');
});

test('names in camelCase and numbers of names are read, unknown names and fields ignored', () => {
  assert.deepEqual(read({ runId: 'a', status: 3, more: 1 }), { run_id: 'a', status: 'FINISHED' });
  assert.deepEqual(read({ run_id: 'a', status: 'BOGUS', step: null }), { run_id: 'a' });
});

test('what is wrong is named with its place and its type, as upstream says it', () => {
  const docs = 'See the API docs for more information about request parameters.';
  const messages: readonly (readonly [unknown, string])[] = [
    [{}, `Missing value for required parameter 'run_id'. ${docs}`],
    [{ run_id: '' }, `Missing value for required parameter 'run_id'. ${docs}`],
    [{ run_id: 5 }, `Invalid value 5 for parameter 'run_id' supplied:  Hint: Value was of type 'int'. ${docs}`],
    [
      { run_id: 'a', tags: { b: 1 } },
      `Invalid value {"b":1} for parameter 'tags' supplied:  Hint: Value was of type 'dict'. ${docs}`,
    ],
    [{ run_id: 'a', tags: [{ key: 'k' }, {}] }, `Missing value for required parameter 'tags[1].key'. ${docs}`],
  ];
  for (const [json, message] of messages) assert.throws(() => read(json), { message });
});

test('a query gives lists where the field is one, and takes run_uuid for run_id', () => {
  const query = new URLSearchParams('run_uuid=a&ids=1&ids=2&step=3');
  assert.deepEqual(readQuery({ ...fields, ids: list(text()) }, query), { run_id: 'a', step: 3, ids: ['1', '2'] });
});

test('JSON in tags has the spaces of Python', () => {
  assert.equal(pythonJson([{ name: 'm', version: 3, list: [] }]), '[{"name": "m", "version": 3, "list": []}]');
});
