/** The published description of the API, as generators of clients read it. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { spawnServer } from './spawned-server.ts';

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
