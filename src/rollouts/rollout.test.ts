import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Traffic } from '../serving/traffic.ts';
import type { Findings, GuardrailFinding } from './findings.ts';
import { type Command, decide, isOver, liveOf, moved, obey, type Rollout } from './rollout.ts';
import { challenger, champion, rolloutOf } from './rollout-simulation.ts';
import { supersededBy, trafficFor } from './rollout-traffic.ts';

const day = 86_400_000;
const inShadow: Rollout = { ...rolloutOf({}), state: { kind: 'shadow' } };
const atOnePercent: Rollout = { ...rolloutOf({}), state: { kind: 'step', step: 0 } };
const atHalf: Rollout = { ...rolloutOf({}), state: { kind: 'step', step: 3 } };

test('the first version of an endpoint goes live directly', () => {
  const { champion: _, ...first } = rolloutOf({});
  assert.deepEqual(moveOf(decide(first, findings({}), 0)), { kind: 'promoting' });
});

test('a version that does not load never sees a request', () => {
  const loaded = { kind: 'failed', problem: 'opset 99' } as const;
  assert.deepEqual(moveOf(decide(rolloutOf({}), findings({ loaded }), 0)), { kind: 'rolled-back' });
});

test('a forced rollout starts at its step without a shadow', () => {
  assert.deepEqual(moveOf(decide(rolloutOf({ fromStep: 1 }), findings({}), 0)), { kind: 'step', step: 1 });
});

test('holds while a guardrail has no data, however many requests there were', () => {
  const shadow = { requests: 9999, failures: 0, championFailures: 0 };
  const { value: _, ...noLoss } = guardrail(2);
  const decision = decide(inShadow, findings({ shadow, guardrails: [guardrail(0), guardrail(1), noLoss] }), 0);
  assert.equal(decision.kind, 'hold');
  assert.match(decision.kind === 'hold' ? decision.because : '', /no data yet/);
});

test('an early step moves on with its sample and estimates inside the margins, the last one needs proof', () => {
  const unproven = [guardrail(0), guardrail(1), guardrail(2)];
  const step = decide(atOnePercent, findings({ guardrails: unproven }), 0);
  assert.deepEqual(moveOf(step), { kind: 'step', step: 1 });
  // What was earned goes into the log with the step.
  const earned = step.kind === 'move' ? (step.conditions ?? []) : [];
  assert.equal(earned[0]?.says, '20 requests in each arm');
  assert.ok(earned.length === 5 && earned.every(({ met }) => met));
  assert.equal(decide(atHalf, findings({ guardrails: unproven }), 0).kind, 'hold');
  const proven = unproven.map((one) => ({ ...one, proven: true }));
  assert.deepEqual(moveOf(decide(atHalf, findings({ guardrails: proven }), 0)), { kind: 'promoting' });
});

test('holds until both arms have their sample', () => {
  const stepArms = { challenger: 20, control: 19 };
  assert.equal(decide(atOnePercent, findings({ stepArms }), 0).kind, 'hold');
});

test('holds while the traffic is not split as planned', () => {
  assert.equal(decide(atOnePercent, findings({ split: { p: 0.0001, units: 4000 } }), 0).kind, 'hold');
});

test('a broken guardrail rolls back before anything else, also while paused', () => {
  const broken = { because: 'errors: 9 to 0', seq: 7, eventTime: 0 };
  const guardrails = [{ ...guardrail(0), broken }, guardrail(1), guardrail(2)];
  const paused: Rollout = { ...atHalf, state: { kind: 'paused', during: { kind: 'step', step: 3 } } };
  for (const rollout of [inShadow, atOnePercent, atHalf, paused]) {
    const decision = decide(
      rollout,
      findings({ guardrails, supersededBy: 'the traffic was changed by hand' }),
      99 * day,
    );
    assert.deepEqual(moveOf(decision), { kind: 'rolled-back' });
  }
});

test('undecided for too long: it does what the plan says', () => {
  const stepArms = { challenger: 1, control: 1 };
  const after = (onInconclusive: 'pause' | 'promote' | 'rollback', days: number) =>
    moveOf(decide({ ...atHalf, plan: { ...atHalf.plan, onInconclusive } }, findings({ stepArms }), days * day));
  assert.equal(after('pause', 13), undefined);
  assert.deepEqual(after('pause', 14), { kind: 'paused', during: { kind: 'step', step: 3 } });
  assert.deepEqual(after('promote', 14), { kind: 'promoting' });
  assert.deepEqual(after('rollback', 14), { kind: 'rolled-back' });
});

