/** An `mlruns` folder, MLflow's store until its release 3.7: one small file for everything. */
import { createReadStream } from 'node:fs';
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseDocument, Scalar, visit } from 'yaml';
import { PlatformError } from '../errors.ts';
import { placeOf } from './artifact-place.ts';
import { type FindLocal, localArtifacts } from './local-artifacts-adapter.ts';
import { versionOf } from './mlflow-database-adapter.ts';
import type { LoggedModelRecord, ModelRecord, PointsRecord, RunRecord } from './mlflow-record.ts';
import { type MlflowSource, pageSize, partSize } from './mlflow-source.ts';
import {
  doubleOf,
  givenText,
  int64Of,
  lifecycleOf,
  loggedModelStatus,
  oneOf,
  type Row,
  runStatuses,
  textOf,
  timeOf,
} from './row-values.ts';

const trash = '.trash';
const metaFile = 'meta.yaml';
/** Folders of an experiment that are no runs. */
const reserved = new Set(['tags', 'datasets', 'traces', 'models', trash]);

/** @throws PlatformError interop/bad-source when it holds no experiment */
export async function folderSource(
  root: string,
  { findLocal }: { readonly findLocal: FindLocal },
): Promise<MlflowSource> {
  const experiments = [
    ...(await foldersIn(root)).filter(isId).map((id) => ({ id, folder: join(root, id) })),
    ...(await foldersIn(join(root, trash))).filter(isId).map((id) => ({ id, folder: join(root, trash, id) })),
  ];
  if (experiments.length === 0) {
    throw new PlatformError('interop/bad-source', root, {
      message: `The folder ${root} holds no experiment of MLflow.`,
    });
  }
  const folderOf = new Map(experiments.map(({ id, folder }) => [id, folder]));
  const runFolder = ({ experimentId, id }: Pick<RunRecord, 'experimentId' | 'id'>) =>
    join(folderOf.get(experimentId) ?? root, id);

  async function readRun(folder: string, experiment: string): Promise<RunRecord | undefined> {
    const meta = await readYaml(join(folder, metaFile));
    const id = textOf(meta?.run_uuid ?? meta?.run_id);
    if (!meta || id === '') return undefined;
    const tags = await filesAsPairs(join(folder, 'tags'));
    const inputs = await linksIn(join(folder, 'inputs'));
    const outputs = await linksIn(join(folder, 'outputs'));
    const datasets = await Promise.all(
      inputs
        .filter(({ meta: { source_type } }) => source_type === 'DATASET')
        .map(async ({ meta: input }) => {
          const found = await readYaml(
            join(folderOf.get(experiment) ?? root, 'datasets', textOf(input.source_id), metaFile),
          );
          return found && { found, tags: Object.entries((input.tags ?? {}) as Row) };
        }),
    );
    return {
      kind: 'run',
      id,
      experimentId: experiment,
      name: textOf(meta.run_name ?? meta.name) || (tags.find(({ key }) => key === 'mlflow.runName')?.value ?? ''),
      userId: textOf(meta.user_id),
      status: statusOf(meta.status),
      startTime: int64Of(meta.start_time),
      ...(meta.end_time === undefined || meta.end_time === null ? {} : { endTime: int64Of(meta.end_time) }),
      artifactUri: textOf(meta.artifact_uri),
      lifecycle: lifecycleOf(meta.lifecycle_stage),
      ...(meta.deleted_time === undefined || meta.deleted_time === null
        ? {}
        : { deletedAt: timeOf(meta.deleted_time) }),
      params: await filesAsPairs(join(folder, 'params')),
      tags,
      datasets: datasets.flatMap((one) =>
        one
          ? {
              name: textOf(one.found.name),
              digest: textOf(one.found.digest),
              sourceType: textOf(one.found.source_type),
              source: textOf(one.found.source),
              ...givenText('schema', one.found.schema),
              ...givenText('profile', one.found.profile),
              tags: one.tags.map(([key, value]) => ({ key, value: textOf(value) })),
            }
          : [],
      ),
      modelInputs: inputs
        .filter(({ meta: { source_type } }) => source_type === 'MODEL')
        .map(({ meta: { source_id } }) => textOf(source_id)),
      modelOutputs: outputs.map(({ name, meta: { step } }) => ({ modelId: name, step: int64Of(step) })),
    };
  }

  return {
    address: root,
    isSlow: false,

    async *experiments() {
      for (const some of chunks(experiments, pageSize)) {
        const read = some.map(async ({ id, folder }) => {
          const meta = await readYaml(join(folder, metaFile));
          if (!meta) return [];
          return {
            kind: 'experiment' as const,
            id,
            name: textOf(meta.name) || `experiment_${id}`,
            artifactLocation: textOf(meta.artifact_location),
            lifecycle: lifecycleOf(meta.lifecycle_stage),
            createdAt: timeOf(meta.creation_time),
            updatedAt: timeOf(meta.last_update_time),
            tags: await filesAsPairs(join(folder, 'tags')),
          };
        });
        yield (await Promise.all(read)).flat();
      }
    },

    async *runs() {
      for (const { id, folder } of experiments) {
        const names = (await foldersIn(folder)).filter((name) => !reserved.has(name));
        for (const some of chunks(names, pageSize)) {
          const runs = await Promise.all(some.map((name) => readRun(join(folder, name), id)));
          yield runs.filter((run) => run !== undefined);
        }
      }
    },

    async *points(runs) {
      for (const run of runs) {
        const folder = join(runFolder(run), 'metrics');
        for (const key of await filesBelow(folder)) {
          const empty = (): PointsRecord => ({
            ...{ kind: 'points', runId: run.id, experimentId: run.experimentId, key },
            ...{ steps: [], timestamps: [], values: [] },
          });
          let part = empty();
          // A retried call has written its line twice. Held per metric: such a store does not have many millions of points.
          const seen = new Set<string>();
          for await (const line of createInterface(createReadStream(join(folder, key)))) {
            const [timestamp, value, step = '0'] = line.trim().split(' ');
            if (timestamp === undefined || value === undefined) continue; // an empty line
            const point = { step: int64Of(step), timestamp: int64Of(timestamp), value: doubleOf(value) };
            const same = `${point.timestamp} ${point.step} ${point.value}`;
            if (seen.has(same)) continue;
            seen.add(same);
            part.steps.push(point.step);
            part.timestamps.push(point.timestamp);
            part.values.push(point.value);
            if (part.steps.length < partSize) continue;
            yield part;
            part = empty();
          }
          if (part.steps.length > 0) yield part;
        }
      }
    },

    async *loggedModels() {
      for (const { id, folder } of experiments) {
        const names = await foldersIn(join(folder, 'models'));
        for (const some of chunks(names, pageSize)) {
          const models = await Promise.all(some.map((name) => readLoggedModel(join(folder, 'models', name), id)));
          yield models.filter((model) => model !== undefined);
        }
      }
    },

    async *models() {
      for (const some of chunks(await foldersIn(join(root, 'models')), pageSize)) {
        const read = some.map(async (name): Promise<readonly ModelRecord[]> => {
          const folder = join(root, 'models', name);
          const meta = await readYaml(join(folder, metaFile));
          if (!meta) return [];
          return [
            {
              kind: 'model',
              name: textOf(meta.name) || name,
              ...givenText('description', meta.description || undefined), // as MLflow shows it
              createdAt: timeOf(meta.creation_timestamp),
              updatedAt: timeOf(meta.last_updated_timestamp ?? meta.creation_timestamp),
              tags: await filesAsPairs(join(folder, 'tags')),
            },
          ];
        });
        yield (await Promise.all(read)).flat();
      }
    },

    async *versions(models) {
      for (const { name } of models) {
        const folder = join(root, 'models', name);
        const aliases = await filesAsPairs(join(folder, 'aliases'));
        const folders = (await foldersIn(folder)).filter((one) => /^version-\d+$/.test(one));
        for (const some of chunks(folders, pageSize)) {
          const read = some.map(async (one) => {
            const meta = await readYaml(join(folder, one, metaFile));
            if (!meta) return [];
            const { creation_timestamp: creation_time, last_updated_timestamp: last_updated_time } = meta;
            const version = versionOf({ ...meta, name, creation_time, last_updated_time });
            return {
              ...version,
              tags: version.deleted ? [] : await filesAsPairs(join(folder, one, 'tags')),
              aliases: aliases.filter(({ value }) => Number(value) === version.version).map(({ key }) => key),
            };
          });
          yield (await Promise.all(read)).flat();
        }
      }
    },

    async artifacts(owner) {
      // A folder that was moved still names its old place: what lies beside the metadata is the same.
      const beside =
        owner.kind === 'run'
          ? join(runFolder(owner), 'artifacts')
          : join(folderOf.get(owner.experimentId) ?? root, 'models', owner.id, 'artifacts');
      const place = placeOf(owner.location);
      const moved = place.kind === 'local' && !(await isThere(place.path)) && (await isThere(beside));
      return localArtifacts(owner, moved ? async () => ({ folder: beside }) : findLocal);
    },

    async leftOut() {
      let traces = 0;
      for (const { folder } of experiments) traces += (await foldersIn(join(folder, 'traces'))).length;
      return traces > 0 ? { traces } : {};
    },

    [Symbol.asyncDispose]: async () => {},
  };
}

