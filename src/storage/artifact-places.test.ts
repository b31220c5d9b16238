import assert from 'node:assert/strict';
import { test } from 'node:test';
import { artifactPlaces, proxiedKeyOf, requirePlace } from './artifact-places.ts';
import type { ArtifactRoot } from './artifact-root.ts';

/** Told apart by what they are, never called. */
const [proxied, bucket, folder] = [{}, {}, {}] as [ArtifactRoot, ArtifactRoot, ArtifactRoot];
const places = artifactPlaces(proxied, [
  { uri: 's3://bucket/ml/', root: bucket },
  { uri: '/srv/ml runs', root: folder },
]);

test('an artifact behind the proxy is known by its scheme or by the URL of the proxy', () => {
  assert.equal(proxiedKeyOf('mlflow-artifacts://host:5000/1//a/'), '1/a');
  assert.equal(proxiedKeyOf('mlflow-artifacts:/'), '');
  assert.equal(proxiedKeyOf('http://host/api/2.0/mlflow-artifacts/artifacts/1/a'), '1/a');
  assert.equal(proxiedKeyOf('https://host/ml/api/2.0/mlflow-artifacts/artifacts'), '');
  assert.equal(proxiedKeyOf('http://host/1/a'), undefined);
  assert.equal(proxiedKeyOf('http://host/api/2.0/mlflow-artifacts/artifacts-of-others/1'), undefined);
});

test('a location below a named root is read there, however it is written', () => {
  assert.deepEqual(places.find('s3://bucket/ml/0/ab/artifacts'), { root: bucket, key: '0/ab/artifacts' });
  for (const location of ['/srv/ml runs/0', 'file:///srv/ml%20runs/0', 'file://localhost/srv/ml%20runs//0/'])
    assert.deepEqual(places.find(location), { root: folder, key: '0' }, location);
  assert.deepEqual(places.find('mlflow-artifacts:/0'), { root: proxied, key: '0' });
});

test('a location beside every named root is refused, and the options that would name it are told', () => {
  for (const location of [
    's3://bucket/mlx/0',
    's3://other/ml/0',
    'gs://bucket/ml/0',
    '/srv/ml runs2/0',
    '/srv',
    'file://elsewhere/srv/ml runs/0',
    'dbfs:/srv/ml runs/0',
    '',
  ]) {
    assert.throws(() => requirePlace(places, location), {
      code: 'storage/foreign-location',
      message: /--artifacts-dest/,
    });
  }
});

test('a way up stays in the key, where every root refuses it', () => {
  assert.deepEqual(places.find('/srv/ml runs/../../etc'), { root: folder, key: '../../etc' });
  assert.equal(places.find('/srv/ml%20runs/0'), undefined); // a path is no URI: nothing in it is decoded
});
