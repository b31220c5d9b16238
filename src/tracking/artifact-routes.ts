/** What a run has stored, for our own pages: folders, and a look into files that a browser cannot read. */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { PlatformError } from '../errors.ts';
import { list } from '../http/view.ts';
import { findingView, tensorSpecView } from '../onnx/onnx-view.ts';
import { summariseOnnx } from '../onnx/summarise-onnx.ts';
import { type ArtifactPlace, type ArtifactPlaces, requirePlace } from '../storage/artifact-places.ts';
import type { Database } from '../storage/database.ts';
import { requireRun } from './change-run.ts';
import { loggedModelStore } from './logged-model-store.ts';
import { invalid } from './names.ts';
import { runStore } from './run-store.ts';
import { loggedModel, loggedModelView } from './run-view.ts';
import type { TablePreview } from './table-preview-worker.ts';

export type PreviewTable = (
  input: { readonly file: string; readonly tempFolder: string },
  signal: AbortSignal,
) => Promise<TablePreview | undefined>;

export type ArtifactRouteDeps = {
  readonly database: Database;
  readonly artifacts: ArtifactPlaces;
  readonly previewTable: PreviewTable;
  readonly tempFolder: string;
};

/** A preview reads the whole file: larger ones are for whoever downloads them. */
const largest = 64 * 2 ** 20;
const previewTimeoutMs = 30_000;

const params = Type.Object({ id: Type.String() });
const model = Type.Optional(
  Type.String({ description: 'The id of a model that the run logged: its files, not the run’s' }),
);

const bytes = Type.Integer({ description: 'Bytes' });
const folderView = Type.Object({
  items: list(Type.Object({ path: Type.String(), isFolder: Type.Boolean(), size: bytes })),
  models: list(loggedModel, { description: 'What the run logged, in its first folder' }),
});
const previewView = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('onnx'),
      size: bytes,
      inputs: list(tensorSpecView),
      outputs: list(tensorSpecView),
      opsets: list(Type.Object({ domain: Type.String(), version: Type.Integer() })),
      irVersion: Type.Integer(),
      nodes: Type.Integer(),
      findings: list(findingView),
      operators: list(Type.Object({ name: Type.String(), calls: Type.Integer() }), {
        description: 'The most frequent first; those of other domains are written `domain:op`',
      }),
      tensors: Type.Object(
        { count: Type.Integer(), elements: Type.Integer() },
        { description: 'Weights and constants; the numbers of tree ensembles are not among them' },
      ),
    },
    { title: 'OnnxPreview' },
  ),
  Type.Object(
    {
      kind: Type.Literal('table'),
      size: bytes,
      rows: Type.Integer({ description: 'In the whole file' }),
      columns: list(Type.Object({ name: Type.String(), type: Type.String({ description: 'As DuckDB names it' }) })),
      items: list(list(Type.Union([Type.String(), Type.Null()])), {
        description: 'The first rows as text, of the first columns; long cells are cut, and null is null',
      }),
    },
    { title: 'TablePreview' },
  ),
]);

export const artifactRoutes =
  ({ database, artifacts, previewTable, tempFolder }: ArtifactRouteDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    async function locationOf(runId: string, modelId: string | undefined): Promise<string> {
      const run = await requireRun(runStore(database.read), runId);
      if (modelId === undefined) return run.artifactUri;
      const models = await loggedModelStore(database.read).listByRun(runId);
      const found = models.find(({ id }) => id === modelId);
      if (!found) throw new PlatformError('tracking/model-not-found', modelId);
      return found.artifactLocation;
    }

    app.get(
      '/api/v1/runs/:id/artifacts',
      {
        config: { permission: 'read' },
        schema: {
          tags: ['runs'],
          summary: 'List a folder of a run’s artifacts, and the models it made',
          params,
          querystring: Type.Object({ path: Type.String({ default: '' }), model }),
          response: { 200: folderView },
        },
      },
      async ({ params: { id }, query: { path, model } }) => {
        const place = artifacts.find(await locationOf(id, model));
        const made = path === '' && model === undefined ? await loggedModelStore(database.read).listByRun(id) : [];
        const start = place?.key ?? '';
        const entries = (await place?.root.list(path === '' ? start : joined(start, path))) ?? [];
        return {
          items: entries.map(({ path: key, size, isFolder }) => ({
            path: start === '' ? key : key.slice(start.length + 1),
            isFolder,
            size,
          })),
          models: made.map(loggedModelView),
        };
      },
    );

    app.get(
      '/api/v1/runs/:id/artifacts/preview',
      {
        config: { permission: 'read' },
        schema: {
          tags: ['runs'],
          summary: 'Look into an ONNX or Parquet file of a run: its graph in short, or its first rows',
          params,
          querystring: Type.Object({ path: Type.String({ minLength: 1 }), model }),
          response: { 200: previewView },
        },
      },
      async ({ params: { id }, query: { path, model } }) => {
        const place = requirePlace(artifacts, await locationOf(id, model));
        const file = { root: place.root, key: joined(place.key, path) };
        if (/\.onnx$/i.test(path)) return { kind: 'onnx' as const, ...(await previewOnnx(file, path)) };
        if (/\.(parquet|pq)$/i.test(path)) {
          const table = await previewParquet(file, path, { previewTable, tempFolder, closing: app.rondo.closing });
          return { kind: 'table' as const, ...table };
        }
        throw invalid(path, `There is a preview of .onnx and .parquet files, not of '${path}': download it.`);
      },
    );
  };

const joined = (start: string, path: string): string => (start === '' ? path : `${start}/${path}`);

async function previewOnnx({ root, key }: ArtifactPlace, path: string) {
  const { size, body } = await openSmall({ root, key }, path);
  const folder = key.slice(0, key.lastIndexOf('/') + 1);
  const beside = await root.list(folder.replace(/\/$/, ''));
  const files = new Map(beside.filter(({ isFolder }) => !isFolder).map((f) => [f.path.slice(folder.length), f.size]));
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return { size, ...summariseOnnx(Buffer.concat(chunks), files) };
}

/** The worker reads files of this machine: wherever the root keeps them, it gets a copy. */
async function previewParquet(
  place: ArtifactPlace,
  path: string,
  {
    previewTable,
    tempFolder,
    closing,
  }: Pick<ArtifactRouteDeps, 'previewTable' | 'tempFolder'> & { readonly closing: AbortSignal },
) {
  const { size, body } = await openSmall(place, path);
  const file = join(tempFolder, `preview-${randomUUID()}.parquet`);
  const signal = AbortSignal.any([closing, AbortSignal.timeout(previewTimeoutMs)]);
  await mkdir(tempFolder, { recursive: true, mode: 0o700 });
  try {
    await pipeline(Readable.from(body), createWriteStream(file, { mode: 0o600 }), { signal });
    const table = await previewTable({ file, tempFolder }, signal);
    if (!table) throw invalid(path, `'${path}' is not a Parquet file, whatever its name says.`);
    return { size, ...table };
  } finally {
    await rm(file, { force: true });
  }
}

async function openSmall({ root, key }: ArtifactPlace, path: string) {
  const file = await root.open(key);
  if (!file) throw new PlatformError('tracking/artifact-not-found', path);
  if (file.size <= largest) return file;
  for await (const _ of file.body) break; // closes what was opened
  throw invalid(path, `'${path}' is larger than ${largest / 2 ** 20} MiB, which is the most that a preview reads.`);
}
