/** The published description of the API, as generators of clients read it. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { linearModel } from '../fixtures/onnx/tiny-models.ts';
import { infer, linkProject, registerModel, type Spawned, ship, spawnServer, until } from './spawned-server.ts';

type Operation = {
  operationId?: string;
  summary?: string;
  tags?: string[];
  security?: unknown[];
  'x-permission'?: string;
  parameters?: { name: string; in: string }[];
  responses: Record<string, { description?: string; content?: Record<string, { schema?: object }> }>;
};
type Document = {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
};

test('every operation says who may call it, what it is for, and what it answers when it refuses', async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-openapi-'));
  await using server = await spawnServer({ dataFolder: place.path });
  const document = await server.must<Document>('GET', '/api/v1/openapi.json');
  assert.equal(document.openapi, '3.1.0');
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, operation })),
  );
  assert.ok(operations.length > 100, `only ${operations.length} operations`);
  const lacking = operations.flatMap(({ name, path, operation }) => {
    const { operationId, summary, tags = [], responses, parameters = [] } = operation;
    const good = Object.entries(responses).filter(([status]) => /^[123]/.test(status));
    // Only 204 has no body.
    const ok =
      good.length > 0 &&
      good.every(([status, { content }]) =>
        status === '204'
          ? content === undefined
          : Object.values(content ?? {}).some(({ schema }) => schema && Object.keys(schema).length > 0),
      );
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, one]) => one);
    const declared = parameters.filter((one) => one.in === 'path').map((one) => one.name);
    const isPublic = operation['x-permission'] === 'public';
    return [
      ...(operationId && summary && tags.length === 1 ? [] : [`${name} has no id, summary or tag`]),
      ...(ok && responses['4XX']?.content ? [] : [`${name} does not say what it answers`]),
      ...(/^(public|signed|read|write|deploy|admin)$/.test(operation['x-permission'] ?? '')
        ? []
        : [`${name}: who may?`]),
      ...((operation.security?.length === 0) === isPublic ? [] : [`${name} asks for the wrong credentials`]),
      ...(named.toSorted().join() === declared.toSorted().join() ? [] : [`${name} does not declare its parameters`]),
    ];
  });
  assert.deepEqual(lacking, []);
  const ids = operations.map(({ operation }) => operation.operationId);
  assert.equal(new Set(ids).size, ids.length);
  // A name stands for one thing only: what had it and was another would be told in place.
  assert.doesNotMatch(JSON.stringify(document.paths), /"title":"[A-Z][A-Za-z]+"/);
  assert.ok(Object.keys(document.components.schemas).length > 30);
  // Tuples are `prefixItems` in the JSON Schema of OpenAPI 3.1, and references lead somewhere.
  const text = JSON.stringify(document);
  assert.doesNotMatch(text, /"items":\[|"additionalItems"/);
  for (const [, target = ''] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    let at: unknown = document;
    for (const key of target.split('/')) at = (at as Record<string, unknown> | undefined)?.[key];
    assert.ok(at, `#/${target} leads nowhere`);
  }
});

test('what a server answers about a model that serves is what it publishes', async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-openapi-'));
  await using server = await spawnServer({ dataFolder: join(place.path, 'data') });
  await linkProject(server, { folder: join(place.path, 'project') });
  const version = await registerModel(server, {
    name: 'line',
    files: { 'model.onnx': linearModel({ weight: 2, bias: 0 }) },
  });
  const rollout = await ship(server, version);
  await until('it serves', async () => (await infer(server, 3)).status === 200);
  const predicted = await server.must<{ parameters: { prediction_ids: string } }>('POST', '/v2/models/line/infer', {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], data: [3] }],
  });
  await server.must('POST', '/api/v1/models/line/versions/1/seal');
  // `spawnServer` holds every answer to the schema of its operation.
  for (const path of [...(await listsOf(server)), ...singles(rollout.id, predicted.parameters.prediction_ids)]) {
    await server.must('GET', path);
  }
  await server.must('POST', `/api/v1/predictions/${predicted.parameters.prediction_ids}/replay`);
  const [run] = (await server.must<{ items: { id: string }[] }>('GET', '/api/v1/runs?total=true')).items;
  assert.ok(run);
  for (const rest of ['', '/metrics', '/artifacts', '/series?key=none']) {
    await server.must('GET', `/api/v1/runs/${run.id}${rest}`);
  }
  await server.must('GET', `/api/v1/runs/${run.id}/artifacts/preview?path=model/model.onnx`);
});

/** Everything that can be read without naming anything. */
async function listsOf(server: Spawned): Promise<readonly string[]> {
  const { paths } = await server.must<Document>('GET', '/api/v1/openapi.json');
  return Object.entries(paths)
    .filter(([path, { get }]) => get && !/\{|stream$|groups$|export$/.test(path))
    .map(([path]) => path);
}

const singles = (rollout: string, prediction: string): readonly string[] => [
  '/api/v1/runs/groups?by=attributes.status&metrics=auc',
  `/api/v1/rollouts/${rollout}`,
  `/api/v1/predictions/${prediction}`,
  '/api/v1/projects/lines',
  '/api/v1/models/line',
  '/api/v1/models/line/history',
  '/api/v1/models/line/versions/1',
  '/api/v1/experiments/0',
  '/api/v1/endpoints/line',
  '/api/v1/endpoints/line/monitors',
  '/api/v1/endpoints/line/summaries',
  '/api/v1/endpoints/line/summaries?by=version',
  '/v2/models/line',
  '/v2/models/line/ready',
  '/v2/models/line/versions/1',
  '/v2/models/line/versions/1/ready',
];
