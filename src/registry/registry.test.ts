import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventStore } from '../events/event-store.ts';
import type { Database, Db } from '../storage/database.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { renameModel } from './change-model.ts';
import { deleteVersion, setAlias, setStage, tagVersion, versionByAlias } from './change-version.ts';
import { modelStore } from './model-store.ts';
import { registerModel } from './register-model.ts';
import { registerVersion } from './register-version.ts';
import { searchModels, searchVersions } from './search-models-store.ts';
import { versionStore } from './version-store.ts';

const stores = (tx: Db) => ({
  models: modelStore(tx),
  versions: versionStore(tx),
  events: eventStore(tx),
  now: () => 1000,
});
const actor = 'owner';

const newModel = (database: Database, name: string, tags = [] as { key: string; value: string }[]) =>
  database.write((tx) => registerModel(stores(tx), { name, project: 'p', actor, tags }));
const newVersion = (database: Database, model: string, runId?: string) =>
  database.write((tx) =>
    registerVersion(stores(tx), { model, source: 's3://b/p', actor, ...(runId === undefined ? {} : { runId }) }),
  );

eachDatabase((dialect, open) => {
  test(`${dialect}: sixteen registrations at once get the numbers 1 to 16`, async () => {
    await using database = await open();
    await newModel(database, 'm');
    const versions = await Promise.all(Array.from({ length: 16 }, () => newVersion(database, 'm')));
    const numbers = versions.map(({ version }) => version).sort((a, b) => a - b);
    assert.deepEqual(
      numbers,
      Array.from({ length: 16 }, (_, index) => index + 1),
    );
  });

  test(`${dialect}: the number of a deleted version is not given again, and its alias is gone`, async () => {
    await using database = await open();
    await newModel(database, 'm');
    await newVersion(database, 'm');
    await newVersion(database, 'm');
    await database.write((tx) => setAlias(stores(tx), { model: 'm', alias: 'champion', version: 2, actor }));
    await database.write((tx) => deleteVersion(stores(tx), { model: 'm', version: 2, actor }));
    assert.equal((await newVersion(database, 'm')).version, 3);
    await assert.rejects(versionByAlias(stores(database.read), 'm', 'champion'), { code: 'registry/alias-not-found' });
    assert.deepEqual(
      (await versionStore(database.read).list('m')).map(({ version }) => version),
      [3, 1],
    );
  });

  test(`${dialect}: a stage archives those that held it, when asked to`, async () => {
    await using database = await open();
    await newModel(database, 'm');
    const stage = (version: number, archiveOthers: boolean) =>
      database.write((tx) => setStage(stores(tx), { model: 'm', version, stage: 'production', archiveOthers, actor }));
    await newVersion(database, 'm');
    await newVersion(database, 'm');
    await stage(1, false);
    assert.equal((await stage(2, true)).stage, 'Production');
    assert.equal((await versionStore(database.read).find('m', 1))?.stage, 'Archived');
    const latest = await versionStore(database.read).latestPerStage(['m']);
    assert.deepEqual(
      latest.map(({ version, stage }) => [version, stage]),
      [
        [1, 'Archived'],
        [2, 'Production'],
      ],
    );
  });

  test(`${dialect}: a renamed model takes versions, tags and aliases along`, async () => {
    await using database = await open();
    await newModel(database, 'old', [{ key: 'k', value: 'v' }]);
    await newVersion(database, 'old');
    await database.write((tx) => setAlias(stores(tx), { model: 'old', alias: 'a', version: 1, actor }));
    await database.write((tx) => renameModel(stores(tx), 'old', { newName: 'new', actor }));
    assert.equal((await versionByAlias(stores(database.read), 'new', 'a')).version, 1);
    assert.deepEqual((await modelStore(database.read).find('new'))?.tags, [{ key: 'k', value: 'v' }]);
    assert.equal(await modelStore(database.read).find('old'), undefined);
  });

  test(`${dialect}: searches leave out prompts unless they ask for them`, async () => {
    await using database = await open();
    await newModel(database, 'm');
    await newModel(database, 'prompt', [{ key: 'mlflow.prompt.is_prompt', value: 'true' }]);
    const names = async (filter: string) => {
      const { models } = await searchModels(database.read, { filter, offset: 0, limit: 10 });
      return models.map(({ name }) => name);
    };
    assert.deepEqual(await names(''), ['m']);
    assert.deepEqual(await names("tags.`mlflow.prompt.is_prompt` = 'true'"), ['prompt']);
    assert.deepEqual(await names("tags.`mlflow.prompt.is_prompt` != 'true' AND name LIKE '%'"), ['m']);
  });

  test(`${dialect}: versions are found by run, number and tag`, async () => {
    await using database = await open();
    await newModel(database, 'm');
    await newVersion(database, 'm', 'r1');
    await newVersion(database, 'm', 'r2');
    await database.write((tx) =>
      tagVersion(stores(tx), { model: 'm', version: 2, tag: { key: 'k', value: 'v' }, actor: 'ada' }),
    );
    const numbers = async (filter: string) => {
      const { versions } = await searchVersions(database.read, { filter, offset: 0, limit: 10 });
      return versions.map(({ version }) => version);
    };
    assert.deepEqual(await numbers("run_id IN ('r1', 'r9')"), [1]);
    assert.deepEqual(await numbers("version_number IN (1, 7) OR version_number NOT IN (1, '2')"), [1]);
    assert.deepEqual(await numbers("name = 'm' AND version_number > 1"), [2]);
    assert.deepEqual(await numbers("tags.k = 'v'"), [2]);
    assert.deepEqual(await numbers("name = 'm'"), [2, 1]);
    assert.deepEqual(await numbers('tags.k IS NOT NULL'), [2]);
    assert.deepEqual(await numbers('tags.k IS NULL'), [1]);
    assert.deepEqual(await numbers("tags.k IN ('v', 'w') OR NOT version_number != 1"), [2, 1]);
  });

  test(`${dialect}: models and versions are found by their times, as numbers and as dates`, async () => {
    await using database = await open();
    await newModel(database, 'm');
    await newVersion(database, 'm', 'r1');
    const found = async (filter: string) => {
      const page = { filter, offset: 0, limit: 10 };
      const { models } = await searchModels(database.read, page);
      const { versions } = await searchVersions(database.read, page);
      return [models.length, versions.length];
    };
    assert.deepEqual(await found('creation_timestamp >= 0'), [1, 1]);
    assert.deepEqual(await found("creation_timestamp >= '2999-01-01'"), [0, 0]);
    assert.deepEqual(await found("last_updated_timestamp < '2999-01-01' AND name = 'm'"), [1, 1]);
  });
});
