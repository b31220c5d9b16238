import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import {
  columnsModel,
  columnsSignature,
  linearModel,
  linearSignature,
  pickyModel,
  pickySignature,
} from '../../tests/fixtures/onnx/tiny-models.ts';
import { openTestServing, type TestServing } from './test-serving.ts';

const x = (...values: readonly number[]) => ({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [values.length, 1], data: values }],
});
const ref = (version: number) => ({ model: 'm', version });

async function withLinear(options: Parameters<typeof openTestServing>[0] = {}): Promise<TestServing> {
  const test = await openTestServing(options);
  for (const version of [1, 2, 3]) {
    await test.addVersion({ model: 'm', version, ...linearSignature }, linearModel({ weight: version, bias: 0 }));
  }
  await test.addEndpoint({ name: 'e' }, { champion: ref(1) });
  return test;
}

test('answers raw columns, logs what it was asked, and finds it again', async () => {
  await using serving = await openTestServing();
  const bins = { features: { origin: { kind: 'categorical', categories: ['LAX', 'ORD'] } } } as const;
  await serving.addVersion({ model: 'flight-delay', version: 1, ...columnsSignature, bins }, columnsModel());
  await serving.addEndpoint(
    { name: 'flights', task: 'binary', key: 'flight_id', time: 'date' },
    { champion: { model: 'flight-delay', version: 1 } },
  );
  const { status, body } = await serving.infer('flights', {
    id: 'mine',
    inputs: [
      { name: 'distance', datatype: 'FP32', shape: [2, 1], data: [[500], [0]] },
      { name: 'origin', datatype: 'BYTES', shape: [2, 1], data: ['ORD', 'LAX'] },
      { name: 'flight_id', datatype: 'INT64', shape: [2], data: [17, 18] },
      { name: 'date', datatype: 'BYTES', shape: [2], data: ['2001-02-03 04:05', '2001-02-03T04:06:00Z'] },
    ],
  });
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body['id'], 'mine');
  assert.equal(body['model_name'], 'flights');
  assert.equal(body['model_version'], '1');
  const parameters = body['parameters'] as { variant: string; prediction_ids: string };
  assert.equal(parameters.variant, 'champion');
  const [first = '', second = ''] = parameters.prediction_ids.split(',');
  assert.deepEqual((body['outputs'] as { data: number[] }[])[0]?.data, [1, 0]);

  const records = await serving.serving.log.readLog('flights', { after: 0, limit: 10 });
  assert.equal(records.length, 2);
  const [record] = records;
  assert.ok(record?.kind === 'prediction');
  assert.deepEqual(record.inputs, { distance: 500, origin: 'ORD', flight_id: 17, date: '2001-02-03 04:05' });
  assert.equal(record.key, '17');
  assert.equal(record.eventTime, Date.UTC(2001, 1, 3, 4, 5));
  assert.ok(Math.abs((record.score ?? 0) - 0.8175744761936437) < 1e-6);

  const counted = (await serving.app.inject('/api/v1/endpoints/flights/summaries?by=version')).json();
  assert.deepEqual(counted.items[0].features.origin.counts, [1, 1, 0, 0]);
  assert.equal(counted.items[0].day, Date.UTC(2001, 1, 3));

  const found = await serving.app.inject(`/api/v1/predictions/${second}`);
  assert.equal(found.statusCode, 200, found.body);
  assert.equal(found.json().inputs.origin, 'LAX');
  const replay = await serving.app.inject({ method: 'POST', url: `/api/v1/predictions/${first}/replay` });
  assert.equal(replay.statusCode, 200, replay.body);
  assert.equal(replay.json().identical, true);
  assert.match(replay.json().runtime.recorded.onnxruntime, /^onnxruntime-node \d/);
  assert.equal(replay.json().because, 'computed as it was then');
  assert.equal((await serving.app.inject('/api/v1/predictions/nonsense')).statusCode, 404);
});

