/** How a call of MLflow's API becomes a route: both prefixes, its own reading of bodies, its own writing of answers. */
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isDeeperThan, maxJsonDepth } from '../http/json-body.ts';
import { parseJson } from './json.ts';
import { type Fields, invalidRequest, type Message, readMessage, readQuery } from './message.ts';

/** What a call is made with, besides its message. */
export type CallContext = {
  readonly actor: string;
  /** Path parameters, decoded once. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly reply: FastifyReply;
};

export type Call<F extends Fields> = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | readonly ('GET' | 'POST')[];
  /** Below the prefix: `/mlflow/runs/create`. */
  readonly path: string;
  readonly permission: 'read' | 'write' | 'admin';
  readonly fields: F;
  readonly prefixes?: readonly string[];
  /** Its path ends with one of an artifact, which may have encoded slashes. */
  readonly encodedPath?: true;
};

/** The prefix of clients and that of upstream's web page. */
export const callPrefixes = ['/api/2.0', '/ajax-api/2.0'];

/** Adds a call. The answer becomes the body, with status 200: upstream's clients take nothing else for success. */
export function addCall<F extends Fields>(
  app: FastifyInstance,
  call: Call<F>,
  answer: (message: Message<F>, context: CallContext) => Promise<object | string>,
): void {
  for (const prefix of call.prefixes ?? callPrefixes) {
    app.route({
      method: typeof call.method === 'string' ? call.method : [...call.method],
      url: prefix + call.path,
      config: { permission: call.permission, ...(call.encodedPath && { encodedPath: call.encodedPath }) },
      handler: async (request, reply) => {
        const params = request.params as Record<string, string>; // the router gives texts
        const query = queryOf(request);
        const isAsked = request.method === 'GET' || request.method === 'HEAD';
        const message = isAsked ? readQuery(call.fields, query) : readMessage(call.fields, bodyOf(request));
        const body = await answer(message, { actor: request.actor, params, query, reply });
        return reply.type('application/json').send(typeof body === 'string' ? body : JSON.stringify(body));
      },
    });
  }
}

/** JSON twice over is read twice, as old clients send it. Upstream takes broken JSON for an empty message and acts on it; we do not. */
function bodyOf(request: FastifyRequest): unknown {
  if (request.method === 'POST') requireJsonType(request.headers['content-type']);
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  if (bytes.length < 64 && bytes.toString('latin1').trim() === '') return undefined;
  const once = parsed(bytes);
  const body = typeof once === 'string' ? parsed(Buffer.from(once)) : once;
  if (typeof body !== 'object' || Array.isArray(body)) throw invalidRequest('The body must be a JSON object.');
  return body;
}

function parsed(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw invalidRequest('The body is not UTF-8.');
  if (isDeeperThan(maxJsonDepth, bytes)) {
    throw invalidRequest(`The body is nested deeper than ${maxJsonDepth} levels.`);
  }
  try {
    return parseJson(bytes.toString());
  } catch (error) {
    throw invalidRequest(`The body is not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function requireJsonType(contentType: string | undefined): void {
  if (contentType === undefined) throw invalidRequest('Bad Request. Content-Type header is missing.');
  if (contentType.split(';')[0] === 'application/json') return;
  throw invalidRequest("Bad Request. Content-Type must be one of ['application/json'].");
}

export function queryOf(request: FastifyRequest): URLSearchParams {
  const at = request.url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : request.url.slice(at + 1));
}

/** Notebooks log inputs with profiles of 16 MB, and the end of an upload names 10,000 URLs. */
const bodyLimit = 32 * 1024 * 1024;

/** Inside this plugin bodies stay as they come, of whatever type: upstream says itself what is wrong with them. */
export function takeBodies(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    route.bodyLimit = bodyLimit;
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}
