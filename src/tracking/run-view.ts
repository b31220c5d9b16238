/** Runs as our own clients see them: plain numbers, and metrics, params and tags by key. */
import type { LoggedModel } from './logged-model.ts';
import { datasetContextTag, parentTag, type Run, runNameTag } from './run.ts';

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