test('says exactly what is wrong with a request', async () => {
  await using serving = await openTestServing();
  await serving.addVersion({ model: 'flight-delay', version: 1, ...columnsSignature }, columnsModel());
  await serving.addVersion({ model: 'picky', version: 1, ...pickySignature }, pickyModel());
  await serving.addEndpoint(
    { name: 'flights', task: 'binary', assign: 'user', time: 'date' },
    { champion: { model: 'flight-delay', version: 1 } },
  );
  await serving.addEndpoint({ name: 'picky' }, { champion: { model: 'picky', version: 1 } });
  const distance = { name: 'distance', datatype: 'FP32', shape: [1, 1], data: [1] as unknown };
  const origin = { name: 'origin', datatype: 'BYTES', shape: [1, 1], data: ['ATL'] as unknown };
  const user = { name: 'user', datatype: 'BYTES', shape: [1], data: ['ada'] as unknown };
  const date = { name: 'date', datatype: 'BYTES', shape: [1], data: ['2001-01-01'] as unknown };
  const rest = [origin, user, date];
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const cases: readonly (readonly [unknown, RegExp])[] = [
    ['{', /not JSON/],
    [
      '{"inputs":[{"name":"user","data":["a"]},{"name":"distance","shape":[1,1],"datatype":"FP32","data":[NaN]}]}',
      /not JSON/,
    ],
    [[], /input 'user', which names the unit, is missing/],
    [{ inputs: [user] }, /input 'distance' is missing/],
    [{ inputs: [distance, ...rest, distance] }, /'distance' is given twice/],
    [{ inputs: [...rest, { ...distance, shape: [1] }] }, /has shape \[1\], the model takes \[-1,1\]/],
    [{ inputs: [...rest, { ...distance, shape: [3, 1] }] }, /has 1 values, its shape \[3,1\] holds 3/],
    [{ inputs: [...rest, { ...distance, shape: [2 ** 52, 1] }] }, /holds 4503599627370496/],
    [{ inputs: [...rest, { ...distance, shape: [-1, 1] }] }, /holds -1; sizes are whole and not negative/],
    [{ inputs: [...rest, { ...distance, shape: [1.5, 1] }] }, /holds 1.5/],
    [{ inputs: [...rest, { ...distance, data: [[1], [2]] }] }, /do not have its shape/],
    [{ inputs: [...rest, { ...distance, data: [[[1]]] }] }, /value 0 of input 'distance' is no single value/],
    [{ inputs: [...rest, { ...distance, data: ['1'] }] }, /is "1"; the model takes finite numbers that fit 32 bits/],
    [{ inputs: [...rest, { ...distance, data: [1e39] }] }, /is 1e\+39/],
    [
      '{"inputs":[{"name":"user","shape":[1],"data":["a"]},{"name":"distance","shape":[1,1],"datatype":"FP32","data":[1e999]}]}',
      /is Infinity/,
    ],
    [{ inputs: [...rest, { ...distance, datatype: 'FP64' }] }, /is sent as "FP64", the model takes FP32/],
    [
      { inputs: [distance, user, date, { ...origin, data: [3] }] },
      /value 0 of input 'origin' is 3; the model takes strings/,
    ],
    [
      { inputs: [distance, ...rest, { ...distance, name: 'x' }] },
      /unexpected input 'x'; the model takes 'distance', 'origin'/,
    ],
    [{ inputs: [distance, ...rest], outputs: [{ name: 'nope' }] }, /unexpected output "nope"/],
    [{ inputs: [distance, origin, user, { ...date, data: ['soon'] }] }, /'date' holds no time for row 0/],
    [{ inputs: [distance, origin, user, { ...date, data: ['2999-01-01'] }] }, /more than a day ahead/],
    [{ inputs: [distance, origin, date, { ...user, shape: [2], data: ['a', 'b'] }] }, /different units in 'user'/],
    [`{"inputs":[{"name":"user","shape":${deep},"data":["a"]}]}`, /holds no single value/],
    [
      `{"inputs":[{"name":"user","shape":[1],"data":["a"]},{"name":"distance","datatype":"FP32","shape":[1,1],"data":${deep}}]}`,
      /is no single value/,
    ],
    [
      { inputs: [...rest, { ...distance, shape: [0, 1], data: [] }] },
      /has 1 rows, 'origin' has 0|has no rows|has 0 rows/,
    ],
  ];
  for (const [request, message] of cases) {
    const { status, body } = await serving.infer('flights', request);
    assert.equal(status, 400, JSON.stringify([request, body]).slice(0, 500));
    assert.match(String(body['error']), message);
  }
  const i = (data: string) => `{"inputs":[{"name":"i","shape":[1,1],"datatype":"INT64","data":[${data}]}]}`;
  assert.match(String((await serving.infer('picky', i('1.5'))).body['error']), /is 1.5; the model takes whole numbers/);
  assert.match(
    String((await serving.infer('picky', i('9223372036854775808'))).body['error']),
    /is 9223372036854775808/,
  );
  const poison = await serving.infer('picky', i('9007199254740993'));
  assert.equal(poison.status, 500);
  assert.match(String(poison.body['error']), /idx=9007199254740993/);
  const unknown = await serving.infer('nobody', {});
  assert.equal(unknown.status, 404);
  assert.match(String(unknown.body['error']), /^Request for unknown model/);
  const [failed, ...more] = await serving.serving.log.readLog('picky', { after: 0, limit: 10 });
  assert.ok(failed?.kind === 'prediction' && failed.errorCode === 'serving/model-failed' && more.length === 0);
  assert.equal(failed.inputs['i'], '9007199254740993');
});

