/** Open Inference Protocol, version 2, over HTTP. The hot path starts here. */
import { createGunzip, createInflate, type Gunzip, type Inflate } from 'node:zlib';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest, RequestPayload } from 'fastify';
import { type TSchema, Type } from 'typebox';
import '../http/fastify-types.ts';
import { PlatformError } from '../errors.ts';
import type { ErrorRenderer } from '../http/render-error.ts';
import {
  inferAnswerView,
  inferErrorView,
  inferRequest,
  modelMetadataView,
  serverMetadataView,
} from './inference-view.ts';
import { type JsonText, parseBinaryBody, parseJsonText } from './json-text.ts';
import type { LiveEndpoint, LiveEndpoints } from './live-endpoints.ts';
import { describeModel } from './open-inference.ts';
import { jsonLength, type PredictDeps, predict } from './predict.ts';
import { sameVersion } from './traffic.ts';

export type InferRoutesDeps = PredictDeps & {
  readonly live: LiveEndpoints;
  /** Of the program. */
  readonly version: string;
};

const tags = ['inference'];
const probe = { permission: 'public', anyHost: true } as const;
const refusals = { '4xx': inferErrorView, '5xx': inferErrorView } as const;
const modelReady = Type.Object({ name: Type.String(), ready: Type.Boolean() });
const oneOrOther = <T extends TSchema>(view: T) => ({ ...refusals, 200: view, 503: view });
const inferAnswer = {
  description: 'In JSON; with `binary_data`, the JSON and after it the tensors as bytes',
  content: {
    'application/json': { schema: inferAnswerView },
    'application/octet-stream': { schema: Type.Unsafe<unknown>(Type.String({ format: 'binary' })) },
  },
};

/** A tensor of 64 MiB is what the common servers of this protocol take. */
const bodyLimit = 64 * 2 ** 20;

export const inferRoutes =
  (deps: InferRoutesDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { live } = deps;
    app.rondo.renderErrors('/v2', renderInferError);
    // Triton's client says nothing of what it sends; a page of another origin that does so is refused by its origin.
    app.addHook('onRequest', (request, _reply, done) => {
      request.headers['content-type'] ??= 'application/json';
      done();
    });
    app.addHook('preParsing', (request, _reply, payload, done) => {
      const coding = request.headers['content-encoding'] ?? 'identity';
      if (coding === 'identity') return done(null, payload);
      const decoder = decoders[coding]?.();
      if (!decoder) return done(unknownCoding(request, coding), undefined);
      // What comes out is held to the limit of the route; what went in, to the length that was announced.
      const decoded: RequestPayload = Object.assign(decoder, { receivedEncodedLength: 0 });
      payload.on('data', (chunk: Buffer) => {
        decoded.receivedEncodedLength = (decoded.receivedEncodedLength ?? 0) + chunk.length;
      });
      payload.on('error', (error) => decoder.destroy(error));
      done(null, payload.pipe(decoder));
    });
    app.removeContentTypeParser('application/json');
    for (const type of ['application/json', 'application/octet-stream']) {
      app.addContentTypeParser(type, { parseAs: 'buffer' }, (request, body: Buffer, done) => {
        try {
          const header = request.headers[jsonLength];
          const isJson = type === 'application/json' && header === undefined;
          done(null, isJson ? parseJsonText(body) : parseBinaryBody(body, header?.toString()));
        } catch (error) {
          done(error as Error, undefined); // the parsers throw PlatformErrors only
        }
      });
    }

    const reply = async (model: string, pinned: string | undefined, request: FastifyRequest, to: FastifyReply) => {
      const { value, exact } = (request.body ?? nothing) as JsonText; // by the parsers above
      const { body, headers, afterwards } = await predict(deps, live.get(model), { body: value, exact, pinned });
      for (let at = 0; at < headers.length; at += 2) to.header(headers[at] ?? '', headers[at + 1]);
      to.send(body);
      afterwards?.();
      return to;
    };
    const read = { permission: 'read' } as const;
    const post = {
      config: { ...read, reads: inferRequest },
      bodyLimit,
      schema: { tags, response: { 200: inferAnswer, ...refusals } },
    };
    type One = { Params: { model: string } };
    type Pinned = { Params: { model: string; version: string } };

    app.post<One>(
      inferUrl,
      { ...post, schema: { ...post.schema, summary: 'Ask an endpoint: the version answers that its traffic gives' } },
      (request, to) => reply(request.params.model, undefined, request, to),
    );
    app.post<Pinned>(
      '/v2/models/:model/versions/:version/infer',
      { ...post, schema: { ...post.schema, summary: 'Ask one of the loaded versions of an endpoint' } },
      (request, to) => reply(request.params.model, request.params.version, request, to),
    );
    app.rondo.answerHot({
      url: inferUrl,
      permission: 'read',
      bodyLimit,
      match: (path) => plainInferPath.exec(path)?.[1],
      answer: (model, bytes) => {
        const { value, exact } = parseJsonText(bytes);
        return predict(deps, live.get(model), { body: value, exact });
      },
    });

    app.get(
      '/v2',
      {
        config: read,
        schema: { tags, summary: 'What this server is', response: { 200: serverMetadataView, ...refusals } },
      },
      async () => ({ name: 'rondo', version: deps.version, extensions: ['binary_tensor_data'] }),
    );
    app.get(
      '/v2/health/live',
      {
        config: probe,
        schema: {
          tags,
          summary: 'Whether the process answers at all',
          response: { 200: Type.Object({ live: Type.Boolean() }) },
        },
      },
      async () => ({ live: true }),
    );
    app.get(
      '/v2/health/ready',
      {
        config: probe,
        schema: {
          tags,
          summary: 'Whether every endpoint has what it should serve; 503 otherwise',
          response: oneOrOther(Type.Object({ ready: Type.Boolean() })),
        },
      },
      async (_request, reply) => {
        const ready = live.all.every(isReady);
        return reply.code(ready ? 200 : 503).send({ ready });
      },
    );
    app.get<One>(
      '/v2/models/:model',
      {
        config: read,
        schema: {
          tags,
          summary: 'What an endpoint takes and gives',
          response: { 200: modelMetadataView, ...refusals },
        },
      },
      async ({ params }) => describe(live.get(params.model), undefined),
    );
    app.get<Pinned>(
      '/v2/models/:model/versions/:version',
      {
        config: read,
        schema: {
          tags,
          summary: 'What a loaded version takes and gives',
          response: { 200: modelMetadataView, ...refusals },
        },
      },
      async ({ params }) => describe(live.get(params.model), params.version),
    );
    app.get<One>(
      '/v2/models/:model/ready',
      {
        config: read,
        schema: {
          tags,
          summary: 'Whether an endpoint has what it should serve; 503 otherwise',
          response: oneOrOther(modelReady),
        },
      },
      async ({ params }, reply) => {
        const ready = isReady(live.get(params.model));
        return reply.code(ready ? 200 : 503).send({ name: params.model, ready });
      },
    );
    app.get<Pinned>(
      '/v2/models/:model/versions/:version/ready',
      {
        config: read,
        schema: { tags, summary: 'Whether a version is loaded; 503 otherwise', response: oneOrOther(modelReady) },
      },
      async ({ params }, reply) => {
        const ready = live.get(params.model).plan.pinned(params.version) !== undefined;
        return reply.code(ready ? 200 : 503).send({ name: params.model, ready });
      },
    );
  };

