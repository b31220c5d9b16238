/** What may be done to a run besides logging to it. */
import { PlatformError } from '../errors.ts';
import type { Json } from '../events/event.ts';
import type { EventStore } from '../events/event-store.ts';
import type { Lifecycle } from './experiment.ts';
import type { ExperimentStore } from './experiment-store.ts';
import type { MetricStore } from './metric-store.ts';
import { type Tag, validTag } from './names.ts';
import { isEnded, type RunInfo, requireActiveRun, runNameTag, runNotFound } from './run.ts';
import type { RunChange, RunStore } from './run-store.ts';

type Deps = {
  readonly runs: RunStore;
  readonly experiments: ExperimentStore;
  readonly events: EventStore;
  readonly now: () => number;
};

export async function requireRun(runs: RunStore, id: string): Promise<RunInfo> {
  const run = await runs.find(id);
  if (!run) throw runNotFound(id);
  return run;
}

/** Changes status, end and name. Ending a run tells how much it logged. */
export async function updateRun(
  deps: Deps & { readonly metrics: MetricStore },
  input: { readonly runId: string; readonly actor: string } & RunChange,
): Promise<RunInfo> {
  const { runs, metrics } = deps;
  const { runId, actor, status, endTime, name } = input;
  await runs.hold(runId); // of two callers who end it, one tells
  const before = await requireRun(runs, runId);
  requireActiveRun(before);
  const change: RunChange = {
    ...(status === undefined ? {} : { status }),
    ...(endTime === undefined ? {} : { endTime }),
    ...(name ? { name } : {}),
  };
  await runs.update(runId, change);
  if (name) await runs.setTags(runId, [{ key: runNameTag, value: name }]);
  if (status !== undefined && isEnded(status) && !isEnded(before.status)) {
    const counts = { ...(await runs.counts(runId)), ...(await metrics.counts(runId)) };
    await append(deps, 'tracking.run-ended', before, actor, { name: before.name, status, ...counts });
  }
  return { ...before, ...change };
}

export const deleteRun = (deps: Deps, runId: string, actor: string): Promise<void> =>
  setLifecycle(deps, runId, { actor, lifecycle: 'deleted', type: 'tracking.run-deleted' });

export const restoreRun = (deps: Deps, runId: string, actor: string): Promise<void> =>
  setLifecycle(deps, runId, { actor, lifecycle: 'active', type: 'tracking.run-restored' });

async function setLifecycle(
  deps: Deps,
  runId: string,
  { actor, lifecycle, type }: { readonly actor: string; readonly lifecycle: Lifecycle; readonly type: string },
): Promise<void> {
  await deps.runs.hold(runId);
  const run = await requireRun(deps.runs, runId);
  if (run.lifecycle === lifecycle) return;
  await deps.runs.setLifecycle(runId, lifecycle, deps.now());
  await append(deps, type, run, actor, { name: run.name });
}

export async function tagRun({ runs }: Pick<Deps, 'runs'>, runId: string, tag: Tag): Promise<void> {
  const valid = validTag(tag);
  requireActiveRun(await requireRun(runs, runId));
  await setRunTags(runs, runId, [valid]);
}

/** Sets tags that are valid; the one that holds the run's name also names the run. */
export async function setRunTags(runs: RunStore, runId: string, tags: readonly Tag[]): Promise<void> {
  const name = tags.findLast(({ key }) => key === runNameTag)?.value;
  if (name) await runs.update(runId, { name });
  await runs.setTags(runId, tags);
}

export async function untagRun({ runs }: Pick<Deps, 'runs'>, runId: string, key: string): Promise<void> {
  requireActiveRun(await requireRun(runs, runId));
  if (await runs.deleteTag(runId, key)) return;
  const message = `No tag with name: ${key} in run with id ${runId}`;
  throw new PlatformError('tracking/tag-not-found', key, { message });
}

/** Sets and removes tags of several runs, or of none when one of them cannot be changed. @param tags `null` removes */
export async function tagRuns(
  { runs }: Pick<Deps, 'runs'>,
  ids: readonly string[],
  tags: Readonly<Record<string, string | null>>,
): Promise<void> {
  const entries = Object.entries(tags);
  const set = entries.flatMap(([key, value]) => (value === null ? [] : validTag({ key, value }, 'tags')));
  const removed = entries.flatMap(([key, value]) => (value === null ? key : []));
  for (const id of ids) {
    requireActiveRun(await requireRun(runs, id));
    await setRunTags(runs, id, set);
    for (const key of removed) await runs.deleteTag(id, key);
  }
}

async function append(
  { experiments, events, now }: Deps,
  type: string,
  run: RunInfo,
  actor: string,
  data: { readonly [key: string]: Json },
): Promise<void> {
  const experiment = await experiments.find(run.experimentId);
  await events.append({
    type,
    project: experiment?.project ?? 'default',
    subject: `run/${run.id}`,
    actor,
    at: now(),
    data: { experiment: run.experimentId, ...data },
  });
}