test('describes models and readiness as clients of the protocol expect', async () => {
  await using serving = await withLinear();
  await serving.addEndpoint({ name: 'empty' });
  const get = async (url: string) => {
    const answer = await serving.app.inject(url);
    return [answer.statusCode, answer.json()];
  };
  assert.deepEqual(await get('/v2'), [200, { name: 'rondo', version: 'test', extensions: ['binary_tensor_data'] }]);
  assert.deepEqual(await get('/v2/health/ready'), [200, { ready: true }]);
  assert.deepEqual(await get('/v2/models/e'), [
    200,
    { name: 'e', versions: ['1'], platform: 'onnx_onnxv1', ...linearSignature },
  ]);
  assert.deepEqual(await get('/v2/models/e/versions/1/ready'), [200, { name: 'e', ready: true }]);
  assert.deepEqual((await get('/v2/models/e/versions/9'))[0], 404);
  assert.deepEqual((await get('/v2/models/nobody/ready'))[0], 404);
  assert.deepEqual((await get('/v2/nothing'))[0], 404);
  assert.equal((await serving.infer('empty', x(1))).status, 503);
});

test('10,000 requests through 50 random changes: none fails, each is answered by a version that was routable', async () => {
  await using serving = await withLinear({ logLimits: { maxRows: 4_000 } });
  let seed = 7;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  const pick = () => 1 + Math.floor(random() * 3);
  const routable = new Map<number, Set<number>>([[1, new Set([1])]]);
  let generation = 1;
  let running = true;
  const commands = (async () => {
    for (let command = 0; command < 50; command++) {
      const [champion, challenger, share] = [pick(), pick(), random()];
      generation++;
      const rollout = {
        id: `r${command}`,
        salt: `s${command}`,
        challenger: ref(challenger),
        stage: 'canary',
        share,
      } as const;
      const kind = command % 3;
      routable.set(generation, new Set(kind === 0 ? [champion] : [champion, challenger]));
      await serving.setTraffic('e', { champion: ref(champion), previous: ref(pick()), ...(kind > 0 && { rollout }) });
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    running = false;
  })();
  let sent = 0;
  const failures: unknown[] = [];
  const client = async () => {
    while (sent < 10_000 || running) {
      const value = sent++;
      const before = serving.serving.live.get('e').plan.traffic.generation;
      const { status, body } = await serving.infer('e', x(value % 1_000));
      const after = serving.serving.live.get('e').plan.traffic.generation;
      const version = Number(body['model_version']);
      const [output] = (body['outputs'] ?? []) as { data: number[] }[];
      const allowed = Array.from({ length: after - before + 1 }, (_, i) => routable.get(before + i)?.has(version));
      const right = status === 200 && output?.data[0] === version * (value % 1_000) && allowed.includes(true);
      if (!right) failures.push({ status, body, before, after });
    }
  };
  await Promise.all([commands, ...Array.from({ length: 16 }, client)]);
  assert.deepEqual(failures, []);
  let predictions = 0;
  for (let after = 0; ; ) {
    const page = await serving.serving.log.readLog('e', { after, limit: 1_000 });
    if (page.length === 0) break;
    for (const record of page) {
      assert.equal(record.seq, ++after);
      if (record.kind === 'label') continue;
      if (record.kind === 'prediction') predictions++;
      assert.equal(record.outcome, 'ok');
    }
  }
  assert.equal(predictions, sent);
});

test('the canary and its control cohort are scored by the other model too, after the answer', async () => {
  await using serving = await withLinear();
  const rollout = { id: 'r', salt: 's', challenger: ref(2), stage: 'canary', share: 0.3 } as const;
  await serving.setTraffic('e', { champion: ref(1), rollout });
  await Promise.all(Array.from({ length: 200 }, (_, i) => serving.infer('e', x(i))));
  const { log } = serving.serving;
  let records = await log.readLog('e', { after: 0, limit: 1_000 });
  const expected = () => {
    const paired = records.filter((one) => one.kind === 'prediction' && one.role !== 'champion').length;
    return 200 + paired;
  };
  for (let wait = 0; records.length < expected() && wait < 200; wait++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    records = await log.readLog('e', { after: 0, limit: 1_000 });
  }
  const predictions = new Map(records.flatMap((one) => (one.kind === 'prediction' ? [[one.id, one] as const] : [])));
  const counts = { champion: 0, challenger: 0, control: 0, shadow: 0 };
  for (const one of predictions.values()) counts[one.role]++;
  assert.ok(counts.challenger > 30 && counts.control > 30 && counts.champion > 40, JSON.stringify(counts));
  const mirrors = records.filter((one) => one.kind === 'mirror');
  assert.equal(mirrors.length, counts.challenger + counts.control);
  for (const mirror of mirrors) {
    const answered = predictions.get(mirror.predictionId);
    assert.equal(answered?.role === 'challenger' ? 'control' : 'challenger', mirror.role);
    assert.equal(mirror.version, mirror.role === 'challenger' ? 2 : 1);
    assert.equal((mirror.score ?? 0) * (answered?.version ?? 0), (answered?.score ?? 0) * mirror.version);
  }
});

test('a shadow that fails changes nothing for the client', async () => {
  await using serving = await withLinear();
  const other = { inputs: [{ name: 'i', datatype: 'INT64', shape: [-1, 1] }], outputs: linearSignature.outputs };
  await serving.addVersion({ model: 'm', version: 9, ...other }, pickyModel());
  const rollout = { id: 'r', salt: 's', challenger: ref(9), stage: 'shadow', share: 0 } as const;
  await serving.setTraffic('e', { champion: ref(1), rollout });
  const { status } = await serving.infer('e', x(1));
  assert.equal(status, 200);
  let mirror: unknown;
  for (let wait = 0; !mirror && wait < 200; wait++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    mirror = (await serving.serving.log.readLog('e', { after: 1, limit: 1 }))[0];
  }
  const { kind, role, outcome, version } = mirror as Record<string, unknown>;
  assert.deepEqual({ kind, role, outcome, version }, { kind: 'mirror', role: 'shadow', outcome: 'error', version: 9 });
});

test('rolls back over HTTP, and forward again', async () => {
  await using serving = await withLinear();
  await serving.setTraffic('e', { champion: ref(2), previous: ref(1) });
  const rollBack = () =>
    serving.app.inject({ method: 'POST', url: '/api/v1/endpoints/e/rollback', payload: { reason: 'bad' } });
  assert.equal((await rollBack()).json().traffic.champion.version, 1);
  assert.equal((await serving.infer('e', x(5))).body['model_version'], '1');
  assert.equal((await rollBack()).json().traffic.champion.version, 2);
  const view = (await serving.app.inject('/api/v1/endpoints/e')).json();
  assert.equal(view.champion.version, 2);
  assert.equal(view.previous.version, 1);
  assert.equal(view.requests, 1);
  assert.ok(view.latencyMs.p99 > 0);
  assert.match(
    (await serving.app.inject('/metrics')).body,
    /rondo_predictions_total\{endpoint="e",role="champion",error=""\} 1/,
  );
  await serving.addEndpoint({ name: 'empty' });
  const nowhere = await serving.app.inject({ method: 'POST', url: '/api/v1/endpoints/empty/rollback' });
  assert.equal(nowhere.statusCode, 409);
  assert.equal(nowhere.json().code, 'serving/nothing-to-roll-back-to');
});

test('labels are on disk when they are accepted, and once', async () => {
  await using serving = await withLinear();
  const post = (labels: unknown) =>
    serving.app.inject({ method: 'POST', url: '/api/v1/endpoints/e/labels', payload: { labels } as object });
  assert.deepEqual(
    (
      await post([
        { key: 'a', value: 1 },
        { key: 7, value: true },
      ])
    ).json(),
    { accepted: 2, known: 0 },
  );
  assert.deepEqual(
    (
      await post([
        { key: 'a', value: 1 },
        { key: 'b', value: 'x' },
      ])
    ).json(),
    { accepted: 1, known: 1 },
  );
  assert.equal((await post([{ key: 'a' }])).statusCode, 400);
});

test('closing writes down what was answered', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  {
    await using serving = await openTestServing({ folder: folder.path });
    await serving.addVersion({ model: 'm', version: 1, ...linearSignature }, linearModel({ weight: 1, bias: 0 }));
    await serving.addEndpoint({ name: 'e', log: 'buffered' }, { champion: ref(1) });
    await Promise.all(Array.from({ length: 300 }, (_, i) => serving.infer('e', x(i))));
  }
  await using again = await openTestServing({ folder: folder.path });
  await again.serving.follow();
  const records = await again.serving.log.readLog('e', { after: 0, limit: 1_000 });
  assert.equal(records.length, 300);
  // Its model is not there any more: the endpoint says so instead of being unknown.
  assert.equal((await again.infer('e', x(1))).status, 503);
});

