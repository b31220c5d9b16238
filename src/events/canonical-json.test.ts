import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from './canonical-json.ts';
import type { Json } from './event.ts';

test('the example of RFC 8785 §3.2.2 comes out as printed there', () => {
  const value = {
    // biome-ignore lint/correctness/noPrecisionLoss: the RFC's own example.
    numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
    literals: [null, true, false],
  };
  assert.equal(
    canonicalJson(value),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
});

test('keys sort by UTF-16 code units, as in RFC 8785 §3.2.3', () => {
  const keys = ['€', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', 'ö'];
  const sorted = Object.keys(JSON.parse(canonicalJson(Object.fromEntries(keys.map((key) => [`${key}x`, 0])))));
  assert.deepEqual(
    sorted.map((key) => key.slice(0, -1)),
    ['\r', '1', '\u0080', 'ö', '€', '\u{1f600}', '\ufb33'],
  );
});

test('zero has one form, and an index as a key stays in its place', () => {
  assert.equal(canonicalJson(-0), '0');
  assert.equal(canonicalJson({ b: 1, 10: 2, 9: 3 }), '{"10":2,"9":3,"b":1}');
});

test('what JSON cannot say is refused', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '\ud800', { '\udc00': 1 }]) {
    assert.throws(() => canonicalJson(value), TypeError);
  }
});

test('any value reads back equal, and the order of keys does not matter', () => {
  const value = fc.jsonValue().map((any) => any as Json); // fast-check's type of the same values
  fc.assert(
    fc.property(value, (json) => {
      const text = canonicalJson(json);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(json)));
      assert.equal(canonicalJson(reversed(json)), text);
      assert.equal(canonicalJson(JSON.parse(text)), text);
    }),
  );
});

function reversed(json: Json): Json {
  if (Array.isArray(json)) return json.map((item: Json) => reversed(item));
  if (json === null || typeof json !== 'object') return json;
  return Object.fromEntries(
    Object.entries(json)
      .toReversed()
      .map(([key, field]) => [key, reversed(field)]),
  );
}
