import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventStore } from '../events/event-store.ts';
import { openTestServer } from '../http/test-server.ts';
import type { Db } from '../storage/database.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { tagExperiment, untagExperiment } from '../tracking/change-experiment.ts';
import { createExperiment } from '../tracking/create-experiment.ts';
import { createRun } from '../tracking/create-run.ts';
import { experimentRoutes } from '../tracking/experiment-routes.ts';
import { experimentStore } from '../tracking/experiment-store.ts';
import { projectTag } from '../tracking/project-tag.ts';
import { runListRoutes } from '../tracking/run-list-routes.ts';
import { runStore } from '../tracking/run-store.ts';
import { tagModel, untagModel } from './change-model.ts';
import { modelRoutes } from './model-routes.ts';
import { modelStore } from './model-store.ts';
import { registerModel } from './register-model.ts';
import { registerVersion } from './register-version.ts';
import { registryTrashStore } from './registry-trash-store.ts';
import { versionStore } from './version-store.ts';

const actor = 'owner';
const now = () => 1000;
const stores = (tx: Db) => ({
  ...{ experiments: experimentStore(tx), runs: runStore(tx), models: modelStore(tx), versions: versionStore(tx) },
  ...{ events: eventStore(tx), now, newId: () => 'ab'.repeat(16), random: () => 0.5 },
});
const tag = (value: string) => ({ key: projectTag, value });

eachDatabase((dialect, open) => {
  async function setUp() {
    const database = await open();
    const app = await openTestServer();
    await app.register(experimentRoutes({ database, artifactRoot: 'mlflow-artifacts:/', now }));
    await app.register(runListRoutes({ database, now }));
    // biome-ignore lint/suspicious/noExplicitAny: lists of models touch neither files nor bytes
    await app.register(modelRoutes({ database, now, newId: () => 'trash', artifacts: {}, blobs: {} } as any));
    const act = <T>(work: (deps: ReturnType<typeof stores>) => Promise<T>) => database.write((tx) => work(stores(tx)));
    return {
      database,
      act,
      list: async (path: string) => {
        const { items } = (await app.inject({ url: `/api/v1/${path}`, headers: { host: 'localhost' } })).json();
        return items.map(({ name, project }: { name: string; project: string }) => `${project}/${name}`);
      },
      remove: async (path: string) => {
        const answer = await app.inject({ method: 'DELETE', url: `/api/v1/${path}`, headers: { host: 'localhost' } });
        return answer.statusCode;
      },
      experiment: (name: string, tags = [] as { key: string; value: string }[]) =>
        act((deps) => createExperiment(deps, { name, project: 'default', actor, artifactRoot: '', tags })),
      [Symbol.asyncDispose]: async () => {
        await app[Symbol.asyncDispose]();
        await database[Symbol.asyncDispose]();
      },
    };
  }

  test(`${dialect}: an experiment and its runs belong to the project in its tag, without one to default`, async () => {
    await using set = await setUp();
    const id = await set.experiment('e', [tag('flights')]);
    await set.experiment('other');
    await set.act((deps) => createRun(deps, { experimentId: id, actor, name: 'r' }));
    assert.deepEqual(await set.list('experiments?project=flights'), ['flights/e']);
    assert.deepEqual(await set.list('experiments?project=default'), ['default/other']);
    assert.deepEqual(await set.list('runs?project=flights'), ['flights/r']);
    assert.deepEqual(await set.list('runs?project=flights&experiment=e'), ['flights/r']);
    for (const query of ['project=default', 'project=nowhere', `project=default&experiment=${id}`])
      assert.deepEqual(await set.list(`runs?${query}`), [], query);

    await set.act((deps) => tagExperiment(deps, id, tag('credit')));
    assert.deepEqual(await set.list('runs?project=credit'), ['credit/r']);
    await set.act((deps) => untagExperiment(deps, id, projectTag));
    assert.deepEqual(await set.list('runs'), ['default/r']);
  });

  test(`${dialect}: a model belongs to the project in its tag, and takes its versions along`, async () => {
    await using set = await setUp();
    const project = async () => (await versionStore(set.database.read).find('m', 1))?.project;
    await set.act((deps) => registerModel(deps, { name: 'm', project: 'default', actor, tags: [tag('flights')] }));
    await set.act((deps) => registerModel(deps, { name: 'n', project: 'default', actor }));
    await set.act((deps) => registerVersion(deps, { model: 'm', source: 's3://b/p', actor }));
    assert.deepEqual(await set.list('models?project=flights'), ['flights/m']);
    assert.equal(await project(), 'flights');
    await set.act((deps) => tagModel(deps, 'm', { tag: tag('credit'), actor }));
    assert.deepEqual([await set.list('models?project=credit'), await project()], [['credit/m'], 'credit']);
    await set.act((deps) => untagModel(deps, 'm', { key: projectTag, actor }));
    assert.deepEqual((await set.list('models?project=default')).sort(), ['default/m', 'default/n']);
    assert.equal(await project(), 'default');
  });

  test(`${dialect}: a model and a version go to the trash over HTTP`, async () => {
    await using set = await setUp();
    for (const name of ['m', 'n']) {
      await set.act((deps) => registerModel(deps, { name, project: 'default', actor }));
      await set.act((deps) => registerVersion(deps, { model: name, source: 's3://b/p', actor }));
    }
    assert.deepEqual([await set.remove('models/m'), await set.remove('models/m')], [204, 404]);
    assert.deepEqual([await set.remove('models/n/versions/1'), await set.remove('models/n/versions/1')], [204, 404]);
    assert.deepEqual(await set.list('models'), ['default/n']);
    const trash = registryTrashStore(set.database.read);
    const [model] = await trash.models({ limit: 9 });
    assert.deepEqual([model?.id, model?.name, model?.versions], ['trash', 'm', 1]);
    const [version] = await trash.versions({ limit: 9 });
    assert.deepEqual([version?.model, version?.version], ['n', 1]);
  });

  test(`${dialect}: a tag that names no project is refused, and nothing is made`, async () => {
    await using set = await setUp();
    for (const name of ['', 'a b', '../x', '-x', 'x'.repeat(101)]) {
      await assert.rejects(set.experiment('e', [tag(name)]), { code: 'tracking/invalid' }, JSON.stringify(name));
    }
    assert.deepEqual(await set.list('experiments'), []);
  });
});