test('takes tensors as bytes and gives them back so, as clients of the protocol do unless told otherwise', async () => {
  await using serving = await openTestServing();
  await serving.addVersion({ model: 'flight-delay', version: 1, ...columnsSignature }, columnsModel());
  await serving.addEndpoint({ name: 'flights', task: 'binary' }, { champion: { model: 'flight-delay', version: 1 } });
  const floats = Buffer.from(Float32Array.of(500, 0).buffer);
  const strings = Buffer.concat(
    ['ORD', 'LAX'].flatMap((one) => [Buffer.from([one.length, 0, 0, 0]), Buffer.from(one)]),
  );
  const header = JSON.stringify({
    inputs: [
      { name: 'origin', datatype: 'BYTES', shape: [2, 1], parameters: { binary_data_size: strings.length } },
      { name: 'distance', datatype: 'FP32', shape: [2, 1], parameters: { binary_data_size: floats.length } },
    ],
    outputs: [
      { name: 'probabilities', parameters: { binary_data: true } },
      { name: 'label', parameters: { binary_data: false } },
    ],
  });
  const send = (length: number | string, payload: Buffer) =>
    serving.app.inject({
      method: 'POST',
      url: '/v2/models/flights/infer',
      headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(length) },
      payload,
    });
  // An odd place for floats: strings come first.
  const answer = await send(header.length, Buffer.concat([Buffer.from(header), strings, floats]));
  assert.equal(answer.statusCode, 200, answer.body);
  const length = Number(answer.headers['inference-header-content-length']);
  const json = JSON.parse(answer.rawPayload.subarray(0, length).toString());
  assert.deepEqual(json.outputs[1], { name: 'label', shape: [2], datatype: 'INT64', data: [1, 0] });
  assert.deepEqual(json.outputs[0], {
    name: 'probabilities',
    shape: [2, 2],
    datatype: 'FP32',
    parameters: { binary_data_size: 16 },
  });
  const probabilities = new Float32Array(Uint8Array.from(answer.rawPayload.subarray(length)).buffer);
  assert.ok(Math.abs((probabilities[1] ?? 0) - 0.8175744761936437) < 1e-6);

  const body = Buffer.concat([Buffer.from(header), strings, floats]);
  for (const [bytes, at, message] of [
    [body, header.length + body.length, /Inference-Header-Content-Length must be/],
    [body, '-1', /Inference-Header-Content-Length must be/],
    [body.subarray(0, -1), header.length, /not the size of bytes that follow/],
    [Buffer.concat([body, Buffer.alloc(3)]), header.length, /3 bytes follow the last tensor/],
    [Buffer.concat([Buffer.from(header), floats, strings]), header.length, /longer than its bytes/],
  ] as const) {
    const refused = await send(at, bytes);
    assert.equal(refused.statusCode, 400);
    assert.match(refused.json().error, message);
  }
});

