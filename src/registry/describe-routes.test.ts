import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventStore } from '../events/event-store.ts';
import { openTestServer } from '../http/test-server.ts';
import { eachDatabase, type OpenTestDatabase } from '../storage/test-databases.ts';
import { describeRoutes } from './describe-routes.ts';
import { modelStore } from './model-store.ts';
import { registerModel } from './register-model.ts';
import { registerVersion } from './register-version.ts';
import { versionStore } from './version-store.ts';

async function setUp(open: OpenTestDatabase) {
  const database = await open();
  const now = () => 1_000;
  const app = await openTestServer();
  await app.register(describeRoutes({ database, now }));
  await database.write(async (tx) => {
    const stores = { models: modelStore(tx), versions: versionStore(tx), events: eventStore(tx), now };
    await registerModel(stores, { name: 'm', project: 'p', actor: 'user:ada' });
    await registerVersion(stores, { model: 'm', source: 's3://b/p', actor: 'user:ada' });
  });
  return {
    patch: async (path: string, payload: object) =>
      (await app.inject({ method: 'PATCH', url: `/api/v1/models/${path}`, headers: { host: 'localhost' }, payload }))
        .statusCode,
    model: async () => (await modelStore(database.read).find('m')) ?? assert.fail('no model'),
    version: async () => (await versionStore(database.read).find('m', 1)) ?? assert.fail('no version'),
    [Symbol.asyncDispose]: async () => {
      await app[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

eachDatabase((dialect, open) => {
  test(`${dialect}: a model is described and tagged, and null takes a tag away`, async () => {
    await using registry = await setUp(open);
    assert.equal(await registry.patch('m', { description: 'late?', tags: { 'team/owner': 'delays', old: 'x' } }), 204);
    assert.equal(await registry.patch('m', { tags: { old: null } }), 204);
    const { description, tags } = await registry.model();
    assert.deepEqual([description, tags], ['late?', [{ key: 'team/owner', value: 'delays' }]]);
  });

  test(`${dialect}: a version is described, tagged and moved to a stage`, async () => {
    await using registry = await setUp(open);
    assert.equal(
      await registry.patch('m/versions/1', { description: 'deep', stage: 'Staging', tags: { a: '1' } }),
      204,
    );
    const { description, stage, tags } = await registry.version();
    assert.deepEqual([description, stage, tags], ['deep', 'Staging', [{ key: 'a', value: '1' }]]);
  });

  test(`${dialect}: a change with a bad part changes nothing`, async () => {
    await using registry = await setUp(open);
    assert.equal(await registry.patch('m', { description: 'new', tags: { 'bad\u0007key!?': 'x' } }), 400);
    assert.equal((await registry.model()).description ?? '', '');
    assert.equal(await registry.patch('m/versions/1', { description: 'new', stage: 'Champion' }), 400);
    assert.equal((await registry.version()).description ?? '', '');
    assert.equal(await registry.patch('m/versions/9', { description: 'new' }), 404);
    assert.equal(await registry.patch('none', { description: 'new' }), 404);
  });
});
