import assert from 'node:assert/strict';
import { test } from 'node:test';
import { movedSource, placeHere, placeOf } from './artifact-place.ts';

test('a location is behind a server, in a folder, or in a store of its own', () => {
  assert.deepEqual(placeOf('mlflow-artifacts:/1/ab/artifacts'), { kind: 'proxied', key: '1/ab/artifacts' });
  assert.deepEqual(placeOf('mlflow-artifacts://old-host:5000/1/ab'), { kind: 'proxied', key: '1/ab' });
  assert.deepEqual(placeOf('http://h:5000/api/2.0/mlflow-artifacts/artifacts/1/ab'), { kind: 'proxied', key: '1/ab' });
  assert.deepEqual(placeOf('file:///home/ada/ml%20runs/1'), { kind: 'local', path: '/home/ada/ml runs/1' });
  assert.deepEqual(placeOf('./mlruns/1'), { kind: 'local', path: './mlruns/1' });
  assert.deepEqual(placeOf('s3://bucket/1/ab'), { kind: 'elsewhere' });
  assert.deepEqual(placeOf('models:/m-1'), { kind: 'elsewhere' });
});

test('what a server kept keeps its key, what lay in folders gets the usual one, and buckets stay', () => {
  assert.equal(placeHere('mlflow-artifacts://old:5000/team/1', '1'), 'mlflow-artifacts:/team/1');
  assert.equal(placeHere('/home/ada/mlruns/1', '1'), 'mlflow-artifacts:/1');
  assert.equal(placeHere('s3://bucket/1', '1'), 's3://bucket/1');
});

test('a version follows the folder that its files moved with', () => {
  const moved = [
    { from: 'file:///home/ada/mlruns/1', to: 'mlflow-artifacts:/1' },
    { from: '/home/ada/mlruns/12', to: 'mlflow-artifacts:/12' },
  ];
  assert.equal(movedSource('/home/ada/mlruns/12/ab/artifacts/m', moved), 'mlflow-artifacts:/12/ab/artifacts/m');
  assert.equal(movedSource('file:///home/ada/mlruns/1/models/m-1', moved), 'mlflow-artifacts:/1/models/m-1');
  assert.equal(movedSource('/home/ada/mlruns/123/ab', moved), '/home/ada/mlruns/123/ab');
  assert.equal(movedSource('runs:/ab/model', moved), 'runs:/ab/model');
  assert.equal(movedSource('dummy-source', moved), 'dummy-source');
});
