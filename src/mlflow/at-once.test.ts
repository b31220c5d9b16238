/** Clients retry, and several of them do the same thing at once. A single writer hides races: PostgreSQL does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventTables } from '../events/event-store.ts';
import type { Database } from '../storage/database.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { files, openTestFace } from './test-face.ts';

type Face = Awaited<ReturnType<typeof openTestFace>>;
type Answer = Awaited<ReturnType<Face['get']>>;

/** @returns the statuses with the code, each with how often it came: `200: 1, 404 RESOURCE_DOES_NOT_EXIST: 15` */
async function sixteen(ask: (index: number) => Promise<Answer>): Promise<string> {
  const answers = await Promise.all(Array.from({ length: 16 }, (_, index) => ask(index)));
  const said = answers.map(({ status, body }) => `${status} ${body.error_code ?? ''}`.trim());
  const counts = Map.groupBy(said, (one) => one);
  return [...counts]
    .map(([one, all]) => `${one}: ${all.length}`)
    .toSorted()
    .join(', ');
}

/** Counted in the table: PostgreSQL's sequencer does not run here. */
async function eventsOf({ read }: Database, type: string): Promise<number> {
  const { n } = await read
    .withTables<EventTables>()
    .selectFrom('events')
    .select(({ fn }) => fn.countAll().as('n'))
    .where('type', '=', type)
    .executeTakeFirstOrThrow();
  return Number(n);
}

