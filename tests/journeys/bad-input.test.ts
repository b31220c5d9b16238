/** Whatever arrives, the answer is a 4xx that says why, and the server lives on. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { linearModel } from '../fixtures/onnx/tiny-models.ts';
import { writeOnnx } from '../fixtures/onnx/write-onnx.ts';
import { infer, linkProject, registerModel, type Spawned, ship, spawnServer, until } from './spawned-server.ts';

const x = (value: string) => `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,1],"data":[${value}]}]}`;
const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
const mlflow = '/api/2.0/mlflow';
const files = '/api/2.0/mlflow-artifacts/artifacts';
const inferAt = '/v2/models/line/infer';

/** Method, path, body as it is sent, status, what the reason says. */
const cases: readonly (readonly [string, string, string, number, RegExp])[] = [
  ['POST', '/v2/models/nobody/infer', x('1'), 404, /nobody/],
  ['GET', '/api/v1/models/nobody', '', 404, /nobody/],
  ['GET', '/api/v1/endpoints/nobody', '', 404, /nobody/],
  ['GET', '/api/v1/rollouts/nobody', '', 404, /nobody/],
  ['GET', '/api/v1/projects/nobody', '', 404, /nobody/],
  ['GET', `${mlflow}/registered-models/get?name=nobody`, '', 404, /nobody/],
  ['GET', `${mlflow}/runs/get?run_id=nobody`, '', 404, /nobody/],
  ['GET', '/no/such/address', '', 404, /no\/such\/address/],
  ['DELETE', '/api/v1/endpoints/line', '', 405, /DELETE/],

  ['POST', inferAt, '{"inputs": [', 400, /JSON/],
  ['POST', inferAt, x('NaN'), 400, /JSON/],
  ['POST', inferAt, x('1e999'), 400, /Infinity/],
  ['POST', inferAt, x('"1"'), 400, /takes finite numbers/],
  ['POST', inferAt, x('1, 2'), 400, /has 2 values, its shape \[1,1\] holds 1/],
  ['POST', inferAt, x('1').replace('[1,1]', '[1,2]'), 400, /shape/],
  ['POST', inferAt, x('1').replace('FP32', 'INT64'), 400, /takes FP32/],
  ['POST', inferAt, '[]', 400, /must be a JSON object/],
  ['POST', inferAt, '"text"', 400, /./],
  ['POST', inferAt, x(deep), 400, /./],

  ['POST', '/api/v1/endpoints/line/labels', '{"labels": 3}', 400, /labels/],
  ['POST', '/api/v1/endpoints/line/labels', '{"labels": [{"key": "a", "value": NaN}]}', 400, /JSON/],
  ['POST', '/api/v1/endpoints/line/labels', '{"labels": [{"key": "a"}]}', 400, /value/],
  ['POST', '/api/v1/endpoints/line/labels', deep, 400, /./],
  ['PUT', '/api/v1/projects/other', '{"folder": "/no/such/folder"}', 404, /no\/such\/folder/],
  ['PUT', '/api/v1/projects/other', '{"folder": 3}', 400, /folder/],
  ['POST', '/api/v1/projects/lines/ship', '{"version": 99}', 404, /99/],
  ['POST', '/api/v1/projects/lines/ship', '{"version": "newest"}', 400, /version/],
  ['GET', '/api/v1/events?limit=many', '', 400, /limit/],
  ['GET', '/api/v1/models/line/versions/one', '', 400, /version/],

  ['POST', `${mlflow}/runs/create`, '{', 400, /not valid JSON/],
  ['POST', `${mlflow}/runs/create`, deep, 400, /nested deeper/],
  ['POST', `${mlflow}/runs/create`, '[]', 400, /must be a JSON object/],
  ['POST', `${mlflow}/runs/create`, `{"experiment_id": ${deep}}`, 400, /nested deeper/],
  ['POST', `${mlflow}/runs/create`, '{"experiment_id": "99"}', 404, /99/],
  ['POST', `${mlflow}/runs/search`, '{"experiment_ids": ["0"], "filter": "metrics.a >"}', 400, /./],
  ['POST', `${mlflow}/runs/search`, '{"experiment_ids": ["0"], "max_results": 9999999}', 400, /max_results/],
  ['POST', `${mlflow}/registered-models/create`, '{"name": ""}', 400, /name/],
  ['PUT', '/api/2.0/mlflow-artifacts/artifacts/../../etc/x', 'x', 400, /Invalid path/],
  ['PUT', '/api/2.0/mlflow-artifacts/artifacts/0/%2e%2e%2f%2e%2e/x', 'x', 400, /./],
  ['PUT', `${files}/..%2f..%2fetc/x`, 'x', 400, /Invalid path/],
  ['PUT', `${files}//etc/x`, 'x', 400, /Invalid path/],
  ['PUT', `${files}/%2fetc/x`, 'x', 400, /Invalid path/],
  ['PUT', `${files}/0/..%5c..%5cx`, 'x', 400, /Invalid path/],
  ['PUT', `${files}/C:/x`, 'x', 400, /Invalid path/],
  ['PUT', `${files}/0/a%00b`, 'x', 400, /Invalid path/],
  ['PUT', `${files}/0/a%0ab`, 'x', 400, /not a path/],
  ['PUT', `${files}/0/.rondo-incoming/x`, 'x', 400, /not a path/],
  ['PUT', `${files}/0/${'x'.repeat(300)}`, 'x', 400, /not a path/],
  ['PUT', `${files}/${'x/'.repeat(3000)}x`, 'x', 400, /not a path/],
  ['PUT', `${files}/`, 'x', 400, /not a path/],
  ['DELETE', `${files}/`, '', 400, /not a path/],
  ['DELETE', `${files}/..%2f..%2fdata`, '', 400, /Invalid path/],
  ['GET', `${files}/0/..%252f..%252fetc`, '', 404, /No such artifact/],
  ['GET', `${files}?path=..%2f..`, '', 400, /Invalid path/],
  ['GET', `${files}?path=/etc`, '', 400, /Invalid path/],
  ['POST', '/api/2.0/mlflow-artifacts/mpu/create/..%2fx', '{"path": "x", "num_parts": 1}', 400, /Invalid path/],
  ['PATCH', `${files}/0/x`, '', 405, /error_code/],
];

