/** What answers tell of models and their versions, as schemas. */
import { Type } from 'typebox';
import { byName, list, maybe, time } from '../http/view.ts';
import { findingView, tensorSpecView } from '../onnx/onnx-view.ts';
import { stages, versionStatuses } from './model-version.ts';
import { phases } from './phase.ts';

const tags = list(Type.Object({ key: Type.String(), value: Type.String() }));
const phase = Type.Enum([...phases], { description: 'Where it stands: derived from what happened, never set' });
const stage = Type.Enum([...stages], { description: "MLflow's, as clients set it" });
const digest = Type.String({ description: 'SHA-256, in hexadecimal digits' });

const model = {
  name: Type.String(),
  project: Type.String(),
  description: maybe(Type.String()),
  tags,
  aliases: list(Type.Object({ alias: Type.String(), version: Type.Integer() })),
  createdAt: time(),
  updatedAt: time(),
};

export const modelView = Type.Object(model, { title: 'Model' });

export const modelInListView = Type.Object(
  {
    ...model,
    versions: list(
      Type.Object({
        version: Type.Integer(),
        createdAt: time(),
        phase,
        stage,
        aliases: list(Type.String()),
        runId: maybe(Type.String()),
      }),
      { description: 'Newest first' },
    ),
  },
  { title: 'ModelInList' },
);

const lineage = Type.Object(
  {
    datasets: list(Type.Object({ name: Type.String(), version: Type.String(), context: Type.String() })),
    code: maybe(Type.String({ description: 'The commit of the project folder' })),
    environment: maybe(Type.String({ description: 'Digest or name of the environment that trained it' })),
    seed: maybe(Type.Number()),
    execution: maybe(Type.String({ description: 'The id of the pipeline execution that made it' })),
  },
  { title: 'Lineage' },
);

const sealed = Type.Object(
  {
    onnxDigest: maybe(Type.String({ description: 'Absent: it holds no ONNX file and cannot serve' })),
    files: list(Type.Object({ path: Type.String(), digest, size: Type.Integer({ description: 'Bytes' }) })),
    inputs: list(tensorSpecView),
    outputs: list(tensorSpecView),
    findings: list(findingView),
    sealedAt: time(),
  },
  { title: 'Seal', description: 'Its bytes, fixed and inspected; absent before that' },
);

export const versionView = Type.Object(
  {
    model: Type.String(),
    version: Type.Integer(),
    project: Type.String(),
    source: Type.String({ description: 'As the client named it: `runs:/…/model`' }),
    runId: maybe(Type.String()),
    runLink: maybe(Type.String()),
    loggedModelId: maybe(Type.String()),
    userId: maybe(Type.String()),
    description: maybe(Type.String()),
    stage,
    status: Type.Enum([...versionStatuses]),
    statusMessage: maybe(Type.String()),
    createdAt: time(),
    updatedAt: time(),
    tags,
    aliases: list(Type.String()),
    lineage,
    sealed: maybe(sealed),
    profileDigest: maybe(Type.String({ description: 'Of the profile of its training data' })),
    gateDataDigest: maybe(Type.String({ description: 'Of the rows that gates score' })),
    parityDigest: maybe(Type.String({ description: 'Of the outputs it must give' })),
    phase,
    servable: Type.Boolean({ description: 'Nothing that the seal found keeps it from serving' }),
  },
  { title: 'ModelVersion' },
);

export const modelDetailView = Type.Object(
  { ...model, versions: list(versionView, { description: 'Newest first' }) },
  { title: 'ModelDetail' },
);

const move = {
  position: Type.Integer({ description: 'In the log of events' }),
  at: time(),
  actor: Type.String(),
  because: maybe(
    Type.Enum(['deleted', 'restored'], {
      description: 'What happened to the version or the model that had it; absent where it was moved itself',
    }),
  ),
};

export const labelHistoryView = Type.Object(
  {
    model: Type.String(),
    at: maybe(time('The moment that was asked for')),
    aliases: byName(Type.Integer(), 'Versions by alias, at that moment'),
    stages: byName(
      Type.String(),
      'Stages by version, at that moment; versions whose stage was never set are not in it',
    ),
    moves: list(
      Type.Union([
        Type.Object({
          kind: Type.Literal('alias'),
          alias: Type.String(),
          from: maybe(Type.Integer({ description: 'Absent: no version had it' })),
          to: maybe(Type.Integer({ description: 'Absent: no version has it any more' })),
          ...move,
        }),
        Type.Object({
          kind: Type.Literal('stage'),
          version: Type.Integer(),
          from: maybe(Type.String()),
          to: maybe(Type.String({ description: 'Absent while the version is deleted' })),
          ...move,
        }),
      ]),
      { description: 'Newest first' },
    ),
  },
  { title: 'LabelHistory' },
);
