/** Follows the logs of endpoints with a rollout, decides, and applies. Level-triggered: it may stop and start at any moment. */
import { PlatformError } from '../errors.ts';
import { eventStore } from '../events/event-store.ts';
import { startLoop } from '../events/loop-worker.ts';
import type { Endpoint } from '../serving/endpoint.ts';
import type { LogSignal, ReadLog } from '../serving/prediction.ts';
import type { Traffic, VersionRef } from '../serving/traffic.ts';
import type { Database, Db } from '../storage/database.ts';
import { createLease, type Lease } from '../storage/lease.ts';
import { type AdvanceDeps, advanceRollout, ruleActor, type SetTraffic, tellNews } from './advance-rollout.ts';
import { type Evidence, findingsOf, fold, noEvidence } from './evidence.ts';
import type { Findings, Loaded } from './findings.ts';
import {
  type Command,
  conditionsOf,
  type Decision,
  decide,
  isOver,
  liveOf,
  obey,
  type Rollout,
  sayState,
} from './rollout.ts';
import { newsOf } from './rollout-news.ts';
import { type Look, rolloutStore } from './rollout-store.ts';
import { supersededBy, trafficFor } from './rollout-traffic.ts';
import { type RolloutStart, startRollout } from './start-rollout.ts';

/** What serving offers a rollout. */
export type RolloutServing = {
  readonly trafficOf: (endpoint: string) => Promise<Traffic>;
  readonly setTraffic: SetTraffic;
  /** Loads and warms a version without giving it traffic. */
  readonly load: (endpoint: string, version: VersionRef) => Promise<Exclude<Loaded, { kind: 'pending' }>>;
  readonly readLog: ReadLog;
  readonly logSignal: LogSignal;
  readonly lastSeq: (endpoint: string) => Promise<number>;
  /** The endpoint's clock: greatest event time, or the wall clock. */
  readonly endpointNow: (endpoint: string) => Promise<number>;
};

export type RolloutWorkerDeps = {
  readonly database: Database;
  readonly serving: RolloutServing;
  readonly now: () => number;
  readonly newId: () => string;
  readonly onError: (error: unknown) => void;
};

export type StartInput = Omit<RolloutStart, 'traffic' | 'lastSeq' | 'clock'> & { readonly endpoint: Endpoint };

export type RolloutWorker = AsyncDisposable & {
  start(input: StartInput): Promise<Rollout>;
  /** @throws PlatformError rollouts/not-found, rollouts/not-possible, rollouts/reason-missing */
  command(id: string, command: Command, actor: string): Promise<Rollout>;
  readonly wake: () => void;
};

const pageSize = 1000;
/** How often a look that changed nothing is kept for whoever asks. */
const lookEveryMs = 500;
const tries = 5;

