/** Runs, models and versions as MLflow's messages. Absent and empty fields are left out, as protobuf's JSON does. */
import type { ModelVersion, RegisteredModel } from '../registry/model-version.ts';
import type { Experiment } from '../tracking/experiment.ts';
import type { LoggedModel } from '../tracking/logged-model.ts';
import type { Metric, MetricPoint, ModelMetric } from '../tracking/metric.ts';
import type { Tag } from '../tracking/names.ts';
import type { DatasetInput, Run, RunInfo } from '../tracking/run.ts';
import { double, int64 } from './json.ts';

type View = Record<string, unknown>;

/** A list under its name, or nothing when it is empty. */
export const some = (name: string, items: readonly unknown[]): View => (items.length === 0 ? {} : { [name]: items });

const given = (name: string, value: unknown): View => (value === undefined ? {} : { [name]: value });

const tagViews = (tags: readonly Tag[]) => tags.map(({ key, value }) => ({ key, value }));

export const experimentView = (experiment: Experiment): View => ({
  experiment_id: experiment.id,
  name: experiment.name,
  artifact_location: experiment.artifactLocation,
  lifecycle_stage: experiment.lifecycle,
  last_update_time: experiment.updatedAt,
  creation_time: experiment.createdAt,
  ...some('tags', tagViews(experiment.tags)),
  workspace: 'default',
});

export const runInfoView = (run: RunInfo): View => ({
  run_uuid: run.id,
  experiment_id: run.experimentId,
  run_name: run.name,
  user_id: run.userId,
  status: run.status,
  start_time: int64(run.startTime),
  ...(run.endTime === undefined || run.endTime === 0 ? {} : { end_time: int64(run.endTime) }),
  artifact_uri: run.artifactUri,
  lifecycle_stage: run.lifecycle,
  run_id: run.id,
});

/** A run that was just made has no outputs yet, not even an empty list of them. */
export const newRunView = (run: Run): View => {
  const { outputs: _, ...view } = runView(run);
  return view;
};

export const runView = (run: Run): View => ({
  info: runInfoView(run),
  data: {
    ...some('metrics', run.metrics.map(metricView)),
    ...some('params', tagViews(run.params)),
    ...some('tags', tagViews(run.tags)),
  },
  inputs: {
    ...some('dataset_inputs', run.datasets.map(datasetInputView)),
    ...some(
      'model_inputs',
      run.modelInputs.map((model_id) => ({ model_id })),
    ),
  },
  outputs: some(
    'model_outputs',
    run.modelOutputs.map(({ modelId, step }) => ({ model_id: modelId, step: int64(step) })),
  ),
});

const datasetInputView = ({ dataset, tags }: DatasetInput): View => ({
  ...some('tags', tagViews(tags)),
  dataset: {
    name: dataset.name,
    digest: dataset.digest,
    source_type: dataset.sourceType,
    source: dataset.source,
    ...(dataset.schema ? { schema: dataset.schema } : {}),
    ...(dataset.profile ? { profile: dataset.profile } : {}),
  },
});

export const metricView = ({ key, ...point }: Metric): View => ({ key, ...pointView(point) });

export const pointView = ({ value, timestamp, step }: MetricPoint): View => ({
  value: double(value),
  timestamp: int64(timestamp),
  step: int64(step),
});

const modelMetricView = (metric: ModelMetric): View => ({
  ...metricView({ key: metric.key, value: metric.value, timestamp: metric.timestamp, step: metric.step }),
  ...given('dataset_name', metric.datasetName),
  ...given('dataset_digest', metric.datasetDigest),
  model_id: metric.modelId,
  run_id: metric.runId,
});

export const loggedModelView = (model: LoggedModel): View => ({
  info: {
    model_id: model.id,
    experiment_id: model.experimentId,
    name: model.name,
    creation_timestamp_ms: model.createdAt,
    last_updated_timestamp_ms: model.updatedAt,
    artifact_uri: model.artifactLocation,
    status: model.status,
    ...given('model_type', model.modelType),
    ...given('source_run_id', model.sourceRunId),
    ...given('status_message', model.statusMessage),
    ...some('tags', tagViews(model.tags)),
  },
  data: {
    ...some('params', tagViews(model.params)),
    ...some('metrics', model.metrics.map(modelMetricView)),
  },
});

export const versionView = (version: ModelVersion): View => ({
  name: version.model,
  version: String(version.version),
  creation_timestamp: version.createdAt,
  last_updated_timestamp: version.updatedAt,
  ...given('user_id', version.userId),
  current_stage: version.stage,
  ...given('description', version.description),
  source: version.source,
  ...given('run_id', version.runId),
  status: version.status,
  ...given('status_message', version.statusMessage || undefined),
  ...some('tags', tagViews(version.tags)),
  ...given('run_link', version.runLink),
  ...some('aliases', version.aliases),
});

export const modelView = (model: RegisteredModel, latest: readonly ModelVersion[]): View => ({
  name: model.name,
  creation_timestamp: model.createdAt,
  last_updated_timestamp: model.updatedAt,
  ...given('description', model.description || undefined),
  // Upstream lists these without their aliases; the aliases stand beside them.
  ...some(
    'latest_versions',
    latest.map((version) => versionView({ ...version, aliases: [] })),
  ),
  ...some('tags', tagViews(model.tags)),
  ...some(
    'aliases',
    model.aliases.map(({ alias, version }) => ({ alias, version: String(version) })),
  ),
});
