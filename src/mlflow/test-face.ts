/** MLflow's face over a fresh database, to ask things of. Tests only. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { openTestServer } from '../http/test-server.ts';
import { blobArtifactRoot } from '../storage/artifact-blobs.ts';
import { artifactPlaces } from '../storage/artifact-places.ts';
import type { ArtifactRoot } from '../storage/artifact-root.ts';
import { openBlobFolder } from '../storage/blob-store.ts';
import type { OpenTestDatabase } from '../storage/test-databases.ts';
import { mlflowRoutes } from './mlflow-routes.ts';

// biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes, which the assertions check
type Answer = { readonly status: number; readonly body: any; readonly text: string };
type Method = 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'DELETE' | 'PUT';

export const api = '/api/2.0/mlflow';
export const files = '/api/2.0/mlflow-artifacts/artifacts';

/** @param rootOf puts something between the face and where artifacts are kept */
export async function openTestFace(open: OpenTestDatabase, rootOf = (root: ArtifactRoot): ArtifactRoot => root) {
  const database = await open();
  const blobs = await openBlobFolder(join(database.folder, 'blobs'));
  const app = await openTestServer();
  await app.register(
    mlflowRoutes({
      database,
      artifacts: artifactPlaces(rootOf(blobArtifactRoot({ database, blobs }))),
      artifactRoot: 'mlflow-artifacts:/',
      onRegistered: async (version) => version,
      now: () => 1000,
      newId: () => randomUUID().replaceAll('-', ''),
      random: () => 0.5,
    }),
  );
  const send = async (
    method: Method,
    url: string,
    payload?: string | Buffer,
    type = 'application/json',
  ): Promise<Answer> => {
    const headers = payload === undefined ? {} : { 'content-type': type };
    const answer = await app.inject({
      method,
      url,
      headers: { host: 'localhost', ...headers },
      ...(payload === undefined ? {} : { payload }),
    });
    const isJson = answer.headers['content-type']?.toString().startsWith('application/json') && answer.body !== '';
    return { status: answer.statusCode, body: isJson ? JSON.parse(answer.body) : answer.body, text: answer.body };
  };
  const sendJson = (method: Method, path: string, body: unknown) => send(method, api + path, JSON.stringify(body));
  return {
    app,
    database,
    send,
    sendJson,
    post: (path: string, body: unknown) => sendJson('POST', path, body),
    get: (path: string) => send('GET', api + path),
    [Symbol.asyncDispose]: async () => {
      await app[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}