test('a plain request, which passes no framework, is answered as the framework would', async () => {
  await using serving = await openTestServing();
  await serving.addVersion({ model: 'm', version: 1, ...linearSignature }, linearModel({ weight: 2, bias: 0 }));
  await serving.addEndpoint({ name: 'e' }, { champion: { model: 'm', version: 1 } });
  await serving.addEndpoint({ name: 'nobody' });
  const url = await serving.app.listen({ host: '127.0.0.1', port: 0 });
  const good = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], data: [3] }] };
  const nested = `{"inputs":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
  const cases: readonly (readonly [string, string, number])[] = [
    ['e', JSON.stringify({ ...good, id: 'mine' }), 200],
    ['e', JSON.stringify({ ...good, parameters: { binary_data_output: true } }), 200],
    ['e', '{"inputs":', 400],
    ['e', '', 400],
    ['e', nested, 400],
    ['e', JSON.stringify({ inputs: [] }), 400],
    ['e', `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,1],"data":["${'a'.repeat(200_000)}"]}]}`, 400],
    ['nothing', JSON.stringify(good), 404],
    ['nobody', JSON.stringify(good), 503],
  ];
  const ask = async (endpoint: string, body: string, headers: Record<string, string>) => {
    const answer = await fetch(`${url}/v2/models/${endpoint}/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'the-same-one', ...headers },
      body,
    });
    // The framework gives up a connection whose body it could not read; here it was read to its end.
    const { date: _, 'keep-alive': __, connection: ___, ...told } = Object.fromEntries(answer.headers);
    // The one thing that differs between two requests is what a prediction is called.
    const text = (await answer.text()).replace(/[0-9a-z]{22}/g, 'ID');
    return { status: answer.status, headers: told, text };
  };
  for (const [endpoint, body, status] of cases) {
    const hot = await ask(endpoint, body, {});
    const framework = await ask(endpoint, body, { 'content-type': 'application/json; charset=utf-8' });
    assert.equal(hot.status, status, hot.text);
    assert.deepEqual(hot, framework);
  }
  assert.match(
    (await serving.app.inject('/metrics')).body,
    /_count\{method="POST",route="\/v2\/models\/:model\/infer",status="200"\} 4/,
  );
});