async function readLoggedModel(folder: string, experimentId: string): Promise<LoggedModelRecord | undefined> {
  const meta = await readYaml(join(folder, metaFile));
  if (!meta) return undefined;
  const metrics: LoggedModelRecord['metrics'] = [];
  for (const key of await filesBelow(join(folder, 'metrics'))) {
    for (const line of (await readFile(join(folder, 'metrics', key), 'utf8')).split('\n')) {
      const [timestamp, value, step, runId, datasetName, datasetDigest] = line.trim().split(' ');
      if (timestamp === undefined || runId === undefined) continue;
      const rest = { ...givenText('datasetName', datasetName), ...givenText('datasetDigest', datasetDigest) };
      metrics.push({
        ...{ key, value: doubleOf(value), timestamp: int64Of(timestamp), step: int64Of(step), runId },
        ...rest,
      });
    }
  }
  return {
    kind: 'logged-model',
    id: textOf(meta.model_id),
    experimentId,
    name: textOf(meta.name),
    artifactLocation: textOf(meta.artifact_location),
    status: loggedModelStatus(meta.status),
    ...givenText('statusMessage', meta.status_message),
    lifecycle: lifecycleOf(meta.lifecycle_stage),
    ...givenText('modelType', meta.model_type),
    ...givenText('sourceRunId', meta.source_run_id),
    createdAt: timeOf(meta.creation_timestamp),
    updatedAt: timeOf(meta.last_updated_timestamp),
    params: await filesAsPairs(join(folder, 'params')),
    tags: await filesAsPairs(join(folder, 'tags')),
    metrics,
  };
}

