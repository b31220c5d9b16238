/** The proxy for artifacts: files stream through, names are decoded exactly once. */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PlatformError } from '../errors.ts';
import { parseVersion } from '../registry/model-name.ts';
import { requireVersion } from '../registry/register-version.ts';
import { locationsOf } from '../registry/resolve-source.ts';
import { versionStore } from '../registry/version-store.ts';
import { type ArtifactPlace, type ArtifactPlaces, requirePlace } from '../storage/artifact-places.ts';
import type { ArtifactRoot } from '../storage/artifact-root.ts';
import { requireLoggedModel } from '../tracking/change-logged-model.ts';
import { requireRun } from '../tracking/change-run.ts';
import { loggedModelStore } from '../tracking/logged-model-store.ts';
import { runStore } from '../tracking/run-store.ts';
import { attachment, checkArtifactPath, contentTypeOf, listFolder, tidyPath } from './artifact-path.ts';
import { addCall, callPrefixes, queryOf, takeBodies } from './calls-routes.ts';
import { invalidRequest, text } from './message.ts';
import type { MlflowDeps } from './mlflow-deps.ts';
import { addTransfers } from './transfers-routes.ts';
import { some } from './views.ts';

const maxPageUpload = 10 * 1024 * 1024;

export async function addArtifactRoutes(app: FastifyInstance, deps: MlflowDeps): Promise<void> {
  await app.register(async (streams) => {
    streams.removeAllContentTypeParsers();
    streams.addContentTypeParser('*', (_request, body, done) => done(null, body));
    for (const prefix of callPrefixes) addFiles(streams, `${prefix}/mlflow-artifacts/artifacts/`, deps);
    addDownloads(streams, deps);
    addPageUpload(streams, deps);
  });
  await app.register(async (calls) => {
    takeBodies(calls);
    addListings(calls, deps);
    addTransfers(calls, deps);
  });
}

/** PUT, GET and DELETE of one file. */
function addFiles(app: FastifyInstance, prefix: string, { artifacts: { proxied } }: MlflowDeps): void {
  const keyOf = (url: string): string => {
    const [path = ''] = url.split('?');
    const key = decoded(path.slice(path.indexOf(prefix) + prefix.length));
    checkArtifactPath(key);
    return tidyPath(key);
  };

  app.put(`${prefix}*`, { config: { permission: 'write', encodedPath: true } }, async (request, reply) => {
    await receive(proxied, keyOf(request.url), request);
    return reply.type('application/json').send('');
  });

  app.get(`${prefix}*`, { config: { permission: 'read', encodedPath: true } }, async (request, reply) =>
    sendFile({ root: proxied, key: keyOf(request.url) }, reply),
  );

  app.delete(`${prefix}*`, { config: { permission: 'write', encodedPath: true } }, async (request, reply) => {
    await proxied.delete(keyOf(request.url));
    return reply.type('application/json').send('{}');
  });
}

/** The body goes to the root as it comes. */
async function receive(root: ArtifactRoot, key: string, { body, headers }: FastifyRequest): Promise<void> {
  if (!(body instanceof Readable)) {
    await root.put(key, new Uint8Array());
    return;
  }
  try {
    const length = headers['content-length'];
    await root.put(key, body.iterator({ destroyOnReturn: false }), { announced: length ? Number(length) : undefined });
  } catch (error) {
    if (body.readableAborted) throw new PlatformError('http/bad-request', 'its body broke off', { cause: error });
    // Clients read no answer before they have sent everything, and the next request on this connection waits behind it.
    body.resume();
    throw error;
  }
}

/** The downloads that pages link to. */
function addDownloads(app: FastifyInstance, { artifacts, database }: MlflowDeps): void {
  app.get('/get-artifact', { config: { permission: 'read' } }, async (request, reply) => {
    const query = queryOf(request);
    const path = asked(query, 'path');
    const run = await requireRun(runStore(database.read), query.get('run_id') ?? query.get('run_uuid') ?? '');
    return sendFile(below(artifacts, run.artifactUri, path), reply);
  });

  app.get('/model-versions/get-artifact', { config: { permission: 'read' } }, async (request, reply) => {
    const query = queryOf(request);
    const path = asked(query, 'path');
    const version = parseVersion(query.get('version') ?? '');
    const found = await requireVersion(versionStore(database.read), query.get('name') ?? '', version);
    const stores = { runs: runStore(database.read), loggedModels: loggedModelStore(database.read) };
    const places = (await locationsOf(stores, found)).map((location) => below(artifacts, location, path));
    for (const place of places) {
      if (await place.root.open(place.key)) return sendFile(place, reply);
    }
    throw await noFile(places[0]);
  });

  const files = '/ajax-api/2.0/mlflow/logged-models/:model_id/artifacts/files';
  app.get<{ Params: { model_id: string } }>(files, { config: { permission: 'read' } }, async (request, reply) => {
    const path = queryOf(request).get('artifact_file_path');
    if (!path) {
      const message = 'Request must include the "artifact_file_path" query parameter.';
      throw new PlatformError('http/bad-request', 'artifact_file_path', { message });
    }
    checkArtifactPath(path);
    const model = await requireLoggedModel(loggedModelStore(database.read), request.params.model_id);
    return sendFile(below(artifacts, model.artifactLocation, path), reply);
  });
}

