/** Closes the loop: alert, pipeline, gates, rollout. Level-triggered; every decision is an event with its evidence. */
import { hash } from 'node:crypto';
import { Cron } from 'croner';
import type { NewEvent } from '../events/event.ts';
import { eventSignal } from '../events/event-signal.ts';
import { eventStore } from '../events/event-store.ts';
import { startLoop } from '../events/loop-worker.ts';
import { isEnded, type Job } from '../jobs/job.ts';
import { alertStore } from '../monitoring/alert-store.ts';
import { monitorStore } from '../monitoring/monitor-store.ts';
import { rolloutStore } from '../rollouts/rollout-store.ts';
import type { Endpoint } from '../serving/endpoint.ts';
import type { ReadLog } from '../serving/prediction.ts';
import type { VersionRef } from '../serving/traffic.ts';
import type { Database } from '../storage/database.ts';
import type { CurrentProject } from './current-project-adapter.ts';
import { type RetrainPlan, retrainPlan } from './retrain-config.ts';
import { decideRetraining, type Retraining } from './retraining.ts';
import { retrainingStore } from './retraining-store.ts';
import type { Shipment } from './shipment.ts';

export type RetrainWorkerDeps = {
  readonly database: Database;
  readonly endpoints: () => Promise<readonly Endpoint[]>;
  /** @returns undefined for a project that is not linked */
  readonly findProject: (name: string) => Promise<CurrentProject | undefined>;
  /** The endpoint's clock. */
  readonly endpointNow: (endpoint: string) => Promise<number>;
  readonly championOf: (endpoint: string) => Promise<VersionRef | undefined>;
  readonly readLog: ReadLog;
  /** Starts the pipeline; parameters are those of the version that serves, so that only the data is new. */
  readonly execute: (request: {
    project: string;
    actor: string;
    like: VersionRef | undefined;
  }) => Promise<{ readonly execution: string }>;
  /** What came of an execution. */
  readonly executed: (execution: string) => Promise<Executed>;
  readonly ship: (shipment: Shipment, actor: string) => Promise<string>;
  readonly operation: (id: string) => Promise<Job | undefined>;
  readonly now: () => number;
  readonly newId: () => string;
  readonly onError: (error: unknown) => void;
};

export type Executed =
  | { readonly kind: 'running' }
  | { readonly kind: 'failed'; readonly because: string }
  | { readonly kind: 'done'; readonly version: VersionRef | undefined };

export type RetrainWorker = AsyncDisposable & { readonly wake: () => void };

export const retrainActor = 'rule:retrain';

export function startRetrainWorker(deps: RetrainWorkerDeps): RetrainWorker {
  const { database, onError } = deps;
  const labels = labelCounter(deps.readLog);
  const loop = startLoop({
    everyMs: 2000,
    atMostEveryMs: 100,
    onError,
    pass: async (signal) => {
      for (const endpoint of await deps.endpoints()) {
        if (signal.aborted) return false;
        try {
          await followEndpoint(deps, endpoint, labels);
        } catch (error) {
          onError(error);
        }
      }
      return false;
    },
  });
  const listening = eventSignal(database).onAppend(loop.wake);
  return {
    wake: loop.wake,
    [Symbol.asyncDispose]: async () => {
      listening[Symbol.dispose]();
      await loop[Symbol.asyncDispose]();
    },
  };
}

async function followEndpoint(deps: RetrainWorkerDeps, endpoint: Endpoint, labels: LabelCounter): Promise<void> {
  const { database } = deps;
  const last = await retrainingStore(database.read).last(endpoint.name);
  if (last?.state === 'training') return followTraining(deps, last);
  if (last?.state === 'shipping') return followShipment(deps, last);
  const config = (await deps.findProject(endpoint.project))?.config;
  if (!config?.retrain || config.endpoint?.name !== endpoint.name) return;
  const champion = await deps.championOf(endpoint.name);
  // Nothing serves yet: the first version is a person's.
  if (!champion) return;
  await decideNow(deps, endpoint, retrainPlan(config.retrain), { champion, last, labels });
}

