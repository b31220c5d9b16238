/** Transfers between a client and the store itself: files in parts, and URLs that are a permission for a while. */
import type { FastifyInstance } from 'fastify';
import { PlatformError } from '../errors.ts';
import { requirePlace } from '../storage/artifact-places.ts';
import type { DirectTransfers } from '../storage/artifact-root.ts';
import { requireLoggedModel } from '../tracking/change-logged-model.ts';
import { requireRun } from '../tracking/change-run.ts';
import { loggedModelStore } from '../tracking/logged-model-store.ts';
import { runStore } from '../tracking/run-store.ts';
import { attachment, checkArtifactPath, contentTypeOf, tidyPath } from './artifact-path.ts';
import { addCall } from './calls-routes.ts';
import { integer, invalidRequest, list, object, text } from './message.ts';
import type { MlflowDeps } from './mlflow-deps.ts';

/** As many as S3 takes. */
const maxParts = 10_000;
/** A signature cannot last longer. */
const maxSeconds = 7 * 24 * 3600;

export function addTransfers(app: FastifyInstance, deps: MlflowDeps): void {
  addPartCalls(app, deps);
  addUrlCalls(app, deps);
}

/** The folder stands in the address, the name at the end of `path`: that of the file on the client's machine. */
function addPartCalls(app: FastifyInstance, { artifacts: { proxied } }: MlflowDeps): void {
  const call = (step: string) =>
    ({ method: 'POST', path: `/mlflow-artifacts/mpu/${step}/*`, permission: 'write', encodedPath: true }) as const;
  const path = text({ required: true });
  const keyOf = (params: Readonly<Record<string, string>>, file = '') => {
    const folder = params['*'] ?? '';
    checkArtifactPath(folder);
    return tidyPath(`${folder}/${nameOf(file)}`);
  };

  addCall(app, { ...call('create'), fields: { path, num_parts: integer() } }, async (message, { params }) => {
    const key = keyOf(params, message.path);
    const parts = Number(message.num_parts ?? 0);
    const transfers = requireTransfers(proxied.direct, 'Multipart upload');
    if (parts < 0 || parts > maxParts) throw invalidRequest(`num_parts must be from 0 to ${maxParts} (got ${parts}).`);
    const { uploadId, urls } = await transfers.begin(key, parts);
    return { upload_id: uploadId, credentials: urls.map((url, index) => ({ url, part_number: index + 1 })) };
  });

  const part = object({ part_number: integer(), etag: text(), url: text() });
  addCall(
    app,
    { ...call('complete'), fields: { path, upload_id: text(), parts: list(part, { required: true }) } },
    async ({ path: file, upload_id = '', parts = [] }, { params }) => {
      const key = keyOf(params, file);
      const transfers = requireTransfers(proxied.direct, 'Multipart upload');
      const uploaded = parts.map(({ part_number = 0, etag = '' }) => ({ number: Number(part_number), etag }));
      if (uploaded.some(({ number, etag }) => number < 1 || number > maxParts || etag === '')) {
        throw invalidRequest(`Each part has a part_number from 1 to ${maxParts} and the etag that the store answered.`);
      }
      await transfers.complete(key, upload_id, uploaded);
      return {};
    },
  );

  addCall(app, { ...call('abort'), fields: { path, upload_id: text() } }, async (message, { params }) => {
    const key = keyOf(params, message.path);
    await requireTransfers(proxied.direct, 'Multipart upload').abort(key, message.upload_id ?? '');
    return {};
  });

  addCall(
    app,
    { method: 'GET', path: '/mlflow-artifacts/presigned/*', permission: 'read', encodedPath: true, fields: {} },
    async (_message, { params }) => {
      const path = params['*'] ?? '';
      checkArtifactPath(path);
      const transfers = requireTransfers(proxied.direct, 'Multipart download');
      const { url, size } = await downloadUrl(transfers, tidyPath(path), 300);
      return { url, headers: {}, file_size: size };
    },
  );
}

/** For artifacts that lie in a bucket which clients know themselves. */
function addUrlCalls(app: FastifyInstance, { artifacts, database }: MlflowDeps): void {
  const path = text({ required: true });

  addCall(
    app,
    {
      method: 'POST',
      path: '/mlflow/artifacts/presigned-upload-url',
      permission: 'write',
      fields: { run_id: text(), model_id: text(), path, expiration: integer() },
    },
    async ({ run_id = '', model_id = '', path: file = '', expiration = 900 }) => {
      if ((run_id === '') === (model_id === '')) {
        throw invalidRequest('Exactly one of run_id and model_id must be provided.');
      }
      checkArtifactPath(file);
      const location =
        run_id === ''
          ? (await requireLoggedModel(loggedModelStore(database.read), model_id)).artifactLocation
          : (await requireRun(runStore(database.read), run_id)).artifactUri;
      refuseProxied(
        location,
        (scheme) =>
          `Presigned upload is not supported for proxied artifact storage (artifact URI scheme: ${scheme}). ` +
          'This endpoint requires a direct cloud storage artifact URI.',
      );
      const { root, key } = requirePlace(artifacts, location);
      const transfers = requireTransfers(root.direct, 'Presigned upload');
      const type = contentTypeOf(nameOf(file));
      const seconds = secondsOf(expiration);
      return {
        presigned_url: await transfers.uploadUrl(tidyPath(`${key}/${file}`), { type, seconds }),
        headers: { 'Content-Type': type },
      };
    },
  );

  addCall(
    app,
    {
      method: 'POST',
      path: '/mlflow/artifacts/presigned-download-url',
      permission: 'read',
      fields: { run_id: text({ required: true }), path, expiration: integer() },
    },
    async ({ run_id = '', path: file = '', expiration = 300 }) => {
      checkArtifactPath(file);
      const seconds = secondsOf(expiration);
      const run = await requireRun(runStore(database.read), run_id);
      refuseProxied(
        run.artifactUri,
        (scheme) =>
          `Presigned download is not supported for runs with proxied artifact storage (artifact URI scheme: ${scheme}). ` +
          'This endpoint requires a run with a direct cloud storage artifact URI.',
      );
      const { root, key } = requirePlace(artifacts, run.artifactUri);
      const transfers = requireTransfers(root.direct, 'Presigned download');
      const { url, size } = await downloadUrl(transfers, tidyPath(`${key}/${file}`), seconds);
      return { presigned_url: url, file_size: size };
    },
  );
}

function refuseProxied(location: string, says: (scheme: string) => string): void {
  const scheme = /^(https?|mlflow-artifacts):/i.exec(location)?.[1];
  if (scheme !== undefined) throw invalidRequest(says(scheme));
}

/** Upstream's words: its client sends the file in one piece when it reads them. */
function requireTransfers(transfers: DirectTransfers | undefined, what: string): DirectTransfers {
  if (transfers) return transfers;
  const message = `${what} is not supported for the current artifact repository`;
  throw new PlatformError('mlflow/not-implemented', what, { message });
}

async function downloadUrl(transfers: DirectTransfers, key: string, seconds: number) {
  const found = await transfers.downloadUrl(key, { disposition: attachment(nameOf(key)), seconds });
  if (found) return found;
  throw new PlatformError('tracking/artifact-not-found', key, { message: `No such artifact: '${key}'` });
}

function secondsOf(expiration: number | bigint): number {
  const seconds = Number(expiration);
  if (seconds >= 1 && seconds <= maxSeconds) return seconds;
  throw invalidRequest(`expiration must be between 1 and ${maxSeconds} seconds (got ${seconds}).`);
}

/** Of a path as any system writes it. */
const nameOf = (path: string): string => path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