test('bad requests are answered with the reason, on every face', async (t) => {
  await using place = await folder();
  await using server = await serving(place.path);
  for (const [method, path, body, status, reason] of cases) {
    await t.test(`${method} ${path} ${body.slice(0, 60)}`, async () => {
      const answer = await send(server, { method, path, body });
      assert.equal(answer.status, status, answer.text);
      assert.match(answer.text, reason);
    });
  }

  // MLflow's own error codes have none for it.
  const tooLarge = { [inferAt]: 413, '/api/v1/endpoints/line/labels': 413, [`${mlflow}/runs/create`]: 400 };
  for (const [path, status] of Object.entries(tooLarge)) {
    await t.test(`100 MB for ${path} are refused before they have arrived`, async () => {
      const answer = await send(server, { method: 'POST', path, body: '{"inputs":', length: 100_000_000 });
      assert.equal(answer.status, status, answer.text);
      assert.match(answer.text, /larger/);
    });
  }

  assert.deepEqual((await infer(server, 3)).body.outputs[0].data, [7]);
  assert.equal((await server.call('GET', '/health/ready')).status, 200);
  assert.doesNotMatch(server.stderr(), /http\/internal/);
});

const relu = { op: 'Relu', inputs: ['x'], outputs: ['y'] };
const floats = (name: string) => ({ name, type: 'float', shape: ['n', 1] }) as const;
const plain = { inputs: [floats('x')], outputs: [floats('y')], nodes: [relu] };
const add = { ...plain, nodes: [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }] };

