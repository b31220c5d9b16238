/**
 * What is carried from MLflow into Rondo, as messages of the import. Ids, numbers and times are those of the source; locations are
 * already those they have here.
 */
import { type Static, Type } from 'typebox';

/** A number where it is exact, otherwise its digits. */
export const wireInt64 = Type.Union([Type.Integer(), Type.String({ pattern: '^-?\\d{1,19}$' })]);
/** JSON has no NaN; MLflow keeps infinities as the greatest finite doubles, and so do we. */
const wireDouble = Type.Union([Type.Number(), Type.Literal('NaN')]);
const time = Type.Integer({ minimum: 0 });
const experimentId = Type.String({ pattern: '^\\d{1,18}$' });
const key = Type.String({ maxLength: 1000 });
const keyValues = Type.Array(Type.Object({ key, value: Type.String() }));
const lifecycle = Type.Union([Type.Literal('active'), Type.Literal('deleted')]);

export const experimentRecord = Type.Object({
  kind: Type.Literal('experiment'),
  id: experimentId,
  name: Type.String({ minLength: 1, maxLength: 1000 }),
  artifactLocation: Type.String(),
  lifecycle,
  createdAt: time,
  updatedAt: time,
  tags: keyValues,
});

export const runRecord = Type.Object({
  kind: Type.Literal('run'),
  id: Type.String({ minLength: 1, maxLength: 256 }),
  experimentId,
  name: Type.String(),
  userId: Type.String(),
  status: Type.Enum(['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED']),
  startTime: wireInt64,
  endTime: Type.Optional(wireInt64),
  artifactUri: Type.String(),
  lifecycle,
  deletedAt: Type.Optional(time),
  params: keyValues,
  tags: keyValues,
  datasets: Type.Array(
    Type.Object({
      name: Type.String(),
      digest: Type.String(),
      sourceType: Type.String(),
      source: Type.String(),
      schema: Type.Optional(Type.String()),
      profile: Type.Optional(Type.String()),
      tags: keyValues,
    }),
  ),
  modelInputs: Type.Array(Type.String()),
  modelOutputs: Type.Array(Type.Object({ modelId: Type.String(), step: wireInt64 })),
});

/** Points of one metric of one run, as columns: a million of them are many, and their key is one. */
export const pointsRecord = Type.Object({
  kind: Type.Literal('points'),
  runId: Type.String({ minLength: 1, maxLength: 256 }),
  experimentId,
  key,
  steps: Type.Array(wireInt64),
  timestamps: Type.Array(wireInt64),
  values: Type.Array(wireDouble),
});

export const loggedModelRecord = Type.Object({
  kind: Type.Literal('logged-model'),
  id: Type.String({ minLength: 1, maxLength: 256 }),
  experimentId,
  name: Type.String(),
  artifactLocation: Type.String(),
  status: Type.Enum(['LOGGED_MODEL_PENDING', 'LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED']),
  statusMessage: Type.Optional(Type.String()),
  lifecycle,
  modelType: Type.Optional(Type.String()),
  sourceRunId: Type.Optional(Type.String()),
  createdAt: time,
  updatedAt: time,
  params: keyValues,
  tags: keyValues,
  metrics: Type.Array(
    Type.Object({
      key,
      value: wireDouble,
      timestamp: wireInt64,
      step: wireInt64,
      runId: Type.String(),
      datasetName: Type.Optional(Type.String()),
      datasetDigest: Type.Optional(Type.String()),
    }),
  ),
});

/** A registered model or, with its tag, a prompt. */
export const modelRecord = Type.Object({
  kind: Type.Literal('model'),
  name: Type.String({ minLength: 1 }),
  description: Type.Optional(Type.String()),
  createdAt: time,
  updatedAt: time,
  tags: keyValues,
});

export const versionRecord = Type.Object({
  kind: Type.Literal('version'),
  model: Type.String({ minLength: 1 }),
  version: Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }),
  /** Only its number is left: it is never given again. */
  deleted: Type.Boolean(),
  source: Type.String(),
  storageLocation: Type.String(),
  runId: Type.Optional(Type.String()),
  runLink: Type.Optional(Type.String()),
  loggedModelId: Type.Optional(Type.String()),
  userId: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
  stage: Type.Enum(['None', 'Staging', 'Production', 'Archived']),
  status: Type.Enum(['PENDING_REGISTRATION', 'FAILED_REGISTRATION', 'READY']),
  statusMessage: Type.Optional(Type.String()),
  createdAt: time,
  updatedAt: time,
  tags: keyValues,
  aliases: Type.Array(Type.String()),
});

export const mlflowRecord = Type.Union([
  experimentRecord,
  runRecord,
  pointsRecord,
  loggedModelRecord,
  modelRecord,
  versionRecord,
]);

/** What can be read back by its id: all but the points, which are summed up with their run. */
export const entityRecord = Type.Union([experimentRecord, runRecord, loggedModelRecord, modelRecord, versionRecord]);

export type WireInt64 = Static<typeof wireInt64>;
export type WireDouble = Static<typeof wireDouble>;
export type ExperimentRecord = Static<typeof experimentRecord>;
export type RunRecord = Static<typeof runRecord>;
export type PointsRecord = Static<typeof pointsRecord>;
export type LoggedModelRecord = Static<typeof loggedModelRecord>;
export type ModelRecord = Static<typeof modelRecord>;
export type VersionRecord = Static<typeof versionRecord>;
export type MlflowRecord = Static<typeof mlflowRecord>;
export type EntityRecord = Static<typeof entityRecord>;
export type EntityKind = EntityRecord['kind'];

export const entityKinds = ['experiment', 'run', 'logged-model', 'model', 'version'] as const;

/** What a record is called in reports and requests: unique within its kind. */
export function nameOf(record: EntityRecord): string {
  switch (record.kind) {
    case 'experiment':
    case 'run':
    case 'logged-model':
      return record.id;
    case 'model':
      return record.name;
    case 'version':
      return `${record.model}/${record.version}`;
  }
}

/** The points of a run: how many metrics, how many points, and a digest over them in any order. */
export type PointsSummary = { readonly metrics: number; readonly points: number; readonly digest: string };
