import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Value } from 'typebox/value';
import { EndpointConfig, endpointOf } from './endpoint-config.ts';

const model = { project: 'flights', task: 'binary', target: 'late' } as const;

test('what is left out has its default', () => {
  assert.deepEqual(endpointOf({ name: 'flights' }, model), {
    name: 'flights',
    ...model,
    latencyMs: 100,
    log: 'durable',
  });
  const full = {
    name: 'flights',
    key: 'id',
    time: 'date',
    assign: 'user',
    latency: '1.5s',
    log: { sampled: 0.1 },
  } as const;
  const { latency: _, ...rest } = full;
  assert.deepEqual(endpointOf(full, model), { ...rest, ...model, latencyMs: 1_500 });
});

test('a name that is no folder, and words nobody knows, are refused', () => {
  for (const name of ['', '../up', 'Flights', '.hidden', 'a/b', 'a'.repeat(64)]) {
    assert.equal(Value.Check(EndpointConfig, { name }), false, name);
  }
  assert.equal(Value.Check(EndpointConfig, { name: 'a', latency: '100' }), false);
  assert.equal(Value.Check(EndpointConfig, { name: 'a', log: 'maybe' }), false);
  assert.equal(Value.Check(EndpointConfig, { name: 'a', keys: 'id' }), false);
});
