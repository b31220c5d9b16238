import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlatformError } from '../errors.ts';
import { openTestServer } from '../http/test-server.ts';
import { blobArtifactRoot } from '../storage/artifact-blobs.ts';
import { openBlobFolder } from '../storage/blob-store.ts';
import { eachDatabase, type OpenTestDatabase } from '../storage/test-databases.ts';
import { type ImportTarget, importMlflow } from './import-mlflow.ts';
import { importRoutes } from './import-routes.ts';
import type { EntityRecord, ExperimentRecord, RunRecord } from './mlflow-record.ts';
import type { MlflowSource, SourceFile } from './mlflow-source.ts';

const experiment: ExperimentRecord = {
  ...{ kind: 'experiment', id: '1', name: 'one\0', artifactLocation: 'mlflow-artifacts:/1', lifecycle: 'active' },
  ...{ createdAt: 1, updatedAt: 2, tags: [{ key: 'written', value: String.raw`\u0000` }] },
};
const run: RunRecord = {
  ...{ kind: 'run', id: 'ab12', experimentId: '1', name: 'first', userId: '', status: 'FINISHED', startTime: 1 },
  ...{ artifactUri: 'mlflow-artifacts:/1/ab12/artifacts', lifecycle: 'active' },
  ...{ params: [{ key: 'p', value: 'a\0b' }], tags: [], datasets: [], modelInputs: [], modelOutputs: [] },
};

eachDatabase((name, open) => {
  test(`${name}: what cannot be stored as it is holds nothing up, and is told`, async () => {
    await using server = await serve(open);
    const source = sourceOf({ experiments: [experiment], runs: [run], files: ['c:x', 'a\\b', 'good.txt'] });
    const report = await importMlflow(source, server.target, {
      ...{ isDryRun: false, isDeep: false, onProgress: () => {}, signal: AbortSignal.timeout(60_000) },
      isOfOneFile: (error): error is PlatformError =>
        error instanceof PlatformError && error.code === 'storage/bad-key',
    });
    assert.deepEqual(report.differences.first, [
      'experiment 1 (one\ufffd): a NUL in a text there is \ufffd here',
      'run ab12 (first): a NUL in a text there is \ufffd here',
    ]);
    assert.equal(report.unreachable.total, 2);
    assert.match(report.unreachable.first[0] ?? '', /^run ab12 \(first\): c:x: .*is not a path of an artifact/);
    const [stored] = (await server.target.read('run', ['ab12'])) as readonly RunRecord[];
    assert.deepEqual(stored?.params, [{ key: 'p', value: 'a\ufffdb' }]);
    const keys = ['1/ab12/artifacts/good.txt'];
    assert.deepEqual(
      (await server.target.readArtifacts(keys)).map(({ size }) => size),
      [5],
    );
  });
});

async function serve(open: OpenTestDatabase) {
  await using opened = new AsyncDisposableStack();
  const database = opened.use(await open());
  const app = opened.use(await openTestServer({ authenticate: () => ({ actor: 'user:ada', role: 'admin' }) }));
  const artifacts = blobArtifactRoot({ database, blobs: await openBlobFolder(`${database.folder}/blobs`) });
  await app.register(importRoutes({ database, artifacts, now: () => 100, newId: () => 'import' }));
  const post = async <T>(path: string, body: object): Promise<T> => {
    const answer = await app.inject({ method: 'POST', url: `/api/v1/imports${path}`, payload: body });
    assert.ok(answer.statusCode < 300, answer.body);
    return answer.json();
  };
  await post('', { source: 'sqlite:///mlflow.db' });
  const target: ImportTarget = {
    write: async (records) => post('/import/records', { records }),
    read: async (kind, names) => (await post<{ records: readonly EntityRecord[] }>('/read', { kind, names })).records,
    readPoints: async (runs) => (await post<{ points: object }>('/read-points', { runs })).points as never, // as the route says
    readArtifacts: async (keys) => (await post<{ items: readonly never[] }>('/read-artifacts', { keys })).items,
    put: async (key, body) => {
      await artifacts.put(key, body);
    },
  };
  const held = opened.move();
  return { target, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

/** An MLflow that has no more than this. */
function sourceOf(there: {
  readonly experiments: readonly ExperimentRecord[];
  readonly runs: readonly RunRecord[];
  readonly files: readonly string[];
}): MlflowSource {
  async function* pages<T>(...all: readonly T[]) {
    yield* all;
  }
  const fileOf = (path: string): SourceFile => ({ path, size: 5, open: async () => pages(Buffer.from('hello')) });
  return {
    ...{ address: 'sqlite:///mlflow.db', isSlow: false },
    experiments: () => pages(there.experiments),
    runs: () => pages(there.runs),
    points: () => pages(),
    loggedModels: () => pages(),
    models: () => pages(),
    versions: () => pages(),
    artifacts: async () => ({ kind: 'files', files: pages(...there.files.map(fileOf)) }),
    leftOut: async () => ({}),
    [Symbol.asyncDispose]: async () => {},
  };
}