const decoders: Readonly<Record<string, () => Gunzip | Inflate>> = { gzip: createGunzip, deflate: createInflate };
const unknownCoding = ({ method, url }: FastifyRequest, coding: string) =>
  new PlatformError('http/unsupported-media-type', `${method} ${url.slice(0, 200)}`, {
    hint: `Its content coding is ${JSON.stringify(coding.slice(0, 32))}; send it plainly, or as gzip or deflate.`,
  });

const inferUrl = '/v2/models/:model/infer';
/** Names that a path can only spell in one way. */
const plainInferPath = /^\/v2\/models\/([\w.-]{1,250})\/infer$/;
const nothing: JsonText = { value: undefined, exact: () => undefined };

/** An endpoint that was never given a champion keeps nobody from being ready. */
const isReady = ({ plan }: LiveEndpoint): boolean =>
  plan.traffic.champion === undefined ||
  plan.variants.some(({ version }) => sameVersion(version, plan.traffic.champion));

function describe({ plan }: LiveEndpoint, pinned: string | undefined) {
  const { endpoint, traffic, variants } = plan;
  const served = pinned ?? (traffic.champion && String(traffic.champion.version));
  const variant = served === undefined ? undefined : plan.pinned(served)?.variant;
  if (!variant) {
    const what = pinned === undefined ? 'serving/no-champion' : 'serving/unknown-version';
    throw new PlatformError(what, pinned === undefined ? endpoint.name : `${endpoint.name} ${pinned}`.slice(0, 128));
  }
  const versions = variants.map(({ version }) => version.version);
  return describeModel(endpoint.name, pinned === undefined ? versions : [variant.version.version], variant.version);
}

/** The protocol has one form for all errors. The hint helps whoever reads it; internals are never in either. */
export const renderInferError: ErrorRenderer = (error) => ({
  status: error.status,
  body: { error: error.hint === undefined ? error.message : `${error.message} ${error.hint}` },
});