/** What a run read or made: one folder for each. */
async function linksIn(folder: string): Promise<readonly { readonly name: string; readonly meta: Row }[]> {
  const names = await foldersIn(folder);
  const read = names.map(async (name) => ({ name, meta: await readYaml(join(folder, name, metaFile)) }));
  return (await Promise.all(read)).flatMap(({ name, meta }) => (meta ? { name, meta } : []));
}

/** Older releases wrote the number of a status. */
const statusOf = (value: unknown): RunRecord['status'] =>
  runStatuses[Number(value) - 1] ?? oneOf(runStatuses, value, 'RUNNING');

/**
 * Every value as text: PyYAML writes plain what YAML 1.2 would take for a number, such as a name `1e3`.
 * @returns undefined where there is no such file
 */
async function readYaml(path: string): Promise<Row | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const document = parseDocument(text, { schema: 'failsafe' });
  if (document.errors[0]) throw new PlatformError('interop/unreadable', path, { cause: document.errors[0] });
  visit(document, {
    Scalar: (_, node) => {
      if (node.type === Scalar.PLAIN && /^(?:~|null|)$/i.test(String(node.source ?? node.value))) node.value = null;
    },
  });
  const value: unknown = document.toJS();
  return typeof value === 'object' && value !== null ? (value as Row) : undefined;
}

/** One file a key, also in folders where the key has slashes. */
async function filesAsPairs(folder: string): Promise<{ key: string; value: string }[]> {
  const keys = await filesBelow(folder);
  return Promise.all(keys.map(async (key) => ({ key, value: await readFile(join(folder, key), 'utf8') })));
}

async function filesBelow(folder: string, prefix = ''): Promise<readonly string[]> {
  const entries = await entriesIn(join(folder, prefix));
  const below = entries.map(async (entry) => {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(folder, path) : [path];
  });
  return (await Promise.all(below)).flat();
}

const foldersIn = async (folder: string): Promise<readonly string[]> =>
  (await entriesIn(folder))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();

async function entriesIn(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const isId = (name: string): boolean => /^\d{1,18}$/.test(name);

function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
