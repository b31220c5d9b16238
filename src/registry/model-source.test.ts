import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkSource, parseSource } from './model-source.ts';

test('every way to name a model is told apart', () => {
  assert.deepEqual(parseSource('models:/m-1f'), { kind: 'logged-model', id: 'm-1f' });
  assert.deepEqual(parseSource('models:/iris/3'), { kind: 'version', model: 'iris', version: 3 });
  assert.deepEqual(parseSource('models:/iris@champion'), { kind: 'alias', model: 'iris', alias: 'champion' });
  assert.deepEqual(parseSource('models:/iris/latest'), { kind: 'stage', model: 'iris', stage: undefined });
  assert.deepEqual(parseSource('runs:/ab12/model/x'), { kind: 'run', runId: 'ab12', path: 'model/x' });
  assert.deepEqual(parseSource('mlflow-artifacts:/1/a/artifacts'), { kind: 'artifact', key: '1/a/artifacts' });
  assert.deepEqual(parseSource('file:///srv/a'), { kind: 'local', path: '/srv/a' });
  assert.deepEqual(parseSource('s3://bucket/a'), { kind: 'elsewhere' });
  assert.throws(() => parseSource('models:/a/b/c'), { code: 'registry/invalid' });
});

const run = { named: 'run_id', id: 'ab', location: 'mlflow-artifacts:/1/ab/artifacts' } as const;

test('a source inside of what the run wrote is believed', () => {
  checkSource('mlflow-artifacts:/1/ab/artifacts/model', run);
  checkSource('runs:/ab/model', run);
  checkSource('s3://bucket/model', run);
  checkSource('/srv/ab/artifacts/m', { ...run, location: 'file:///srv/ab/artifacts' });
});

test('a relative source is meant from the working directory', () => {
  const local = { ...run, location: '/srv/mlruns/1/ab/artifacts', workingDirectory: '/srv' };
  checkSource('mlruns/1/ab/artifacts/m', local);
  checkSource('file:mlruns/1/ab/artifacts', local);
  for (const source of ['1/ab/artifacts/m', 'mlruns/1/ab/artifacts/../../x', 'mlruns/1/abc/artifacts'])
    assert.throws(
      () => checkSource(source, local),
      { code: 'registry/invalid', message: RegExp(`'${source}'`) },
      source,
    );
  assert.throws(() => checkSource('mlruns/1/ab/artifacts/m', { ...local, workingDirectory: undefined }));
});

test('a source anywhere else is refused, however it is written', () => {
  const sources = [
    '/etc/passwd',
    'file:///etc/passwd',
    'runs:/cd/model',
    'mlflow-artifacts:/1/cd/artifacts/model',
    'mlflow-artifacts:/1/abc/artifacts/model',
    'mlflow-artifacts:/1/ab/artifacts/../../cd',
    'mlflow-artifacts:/1/ab/artifacts/%252e%252e/%252e%252e/cd',
    's3://bucket/../other',
    'models:/m-1',
  ];
  for (const source of sources) assert.throws(() => checkSource(source, run), { code: 'registry/invalid' }, source);
  assert.throws(() => checkSource('/srv/ab/../x', { ...run, location: '/srv/ab' }), { code: 'registry/invalid' });
});
