/** What answers tell of endpoints, as schemas. */
import { Type } from 'typebox';
import { byName, clock, list, maybe, share, time } from '../http/view.ts';
import { tasks } from './endpoint.ts';
import { roles } from './prediction.ts';

export const versionRefView = Type.Object({ model: Type.String(), version: Type.Integer() }, { title: 'VersionRef' });

const rolloutTraffic = Type.Object({
  id: Type.String(),
  salt: Type.String({ description: 'Decides with the unit who is in which cohort' }),
  challenger: versionRefView,
  stage: Type.Enum(['shadow', 'canary']),
  share: share("The canary's share of the units; without meaning in stage shadow"),
});

export const trafficView = Type.Object(
  {
    generation: Type.Integer({
      description: 'Grows by one with every change; a prediction names the one it was made under',
    }),
    champion: maybe(versionRefView),
    previous: maybe(versionRefView),
    rollout: maybe(rolloutTraffic),
  },
  { title: 'Traffic' },
);

const ms = maybe(Type.Number({ description: 'Milliseconds' }));

export const endpointView = Type.Object(
  {
    name: Type.String(),
    project: Type.String(),
    task: Type.Enum([...tasks]),
    key: maybe(Type.String({ description: 'The input whose value joins a label to its prediction' })),
    time: maybe(Type.String({ description: 'The input that carries event time; absent: the wall clock' })),
    assign: maybe(Type.String({ description: 'The input that names a sticky unit; absent: the unit is the request' })),
    target: maybe(Type.String({ description: 'The name of the truth' })),
    log: Type.Union([
      Type.Enum(['durable', 'buffered']),
      Type.Object({ sampled: share('Of the answers that are kept') }),
    ]),
    latencyBudgetMs: Type.Number({ description: 'What an answer may take, in milliseconds' }),
    latencyLimitMs: Type.Number({ description: 'The same as `latencyBudgetMs`' }),
    champion: maybe(Type.Object(versionRefView.properties, { description: 'Absent while nothing serves' })),
    previous: maybe(Type.Object(versionRefView.properties, { description: 'Where a rollback goes' })),
    generation: trafficView.properties.generation,
    rollout: maybe(rolloutTraffic),
    ready: Type.Boolean({ description: 'What it should serve is loaded' }),
    requestsPerSecond: maybe(
      Type.Number({ description: 'Like all that is measured: of five minutes, or since the start if that is shorter' }),
    ),
    requests: maybe(Type.Integer()),
    errors: maybe(Type.Integer()),
    latencyMs: maybe(Type.Object({ p50: ms, p95: ms, p99: ms }, { description: 'Measured; empty without requests' })),
    mirrorDrops: maybe(Type.Integer({ description: 'Requests that were not scored in the shadow, since the start' })),
    logState: maybe(
      Type.Object({
        last: Type.Integer({ description: 'Position of the newest record' }),
        dropped: Type.Integer({ description: 'Records lost, since the start' }),
        failing: maybe(Type.String({ description: 'Why nothing is written now' })),
      }),
    ),
    endpointTime: maybe(clock('Now; absent before the first prediction of an endpoint with `time`')),
    createdAt: time(),
    updatedAt: time(),
  },
  { title: 'Endpoint' },
);

export const binsView = Type.Union([
  Type.Object({
    kind: Type.Literal('numeric'),
    edges: list(Type.Number(), {
      description: 'Bin i holds edges[i−1] < x ≤ edges[i]; the first and the last are open',
    }),
  }),
  Type.Object({ kind: Type.Literal('categorical'), categories: list(Type.String()) }),
]);

export const countsView = list(Type.Integer(), {
  description: 'One a bin or category, then that of all other categories, and last that of missing values',
});

const histogram = Type.Object({
  bins: binsView,
  counts: countsView,
});

export const summaryView = Type.Object(
  {
    model: Type.String(),
    version: Type.Integer(),
    role: Type.Enum([...roles]),
    kind: Type.Enum(['prediction', 'mirror'], { description: '`mirror`: answers that were given to nobody' }),
    day: clock('Start of the UTC day; with `by=version`, of the first one'),
    count: Type.Integer(),
    errors: Type.Integer(),
    latency: byName(Type.Integer(), 'Counts by the number of the latency bucket, without the empty ones'),
    features: byName(histogram, 'By input'),
    score: maybe(histogram),
  },
  { title: 'Summary' },
);
