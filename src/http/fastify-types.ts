/** What this server adds to Fastify's own types; every file that sees http/ sees them. */
import type { TSchema } from 'typebox';
import type { HotRoute } from './hot-routes.ts';
import type { Permission, Role } from './permission.ts';
import type { ErrorRenderer } from './render-error.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route declares one, or the server does not boot. */
    readonly permission?: Permission;
    /** Who signed the request, for `permission: 'signed'`; throws when nobody did. */
    readonly verify?: (request: FastifyRequest) => Promise<string>;
    /** Answers whatever `Host` says: for probes that know only an address. */
    readonly anyHost?: boolean;
    /** What a body looks like that the route reads and checks by itself: for whoever reads the description of the API. */
    readonly reads?: TSchema;
    /** The route reads encoded slashes in `request.raw.url` itself, and decodes them exactly once. */
    readonly encodedPath?: boolean;
  }
  interface FastifyRequest {
    /** Who calls: `user:ada`, `token:ada/ci`; `owner` on loopback without accounts; empty on a public route. */
    actor: string;
    role: Role | undefined;
  }
  interface FastifyInstance {
    readonly rondo: {
      /** A face writes its own errors below its prefix; it also gets the framework's (404, 405, 413, 415, broken JSON). */
      renderErrors(prefix: string, renderer: ErrorRenderer): void;
      /** Answers plain requests to a route of this address beside the framework; the route itself is registered all the same. */
      answerHot(route: HotRoute): void;
      /** Aborted when the server begins to close: whoever waits for something answers now. */
      readonly closing: AbortSignal;
    };
  }
}
