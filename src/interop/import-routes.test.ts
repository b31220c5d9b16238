import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEvents } from '../events/event-store.ts';
import { openTestServer } from '../http/test-server.ts';
import { blobArtifactRoot } from '../storage/artifact-blobs.ts';
import { openBlobFolder } from '../storage/blob-store.ts';
import { eachDatabase, type OpenTestDatabase } from '../storage/test-databases.ts';
import { importRoutes } from './import-routes.ts';

const experiment = {
  ...{ kind: 'experiment', id: '1', name: 'one', artifactLocation: 's3://bucket/1', lifecycle: 'active' },
  ...{ createdAt: 1, updatedAt: 2, tags: [{ key: 'rondo.project', value: 'flights' }] },
};
const model = { kind: 'model', name: 'iris', createdAt: 5, updatedAt: 6, tags: [] };
const version = {
  ...{
    kind: 'version',
    model: 'iris',
    version: 3,
    deleted: false,
    source: 's3://bucket/m',
    storageLocation: 's3://bucket/m',
  },
  ...{ stage: 'Production', status: 'READY', createdAt: 7, updatedAt: 8, tags: [], aliases: ['champion'] },
};
const report = {
  counts: { experiments: { source: 1, here: 1 } },
  bytes: { source: 0, here: 0 },
  differences: 0,
  unreachable: 0,
};

async function serve(open: OpenTestDatabase, role: 'admin' | 'deployer' = 'admin') {
  await using opened = new AsyncDisposableStack();
  const database = opened.use(await open());
  const app = opened.use(await openTestServer({ authenticate: () => ({ actor: 'user:ada', role }) }));
  const blobs = await openBlobFolder(`${database.folder}/blobs`);
  const artifacts = blobArtifactRoot({ database, blobs });
  let last = 0;
  await app.register(importRoutes({ database, artifacts, now: () => 100, newId: () => `id${++last}` }));
  const post = async (path: string, body: object) => {
    const answer = await app.inject({ method: 'POST', url: `/api/v1/imports${path}`, payload: body });
    return { status: answer.statusCode, body: answer.json() };
  };
  const held = opened.move();
  return { database, artifacts, app, post, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

eachDatabase((name, open) => {
  test(`${name}: an import is two events with counts and one of each model, however many records it has`, async () => {
    await using server = await serve(open);
    const { status, body } = await server.post('', { source: 'sqlite:///mlflow.db' });
    assert.equal(status, 201);
    const records = [experiment, model, version];
    assert.equal((await server.post(`/${body.id}/records`, { records })).status, 200);
    assert.equal((await server.post(`/${body.id}/end`, report)).status, 200);
    assert.equal((await server.post(`/${body.id}/records`, { records })).body.code, 'interop/no-import');
    assert.equal((await server.post(`/${body.id}/end`, report)).body.code, 'interop/no-import');

    const { items } = (await server.app.inject('/api/v1/imports')).json();
    assert.deepEqual(items, [
      {
        ...{ id: body.id, source: 'sqlite:///mlflow.db', actor: 'user:ada', startedAt: 100, endedAt: 100 },
        ...{ records: 3, points: 0, report },
      },
    ]);
    if (server.database.dialect === 'postgres') return; // there, events get their places from a loop that does not run here
    const events = await readEvents(server.database.read, { limit: 10 });
    const data = { source: 'sqlite:///mlflow.db', records: 3, points: 0, ...report };
    assert.deepEqual(
      events.map(({ type, subject, data }) => [type, subject, data]),
      [
        ['interop.import-started', `import/${body.id}`, { source: 'sqlite:///mlflow.db' }],
        [
          'registry.model-imported',
          'model/iris',
          { versions: [3], aliases: { champion: 3 }, stages: { 3: 'Production' } },
        ],
        ['interop.imported', `import/${body.id}`, data],
      ],
    );
  });

  test(`${name}: a batch of which one record is refused leaves nothing, and says what to do`, async () => {
    await using server = await serve(open);
    const { id } = (await server.post('', { source: 'x' })).body;
    await server.post(`/${id}/records`, { records: [experiment] });
    const other = { ...experiment, id: '2' };
    const { status, body } = await server.post(`/${id}/records`, { records: [model, other] });
    assert.deepEqual([status, body.code], [409, 'interop/collision']);
    assert.match(body.fix, /rename/);
    assert.deepEqual((await server.post('/read', { kind: 'model', names: ['iris'] })).body.records, []);
    const found = (await server.post('/read', { kind: 'experiment', names: ['1', '2'] })).body.records;
    assert.deepEqual(found, [experiment]);
  });
});

eachDatabase((name, open) => {
  if (name === 'postgres') return;
  test('only administrators import, and what is no record is told where', async () => {
    await using refused = await serve(open, 'deployer');
    for (const path of ['', '/x/records', '/x/end', '/read', '/read-points', '/read-artifacts']) {
      assert.equal((await refused.post(path, {})).status, 403, path);
    }
    await using server = await serve(open);
    const { id } = (await server.post('', { source: 'x' })).body;
    for (const records of [
      [{ ...experiment, id: 'x' }],
      [{ kind: 'nothing' }],
      [{ ...version, stage: 'Live' }],
      'none',
    ]) {
      assert.equal((await server.post(`/${id}/records`, { records })).status, 400);
    }
    const orphan = await server.post(`/${id}/records`, { records: [version] });
    assert.deepEqual([orphan.status, orphan.body.code], [404, 'registry/model-not-found']);
    assert.equal((await server.post('/read', { kind: 'experiment', names: ['x; drop'] })).status, 400);
    assert.equal((await server.post('/nobody/records', { records: [experiment] })).body.code, 'interop/no-import');
  });

  test('artifacts are told by size and SHA-256, and those that are not or cannot be there are left out', async () => {
    await using server = await serve(open);
    await server.artifacts.put('1/a.txt', new TextEncoder().encode('hello'));
    const { body } = await server.post('/read-artifacts', { keys: ['1/a.txt', '1/none.txt', '1/c:x', '1/a\\b'] });
    const digest = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
    assert.deepEqual(body.items, [{ key: '1/a.txt', size: 5, digest }]);
  });
});