/** Uploads of up to 10 MB from a page. */
function addPageUpload(app: FastifyInstance, { artifacts, database }: MlflowDeps): void {
  app.post('/ajax-api/2.0/mlflow/upload-artifact', { config: { permission: 'write' } }, async (request, reply) => {
    const query = queryOf(request);
    const runId = query.get('run_uuid');
    if (!runId) throw invalidRequest('Request must specify run_uuid.');
    const path = query.get('path');
    if (!path) throw invalidRequest('Request must specify path.');
    checkArtifactPath(path);
    const size = Number(request.headers['content-length'] ?? 0);
    if (size > maxPageUpload) throw invalidRequest('Artifact size is too large. Max size is 10MB.');
    if (size === 0 || !(request.body instanceof Readable)) throw invalidRequest('Request must specify data.');
    const run = await requireRun(runStore(database.read), runId);
    const { root, key } = below(artifacts, run.artifactUri, path);
    await receive(root, key, request);
    return reply.type('application/json').send('');
  });
}

function addListings(app: FastifyInstance, { artifacts, database }: MlflowDeps): void {
  addCall(
    app,
    { method: 'GET', path: '/mlflow-artifacts/artifacts', permission: 'read', fields: { path: text() } },
    async ({ path = '' }) => {
      checkArtifactPath(path);
      const files = await listFolder({ root: artifacts.proxied, key: '' }, path);
      const basename = (key: string) => key.slice(key.lastIndexOf('/') + 1);
      return some(
        'files',
        files.map((file) => ({ ...file, path: basename(file.path) })),
      );
    },
  );

  addCall(
    app,
    {
      method: 'GET',
      path: '/mlflow/artifacts/list',
      permission: 'read',
      fields: { run_id: text({ required: true }), path: text(), page_token: text() },
    },
    async ({ run_id = '', path = '' }) => {
      checkArtifactPath(path);
      const run = await requireRun(runStore(database.read), run_id);
      const files = await listFolder(requirePlace(artifacts, run.artifactUri), path);
      return { root_uri: run.artifactUri, ...some('files', files) };
    },
  );

  addCall(
    app,
    {
      method: 'GET',
      path: '/mlflow/model-versions/get-download-uri',
      permission: 'read',
      fields: { name: text(), version: text() },
    },
    async ({ name = '', version = '' }) => {
      const found = await requireVersion(versionStore(database.read), name, parseVersion(version));
      return { artifact_uri: found.storageLocation };
    },
  );
}

async function sendFile({ root, key }: ArtifactPlace, reply: FastifyReply): Promise<FastifyReply> {
  const whole = await root.open(key);
  if (!whole) throw await noFile({ root, key });
  const { method, headers } = reply.request;
  const name = key.slice(key.lastIndexOf('/') + 1);
  reply
    .header('content-type', contentTypeOf(name))
    .header('content-disposition', attachment(name))
    .header('accept-ranges', 'bytes');
  // Fastify would read a body to its end to throw it away.
  if (method === 'HEAD') return reply.header('content-length', whole.size).send(Readable.from([]));
  const asked = rangeOf(headers, whole.size);
  if (asked === 'beyond') return reply.code(416).header('content-range', `bytes */${whole.size}`).send('');
  if (!asked) return reply.header('content-length', whole.size).send(Readable.from(whole.body));
  const part = await root.open(key, asked);
  return reply
    .code(206)
    .header('content-range', `bytes ${asked.start}-${asked.end - 1}/${whole.size}`)
    .header('content-length', asked.end - asked.start)
    .send(Readable.from(part?.body ?? []));
}

/** What is there instead. */
async function noFile(place: ArtifactPlace | undefined): Promise<PlatformError> {
  const { root, key = '' } = place ?? {};
  const entries = (await root?.list(key)) ?? [];
  return entries.length > 0
    ? invalidRequest(`Artifact path refers to a directory, not a file: '${key}'`)
    : new PlatformError('tracking/artifact-not-found', key, { message: `No such artifact: '${key}'` });
}

/**
 * One range of bytes; anything else in the header is answered with the whole file, as RFC 9110 allows. So is `If-Range`: answers have
 * nothing that it could name, so that the part that the client has is of another file.
 */
function rangeOf(
  { range = '', 'if-range': ifRange }: FastifyRequest['headers'],
  size: number,
): { readonly start: number; readonly end: number } | 'beyond' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
  if (ifRange !== undefined || (first === '' && last === '')) return undefined;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  return start < end ? { start, end } : 'beyond';
}

function asked(query: URLSearchParams, name: string): string {
  const value = query.get(name);
  if (value === null) throw invalidRequest(`Missing value for required parameter '${name}'.`);
  checkArtifactPath(value);
  return value;
}

function below(artifacts: ArtifactPlaces, location: string, path: string): ArtifactPlace {
  const { root, key } = requirePlace(artifacts, location);
  return { root, key: tidyPath(`${key}/${path}`) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % stands for itself
  }
}