test('a change of the traffic by hand supersedes, a decided change that was not made yet does not', () => {
  const rollout = { ...atOnePercent, generation: 4 };
  assert.equal(supersededBy(rollout, { generation: 3, champion }), undefined);
  assert.match(supersededBy(rollout, { generation: 4, champion }) ?? '', /by hand/);
  const other = { id: 'r2', salt: '', challenger, stage: 'shadow', share: 0 } as const;
  assert.match(supersededBy(rollout, { generation: 5, champion, rollout: other }) ?? '', /r2/);
});

test('traffic that fits the state is left alone', () => {
  const once = trafficFor(atHalf, { generation: 4, champion });
  assert.equal(once.rollout?.share, 0.5);
  assert.equal(trafficFor(atHalf, once), once);
});

test('whatever people and evidence do, the traffic keeps its invariants', () => {
  const events = fc.array(
    fc.oneof(
      fc.constantFrom<Command['kind']>('pause', 'resume', 'promote', 'abort').map((kind) => ({ command: kind })),
      fc.record({ harm: fc.boolean(), proven: fc.boolean(), n: fc.nat(1000), days: fc.nat(20) }),
      fc.constant('crash' as const),
      fc.constant('by hand' as const),
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(events, fc.option(fc.nat(3)), (sequence, fromStep) => {
      let rollout = rolloutOf(fromStep === null ? {} : { fromStep });
      let traffic: Traffic = { generation: 1, champion };
      let clock = 0;
      let share = 0;
      let ended: Rollout['state'] | undefined;
      const apply = (to: Rollout['state']) => {
        const next = trafficFor({ ...rollout, state: to }, traffic);
        if (next !== traffic) traffic = { ...next, generation: traffic.generation + 1 };
        rollout = moved(rollout, to, { clock, at: clock, generation: traffic.generation });
      };
      for (const event of sequence) {
        if (event === 'by hand') traffic = { generation: traffic.generation + 1, champion };
        // After a crash the traffic is made to fit again: where it does already, nothing changes.
        else if (event === 'crash') {
          if (liveOf(rollout.state) && traffic.generation === rollout.generation) {
            assert.equal(trafficFor(rollout, traffic), traffic);
          }
        } else if (typeof event === 'object' && 'command' in event) {
          const move = obey(rollout, { kind: event.command, reason: 'because' });
          if (move && supersededBy(rollout, traffic) === undefined) apply(move.to);
        } else if (typeof event === 'object') {
          clock += event.days * day;
          const broken = event.harm ? { broken: { because: 'harm', seq: 1, eventTime: 0 } } : {};
          const superseded = supersededBy(rollout, traffic);
          const decision = decide(
            rollout,
            findings({
              shadow: { requests: event.n * 10, failures: 0, championFailures: 0 },
              stepArms: { challenger: event.n, control: event.n },
              guardrails: [0, 1, 2].map((i) => ({ ...guardrail(i), proven: event.proven, ...broken })),
              ...(superseded !== undefined && { supersededBy: superseded }),
            }),
            clock,
          );
          const wasLive = liveOf(rollout.state);
          if (decision.kind === 'move') apply(decision.to);
          if (event.harm && wasLive) assert.equal(rollout.state.kind, 'rolled-back');
        }

        if (ended) assert.deepEqual(rollout.state, ended, 'an ended rollout stays as it is');
        if (isOver(rollout.state)) ended = rollout.state;
        const running = traffic.rollout;
        if (ended || !liveOf(rollout.state)) assert.equal(running, undefined, 'no traffic without a live state');
        if (running?.stage === 'canary') {
          assert.ok(running.share >= share, 'the share never falls while it runs');
          share = running.share;
        }
        assert.ok(traffic.champion, 'somebody always answers');
        if (rollout.state.kind === 'promoted' && traffic.generation === rollout.generation) {
          assert.deepEqual(traffic.champion, challenger);
        }
      }
    }),
    { numRuns: 10_000, seed: 42 },
  );
});

function moveOf(decision: ReturnType<typeof decide>) {
  return decision.kind === 'move' ? decision.to : undefined;
}

function guardrail(index: number): GuardrailFinding {
  return {
    index,
    name: ['errors', 'slow', 'log_loss'][index] ?? '',
    unit: 'share',
    value: 0,
    atWorst: 0.02,
    margin: 0.01,
    n: 100,
    proven: false,
    word: 'undecided',
    verdict: { outcome: 'inconclusive', reason: '', n: 100, method: '' },
    says: { value: '0', atWorst: '0.02', margin: '0.01' },
    series: [],
  };
}

function findings(some: Partial<Findings>): Findings {
  const arm = { requests: 500, errors: 0 };
  return {
    loaded: { kind: 'ready' },
    shadow: { requests: 2000, failures: 0, championFailures: 0 },
    requests: 1000,
    arms: { challenger: arm, control: arm, champion: arm },
    stepArms: { challenger: 500, control: 500 },
    guardrails: [0, 1, 2].map(guardrail),
    split: { p: 1, units: 1000 },
    seq: 1,
    ...some,
  };
}
