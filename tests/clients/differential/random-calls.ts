/**
 * A random sequence over all routes, right calls and wrong ones. It comes after the fixed list and works in an experiment of its own.
 */
import { brokenCall } from './broken-call.ts';
import { type Call, post } from './call.ts';
import type { Random } from './random.ts';
import { artifactKinds } from './random-artifact-calls.ts';
import { createExperiment, createWebhook, experimentKinds, webhookKinds } from './random-experiment-calls.ts';
import { createLoggedModel, loggedModelKinds, registryKinds } from './random-registry-calls.ts';
import { createRun, runKinds } from './random-run-calls.ts';
import { type Kind, type Made, models, oneIn } from './random-world.ts';

export function randomCalls(random: Random, count: number): readonly Call[] {
  const made: Made = { runs: 0, loggedModels: 0, experiments: 0, webhooks: 0 };
  const start = post(
    'create the random experiment',
    '/experiments/create',
    { name: 'random' },
    { keep: { EXPERIMENT_R_: 'experiment_id' } },
  );
  return [
    start,
    ...[createRun, createExperiment, createLoggedModel, createWebhook].map((kind) => kind(random, made)),
    ...models.map((name) => post(`create the random model ${name}`, '/registered-models/create', { name })),
    ...Array.from({ length: count }, () => {
      const call = random.pick(random.pick(groups))(random, made);
      return (oneIn(random, 5) ? brokenCall(random, call) : undefined) ?? call;
    }),
  ];
}

/** Most of what clients ask is about runs. */
const groups: readonly (readonly Kind[])[] = [
  ...[runKinds, runKinds, runKinds, runKinds],
  ...[registryKinds, registryKinds, loggedModelKinds, loggedModelKinds, experimentKinds, artifactKinds, webhookKinds],
];