export function startRolloutWorker(deps: RolloutWorkerDeps): RolloutWorker {
  const { database, serving, now, newId, onError } = deps;
  const followed = new Map<string, Followed>();
  const advanceDeps: AdvanceDeps = {
    inTransaction: (work) => database.write((tx: Db) => work({ rollouts: rolloutStore(tx), events: eventStore(tx) })),
    setTraffic: serving.setTraffic,
    now,
  };

  /** One page of the log, and what follows from it. @returns whether there is more */
  async function follow(id: string): Promise<boolean> {
    const one = followedOf(id);
    await one.turn.acquire();
    try {
      const rollout = await rolloutStore(database.read).find(id);
      if (!rollout || isOver(rollout.state)) {
        followed.delete(id);
        return false;
      }
      const evidence = evidenceOf(one, rollout);
      const page = await serving.readLog(rollout.endpoint, { after: evidence.seq, limit: pageSize });
      for (const record of page) fold(evidence, record);
      const behind = page.length === pageSize;
      // What was decided on the way must not be decided anew on half of the evidence, except to stop.
      const before = rollout.state;
      const after = await look(one, rollout, { behind });
      return behind || (after.state !== before && !isOver(after.state));
    } finally {
      one.turn.giveBack();
    }
  }

  async function look(one: Followed, given: Rollout, { behind }: { readonly behind: boolean }): Promise<Rollout> {
    const traffic = await serving.trafficOf(given.endpoint);
    const clock = await serving.endpointNow(given.endpoint);
    const rollout = await onOwnClock(given, clock);
    const findings = findingsIn(one, rollout, traffic);
    const decision = decide(rollout, findings, clock);
    const lookNow: Look = { findings, clock, ...explained(rollout, findings, decision) };
    if (decision.kind === 'move') {
      const stops = decision.to.kind === 'rolled-back';
      if (behind && !stops) return rollout;
      return move(rollout, { move: decision, findings, look: lookNow, traffic, actor: ruleActor, clock });
    }
    await reconcile(rollout, traffic);
    if (behind) return rollout;
    const { news, told } = newsOf(rollout, findings, decision);
    if (news.length > 0) {
      const after = { ...rollout, told };
      return tellNews(advanceDeps, { rollout, after, news, findings, look: lookNow, clock });
    }
    if (one.lookedSeq !== findings.seq && now() - one.lookedAt >= lookEveryMs) {
      one.lookedAt = now();
      one.lookedSeq = findings.seq;
      await database.write((tx) => rolloutStore(tx).saveLook(rollout.id, lookNow));
    }
    return rollout;
  }

  /**
   * An endpoint's clock never goes back but once: at its first prediction, before which the wall clock stands in for it. Patience
   * and durations then begin anew.
   */
  async function onOwnClock(rollout: Rollout, clock: number): Promise<Rollout> {
    if (clock >= rollout.stateSince) return rollout;
    const after = { ...rollout, stateSince: clock, startedClock: Math.min(rollout.startedClock, clock) };
    return (await database.write((tx) => rolloutStore(tx).replace(rollout, after))) ? after : rollout;
  }

  /** After a crash between a move and its traffic, the traffic is behind. */
  async function reconcile(rollout: Rollout, traffic: Traffic): Promise<void> {
    const target = trafficFor(rollout, traffic);
    if (target === traffic || supersededBy(rollout, traffic) !== undefined) return;
    const { generation: _, ...rest } = target;
    await serving.setTraffic({
      endpoint: rollout.endpoint,
      after: traffic.generation,
      traffic: rest,
      reason: `rollout ${rollout.id}: ${sayState(rollout.state, rollout.plan)}, as decided before the restart`,
      actor: ruleActor,
    });
  }

  const move = (rollout: Rollout, advance: Omit<Parameters<typeof advanceRollout>[1], 'rollout'>) =>
    advanceRollout(advanceDeps, { rollout, ...advance });

  function findingsIn(one: Followed, rollout: Rollout, traffic: Traffic): Findings {
    const superseded = supersededBy(rollout, traffic);
    return findingsOf(evidenceOf(one, rollout), {
      loaded: loadedOf(one, rollout),
      generation: rollout.generation,
      ...(superseded !== undefined && { supersededBy: superseded }),
    });
  }

  function loadedOf(one: Followed, rollout: Rollout): Loaded {
    if (rollout.state.kind !== 'preparing') return { kind: 'ready' };
    if (one.loaded === undefined) {
      one.loaded = { kind: 'pending' };
      serving
        .load(rollout.endpoint, rollout.challenger)
        .catch(
          (error: unknown): Loaded => ({
            kind: 'failed',
            problem: error instanceof Error ? error.message : String(error),
          }),
        )
        .then((loaded) => {
          one.loaded = loaded;
          loop.wake();
        })
        .catch(onError);
    }
    return one.loaded;
  }

  function followedOf(id: string): Followed {
    let one = followed.get(id);
    if (!one) {
      one = { turn: createLease(), evidence: undefined, loaded: undefined, lookedAt: 0, lookedSeq: -1 };
      followed.set(id, one);
    }
    return one;
  }

  const loop = startLoop({
    // What other processes log is noticed this late.
    everyMs: 500,
    onError,
    pass: async (signal) => {
      let more = false;
      for (const { id } of await rolloutStore(database.read).running()) {
        if (signal.aborted) return false;
        // One endpoint's trouble is not another's.
        try {
          if (await follow(id)) more = true;
        } catch (error) {
          onError(error);
        }
      }
      return more;
    },
  });
  const listening = serving.logSignal.onAppend(loop.wake);

  return {
    wake: loop.wake,

    start: async (input) => {
      const { name } = input.endpoint;
      const traffic = await serving.trafficOf(name);
      const lastSeq = await serving.lastSeq(name);
      const clock = await serving.endpointNow(name);
      const rollout = await database.write((tx) =>
        startRollout(
          { rollouts: rolloutStore(tx), events: eventStore(tx), now, newId },
          { ...input, traffic, lastSeq, clock },
        ),
      );
      loop.wake();
      return rollout;
    },

    command: async (id, command, actor) => {
      if (!command.reason.trim() && (command.kind === 'promote' || command.kind === 'abort')) {
        throw new PlatformError('rollouts/reason-missing', `${command.kind} a rollout`, {
          hint: 'Say why: it is kept in the audit log.',
        });
      }
      const one = followedOf(id);
      await one.turn.acquire();
      try {
        for (let attempt = 0; attempt < tries; attempt++) {
          const rollout = await rolloutStore(database.read).find(id);
          if (!rollout) throw new PlatformError('rollouts/not-found', id);
          const wanted = obey(rollout, command);
          if (!wanted)
            throw new PlatformError(
              'rollouts/not-possible',
              `to ${command.kind} a rollout that is ${sayState(rollout.state, rollout.plan)}`,
            );
          const traffic = await serving.trafficOf(rollout.endpoint);
          const clock = await serving.endpointNow(rollout.endpoint);
          const findings = findingsIn(one, rollout, traffic);
          const look: Look = { findings, clock, conditions: [], because: wanted.because };
          const after = await move(rollout, { move: wanted, findings, look, traffic, actor, clock });
          if (after !== rollout) return after;
        }
        throw new PlatformError('http/conflict', `rollout ${id}`);
      } finally {
        one.turn.giveBack();
        loop.wake();
      }
    },

    [Symbol.asyncDispose]: async () => {
      listening[Symbol.dispose]();
      await loop[Symbol.asyncDispose]();
    },
  };
}

type Followed = {
  readonly turn: Lease;
  evidence: Evidence | undefined;
  loaded: Loaded | undefined;
  lookedAt: number;
  lookedSeq: number;
};

/** Begins with nothing after a restart: the log is read again. */
function evidenceOf(one: Followed, rollout: Rollout): Evidence {
  one.evidence ??= noEvidence(rollout);
  return one.evidence;
}

function explained(rollout: Rollout, findings: Findings, decision: Decision): Pick<Look, 'conditions' | 'because'> {
  if (decision.kind === 'nothing') return { conditions: [], because: '' };
  const live = liveOf(rollout.state);
  return { conditions: live ? conditionsOf(rollout, live, findings) : [], because: decision.because };
}