const hostile: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ['is no ONNX file', Buffer.from('<html>not a model</html>'), /onnx\/malformed/],
  ['ends too early', linearModel({ weight: 2, bias: 1 }).subarray(0, 60), /onnx\/malformed/],
  [
    'reads a file outside of its folder',
    writeOnnx({ ...add, constants: [{ name: 'w', shape: [1], location: '../../x' }] }),
    /onnx\/external-path/,
  ],
  [
    'has a tensor of 10^12 elements',
    writeOnnx({ ...add, constants: [{ name: 'w', shape: [1_000_000, 1_000_000], floats: [] }] }),
    /onnx\/huge-shape/,
  ],
  [
    'answers with no tensor',
    writeOnnx({
      ...plain,
      outputs: [{ ...floats('y'), isSequence: true }],
      nodes: [{ op: 'SequenceConstruct', inputs: ['x'], outputs: ['y'] }],
    }),
    /onnx\/\S*(output|sequence|zipmap|tensor)\S*/i,
  ],
  ['uses an operator nobody has', writeOnnx({ ...plain, nodes: [{ ...relu, op: 'Nonsense' }] }), /Nonsense/],
];

test('a hostile or broken model is refused with the reason, and is not shipped', async (t) => {
  await using place = await folder();
  await using server = await serving(place.path);
  for (const [what, bytes, reason] of hostile) {
    await t.test(`a model that ${what}`, async () => {
      const version = await registerModel(server, { name: 'line', files: { 'model.onnx': bytes } });
      type Registered = { status: string; statusMessage: string; sealed: { findings: { severity: string }[] } };
      const view = await server.must<Registered>('GET', `/api/v1/models/line/versions/${version}`);
      const runsElsewhere = /Nonsense/.test(reason.source);
      assert.equal(view.status, runsElsewhere ? 'READY' : 'FAILED_REGISTRATION');
      assert.equal(view.statusMessage === '', runsElsewhere);
      const refused = view.sealed.findings.filter(({ severity }) => severity === 'refuse');
      assert.match(JSON.stringify(refused), reason, JSON.stringify(view));
      const { operation } = await server.must<{ operation: string }>('POST', '/api/v1/projects/lines/ship', {
        version,
      });
      const shipped = await server.must('GET', `/api/v1/operations/${operation}?wait=30`);
      assert.equal((shipped as { state: string }).state, 'failed', JSON.stringify(shipped));
      assert.match(JSON.stringify(shipped), /registry\/not-servable/);
    });
  }
  assert.deepEqual((await infer(server, 3)).body.outputs[0].data, [7]);
});

const folder = () => mkdtempDisposable(join(tmpdir(), 'rondo-bad-'));

/** With an endpoint that answers 2x + 1. */
async function serving(place: string): Promise<Spawned> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await spawnServer({ dataFolder: join(place, 'data') }));
  await linkProject(server, { folder: join(place, 'project') });
  const model = linearModel({ weight: 2, bias: 1 });
  await ship(server, await registerModel(server, { name: 'line', files: { 'model.onnx': model } }));
  await until('it serves', async () => (await infer(server, 0)).status === 200);
  stack.move();
  return server;
}

type Raw = { readonly method: string; readonly path: string; readonly body: string; readonly length?: number };

/** Byte by byte as given: `fetch` would tidy paths and refuse bodies. */
async function send({ url }: Spawned, { method, path, body, length }: Raw): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const { hostname, port } = new URL(url);
  const headers = {
    'content-type': path.includes('artifacts/artifacts') ? 'application/octet-stream' : 'application/json',
    'content-length': length ?? Buffer.byteLength(body),
  };
  const sent = request({ hostname, port, method, path, headers, agent: false }, (answer) => {
    let text = '';
    answer.setEncoding('utf8').on('data', (part) => (text += part));
    answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text })).on('error', reject);
  });
  sent.on('error', reject);
  if (length === undefined) sent.end(body);
  else sent.write(body); // the rest never comes
  const answer = await promise;
  sent.destroy();
  return answer;
}
