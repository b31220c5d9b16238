/** What this server is, and the last client it heard: a page that waits for a first run can tell "nothing yet" from "never reached". */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';

export type AboutDeps = { readonly version: string; readonly dataFolder: string; readonly now: () => number };

type Contact = {
  readonly method: string;
  readonly path: string;
  readonly from: string;
  readonly at: number;
  readonly status: number;
};

export function aboutRoutes({ version, dataFolder, now }: AboutDeps): FastifyPluginAsync {
  const plugin = async (app: FastifyInstance) => {
    let lastContact: Contact | undefined;
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
      { config: { permission: 'read' }, schema: { tags, summary: 'The version of this server, and its data folder' } },
      () => ({ version, folder: dataFolder }),
    );
    app.get(
      '/api/v1/contact',
      { config: { permission: 'read' }, schema: { tags, summary: 'The last client that was heard' } },
      () => ({ lastContact }),
    );
  };
  // Its hook is for every route, not only for its own.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true });
}
