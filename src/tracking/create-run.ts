import type { EventStore } from '../events/event-store.ts';
import type { Int64 } from '../storage/int64.ts';
import { requireExperiment } from './change-experiment.ts';
import { appendToLocation, requireActiveExperiment } from './experiment.ts';
import type { ExperimentStore } from './experiment-store.ts';
import { type Tag, validTag } from './names.ts';
import { namedRun, type Run } from './run.ts';
import type { RunStore } from './run-store.ts';

type Deps = {
  readonly experiments: ExperimentStore;
  readonly runs: RunStore;
  readonly events: EventStore;
  readonly now: () => number;
  /** 32 hexadecimal digits. */
  readonly newId: () => string;
  /** Uniform in [0, 1), for a name when none is given. */
  readonly random: () => number;
};

/** Starts a run. @throws PlatformError `tracking/experiment-not-found`, `tracking/not-active` */
export async function createRun(
  { experiments, runs, events, now, newId, random }: Deps,
  input: {
    readonly experimentId: string;
    readonly actor: string;
    readonly userId?: string;
    readonly name?: string;
    readonly startTime?: Int64;
    readonly tags?: readonly Tag[];
  },
): Promise<Run> {
  const experiment = await requireExperiment(experiments, input.experimentId);
  requireActiveExperiment(experiment);
  const { name, tags } = namedRun(
    input.name,
    (input.tags ?? []).map((tag) => validTag(tag)),
    random,
  );
  const id = newId();
  const run: Run = {
    id,
    experimentId: experiment.id,
    name,
    userId: input.userId ?? '',
    status: 'RUNNING',
    startTime: input.startTime ?? 0,
    artifactUri: appendToLocation(experiment.artifactLocation, id, 'artifacts'),
    lifecycle: 'active',
    metrics: [],
    params: [],
    tags: [...new Map(tags.map(({ key, value }) => [key, value]))].map(([key, value]) => ({ key, value })),
    datasets: [],
    modelInputs: [],
    modelOutputs: [],
  };
  await runs.insert(run);
  await runs.setTags(id, run.tags);
  await events.append({
    type: 'tracking.run-started',
    project: experiment.project,
    subject: `run/${id}`,
    actor: input.actor,
    at: now(),
    data: { experiment: experiment.id, name },
  });
  return run;
}
