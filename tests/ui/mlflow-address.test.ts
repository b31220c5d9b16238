import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressHere } from '../../ui/src/shell/mlflow-address.ts';

test('a link that MLflow’s client printed leads to the page of the same thing', () => {
  assert.equal(
    addressHere('#/experiments/0/runs/9a57affa0b474ae2914894c78e7e84d2'),
    '/runs/9a57affa0b474ae2914894c78e7e84d2',
  );
  assert.equal(addressHere('#/experiments/0/runs/9a57/artifacts/model'), '/runs/9a57');
  assert.equal(addressHere('#/experiments/3'), '/experiments/3');
  assert.equal(addressHere('#/experiments/3?searchFilter=x'), '/experiments/3');
  assert.equal(addressHere('#/experiments'), '/experiments');
  assert.equal(addressHere('#/models/flight%20delay/versions/2'), '/models/flight%20delay/2');
  assert.equal(addressHere('#/prompts/greeting'), '/models/greeting');
});

test('any other hash is a place on the page', () => {
  for (const hash of ['', '#', '#/', '#chart', '#/nothing/x']) assert.equal(addressHere(hash), undefined, hash);
});
