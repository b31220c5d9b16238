import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { PlatformError } from '../errors.ts';
import { api, files, openTestFace } from '../mlflow/test-face.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { openExportLedger } from './export-ledger-adapter.ts';
import { exportMlflow } from './export-mlflow.ts';
import { mlflowApi, type SendRequest } from './mlflow-api-adapter.ts';
import { serverSource } from './mlflow-server-adapter.ts';

type Face = Awaited<ReturnType<typeof openTestFace>>;

eachDatabase((dialect, open) => {
  test(`${dialect}: a file of a name that MLflow refuses stays behind, and the others go`, async () => {
    await using here = await openTestFace(open);
    await using there = await openTestFace(open, (root) => ({
      ...root,
      put: async (key, body, options) => {
        if (key.includes('#')) throw new PlatformError('storage/bad-key', key); // as MLflow's own server answers
        return root.put(key, body, options);
      },
    }));
    const made = await here.post('/runs/create', { experiment_id: '0', run_name: 'first' });
    const run = made.body.run.info.run_id;
    for (const name of ['a%23b.txt', 'c.txt'])
      await here.send('PUT', `${files}/0/${run}/artifacts/${name}`, 'hello', 'text/plain');

    const signal = AbortSignal.timeout(60_000);
    const source = serverSource(mlflowApi({ address: 'http://here', send: through(here), signal }));
    const target = mlflowApi({ address: 'http://there', send: through(there), signal });
    await using ledger = await openExportLedger(join(here.database.folder, 'ledger.jsonl'), target.address);
    const report = await exportMlflow(source, { ...target, back: serverSource(target) }, ledger, {
      ...{ onProgress: () => {}, signal },
    });
    assert.equal(report.unreachable.total, 1);
    assert.match(
      report.unreachable.first[0] ?? '',
      new RegExp(`^run ${run} \\(first\\): a#b\\.txt: MLflow refuses PUT`),
    );
    const [moved] = (await there.post('/runs/search', { experiment_ids: ['0'] })).body.runs;
    const listed = await there.send('GET', `${api}/artifacts/list?run_id=${moved.info.run_id}`);
    assert.deepEqual(listed.body.files, [{ path: 'c.txt', is_dir: false, file_size: 5 }]);
  });
});

const through =
  ({ app }: Face): SendRequest =>
  async ({ method, path, query, type, body }) => {
    const parts: Uint8Array[] = [];
    if (typeof body === 'string') parts.push(Buffer.from(body));
    else for await (const part of body ?? []) parts.push(part);
    const answer = await app.inject({
      ...{ method, url: query === undefined ? path : `${path}?${new URLSearchParams(query)}` },
      headers: { host: 'localhost', ...(type !== undefined && { 'content-type': type }) },
      ...(body !== undefined && { payload: Buffer.concat(parts) }),
    });
    async function* answered() {
      yield answer.rawPayload;
    }
    return { status: answer.statusCode, body: answered() };
  };
