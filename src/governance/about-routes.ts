/** What this server is, and the last client it heard: a page that waits for a first run can tell "nothing yet" from "never reached". */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { maybe, time } from '../http/view.ts';

export type AboutDeps = { readonly version: string; readonly dataFolder: string; readonly now: () => number };

const contact = Type.Object({
  method: Type.String(),
  path: Type.String({ description: 'Without its query' }),
  from: Type.String({ description: 'An address' }),
  at: time(),
  status: Type.Integer({ description: 'Of the answer' }),
});

export function aboutRoutes({ version, dataFolder, now }: AboutDeps): FastifyPluginAsyncTypebox {
  const plugin: FastifyPluginAsyncTypebox = async (app) => {
    let lastContact: Static<typeof contact> | undefined;
    app.addHook('onResponse', (request, reply, done) => {
      // A browser that shows our own pages says so; what it asks is no contact.
      if (request.headers['sec-fetch-site'] === undefined && request.routeOptions.url !== undefined) {
        const path = request.url.split('?', 1)[0] ?? '/';
        lastContact = { method: request.method, path, from: request.ip, at: now(), status: reply.statusCode };
      }
      done();
    });
    const tags = ['server'];
    app.get(
      '/api/v1/version',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'The version of this server, and its data folder',
          response: {
            200: Type.Object({
              version: Type.String(),
              folder: Type.String({ description: "A path on the server's machine" }),
            }),
          },
        },
      },
      async () => ({ version, folder: dataFolder }),
    );
    app.get(
      '/api/v1/contact',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'The last client that was heard; a browser that shows our own pages is none',
          response: { 200: Type.Object({ lastContact: maybe(contact) }) },
        },
      },
      async () => ({ lastContact }),
    );
  };
  // Its hook is for every route, not only for its own.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true });
}
