import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Value } from 'typebox/value';
import { gatePlan, gatesSchema } from './gates-config.ts';

const example = {
  data: 'out/test.parquet',
  tests: [
    { data: 'checks', atLeast: '98%' },
    { metric: 'auc', atLeast: 0.6 },
    { metric: 'rmse', atMost: 12 },
    { metric: 'log_loss', notWorseThan: 'champion', margin: 0.005 },
    { metric: 'auc', by: 'origin', atLeast: 0.55, minRows: 500, onInconclusive: 'pass' },
    {
      fairness: 'equal_opportunity_difference',
      by: { distance: [500, 1000] },
      threshold: 0.3,
      atMost: 0.1,
      minRows: 500,
    },
    { latency: 'p99', below: '100ms', batch: 1 },
    { parity: 'out/expected.parquet', tolerance: 1e-4 },
  ],
} as const;

test('all eight kinds of the documented example become a plan with every default filled in', () => {
  assert.ok(Value.Check(gatesSchema, example));
  assert.deepEqual(gatePlan(structuredClone(example) as never), [
    { kind: 'data', atLeast: 0.98, onInconclusive: 'block' },
    { kind: 'floor', metric: 'auc', atLeast: 0.6, threshold: 0.5, minRows: 100, onInconclusive: 'block' },
    { kind: 'ceiling', metric: 'rmse', atMost: 12, threshold: 0.5, minRows: 100, onInconclusive: 'block' },
    { kind: 'paired', metric: 'log_loss', margin: 0.005, threshold: 0.5, minRows: 100, onInconclusive: 'block' },
    {
      kind: 'floor',
      metric: 'auc',
      atLeast: 0.55,
      by: { column: 'origin' },
      threshold: 0.5,
      minRows: 500,
      onInconclusive: 'pass',
    },
    {
      kind: 'fairness',
      metric: 'equal_opportunity_difference',
      by: { column: 'distance', cuts: [500, 1000] },
      threshold: 0.3,
      atMost: 0.1,
      minRows: 500,
      onInconclusive: 'block',
    },
    { kind: 'latency', quantile: 0.99, belowMs: 100, batch: 1, onInconclusive: 'block' },
    { kind: 'parity', tolerance: 0.0001, onInconclusive: 'block' },
  ]);
});

test('a test that asks for nothing, or for two things at once, is refused', () => {
  const check = (one: unknown) => Value.Check(gatesSchema, { data: 'x', tests: [one] });
  assert.equal(check({ metric: 'auc' }), false);
  assert.equal(check({ metric: 'auc', atLeast: 0.6, atMost: 0.9 }), false);
  assert.equal(check({ metric: 'auk', atLeast: 0.6 }), false);
  assert.equal(check({ metric: 'auc', notWorseThan: 'champion' }), false);
  assert.equal(check({ latency: 'p99', below: '100' }), false);
  assert.equal(Value.Check(gatesSchema, { data: 'x', tests: [] }), false);
});

test('cut points must rise', () => {
  const tests = [{ fairness: 'demographic_parity_difference', by: { age: [65, 18] }, atMost: 0.1 }] as const;
  assert.throws(() => gatePlan({ data: 'x', tests: structuredClone(tests) as never }), /cut points of age do not rise/);
});
