import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from './config.ts';

const cwd = process.cwd();

test('artifacts lie behind the proxy unless somebody says where', () => {
  const { defaultArtifactRoot, artifactsDestination } = readConfig({}, {});
  assert.deepEqual(
    { defaultArtifactRoot, artifactsDestination },
    { defaultArtifactRoot: 'mlflow-artifacts:/', artifactsDestination: undefined },
  );
});

test('folders are meant from the working directory, URIs are what they are', () => {
  const roots = {
    './mlruns': join(cwd, 'mlruns'),
    '/srv/ml': '/srv/ml',
    's3://bucket/ml': 's3://bucket/ml',
    'gs://b/x': 'gs://b/x',
    'file:///srv': 'file:///srv',
  };
  for (const [given, root] of Object.entries(roots))
    assert.equal(readConfig({ defaultArtifactRoot: given }, {}).defaultArtifactRoot, root);
  assert.equal(readConfig({ artifactsDestination: 'files' }, {}).artifactsDestination, join(cwd, 'files'));
  assert.equal(readConfig({ artifactsDestination: 's3://bucket' }, {}).artifactsDestination, 's3://bucket');
});

test('a destination that this server cannot write is refused when it starts', () => {
  for (const artifactsDestination of [
    '',
    's3://',
    'gs://bucket',
    'http://host/x',
    'file://host/srv',
    'mlflow-artifacts:/',
  ])
    assert.throws(
      () => readConfig({ artifactsDestination }, {}),
      { code: 'config/invalid', hint: /s3:\/\// },
      artifactsDestination,
    );
});

test("another store's address comes with a region, because the protocol wants one", () => {
  assert.deepEqual(readConfig({}, {}).s3, { endpoint: undefined, region: undefined });
  assert.deepEqual(readConfig({}, { AWS_DEFAULT_REGION: 'eu-west-1' }).s3, {
    endpoint: undefined,
    region: 'eu-west-1',
  });
  const environment = { AWS_ENDPOINT_URL_S3: 'http://store', AWS_ENDPOINT_URL: 'http://all', AWS_REGION: '' };
  assert.deepEqual(readConfig({}, environment).s3, { endpoint: 'http://store', region: 'us-east-1' });
  const both = { ...environment, MLFLOW_S3_ENDPOINT_URL: 'http://mlflow' };
  assert.equal(readConfig({}, both).s3.endpoint, 'http://mlflow');
});

test('a receiver of webhooks has half a minute, or as MLflow is told', () => {
  const timeoutOf = (text: string | undefined) =>
    readConfig({}, { MLFLOW_WEBHOOK_REQUEST_TIMEOUT: text }).webhooks.timeoutMs;
  assert.deepEqual([undefined, '5', '999'].map(timeoutOf), [30_000, 5_000, 999_000]);
  for (const text of ['', '0', '-1', '1.5', '1e3', '1000', 'soon']) {
    assert.throws(() => timeoutOf(text), { code: 'config/invalid', subject: 'MLFLOW_WEBHOOK_REQUEST_TIMEOUT' }, text);
  }
});

test('the database of an MLflow is refused with the line that brings it over', () => {
  const hintOf = (flags: Parameters<typeof readConfig>[0]) => {
    try {
      readConfig(flags, {});
    } catch (error) {
      return String(Reflect.get(Object(error), 'hint'));
    }
    return undefined;
  };
  assert.match(
    hintOf({ backendStoreUri: 'sqlite:///mlflow.db' }) ?? '',
    /`rondo import mlflow sqlite:\/\/\/mlflow\.db`/,
  );
  assert.match(
    hintOf({
      backendStoreUri: "postgresql://u:it's$1@h/db?x=1&y=2",
      artifactsDestination: './ml artifacts',
      data: 'here',
    }) ?? '',
    /`rondo import mlflow 'postgresql:\/\/u:it'\\''s\$1@h\/db\?x=1&y=2' --artifacts '\.\/ml artifacts' --data here`/,
  );
  assert.match(
    hintOf({ backendStoreUri: 'mysql+pymysql://u:p@h/db', artifactsDestination: 's3://b/x', data: 'here' }) ?? '',
    /`rondo import mlflow http:\/\/127\.0\.0\.1:5001 --data here` while `mlflow server --port 5001 --backend-store-uri mysql\+pymysql:\/\/u:p@h\/db --artifacts-destination s3:\/\/b\/x` runs/,
  );
});

test('what the last server ran with is taken where nobody says otherwise', () => {
  const remembered = { artifactsDestination: '/srv/artifacts', defaultArtifactRoot: 's3://b/x' };
  const found = readConfig({}, {}, remembered);
  assert.deepEqual([found.artifactsDestination, found.defaultArtifactRoot], ['/srv/artifacts', 's3://b/x']);
  const said = readConfig({}, { RONDO_ARTIFACTS_DESTINATION: '/elsewhere' }, remembered);
  assert.equal(said.artifactsDestination, '/elsewhere');
});

test('a folder whose data is in PostgreSQL is not opened without its address', () => {
  const remembered = { database: 'postgres' } as const;
  assert.throws(() => readConfig({}, {}, remembered), {
    code: 'config/invalid',
    hint: /set it as the last server had it/,
  });
  const DATABASE_URL = 'postgres://u@h/db';
  assert.equal(readConfig({}, { DATABASE_URL }, remembered).databaseUrl, DATABASE_URL);
  assert.equal(readConfig({}, { DATABASE_URL }, { database: 'sqlite' }).databaseUrl, DATABASE_URL);
});
