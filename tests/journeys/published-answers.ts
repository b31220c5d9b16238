/** Holds what a running server answers to what it publishes: to the schema of the operation, with nothing beside what that names. */
import assert from 'node:assert/strict';
import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { closedSchema } from '../../src/http/test-answers.ts';

type Answer = { readonly method: string; readonly path: string; readonly status: number; readonly body: unknown };
type Responses = Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>>;
type Published = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Responses }>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
};

let operations: Promise<ReturnType<typeof operationsOf>> | undefined;
const validators = new WeakMap<object, Validator>();

/** @param url of a server of these sources: all of them publish the same */
export async function checkPublished(url: string, { method, path, status, body }: Answer): Promise<void> {
  if (status < 200 || status >= 300 || !/^\/(api\/v1|v2|health)\b/.test(path)) return;
  // As the test of the document finds it.
  operations ??= fetch(new URL('/api/v1/openapi.json', url)).then(async (answer) =>
    operationsOf((await answer.json()) as Published),
  );
  const [name = ''] = path.split('?', 1);
  const found = (await operations).find((one) => one.method === method && one.pattern.test(name));
  if (!found) return; // such as the document itself
  const response = found.responses[status] ?? found.responses['2XX'];
  assert.ok(response, `${method} ${name} does not publish a ${status}`);
  const schema = response.content?.['application/json']?.schema;
  assert.ok(schema, `${method} ${name} does not publish JSON`);
  const validator = validators.get(schema) ?? Compile(closedSchema(schema) as TSchema);
  validators.set(schema, validator);
  const errors = validator.Check(body) ? [] : validator.Errors(body);
  const told = errors.slice(0, 5).map((one) => `${one.instancePath} ${one.message} ${JSON.stringify(one.params)}`);
  assert.deepEqual(told, [], `${method} ${name} answers something else than it publishes`);
}

/** Those without a parameter first: `/runs/groups` is no `/runs/{id}`. */
function operationsOf({ paths, components }: Published) {
  const inPlace = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inPlace);
    if (typeof value !== 'object' || value === null) return value;
    const { $ref } = value as { $ref?: unknown };
    if (typeof $ref === 'string') return inPlace(components.schemas[$ref.replace('#/components/schemas/', '')]);
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, inPlace(one)]));
  };
  return Object.entries(paths)
    .toSorted(([a], [b]) => a.split('{').length - b.split('{').length)
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { responses }]) => ({
        method: method.toUpperCase(),
        pattern: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
        responses: inPlace(responses) as Responses,
      })),
    );
}