eachDatabase((dialect, open) => {
  const newRun = async (face: Face): Promise<string> =>
    (await face.post('/runs/create', { experiment_id: '0' })).body.run.info.run_id;
  const numbered = (prefix: string) => Array.from({ length: 16 }, (_, index) => `${prefix}${index}`);

  test(`${dialect}: of sixteen who take one name, one gets it`, async () => {
    await using face = await openTestFace(open);
    const ids: string[] = [];
    for (const name of numbered('e')) ids.push((await face.post('/experiments/create', { name })).body.experiment_id);
    for (const name of numbered('m')) await face.post('/registered-models/create', { name });

    const one = '200: 1, 400 RESOURCE_ALREADY_EXISTS: 15';
    assert.equal(await sixteen(() => face.post('/experiments/create', { name: 'e' })), one);
    assert.equal(await sixteen(() => face.post('/registered-models/create', { name: 'm' })), one);
    assert.equal(
      await sixteen((i) => face.post('/experiments/update', { experiment_id: ids[i], new_name: 'renamed' })),
      '200: 1, 400 BAD_REQUEST: 15',
    );
    assert.equal(
      await sixteen((i) => face.post('/registered-models/rename', { name: `m${i}`, new_name: 'renamed' })),
      one,
    );
    assert.equal(await eventsOf(face.database, 'registry.model-renamed'), 1);
  });

  test(`${dialect}: what sixteen delete or restore at once is told once`, async () => {
    await using face = await openTestFace(open);
    const { experiment_id } = (await face.post('/experiments/create', { name: 'e' })).body;
    const { run_id } = (await face.post('/runs/create', { experiment_id })).body.run.info;
    await face.post('/registered-models/create', { name: 'm' });
    for (const source of ['s3://b/1', 's3://b/2']) await face.post('/model-versions/create', { name: 'm', source });
    const { model_id } = (await face.post('/logged-models', { experiment_id: '0' })).body.model.info;

    const one = '200: 1, 404 RESOURCE_DOES_NOT_EXIST: 15';
    const asked: readonly (readonly [string, string, string, string, unknown])[] = [
      ['POST', '/runs/delete', '200: 16', 'tracking.run-deleted', { run_id }],
      ['POST', '/runs/restore', '200: 16', 'tracking.run-restored', { run_id }],
      ['POST', '/runs/update', '200: 16', 'tracking.run-ended', { run_id, status: 'FINISHED', end_time: 5 }],
      ['POST', '/experiments/delete', one, 'tracking.experiment-deleted', { experiment_id }],
      ['POST', '/experiments/restore', one, 'tracking.experiment-restored', { experiment_id }],
      ['DELETE', '/model-versions/delete', one, 'registry.version-deleted', { name: 'm', version: '1' }],
      ['DELETE', '/registered-models/delete', one, 'registry.model-deleted', { name: 'm' }],
      ['DELETE', `/logged-models/${model_id}`, '200: 16', 'tracking.logged-model-deleted', {}],
    ];
    for (const [method, path, answers, event, body] of asked) {
      assert.equal(await sixteen(() => face.sendJson(method as 'POST' | 'DELETE', path, body)), answers, path);
      assert.equal(await eventsOf(face.database, event), 1, event);
    }
  });

  test(`${dialect}: what sixteen add to one list at once is all there`, async () => {
    await using face = await openTestFace(open);
    const run_id = await newRun(face);
    const { model_id } = (await face.post('/logged-models', { experiment_id: '0', source_run_id: run_id })).body.model
      .info;
    for (const name of numbered('m')) await face.post('/registered-models/create', { name });
    const history = (artifact_path: string) =>
      JSON.stringify({ artifact_path, flavors: {}, utc_time_created: '2026', run_id });

    const source = `models:/${model_id}`;
    assert.equal(
      await sixteen((i) => face.post('/model-versions/create', { name: `m${i}`, source, model_id })),
      '200: 16',
    );
    assert.equal(
      await sixteen((i) => face.post('/runs/log-model', { run_id, model_json: history(`m${i}`) })),
      '200: 16',
    );
    const logged = (await face.get(`/logged-models/${model_id}`)).body.model.info;
    const tag = (tags: { key: string; value: string }[], name: string) =>
      JSON.parse(tags.find(({ key }) => key === name)?.value ?? '[]');
    const versions: { name: string }[] = tag(logged.tags, 'mlflow.modelVersions');
    assert.deepEqual(versions.map(({ name }) => name).toSorted(), numbered('m').toSorted());
    const { run } = (await face.get(`/runs/get?run_id=${run_id}`)).body;
    assert.equal(tag(run.data.tags, 'mlflow.log-model.history').length, 16);
  });

  test(`${dialect}: sixteen stages and aliases at once leave one in Production and one alias`, async () => {
    await using face = await openTestFace(open);
    await face.post('/registered-models/create', { name: 'm' });
    for (const source of numbered('s3://b/')) await face.post('/model-versions/create', { name: 'm', source });
    const version = (index: number) => ({ name: 'm', version: String(index + 1) });
    const stage = { stage: 'Production', archive_existing_versions: true };
    assert.equal(
      await sixteen((i) => face.post('/model-versions/transition-stage', { ...version(i), ...stage })),
      '200: 16',
    );
    assert.equal(
      await sixteen((i) => face.post('/registered-models/alias', { ...version(i), alias: 'champion' })),
      '200: 16',
    );
    const { model_versions: all } = (await face.get('/model-versions/search')).body;
    const stages = all.map(({ current_stage }: { current_stage: string }) => current_stage);
    assert.deepEqual(stages.toSorted(), [...Array(15).fill('Archived'), 'Production']);
    assert.equal((await face.get('/registered-models/get?name=m')).body.registered_model.aliases.length, 1);
  });

  test(`${dialect}: a batch, a dataset and an output that sixteen send at once are there once`, async () => {
    await using face = await openTestFace(open);
    const run_id = await newRun(face);
    const metrics = Array.from({ length: 20 }, (_, n) => ({ key: `k${n}`, value: n, timestamp: 1, step: 0 }));
    const params = Array.from({ length: 20 }, (_, n) => ({ key: `p${n}`, value: `${n}` }));
    const tags = Array.from({ length: 20 }, (_, n) => ({ key: `t${n}`, value: `${n}` }));
    // Each in another order: whoever locks rows in the order of the request waits for somebody who waits for it.
    const turned = <T>(items: readonly T[], by: number) => [...items.slice(by), ...items.slice(0, by)];
    assert.equal(
      await sixteen((i) =>
        face.post('/runs/log-batch', {
          run_id,
          metrics: turned(metrics, i),
          params: turned(params, i),
          tags: turned(tags, i),
        }),
      ),
      '200: 16',
    );
    const dataset = { name: 'd', digest: '1', source_type: 'local', source: 's' };
    assert.equal(await sixteen(() => face.post('/runs/log-inputs', { run_id, datasets: [{ dataset }] })), '200: 16');
    const models = [{ model_id: 'm-1', step: 0 }];
    assert.equal(await sixteen(() => face.post('/runs/outputs', { run_id, models })), '200: 16');
    const { run } = (await face.get(`/runs/get?run_id=${run_id}`)).body;
    const { data, inputs, outputs } = run;
    assert.deepEqual([data.metrics.length, data.params.length, data.tags.length], [20, 20, 21]);
    assert.deepEqual([inputs.dataset_inputs.length, outputs.model_outputs.length], [1, 1]);
    const { metrics: points } = (await face.get(`/metrics/get-history?run_id=${run_id}&metric_key=k3`)).body;
    assert.equal(points.length, 1);
  });

  test(`${dialect}: of sixteen who write one artifact, one has written all of it`, async () => {
    await using face = await openTestFace(open);
    const content = (index: number) => String.fromCharCode(97 + index).repeat(100_000);
    const url = `${files}/0/r/artifacts/a.txt`;
    const type = 'application/octet-stream';
    assert.equal(await sixteen((i) => face.send('PUT', url, content(i), type)), '200: 16');
    const { text } = await face.send('GET', url);
    assert.ok(Array.from({ length: 16 }, (_, index) => content(index)).includes(text));
    assert.equal((await face.send('GET', `${files}?path=0/r/artifacts`)).body.files[0].file_size, 100_000);
  });
});
