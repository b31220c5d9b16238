/** Moves shipments on: gates first, then the rollout. Level-triggered: all it knows is in the operation and its parts. */
import { PlatformError } from '../errors.ts';
import { startLoop } from '../events/loop-worker.ts';
import { consentTopic } from '../governance/approval-store.ts';
import type { Job, JobError } from '../jobs/job.ts';
import { describeError } from '../jobs/job-message.ts';
import { endedTopic, jobStore, queuedTopic } from '../jobs/job-store.ts';
import { submitJob } from '../jobs/submit-job.ts';
import type { Rollout } from '../rollouts/rollout.ts';
import type { RolloutStart } from '../rollouts/start-rollout.ts';
import type { Database, Db } from '../storage/database.ts';
import type { AskedBy } from './consent-adapter.ts';
import { type ConsentState, decideShipment, type Shipment, shipKind } from './shipment.ts';

export type ShipWorkerDeps = {
  readonly database: Database;
  /** Starts the rollout, with what the gates said. @throws PlatformError when it may not start: that is how the shipment ends */
  readonly rollOut: (shipment: Shipment, gates: NonNullable<RolloutStart['gates']>, actor: string) => Promise<Rollout>;
  /** Asked when the gates have passed, or were forced. */
  readonly consentTo: (shipment: Shipment, by: AskedBy) => Promise<ConsentState>;
  readonly now: () => number;
  readonly newId: () => string;
  readonly onError: (error: unknown) => void;
};

export type ShipWorker = AsyncDisposable & {
  /** @returns the operation's id */
  request(
    shipment: Shipment,
    options: {
      readonly actor: string;
      readonly gates: boolean;
      /** Written in the same transaction. */
      readonly also?: (tx: Db) => Promise<void>;
    },
  ): Promise<string>;
};

export function startShipWorker(deps: ShipWorkerDeps): ShipWorker {
  const { database, now, newId, onError } = deps;
  const loop = startLoop({
    pass: async () => {
      for (const operation of await jobStore(database.read).open(shipKind)) await advance(deps, operation);
      return false;
    },
    everyMs: 5_000,
    onError,
  });
  const stack = new AsyncDisposableStack();
  stack.use(loop);
  for (const topic of [endedTopic, queuedTopic, consentTopic]) stack.use(database.onCommit(topic, loop.wake));
  return {
    request: async (shipment, { actor, gates, also }) => {
      const operation = await database.write(async (tx) => {
        const submit = { jobs: jobStore(tx), now, newId };
        const { project, model, version } = shipment;
        const operation = await submitJob(submit, { kind: shipKind, lane: 'none', input: shipment, project, actor });
        // Forced or not, the gates are run: what they say is evidence.
        if (gates)
          await submitJob(submit, {
            kind: 'gates.run',
            input: { model, version },
            parent: operation.id,
            project,
            actor,
          });
        await also?.(tx);
        return operation.id;
      });
      loop.wake(); // without gates nothing is queued or ended that would
      return operation;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function advance({ database, rollOut, consentTo, now }: ShipWorkerDeps, operation: Job): Promise<void> {
  const shipment = operation.input as Shipment; // written by `request`
  const [gates] = await jobStore(database.read).children(operation.id);
  const decision = decideShipment(gates);
  const end = async (outcome: { result: unknown } | { error: JobError }) => {
    await database.write((tx) =>
      jobStore(tx).end(
        operation.id,
        'error' in outcome ? { state: 'failed', error: outcome.error } : { state: 'done', result: outcome.result },
        now(),
      ),
    );
  };
  switch (decision.kind) {
    case 'wait':
      return;
    case 'fail':
      return end({ error: decision.error });
    case 'roll-out': {
      try {
        const { model, version, force } = shipment;
        // What will not be rolled out anyway needs nobody's consent.
        if (decision.gates.outcome === 'pass' || force?.gates) {
          const consent = await consentTo(shipment, {
            operation: operation.id,
            gates: decision.gates,
            actor: operation.actor,
          });
          if (consent.kind === 'missing') throw new PlatformError(consent.error, `${model}@${version}`);
          if (consent.kind === 'waiting') {
            if (operation.progress.note === consent.note) return;
            const { note } = consent;
            return await database.write((tx) => jobStore(tx).setProgress(operation.id, { note }));
          }
        }
        const rollout = await rollOut(shipment, decision.gates, operation.actor);
        return await end({ result: { rollout: rollout.id, endpoint: rollout.endpoint, gates: gates?.result ?? null } });
      } catch (error) {
        return end({ error: describeError(error) });
      }
    }
  }
}