async function decideNow(
  deps: RetrainWorkerDeps,
  endpoint: Endpoint,
  plan: RetrainPlan,
  { champion, last, labels }: { champion: VersionRef; last: Retraining | undefined; labels: LabelCounter },
): Promise<void> {
  const { database, now, newId } = deps;
  const clock = await deps.endpointNow(endpoint.name);
  const since = last?.startedClock ?? (await monitorStore(database.read).state(endpoint.name)).firstDay ?? clock;
  const wantsLabels = plan.when.some((trigger) => trigger.kind === 'labels');
  const decision = decideRetraining({
    plan,
    clock,
    openAlerts: await alertStore(database.read).list({ endpoint: endpoint.name, open: true, limit: 20 }),
    newLabels: wantsLabels ? await labels.since(endpoint.name, since) : 0,
    due: dueLines(plan, { since, clock }),
    last,
    rolloutRunning: (await rolloutStore(database.read).running()).some((one) => one.endpoint === endpoint.name),
  });
  if (decision.kind === 'nothing') return;
  const at = now();
  const base = {
    project: endpoint.project,
    endpoint: endpoint.name,
    startedAt: at,
    startedClock: clock,
    ship: plan.ship,
  };
  const { trigger, because } = decision;
  if (decision.kind === 'skip') {
    // Of one trigger each obstacle is told once; how long ago the last one was is no new obstacle.
    const kind = because.split(/[:0-9]/, 1)[0];
    const id = hash('sha256', `${endpoint.name} ${trigger} ${kind} ${last?.id ?? ''}`).slice(0, 32);
    await database.write(async (tx) => {
      const isNew = await retrainingStore(tx).insert({ ...base, id, trigger, state: 'skipped', because });
      if (isNew)
        await eventStore(tx).append(
          eventOf('lifecycle.retraining-skipped', { ...base, id, trigger }, { at, clock, reason: because, data: {} }),
        );
    });
    return;
  }
  const { execution } = await deps.execute({ project: endpoint.project, actor: retrainActor, like: champion });
  const retraining: Retraining = { ...base, id: newId(), trigger, state: 'training', because, execution };
  await database.write(async (tx) => {
    await retrainingStore(tx).insert(retraining);
    const data = { execution, ship: plan.ship, champion: { ...champion }, evidence: decision.evidence };
    await eventStore(tx).append(
      eventOf('lifecycle.retraining-started', retraining, { at, clock, reason: because, data }),
    );
  });
}

async function followTraining(deps: RetrainWorkerDeps, retraining: Retraining): Promise<void> {
  const { execution } = retraining;
  if (execution === undefined) return end(deps, retraining, 'no execution was started');
  const executed = await deps.executed(execution);
  switch (executed.kind) {
    case 'running':
      return;
    case 'failed':
      return end(deps, retraining, `the pipeline failed: ${executed.because}`);
    case 'done': {
      const { version } = executed;
      if (!version) return end(deps, retraining, 'the pipeline made no version');
      const { project, endpoint } = retraining;
      const shipment = await deps.ship(
        {
          ...{ project, endpoint, ...version, reason: `retrained: ${retraining.because}` },
          ...(retraining.ship === 'approve' && { consent: true }),
        },
        retrainActor,
      );
      await deps.database.write((tx) =>
        retrainingStore(tx).replace({ ...retraining, state: 'shipping', version, shipment }),
      );
    }
  }
}

async function followShipment(deps: RetrainWorkerDeps, retraining: Retraining): Promise<void> {
  const operation = retraining.shipment === undefined ? undefined : await deps.operation(retraining.shipment);
  if (operation && !isEnded(operation.state)) return;
  const version = retraining.version?.version;
  if (operation?.state === 'done')
    return end(deps, retraining, `version ${version} passed its gates and is being rolled out`);
  return end(
    deps,
    retraining,
    `version ${version} is not rolled out: ${operation?.error?.message ?? 'the shipment is gone'}`,
  );
}

async function end(deps: RetrainWorkerDeps, retraining: Retraining, outcome: string): Promise<void> {
  const { database, now } = deps;
  const clock = await deps.endpointNow(retraining.endpoint);
  const at = now();
  await database.write(async (tx) => {
    await retrainingStore(tx).replace({ ...retraining, state: 'ended', outcome });
    const { execution, version, shipment } = retraining;
    const data = { execution: execution ?? null, version: version ? { ...version } : null, shipment: shipment ?? null };
    await eventStore(tx).append(
      eventOf('lifecycle.retraining-ended', retraining, { at, clock, reason: outcome, data }),
    );
  });
}

function eventOf(
  type: string,
  { id, project, endpoint, trigger }: Pick<Retraining, 'id' | 'project' | 'endpoint' | 'trigger'>,
  { at, clock, reason, data }: { at: number; clock: number; reason: string; data: NewEvent['data'] },
): NewEvent {
  return {
    ...{ type, project, subject: `retraining/${id}`, actor: retrainActor, at, endpointTime: clock, reason },
    data: { endpoint, trigger, ...data },
  };
}

/** Cron lines in UTC, on the endpoint's clock. */
function dueLines({ when }: RetrainPlan, { since, clock }: { since: number; clock: number }): readonly string[] {
  return when.flatMap((trigger) => {
    if (trigger.kind !== 'schedule') return [];
    const next = new Cron(trigger.cron, { timezone: 'UTC', paused: true }).nextRun(new Date(since));
    return next && next.getTime() <= clock ? [trigger.cron] : [];
  });
}

type LabelCounter = { since(endpoint: string, clock: number): Promise<number> };

/** Counts labels as they come; after a restart it reads the log once. Only asked for where `labels:` is a trigger. */
function labelCounter(readLog: ReadLog): LabelCounter {
  const known = new Map<string, { seq: number; clock: number; count: number }>();
  return {
    since: async (endpoint, clock) => {
      let one = known.get(endpoint);
      if (one?.clock !== clock) one = { seq: 0, clock, count: 0 };
      known.set(endpoint, one);
      for (;;) {
        const page = await readLog(endpoint, { after: one.seq, limit: 5000 });
        for (const record of page) if (record.kind === 'label' && record.eventTime >= clock) one.count += 1;
        one.seq += page.length;
        if (page.length < 5000) return one.count;
      }
    },
  };
}
