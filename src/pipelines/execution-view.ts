/** What answers tell of executions, as schemas. */
import { Type } from 'typebox';
import { byName, list, maybe, time } from '../http/view.ts';
import { executionStates, stepStates } from './execution.ts';
import { ParamValue } from './pipeline-config.ts';

const params = byName(ParamValue, 'By name');
const digests = (description: string) => byName(Type.String(), description);

const execution = {
  id: Type.String(),
  project: Type.String(),
  number: Type.Integer({ description: 'Counted by project' }),
  operation: Type.String({ description: 'Its state is at `/api/v1/operations/{id}`' }),
  state: Type.Enum([...executionStates]),
  actor: Type.String(),
  error: maybe(Type.String()),
  createdAt: time(),
  endedAt: maybe(time()),
  request: Type.Object(
    {
      steps: maybe(list(Type.String(), { description: 'Absent: all of them' })),
      params: maybe(params),
    },
    { description: 'What was asked for' },
  ),
};

export const executionInListView = Type.Object(
  { ...execution, steps: list(Type.String(), { description: 'Names, in the order in which they run' }) },
  { title: 'ExecutionInList' },
);

const stepView = Type.Object(
  {
    name: Type.String(),
    state: Type.Enum([...stepStates]),
    reason: maybe(Type.String({ description: 'Why it runs or does not' })),
    key: maybe(Type.String({ description: 'The digest over everything it reads' })),
    outputs: maybe(digests('Digests of what it wrote, by path')),
    model: maybe(Type.Object({ model: Type.String(), version: Type.Integer() })),
    runId: maybe(Type.String()),
    error: maybe(Type.String()),
    startedAt: maybe(time()),
    endedAt: maybe(time()),
    command: list(Type.String(), { description: 'With its arguments' }),
    reads: list(Type.String(), { description: 'Steps, datasets and files' }),
    writes: list(Type.String()),
    params,
    seed: maybe(Type.Integer()),
    files: maybe(digests('Digests of the files it read, by path')),
    programs: maybe(digests('Versions of what ran it')),
  },
  { title: 'StepExecution' },
);

export const executionView = Type.Object(
  {
    ...execution,
    force: Type.Boolean({ description: 'Nothing is answered from the cache' }),
    datasets: maybe(byName(Type.Object({ root: Type.String(), version: Type.Integer() }), 'What it read, by name')),
    environment: maybe(
      Type.Object({
        os: Type.String(),
        cpu: Type.String(),
        cores: Type.Integer(),
        git: maybe(Type.Object({ commit: Type.String(), dirty: Type.Boolean() })),
      }),
    ),
    steps: list(stepView),
  },
  { title: 'Execution' },
);

export const logView = Type.Object({
  items: list(
    Type.Object({
      at: time(),
      step: Type.String(),
      stream: Type.Enum(['out', 'err', 'note'], { description: '`note`: what Rondo itself says' }),
      line: Type.String(),
    }),
  ),
  next: Type.Integer({ description: 'The `after` of the next page: where to go on, also when there is no more yet' }),
});
