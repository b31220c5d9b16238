import assert from 'node:assert/strict';
import { test } from 'node:test';
import { absoluteLocation, validateArtifactLocation } from './experiment.ts';

/** What MLflow 3.17.2 makes of them in /srv (`resolve_uri_if_local`). */
const locations: Readonly<Record<string, string>> = {
  'rel/path': '/srv/rel/path',
  './rel//x/': '/srv/rel/x',
  '../x': '/srv/../x',
  '.': '/srv',
  '~/x': '/srv/~/x',
  'file:rel': 'file:///srv/rel',
  '/abs//x/': '/abs//x/',
  'file:///abs/x': 'file:///abs/x',
  'file://localhost/x': 'file://localhost/x',
  's3://b/x': 's3://b/x',
  'mlflow-artifacts:/x': 'mlflow-artifacts:/x',
};

test('a relative location is meant from the working directory, as MLflow does it', () => {
  for (const [given, stored] of Object.entries(locations)) assert.equal(absoluteLocation(given, '/srv'), stored, given);
  assert.equal(absoluteLocation('x', '/'), '/x');
});

test('a location with a fragment, parameters or a way up in its query is refused', () => {
  for (const location of [
    's3://b/x#y',
    '/srv/x;y',
    'x;y',
    'http://h/x;y',
    's3://b/x?y=..',
    'gs://b/x?y=%2E%2e/',
    'runs:/ab/x',
    `s3://${'x'.repeat(2048)}`,
  ])
    assert.throws(() => validateArtifactLocation(location), { code: 'tracking/invalid' }, location);
  for (const location of [
    's3://b/x;y',
    's3://b/x?y=1',
    '/srv/a;b/x',
    '/srv/x;',
    's3://b/x#',
    `s3://${'😀'.repeat(2043)}`,
  ])
    validateArtifactLocation(location);
});
