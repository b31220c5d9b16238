/** OpenAPI 3.1 of our own API, from the routes' own schemas. */
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { type ErrorCode, errorCatalogue, PlatformError } from '../errors.ts';

const documented = /^\/(api\/v1|v2|health|metrics)/;

/** Register before any route. */
export async function publishOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Rondo',
        version,
        description: 'From training data to production and back. Errors are application/problem+json (RFC 9457).',
      },
      servers: [{ url: '/' }],
      security: [{ token: [] }, { password: [] }],
      components: {
        securitySchemes: { token: { type: 'http', scheme: 'bearer' }, password: { type: 'http', scheme: 'basic' } },
      },
    },
    transform: ({ schema, url, route }) => ({
      url,
      schema: {
        ...schema,
        ...(route.config?.reads && { body: route.config.reads }),
        hide: !documented.test(url) || (schema as { hide?: boolean } | undefined)?.hide === true,
        operationId: operationId([route.method].flat()[0] ?? '', url),
        'x-permission': route.config?.permission,
        ...(route.config?.permission === 'public' && { security: [] }),
      },
    }),
    transformObject: (document) => complete('openapiObject' in document ? document.openapiObject : {}),
  });

  let written: unknown;
  app.get('/api/v1/openapi.json', { config: { permission: 'public' }, schema: { hide: true } }, async () => {
    written ??= app.swagger(); // routes are all there before the first request
    return written;
  });
  // Where the `type` of a problem leads.
  app.get(
    '/api/v1/errors/:folder/:what',
    {
      config: { permission: 'public' },
      schema: {
        tags: ['errors'],
        summary: 'What an error code means',
        params: Type.Object({ folder: Type.String(), what: Type.String() }),
        response: { 200: Type.Object({ code: Type.String(), status: Type.Integer(), says: Type.String() }) },
      },
    },
    async ({ params }) => {
      const { folder, what } = params as { folder: string; what: string }; // as the schema above says
      const code = `${folder}/${what}`;
      if (!Object.hasOwn(errorCatalogue, code)) throw new PlatformError('http/not-found', `/api/v1/errors/${code}`);
      const kind = errorCatalogue[code as ErrorCode]; // hasOwn checked it
      return { code, status: kind.status, says: kind.says('…') };
    },
  );
}

/** `GET /api/v1/runs/:id/metrics` becomes `getRunsIdMetrics`: a method's name in a generated client. */
function operationId(method: string, url: string): string {
  const words = url.replace(/^\/api\/v1/, '').match(/[A-Za-z0-9]+/g) ?? [];
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

type Document = {
  paths?: Record<string, object | undefined> | undefined;
  components?: { schemas?: Record<string, object> | undefined } | undefined;
};

/** What every operation has in common, which no route should have to repeat. */
function complete<T extends Document>(document: T): T {
  const content = { [problemMedia]: { schema: { $ref: '#/components/schemas/Problem' } } };
  for (const operations of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(operations ?? {}) as { responses: Record<string, object> }[]) {
      operation.responses['4XX'] = {
        content,
        ...operation.responses['4XX'],
        description: 'What was wrong with the request',
      };
      operation.responses['5XX'] = { content, ...operation.responses['5XX'], description: 'What failed here' };
    }
  }
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Problem: problemSchema },
  };
  return tuplesOf2020(withComponents(document)) as T;
}

/** What has a name as its title is told once, and referred to: generators of clients make a type of it. */
function withComponents<T extends Document>(document: T): T {
  const schemas: Record<string, object> = { ...document.components?.schemas };
  const texts = new Map<string, string>();
  const refer = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(refer);
    if (typeof value !== 'object' || value === null) return value;
    const { title, type } = value as { title?: unknown; type?: unknown };
    const inner = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, refer(one)]));
    if (type !== 'object' || typeof title !== 'string' || !/^[A-Z][A-Za-z]+$/.test(title)) return inner;
    const text = JSON.stringify(inner);
    if (texts.has(title) && texts.get(title) !== text) return inner;
    texts.set(title, text);
    schemas[title] = inner;
    return { $ref: `#/components/schemas/${title}` };
  };
  const paths = refer(document.paths ?? {}) as NonNullable<Document['paths']>; // the same paths
  return { ...document, paths, components: { ...document.components, schemas } };
}

const problemMedia = 'application/problem+json';

const problemSchema = Type.Object(
  {
    type: Type.String({ description: 'Where the code is explained' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What happened to which thing' }),
    code: Type.String({ description: 'Stable: programs look at this' }),
    fix: Type.Optional(Type.String({ description: 'What to do about it' })),
    errors: Type.Optional(
      Type.Array(Type.Object({ pointer: Type.String(), message: Type.String() }), {
        description: 'The places in the body that are wrong, as JSON Pointers',
      }),
    ),
    data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    requestId: Type.String(),
  },
  { description: 'RFC 9457' },
);

/** TypeBox writes tuples as drafts before 2020-12 did; OpenAPI 3.1 reads the later form only. */
function tuplesOf2020(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tuplesOf2020);
  if (typeof value !== 'object' || value === null) return value;
  const { items, additionalItems, ...rest } = value as Record<string, unknown>;
  const others = Object.fromEntries(Object.entries(rest).map(([key, inner]) => [key, tuplesOf2020(inner)]));
  if (items === undefined) return others;
  return Array.isArray(items)
    ? { ...others, prefixItems: items.map(tuplesOf2020), ...(additionalItems === false && { items: false }) }
    : { ...others, items: tuplesOf2020(items) };
}
