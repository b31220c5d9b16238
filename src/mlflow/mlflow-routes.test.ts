import assert from 'node:assert/strict';
import { test } from 'node:test';
import { versionStore } from '../registry/version-store.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { files, openTestFace } from './test-face.ts';

const host = { host: 'localhost' };

eachDatabase((dialect, open) => {
  const setUp = () => openTestFace(open);

  test(`${dialect}: a step of 64 bits comes back with all its digits`, async () => {
    await using server = await setUp();
    const { body } = await server.post('/runs/create', { experiment_id: '0' });
    const { run_id } = body.run.info;
    const metric = `{"run_id":"${run_id}","key":"m","value":1,"timestamp":9007199254740993,"step":9223372036854775807}`;
    assert.equal((await server.send('POST', '/api/2.0/mlflow/runs/log-metric', metric)).status, 200);
    const point = /"value":1,"timestamp":9007199254740993,"step":9223372036854775807/;
    assert.match((await server.get(`/metrics/get-history?run_id=${run_id}&metric_key=m`)).text, point);
    assert.match((await server.get(`/runs/get?run_id=${run_id}`)).text, point);
  });

  test(`${dialect}: bodies are read as upstream reads them, and broken ones are refused`, async () => {
    await using server = await setUp();
    const search = '/api/2.0/mlflow/experiments/search';
    const of = async (payload: string, type?: string) =>
      (await server.send('POST', search, payload, type)).body.message;
    assert.match(await of('{', undefined), /^The body is not valid JSON: /);
    assert.match(await of('', undefined), /Invalid value 0 for parameter 'max_results'/);
    assert.match(await of('{}', 'text/plain'), /^Bad Request\. Content-Type must be one of \['application\/json'\]\.$/);
    const twice = await server.send('POST', search, JSON.stringify(JSON.stringify({ max_results: 5 })));
    assert.equal(twice.body.experiments[0].name, 'Default');
    const broken = await server.send('POST', search, Buffer.from([0x22, 0xff, 0x22]));
    assert.equal(broken.body.message, 'The body is not UTF-8.');
    const charset = await server.send('POST', search, '{"max_results":"5"}', 'application/json; charset=utf-8');
    assert.equal(charset.status, 200);
  });

  test(`${dialect}: a long path and slashes too many do no harm, and HEAD asks as GET does`, async () => {
    await using server = await setUp();
    const url = '/api/2.0/mlflow/experiments/get?experiment_id=0';
    assert.equal((await server.get(`/logged-models/m-${'x'.repeat(998)}`)).body.error_code, 'RESOURCE_DOES_NOT_EXIST');
    assert.equal((await server.send('GET', url.replaceAll('/', '//'))).body.experiment.name, 'Default');
    const head = await server.send('HEAD', url);
    assert.deepEqual([head.status, head.text], [200, '']);
  });

  test(`${dialect}: JSON of more than 32 MiB is refused`, async () => {
    await using server = await setUp();
    const { status, body } = await server.send('POST', '/api/2.0/mlflow/runs/set-tag', ' '.repeat(32 * 2 ** 20 + 1));
    assert.deepEqual([status, body.error_code], [400, 'BAD_REQUEST']);
    assert.match(body.message, /^The body is larger than/);
  });

  test(`${dialect}: what is not here answers as an unknown endpoint, in JSON`, async () => {
    await using server = await setUp();
    for (const url of [
      '/api/2.0/mlflow/bogus',
      '/api/3.0/mlflow/traces/search',
      '/graphql',
      '/api/2.0/mlflow/webhooks',
    ]) {
      const { status, body } = await server.send('POST', url, '{}');
      assert.deepEqual([status, body.error_code], [404, 'ENDPOINT_NOT_FOUND'], url);
    }
    assert.match(
      (await server.send('POST', '/api/3.0/mlflow/traces/search', '{}')).body.message,
      /^Traces are not part/,
    );
    assert.equal((await server.send('GET', '/version')).text, '3.17.2');
    const probe = { headers: { host: 'balancer.example' } }; // as /health, and as there
    assert.equal((await server.app.inject({ url: '/version', ...probe })).statusCode, 200);
    assert.equal((await server.app.inject({ url: '/api/3.0/mlflow/server-info', ...probe })).statusCode, 403);
    assert.equal((await server.send('GET', '/api/3.0/mlflow/server-info')).body.store_type, 'SqlStore');
  });

  test(`${dialect}: what no database takes is a mistake of whoever asks for it`, async () => {
    await using server = await openTestFace(open);
    const many = (name: (index: number) => unknown, length: number) =>
      Array.from({ length }, (_, index) => name(index));
    const big = '9'.repeat(30);
    const datasets = many((index) => ({ dataset_name: 'd', dataset_digest: String(index) }), 2000);
    for (const [path, body] of [
      ['/runs/search', { experiment_ids: [big] }],
      ['/runs/create', { experiment_id: '9223372036854775808' }],
      ['/experiments/delete', { experiment_id: `-${big}` }],
      ['/logged-models/search', { experiment_ids: [big] }],
      ['/experiments/search', { max_results: 1, filter: `experiment_id = '${big}'` }],
      ['/runs/search', { experiment_ids: ['0'], order_by: many((index) => `metrics.m${index}`, 5000) }],
      ['/experiments/search', { max_results: 1, order_by: many(() => 'name', 3000) }],
      [
        '/logged-models/search',
        { experiment_ids: ['0'], order_by: many((index) => ({ field_name: `metrics.m${index}` }), 3000) },
      ],
      ['/logged-models/search', { experiment_ids: ['0'], datasets }],
      ['/experiments/create', { name: 'half \ud800' }],
    ] as const) {
      const { status, body: said } = await server.post(path, body);
      assert.deepEqual([status, said.error_code], [400, 'INVALID_PARAMETER_VALUE'], `${path} ${said.message}`);
    }
    assert.equal((await server.get(`/experiments/get?experiment_id=${big}`)).status, 400);
    assert.equal((await server.get('/experiments/get?experiment_id=9223372036854775807')).status, 404);
    const most = { experiment_ids: ['0'], datasets: datasets.slice(0, 100) };
    assert.equal((await server.post('/logged-models/search', most)).status, 200);
  });

  test(`${dialect}: artifacts keep their names, whatever is in them`, async () => {
    await using server = await setUp();
    for (const name of [
      '100%.txt',
      'a b.txt',
      'ä/ö.bin',
      'img%step%1.png',
      '%2e%2e',
      'a+b',
      'hash#1.txt',
      'q?x=1.txt',
      '%2523',
    ]) {
      const path = name.split('/').map(encodeURIComponent).join('/');
      assert.equal(
        (await server.send('PUT', `${files}/1/r/artifacts/${path}`, name, 'application/octet-stream')).status,
        200,
        name,
      );
      assert.equal((await server.send('GET', `${files}/1/r/artifacts/${path}`)).body, name);
    }
    const { body } = await server.send('GET', `${files}?path=1/r/artifacts`);
    assert.deepEqual(
      body.files.map((file: { path: string }) => file.path).sort(),
      ['%2523', '%2e%2e', '100%.txt', 'a b.txt', 'a+b', 'hash#1.txt', 'img%step%1.png', 'q?x=1.txt', 'ä'].sort(),
    );
  });

  test(`${dialect}: a part of a file is what was asked for, and never something else in its place`, async () => {
    await using server = await openTestFace(open);
    await server.send('PUT', `${files}/a/ten`, '0123456789', 'text/plain');
    await server.send('PUT', `${files}/a/none`, '', 'text/plain');
    const ask = async (name: string, headers: object) => {
      const url = `${files}/a/${name}`;
      const { statusCode, body, headers: said } = await server.app.inject({ url, headers: { ...host, ...headers } });
      return [statusCode, body, said['content-range']];
    };
    for (const [range, ...answer] of [
      ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
      ['bytes=8-', 206, '89', 'bytes 8-9/10'],
      ['bytes=-3', 206, '789', 'bytes 7-9/10'],
      ['bytes=0-99', 206, '0123456789', 'bytes 0-9/10'],
      ['bytes=10-', 416, '', 'bytes */10'], // a client that has it all already
      ['bytes=-0', 416, '', 'bytes */10'],
      ['bytes=4-2', 200, '0123456789', undefined],
      ['bytes=0-1,4-5', 200, '0123456789', undefined],
      ['lines=0-1', 200, '0123456789', undefined],
    ] as const) {
      assert.deepEqual(await ask('ten', { range }), answer, range);
    }
    assert.deepEqual(await ask('none', { range: 'bytes=0-' }), [416, '', 'bytes */0']);
    const other = { range: 'bytes=2-4', 'if-range': '"of another file"' };
    assert.deepEqual(await ask('ten', other), [200, '0123456789', undefined]);
  });

  test(`${dialect}: who asks for the head of a file makes nobody read it`, async () => {
    let read = 0;
    await using server = await openTestFace(open, (root) => ({
      ...root,
      open: async (key, range) => {
        const found = await root.open(key, range);
        return found && { ...found, body: counted(found.body) };
      },
    }));
    async function* counted(body: AsyncIterable<Uint8Array>) {
      for await (const chunk of body) {
        read += chunk.length;
        yield chunk;
      }
    }
    const url = `${files}/a/ten`;
    await server.send('PUT', url, '0123456789', 'text/plain');
    const head = await server.app.inject({ method: 'HEAD', url, headers: { ...host, range: 'bytes=2-4' } });
    assert.deepEqual([head.statusCode, head.headers['content-length'], head.body], [200, '10', '']);
    assert.equal(read, 0);
    assert.equal((await server.send('GET', url)).body, '0123456789');
    assert.equal(read, 10);
  });

  test(`${dialect}: paths that lead elsewhere are refused, missing files are not found`, async () => {
    await using server = await setUp();
    for (const path of ['..%2f..%2fetc', '1/..%2f2', '%2fetc', 'a%5cb', 'a%00b']) {
      const { status, body } = await server.send('GET', `${files}/${path}`);
      assert.deepEqual([status, body.error_code], [400, 'INVALID_PARAMETER_VALUE'], path);
    }
    assert.equal((await server.send('GET', `${files}/1/none.txt`)).status, 404);
    assert.deepEqual((await server.send('GET', `${files}?path=none`)).body, {});
  });

  test(`${dialect}: a version of another run's artifacts cannot be registered`, async () => {
    await using server = await setUp();
    const first = (await server.post('/runs/create', { experiment_id: '0' })).body.run.info;
    const second = (await server.post('/runs/create', { experiment_id: '0' })).body.run.info;
    await server.post('/registered-models/create', { name: 'm' });
    const register = (run_id: string) =>
      server.post('/model-versions/create', { name: 'm', source: `${first.artifact_uri}/model`, run_id });
    assert.equal((await register(second.run_id)).status, 400);
    assert.equal((await register(first.run_id)).body.model_version.version, '1');
  });

  test(`${dialect}: a version knows the datasets and the commit of its run`, async () => {
    await using server = await setUp();
    const tags = [{ key: 'mlflow.source.git.commit', value: 'ab12' }];
    const { run_id } = (await server.post('/runs/create', { experiment_id: '0', tags })).body.run.info;
    const dataset = { name: 'iris', digest: 'd1', source_type: 'local', source: 's' };
    const context = [{ key: 'mlflow.data.context', value: 'training' }];
    await server.post('/runs/log-inputs', { run_id, datasets: [{ tags: context, dataset }] });
    await server.post('/registered-models/create', { name: 'm' });
    await server.post('/model-versions/create', { name: 'm', source: `runs:/${run_id}/model`, run_id });
    assert.deepEqual((await versionStore(server.database.read).find('m', 1))?.lineage, {
      datasets: [{ name: 'iris', version: 'd1', context: 'training' }],
      code: 'ab12',
    });
  });
});
