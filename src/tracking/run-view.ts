/** Runs as our own clients see them: plain numbers, and metrics, params and tags by key. */
import { Type } from 'typebox';
import { byName, list, maybe, time } from '../http/view.ts';
import type { LoggedModel } from './logged-model.ts';
import { datasetContextTag, parentTag, type Run, runNameTag, runStatuses } from './run.ts';

export const runView = (run: Run, project: string | undefined) => ({
  id: run.id,
  experimentId: run.experimentId,
  ...(project === undefined ? {} : { project }),
  name: run.name,
  ...(run.userId === '' ? {} : { user: run.userId }),
  status: run.status,
  startedAt: Number(run.startTime),
  ...(run.endTime === undefined ? {} : { endedAt: Number(run.endTime) }),
  deleted: run.lifecycle === 'deleted',
  ...(parentOf(run) === undefined ? {} : { parent: parentOf(run) }),
  params: Object.fromEntries(run.params.map(({ key, value }) => [key, value])),
  /** JSON has no NaN: it is null here. */
  metrics: Object.fromEntries(run.metrics.map(({ key, value }) => [key, finite(value)])),
  tags: Object.fromEntries(run.tags.filter(({ key }) => key !== runNameTag).map(({ key, value }) => [key, value])),
  datasets: run.datasets.map(({ dataset: { name, digest }, tags }) => ({
    name,
    digest,
    ...contextOf(tags.find(({ key }) => key === datasetContextTag)?.value),
  })),
});

/** A dataset as the page of one run shows it; a schema of thousands of columns is left to whoever asks for it. */
export const datasetView = ({ dataset, tags }: Run['datasets'][number]) => ({
  ...{ name: dataset.name, digest: dataset.digest, sourceType: dataset.sourceType },
  ...contextOf(tags.find(({ key }) => key === datasetContextTag)?.value),
  source: dataset.source.slice(0, 2_000),
  ...(dataset.schema === undefined || dataset.schema.length > 65_536 ? {} : { schema: dataset.schema }),
});

export const loggedModelView = (model: LoggedModel) => ({
  id: model.id,
  name: model.name,
  status: model.status.replace('LOGGED_MODEL_', '').toLowerCase(),
  ...(model.modelType ? { type: model.modelType } : {}),
  createdAt: model.createdAt,
});

export const finite = (value: number): number | null => (Number.isNaN(value) ? null : value);

const parentOf = (run: Run): string | undefined => run.tags.find(({ key }) => key === parentTag)?.value;

const contextOf = (context: string | undefined) => (context === undefined ? {} : { context });

/** JSON has neither NaN nor the infinities. */
const value = Type.Union([Type.Number(), Type.Null({ description: 'NaN' })]);
const dataset = {
  name: Type.String(),
  digest: Type.String(),
  context: maybe(Type.String({ description: 'What for: `training`' })),
};

const run = {
  id: Type.String(),
  experimentId: Type.String(),
  project: maybe(Type.String()),
  name: Type.String(),
  user: maybe(Type.String()),
  status: Type.Enum([...runStatuses]),
  startedAt: time('0 when the client did not say'),
  endedAt: maybe(time()),
  deleted: Type.Boolean(),
  parent: maybe(Type.String({ description: 'The id of the run it stands under' })),
  params: byName(Type.String(), 'By key'),
  metrics: byName(value, 'The last value of each, by key'),
  tags: byName(Type.String(), 'By key'),
};

export const runInListView = Type.Object(
  {
    ...run,
    datasets: list(Type.Object(dataset)),
    children: Type.Integer({ description: 'Runs that stand under it' }),
  },
  { title: 'RunInList' },
);

export const loggedModel = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    status: Type.String({ description: '`pending`, `ready` or `upload_failed`' }),
    type: maybe(Type.String()),
    createdAt: time(),
  },
  { title: 'LoggedModel' },
);

export const runDetailView = Type.Object(
  {
    ...run,
    datasets: list(
      Type.Object({
        ...dataset,
        sourceType: Type.String(),
        source: Type.String({ description: 'At most its first 2000 characters' }),
        schema: maybe(Type.String({ description: 'JSON; absent where there is none or it is very long' })),
      }),
    ),
    models: list(loggedModel, { description: 'What it logged' }),
    versions: list(Type.Object({ model: Type.String(), version: Type.Integer() }), {
      description: 'What was registered of it',
    }),
  },
  { title: 'Run' },
);

export const metricPoint = Type.Object({
  key: Type.String(),
  value,
  step: Type.Integer(),
  at: time(),
});