test('a body may be packed, and may not say what it is; a bomb, a torn one and an unknown coding are refused', async () => {
  await using serving = await openTestServing();
  await serving.addVersion({ model: 'm', version: 1, ...linearSignature }, linearModel({ weight: 2, bias: 0 }));
  await serving.addEndpoint({ name: 'e' }, { champion: { model: 'm', version: 1 } });
  const url = await serving.app.listen({ host: '127.0.0.1', port: 0 });
  const body = Buffer.from(JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], data: [3] }] }));
  const statusOf = async (sent: Buffer, headers: Record<string, string | number>) => {
    // `fetch` would say a type by itself.
    const asked = request(`${url}/v2/models/e/infer`, { method: 'POST', agent: false, headers });
    asked.end(sent);
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    return `${answer.statusCode} ${await text(answer)}`;
  };
  assert.match(await statusOf(body, {}), /^200 .*"data":\[6\]/);
  assert.match(await statusOf(gzipSync(body), { 'content-encoding': 'gzip' }), /^200 .*"data":\[6\]/);
  assert.match(await statusOf(deflateSync(body), { 'content-encoding': 'deflate' }), /^200 .*"data":\[6\]/);
  assert.match(await statusOf(gzipSync(body).subarray(0, 40), { 'content-encoding': 'gzip' }), /^400 /);
  assert.match(await statusOf(gzipSync(Buffer.alloc(80 * 2 ** 20)), { 'content-encoding': 'gzip' }), /^413 /);
  assert.match(await statusOf(body, { 'content-encoding': 'br' }), /^415 .*gzip or deflate/);
  // Told before it is sent: nobody uploads 100 MB to be refused.
  const large = { 'content-length': 100_000_000 };
  assert.match(await statusOf(body, { 'content-type': 'application/json', ...large }), /^413 /);
  assert.match(await statusOf(body, { 'content-type': 'application/octet-stream', ...large }), /^413 /);
  assert.match(await statusOf(body, { 'content-type': 'text/plain' }), /^415 /);
  assert.match(await statusOf(body, {}), /^200 /);
});
