/** OpenAPI 3.1 of our own API, from the routes' own schemas. */
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { type ErrorCode, errorCatalogue, PlatformError } from '../errors.ts';

const documented = /^\/(api\/v1|health|metrics)/;

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
    transform: ({ schema, url }) => ({ url, schema: { ...schema, hide: !documented.test(url) } }),
  });

  app.get('/api/v1/openapi.json', { config: { permission: 'public' }, schema: { hide: true } }, async () =>
    app.swagger(),
  );
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
