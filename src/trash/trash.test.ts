import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventStore } from '../events/event-store.ts';
import { openTestServer } from '../http/test-server.ts';
import { isEnded } from '../jobs/job.ts';
import { jobStore } from '../jobs/job-store.ts';
import { deleteModel } from '../registry/change-model.ts';
import { deleteVersion, setAlias, setStage, versionByAlias } from '../registry/change-version.ts';
import { modelStore } from '../registry/model-store.ts';
import type { SealedVersion } from '../registry/model-version.ts';
import { registerModel } from '../registry/register-model.ts';
import { registerVersion } from '../registry/register-version.ts';
import { registryTrashStore } from '../registry/registry-trash-store.ts';
import { versionStore } from '../registry/version-store.ts';
import { blobArtifactRoot } from '../storage/artifact-blobs.ts';
import { artifactPlaces, requirePlace } from '../storage/artifact-places.ts';
import { openBlobFolder } from '../storage/blob-store.ts';
import type { Db } from '../storage/database.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { deleteExperiment } from '../tracking/change-experiment.ts';
import { createLoggedModel, deleteLoggedModel } from '../tracking/change-logged-model.ts';
import { deleteRun } from '../tracking/change-run.ts';
import { createExperiment, ensureDefaultExperiment } from '../tracking/create-experiment.ts';
import { createRun } from '../tracking/create-run.ts';
import { experimentStore } from '../tracking/experiment-store.ts';
import { logBatch } from '../tracking/log-batch.ts';
import { loggedModelStore } from '../tracking/logged-model-store.ts';
import { type MetricTables, metricStore } from '../tracking/metric-store.ts';
import { type RunTables, runStore } from '../tracking/run-store.ts';
import type { Garbage } from './garbage.ts';
import type { Served } from './purge-adapter.ts';
import { startPurgeWorker } from './purge-worker.ts';
import { trashRoutes } from './trash-routes.ts';
import { purgeStore } from './trash-store.ts';

const actor = 'owner';
const dayMs = 86_400_000;

