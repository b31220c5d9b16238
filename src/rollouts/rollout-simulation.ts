/** A made-up endpoint for tests: requests, two versions, labels hours later, and the controller's own decisions in between. */
import type { LogRecord } from '../serving/prediction.ts';
import { assign, type Traffic } from '../serving/traffic.ts';
import { seededRandom } from '../statistics/seeded-random.ts';
import { findingsOf, fold, noEvidence } from './evidence.ts';
import { decide, isOver, moved, type Rollout, type RolloutState } from './rollout.ts';
import { type RolloutConfig, rolloutPlan } from './rollout-config.ts';
import { supersededBy, trafficFor } from './rollout-traffic.ts';

export type World = {
  readonly seed: number;
  /** Chance that a version fails. */
  readonly errors?: { readonly champion: number; readonly challenger: number };
  /** Chance that it is slow. */
  readonly slow?: { readonly champion: number; readonly challenger: number };
  /** How much a version's log-odds are off, at random. */
  readonly noise?: { readonly champion: number; readonly challenger: number };
  /** Its log-odds are off by this always. */
  readonly bias?: number;
  readonly perDay?: number;
  readonly most?: number;
  /** Answers and labels; absent: both come. */
  readonly labels?: boolean;
  readonly config?: RolloutConfig;
  readonly fromStep?: number;
};

export type Outcome = {
  readonly rollout: Rollout;
  readonly log: readonly LogRecord[];
  readonly moves: readonly { readonly to: RolloutState; readonly because: string; readonly requests: number }[];
  readonly requests: number;
  readonly canaryAnswers: number;
};

export const champion = { model: 'delay', version: 1 };
export const challenger = { model: 'delay', version: 2 };

export const flightsConfig: RolloutConfig = {
  shadow: { requests: 2000 },
  steps: [
    { to: '1%', min: 20 },
    { to: '5%', min: 100 },
    { to: '25%', min: 250 },
    { to: '50%', min: 500 },
  ],
  guardrails: [
    { errors: { margin: '1%' } },
    { slow: { above: '100ms', margin: '2%' } },
    { metric: 'log_loss', margin: 0.01, maturity: '1d' },
  ],
  undecidedAfter: '14d',
};

export function rolloutOf({ config = flightsConfig, fromStep }: Pick<World, 'config' | 'fromStep'>): Rollout {
  return {
    id: 'r1',
    endpoint: 'flights',
    project: 'flights',
    champion,
    challenger,
    plan: rolloutPlan(config),
    sticky: false,
    salt: 'salt',
    state: { kind: 'preparing' },
    stateSince: 0,
    generation: 1,
    afterSeq: 0,
    startedBy: 'test',
    startedAt: 0,
    startedClock: 0,
    told: { proved: [] },
    ...(fromStep !== undefined && { forced: { gates: true, shadow: true, fromStep, reason: 'test' } }),
  };
}

export function simulate(world: World): Outcome {
  const { seed, perDay = 984, most = 30_000, labels = true } = world;
  const errors = world.errors ?? { champion: 0, challenger: 0 };
  const slow = world.slow ?? { champion: 0, challenger: 0 };
  const noise = world.noise ?? { champion: 0.3, challenger: 0.3 };
  const random = seededRandom(seed);
  const log: LogRecord[] = [];
  const moves: { to: RolloutState; because: string; requests: number }[] = [];
  let rollout: Rollout = { ...rolloutOf(world), salt: `salt ${seed}` };
  let traffic: Traffic = { generation: 1, champion };
  const evidence = noEvidence(rollout);
  const due: { at: number; key: string; value: number }[] = [];
  let requests = 0;
  let seq = 0;
  let canaryAnswers = 0;

  const write = (record: LogRecord) => {
    log.push(record);
    fold(evidence, record);
  };
  const step = (clock: number) => {
    for (;;) {
      const superseded = supersededBy(rollout, traffic);
      const findings = findingsOf(evidence, {
        loaded: { kind: 'ready' },
        generation: rollout.generation,
        ...(superseded !== undefined && { supersededBy: superseded }),
      });
      const decision = decide(rollout, findings, clock);
      if (decision.kind !== 'move') return;
      moves.push({ to: decision.to, because: decision.because, requests });
      const next = trafficFor({ ...rollout, state: decision.to }, traffic);
      if (next !== traffic) traffic = { ...next, generation: traffic.generation + 1 };
      rollout = moved(rollout, decision.to, { clock, at: clock, generation: traffic.generation });
    }
  };

  step(0);
  while (!isOver(rollout.state) && requests < most) {
    const eventTime = Math.floor((requests / perDay) * 86_400_000);
    requests += 1;
    const id = `p${requests}`;
    const key = `k${requests}`;
    const { role, serve, mirror } = assign(traffic, id) ?? { role: 'champion' as const, serve: champion };
    if (role === 'challenger') canaryAnswers += 1;
    const logit = -1.4 + random.normal();
    const truth = random.chance(chance(logit)) ? 1 : 0;
    const score = {
      champion: chance(logit + noise.champion * random.normal()),
      challenger: chance(logit + noise.challenger * random.normal() + (world.bias ?? 0)),
    };
    const isSlow = { champion: random.chance(slow.champion), challenger: random.chance(slow.challenger) };
    const fails = { champion: random.chance(errors.champion), challenger: random.chance(errors.challenger) };
    const nameOf = (version: number) => (version === challenger.version ? 'challenger' : 'champion');
    const said = (version: number) => {
      const who = nameOf(version);
      return fails[who]
        ? { outcome: 'error' as const, latencyMs: 5 }
        : { outcome: 'ok' as const, latencyMs: isSlow[who] ? 150 : 5, score: score[who] };
    };
    seq += 1;
    write({
      kind: 'prediction',
      seq,
      endpoint: 'flights',
      at: eventTime,
      eventTime,
      id,
      key,
      unit: id,
      ...(traffic.rollout && { rollout: traffic.rollout.id }),
      generation: traffic.generation,
      role,
      ...serve,
      inputs: {},
      outputs: {},
      ...said(serve.version),
    });
    if (mirror && traffic.rollout) {
      seq += 1;
      write({
        kind: 'mirror',
        seq,
        endpoint: 'flights',
        at: eventTime,
        eventTime,
        predictionId: id,
        key,
        rollout: traffic.rollout.id,
        role: mirror.role,
        ...mirror.version,
        ...said(mirror.version.version),
      });
    }
    due.push({ at: eventTime + 5 * 3_600_000, key, value: truth });
    while (labels && due[0] && due[0].at <= eventTime) {
      const { key: labelled, value } = due.shift()!; // seen just above
      seq += 1;
      write({ kind: 'label', seq, endpoint: 'flights', at: eventTime, eventTime, key: labelled, value });
    }
    if (requests % 25 === 0) step(eventTime);
  }
  return { rollout, log, moves, requests, canaryAnswers };
}

const chance = (logit: number) => 1 / (1 + Math.exp(-logit));
