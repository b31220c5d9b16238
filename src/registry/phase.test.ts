import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../events/event.ts';
import { phaseOf } from './phase.ts';

const version = { model: 'm', version: 2 };
const other = { model: 'm', version: 1 };
const event = (type: string, data: { readonly [key: string]: Json } = {}, subject = 'endpoint/e') => ({
  type,
  subject,
  data,
});
const traffic = (champion: Json, challenger?: Json) =>
  event('serving.traffic-set', { endpoint: 'e', champion, ...(challenger ? { rollout: { challenger } } : {}) });

const registered = event('registry.version-registered', version, 'model/m/2');
const judged = event('gates.decided', version, 'model/m/2');

test('a version goes from development through testing and staging to production', () => {
  assert.equal(phaseOf(version, [registered]), 'development');
  assert.equal(phaseOf(version, [registered, judged]), 'testing');
  assert.equal(phaseOf(version, [registered, judged, traffic(other, version)]), 'staging');
  assert.equal(phaseOf(version, [registered, judged, traffic(other, version), traffic(version)]), 'production');
});

test('a version that was sent back is in testing again, a champion that was replaced is archived', () => {
  assert.equal(phaseOf(version, [registered, judged, traffic(other, version), traffic(other)]), 'testing');
  assert.equal(phaseOf(version, [registered, traffic(version), traffic({ model: 'm', version: 3 })]), 'archived');
});

test('an alert on the endpoint of the champion moves it, and a retraining too', () => {
  const live = [registered, traffic(version)];
  const opened = event('monitoring.alert-opened', { endpoint: 'e' });
  const resolved = event('monitoring.alert-resolved', { endpoint: 'e' });
  const retraining = event('lifecycle.retraining-started', { endpoint: 'e' });
  assert.equal(phaseOf(version, [...live, opened]), 'monitoring');
  assert.equal(phaseOf(version, [...live, opened, resolved]), 'production');
  assert.equal(phaseOf(version, [...live, opened, retraining]), 'retraining');
  assert.equal(phaseOf(other, [...live, opened, retraining]), 'development', 'other versions stay where they are');
});

test('a rollout that starts above a champion leaves it in production', () => {
  assert.equal(
    phaseOf(version, [registered, traffic(version), traffic(version, { model: 'm', version: 3 })]),
    'production',
  );
});

test('a restored version stands where it stood, and one of a model made anew begins', () => {
  const deleted = event('registry.version-deleted', version, 'model/m/2');
  const restored = event('registry.version-restored', version, 'model/m/2');
  const created = event('registry.model-created', {}, 'model/m');
  assert.equal(phaseOf(version, [registered, judged, deleted]), 'archived');
  assert.equal(phaseOf(version, [registered, judged, deleted, restored]), 'testing');
  assert.equal(phaseOf(version, [registered, judged, created, registered]), 'development');
});