eachDatabase((dialect, open) => {
  async function setUp() {
    const database = await open();
    const blobs = await openBlobFolder(join(database.folder, 'blobs'));
    const artifacts = artifactPlaces(blobArtifactRoot({ database, blobs }));
    const clock = { now: 100 * dayMs };
    const served: Served[] = [];
    const newId = () => randomUUID().replaceAll('-', '');
    const now = () => clock.now;
    const stores = (tx: Db) => ({
      ...{ experiments: experimentStore(tx), runs: runStore(tx), metrics: metricStore(tx) },
      ...{ loggedModels: loggedModelStore(tx), models: modelStore(tx), versions: versionStore(tx) },
      ...{ trash: registryTrashStore(tx), events: eventStore(tx), now, newId, random: Math.random },
    });
    const errors: unknown[] = [];
    const deps = {
      ...{ database, artifacts, blobs, now, newId, served: async () => served },
      onError: (error: unknown) => void errors.push(error),
    };
    const opened = { worker: startPurgeWorker(deps), server: await openTestServer() };
    await opened.server.register(trashRoutes({ ...deps, worker: opened.worker }));

    const send = async (method: 'GET' | 'POST' | 'DELETE', url: string, payload?: object) => {
      const headers = { host: 'localhost' };
      const answer = await opened.server.inject({ method, url, headers, ...(payload ? { payload } : {}) });
      return { status: answer.statusCode, body: answer.body === '' ? undefined : JSON.parse(answer.body) };
    };
    const set = {
      ...{ database, blobs, artifacts, clock, served, stores, send, errors },
      act: <T>(work: (deps: ReturnType<typeof stores>) => Promise<T>) => database.write((tx) => work(stores(tx))),
      experiment: (name: string) =>
        set.act((deps) => createExperiment(deps, { name, project: 'p', actor, artifactRoot: 'mlflow-artifacts:/' })),
      run: (experimentId: string) => set.act((deps) => createRun(deps, { experimentId, actor, name: 'r' })),
      put: async (location: string, text: string) => {
        const { root, key } = requirePlace(artifacts, location);
        const { digest = '' } = await root.put(key, Buffer.from(text));
        return digest;
      },
      /** As if it had been stored long ago. */
      age: (digest: string) => utimes(blobs.path(digest), 1, 1),
      model: (name: string) => set.act((deps) => registerModel(deps, { name, project: 'p', actor })),
      version: (model: string, source: string) =>
        set.act((deps) => registerVersion(deps, { model, source, actor, storageLocation: source })),
      swept: async () => {
        while ((await purgeStore(database.read).count()) > 0) await delay(5);
        assert.deepEqual(errors, []);
      },
      collect: async (body: object): Promise<Garbage> => {
        const { operation } = (await send('POST', '/api/v1/trash/collect', body)).body;
        for (;;) {
          const job = await jobStore(database.read).find(operation);
          if (job && isEnded(job.state)) {
            assert.equal(job.state, 'done', String(job.error?.message));
            return job.result as Garbage;
          }
          await delay(5);
        }
      },
      listed: async (query = '') =>
        ((await send('GET', `/api/v1/trash${query}`)).body.items as { kind: string; id: string }[]).map(
          ({ kind, id }) => `${kind}/${id}`,
        ),
      closeWorker: () => opened.worker[Symbol.asyncDispose](),
      startWorker: () => {
        opened.worker = startPurgeWorker(deps);
      },
      [Symbol.asyncDispose]: async () => {
        await opened.worker[Symbol.asyncDispose]();
        await opened.server[Symbol.asyncDispose]();
        await database[Symbol.asyncDispose]();
      },
    };
    return set;
  }

  const seal = (digest: string): SealedVersion => ({
    onnxDigest: digest,
    files: [{ path: 'model.onnx', digest, size: 1 }],
    inputs: [],
    outputs: [],
    findings: [],
    sealedAt: 1,
  });

  test(`${dialect}: a purged run takes its points, its files and then its bytes along, and nobody else's`, async () => {
    await using set = await setUp();
    const experimentId = await set.experiment('e');
    const [gone, stays] = [await set.run(experimentId), await set.run(experimentId)];
    for (const { id } of [gone, stays]) {
      const metrics = Array.from({ length: 900 }, (_, step) => ({ key: 'm', value: Number.NaN, timestamp: 1, step }));
      const batch = { runId: id, metrics, params: [{ key: 'p', value: '1' }], tags: [{ key: 't', value: '1' }] };
      await set.act((deps) => logBatch(deps, batch));
    }
    const own = await set.put(`${gone.artifactUri}/own`, 'own');
    const shared = await set.put(`${gone.artifactUri}/shared`, 'shared');
    await set.put(`${stays.artifactUri}/shared`, 'shared');
    for (const digest of [own, shared]) await set.age(digest);

    assert.equal((await set.send('DELETE', `/api/v1/trash/run/${gone.id}`)).status, 404, 'it is not deleted yet');
    await set.act((deps) => deleteRun(deps, gone.id, actor));
    assert.deepEqual(await set.listed(), [`run/${gone.id}`]);
    assert.equal((await set.send('DELETE', `/api/v1/trash/run/${gone.id}`)).status, 204);
    assert.equal((await set.send('POST', `/api/v1/trash/run/${gone.id}/restore`)).status, 404);
    await set.swept();
    const { blobs } = await set.collect({});
    assert.deepEqual(blobs, { count: 1, bytes: 3 });
    assert.equal(await set.blobs.size(own), undefined);
    assert.equal(await set.blobs.size(shared), 6);

    const db = set.database.read.withTables<RunTables & MetricTables>();
    for (const table of ['runs', 'run_params', 'run_tags', 'metric_series', 'metric_points'] as const) {
      const rows = await db.selectFrom(table).selectAll().execute();
      const expected = { runs: 1, run_params: 1, run_tags: 2, metric_series: 1, metric_points: 900 }[table];
      assert.equal(rows.length, expected, table);
    }
  });

  test(`${dialect}: files that a registered version needs outlive their run, and go with the version`, async () => {
    await using set = await setUp();
    const run = await set.run(await set.experiment('e'));
    const model = `${run.artifactUri}/model`;
    const needed = await set.put(`${model}/model.onnx`, 'model');
    const log = await set.put(`${run.artifactUri}/log`, 'log');
    for (const digest of [needed, log]) await set.age(digest);
    await set.model('m');
    await set.version('m', `runs:/${run.id}/model`);
    await set.act((deps) => deleteRun(deps, run.id, actor));
    const { files, kept } = await set.collect({ olderThanMs: 0, dryRun: true });
    assert.deepEqual(files, { count: 1, bytes: 3 });
    assert.deepEqual(kept, [{ what: 'their artifacts', count: 1, bytes: 5, why: 'registered versions need them' }]);
    await set.send('DELETE', `/api/v1/trash/run/${run.id}`);
    await set.swept();
    await set.collect({});
    assert.equal(await set.blobs.size(log), undefined);
    assert.equal(await set.blobs.size(needed), 5);
    // What the run would have told is written down.
    assert.equal((await versionStore(set.database.read).find('m', 1))?.storageLocation, model);

    await set.act((deps) => deleteVersion(deps, { model: 'm', version: 1, actor }));
    await set.collect({});
    assert.equal(await set.blobs.size(needed), 5, 'in the trash it is still there');
    await set.send('DELETE', '/api/v1/trash/version/m@1');
    await set.swept();
    await set.collect({});
    assert.equal(await set.blobs.size(needed), undefined);
  });

  test(`${dialect}: a purged experiment frees its name and takes all its runs and models along; its number stays given`, async () => {
    await using set = await setUp();
    const id = await set.experiment('e');
    const run = await set.run(id);
    const model = await set.act((deps) => createLoggedModel(deps, { experimentId: id, name: 'lm' }));
    const digest = await set.put(`${model.artifactLocation}/model.pkl`, 'model');
    await set.age(digest);
    await set.act((deps) => deleteExperiment(deps, id, actor));
    await assert.rejects(set.experiment('e'), { code: 'tracking/experiment-exists' });
    assert.deepEqual(await set.listed(), [`experiment/${id}`], 'its runs come back with it, not by themselves');

    assert.equal((await set.send('DELETE', `/api/v1/trash/experiment/${id}`)).status, 204);
    assert.equal(await set.experiment('e'), String(Number(id) + 1));
    await set.swept();
    await set.collect({});
    assert.equal(await runStore(set.database.read).find(run.id), undefined);
    assert.equal(await loggedModelStore(set.database.read).find(model.id), undefined);
    assert.equal(await set.blobs.size(digest), undefined);
  });

  test(`${dialect}: the experiment of runs that name none stays in the trash until it is restored`, async () => {
    await using set = await setUp();
    await set.act((deps) => ensureDefaultExperiment(deps, 'mlflow-artifacts:/'));
    const run = await set.run('0');
    await set.act((deps) => deleteExperiment(deps, '0', actor));
    const refused = await set.send('DELETE', '/api/v1/trash/experiment/0');
    assert.deepEqual([refused.status, refused.body.code], [409, 'trash/default-experiment']);
    for (const dryRun of [true, false]) {
      const { kept, purged } = await set.collect({ olderThanMs: 0, dryRun });
      assert.deepEqual(kept, [
        { what: 'experiment Default', count: 1, why: 'it takes the runs that name no experiment' },
      ]);
      assert.equal(purged.experiment, 0);
    }
    assert.equal((await set.send('POST', '/api/v1/trash/experiment/0/restore')).status, 200);
    assert.equal((await runStore(set.database.read).find(run.id))?.lifecycle, 'active');
  });

  test(`${dialect}: a logged model goes to the trash, comes back, and goes for good`, async () => {
    await using set = await setUp();
    const experimentId = await set.experiment('e');
    const { id } = await set.act((deps) => createLoggedModel(deps, { experimentId, name: 'lm' }));
    await set.act((deps) => deleteLoggedModel(deps, id, actor));
    assert.equal((await set.send('POST', `/api/v1/trash/logged-model/${id}/restore`)).status, 200);
    assert.equal((await loggedModelStore(set.database.read).find(id))?.lifecycle, 'active');
    await set.act((deps) => deleteLoggedModel(deps, id, actor));
    await set.send('DELETE', `/api/v1/trash/logged-model/${id}`);
    await set.swept();
    assert.equal(await loggedModelStore(set.database.read).find(id), undefined);
  });

  test(`${dialect}: a deleted model comes back with versions, stages, tags and aliases, when its name is free`, async () => {
    await using set = await setUp();
    await set.model('m');
    for (let n = 0; n < 3; n++) await set.version('m', 's3://b/p');
    await set.act((deps) => setAlias(deps, { model: 'm', alias: 'champion', version: 2, actor }));
    await set.act((deps) =>
      setStage(deps, { model: 'm', version: 2, stage: 'Production', archiveOthers: false, actor }),
    );
    await set.act((deps) => deleteVersion(deps, { model: 'm', version: 3, actor }));
    await set.act((deps) => deleteModel(deps, 'm', { id: 'first', actor }));
    assert.deepEqual(await set.listed(), ['model/first']);
    assert.equal(await modelStore(set.database.read).find('m'), undefined);
    assert.deepEqual(await versionStore(set.database.read).list('m'), []);

    await set.model('m');
    assert.equal((await set.version('m', 's3://b/other')).version, 1, 'as with MLflow, numbers begin again');
    const refused = await set.send('POST', '/api/v1/trash/model/first/restore');
    assert.deepEqual([refused.status, refused.body.code], [409, 'registry/model-exists']);
    await set.act((deps) => deleteModel(deps, 'm', { id: 'second', actor }));
    assert.equal((await set.send('POST', '/api/v1/trash/model/first/restore')).status, 200);

    const { version, stage } = await versionByAlias(set.stores(set.database.read), 'm', 'champion');
    assert.deepEqual([version, stage], [2, 'Production']);
    const versions = await versionStore(set.database.read).list('m');
    assert.deepEqual(
      versions.map((one) => one.version),
      [2, 1],
      'version 3 had been deleted before',
    );
    assert.deepEqual((await set.listed()).sort(), ['model/second', 'version/m@3']);
  });

  test(`${dialect}: a deleted version gets those of its aliases back that nobody has taken`, async () => {
    await using set = await setUp();
    await set.model('m');
    for (let n = 0; n < 2; n++) await set.version('m', 's3://b/p');
    for (const alias of ['a', 'b']) await set.act((deps) => setAlias(deps, { model: 'm', alias, version: 1, actor }));
    await set.act((deps) => deleteVersion(deps, { model: 'm', version: 1, actor }));
    await set.act((deps) => setAlias(deps, { model: 'm', alias: 'b', version: 2, actor }));
    assert.equal((await set.send('POST', '/api/v1/trash/version/m@1/restore')).status, 200);
    assert.deepEqual((await versionStore(set.database.read).find('m', 1))?.aliases, ['a']);
    assert.deepEqual((await versionStore(set.database.read).find('m', 2))?.aliases, ['b']);
  });

  test(`${dialect}: what serves stays, in the trash or not, and no other version gets its number`, async () => {
    await using set = await setUp();
    await set.model('m');
    await set.version('m', 's3://b/p');
    const digest = await set.put('mlflow-artifacts:/x', 'served');
    await set.artifacts.proxied.delete('x');
    await set.age(digest);
    await set.act(({ versions }) => versions.update('m', 1, { sealed: seal(digest) }, 1));
    set.served.push({ endpoint: 'flights', model: 'm', version: 1 });
    await set.act((deps) => deleteModel(deps, 'm', { id: 'old', actor }));
    await set.model('m');
    assert.equal((await set.version('m', 's3://b/p')).version, 2);

    const refused = await set.send('DELETE', '/api/v1/trash/model/old');
    assert.deepEqual([refused.status, refused.body.code], [409, 'trash/in-use']);
    const { kept, purged } = await set.collect({ olderThanMs: 0 });
    assert.deepEqual(kept, [{ what: 'model m', count: 1, why: 'it serves on flights' }]);
    assert.equal(purged.model, 0);
    assert.equal(await set.blobs.size(digest), 6);
    const deployed = await registryTrashStore(set.database.read).findDeployed('m', 1);
    assert.deepEqual([deployed?.model, deployed?.sealed?.onnxDigest], ['m', digest]);

    set.served.length = 0;
    assert.equal((await set.collect({ olderThanMs: 0 })).purged.version, 1);
    assert.equal(await set.blobs.size(digest), undefined);
    assert.equal((await set.version('m', 's3://b/p')).version, 3);
  });

  test(`${dialect}: garbage is what was deleted long enough ago, and a dry run only tells of it`, async () => {
    await using set = await setUp();
    const experimentId = await set.experiment('e');
    const [old, recent] = [await set.run(experimentId), await set.run(experimentId)];
    const stored = await set.put(`${old.artifactUri}/f`, 'four');
    await set.act((deps) => deleteRun(deps, old.id, actor));
    set.clock.now += 31 * dayMs;
    await set.act((deps) => deleteRun(deps, recent.id, actor));

    const dry = await set.collect({ dryRun: true });
    const later = { what: 'deleted items', count: 1, why: 'they were deleted later than that' };
    assert.deepEqual([dry.purged.run, dry.files, dry.kept], [1, { count: 1, bytes: 4 }, [later]]);
    assert.equal((await set.listed()).length, 2);

    set.clock.now = Date.now() + 1000; // the file is seconds old, by the clock of its disk
    const wet = await set.collect({ olderThanMs: set.clock.now - 100 * dayMs });
    assert.equal(wet.purged.run, 1);
    assert.deepEqual(
      wet.kept.map(({ what, bytes }) => [what, bytes]),
      [
        ['deleted items', undefined],
        ['stored files', 4],
      ],
    );
    assert.equal(await set.blobs.size(stored), 4, 'whoever stored it may not have written down yet what for');
    assert.deepEqual(await set.listed(), [`run/${recent.id}`]);
  });

  test(`${dialect}: a purge that a crash broke off goes on at the next start`, async () => {
    await using set = await setUp();
    const run = await set.run(await set.experiment('e'));
    const metrics = Array.from({ length: 1000 }, (_, step) => ({ key: 'm', value: 1, timestamp: 1, step }));
    await set.act((deps) => logBatch(deps, { runId: run.id, metrics, params: [], tags: [] }));
    await set.put(`${run.artifactUri}/f`, 'file');
    await set.act((deps) => deleteRun(deps, run.id, actor));
    await set.closeWorker();
    await set.send('DELETE', `/api/v1/trash/run/${run.id}`);
    assert.equal(await purgeStore(set.database.read).count(), 1);
    set.startWorker();
    await set.swept();
    const db = set.database.read.withTables<MetricTables>();
    assert.deepEqual(await db.selectFrom('metric_points').selectAll().execute(), []);
    assert.deepEqual(await set.artifacts.proxied.list(''), []);
  });

  test(`${dialect}: a purge that is stopped half way is ended by the next start`, async () => {
    await using set = await setUp();
    const run = await set.run(await set.experiment('e'));
    for (let from = 0; from < 20_000; from += 1000) {
      const metrics = Array.from({ length: 1000 }, (_, i) => ({ key: 'm', value: 1, timestamp: 1, step: from + i }));
      await set.act((deps) => logBatch(deps, { runId: run.id, metrics, params: [], tags: [] }));
    }
    await set.act((deps) => deleteRun(deps, run.id, actor));
    const points = async () => {
      const db = set.database.read.withTables<MetricTables>();
      const query = db.selectFrom('metric_points').select(({ fn }) => fn.countAll<number>().as('n'));
      return Number((await query.executeTakeFirstOrThrow()).n);
    };
    await set.send('DELETE', `/api/v1/trash/run/${run.id}`);
    while ((await points()) === 20_000) await delay(1);
    await set.closeWorker();
    // As long as points are left, the queue knows of it.
    assert.ok((await points()) === 0 || (await purgeStore(set.database.read).count()) === 1);
    set.startWorker();
    await set.swept();
    assert.equal(await points(), 0);
  });

  test(`${dialect}: pages of the trash cut it anywhere without losing or repeating an item`, async () => {
    await using set = await setUp();
    const experimentId = await set.experiment('e');
    await set.model('m');
    for (let n = 0; n < 4; n++) {
      const { id } = await set.run(experimentId);
      await set.act((deps) => deleteRun(deps, id, actor));
      const { version } = await set.version('m', 's3://b/p');
      await set.act((deps) => deleteVersion(deps, { model: 'm', version, actor }));
      if (n === 1) set.clock.now += 1;
    }
    await set.act(async (deps) =>
      deleteExperiment(deps, await createExperiment(deps, { name: 'x', project: 'p', actor, artifactRoot: '' }), actor),
    );
    const whole = await set.listed();
    assert.equal(whole.length, 9);
    for (const limit of [1, 2, 4]) {
      const found: string[] = [];
      for (let cursor: string | undefined = ''; cursor !== undefined; ) {
        const query = `?limit=${limit}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
        const { body } = await set.send('GET', `/api/v1/trash${query}`);
        found.push(...body.items.map(({ kind, id }: { kind: string; id: string }) => `${kind}/${id}`));
        cursor = body.next;
      }
      assert.deepEqual(found, whole, `pages of ${limit}`);
    }
    assert.equal((await set.send('GET', '/api/v1/trash?cursor=nonsense')).status, 400);
  });
});
