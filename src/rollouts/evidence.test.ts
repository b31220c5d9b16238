import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findingsOf, fold, noEvidence } from './evidence.ts';
import { flightsConfig, rolloutOf, simulate, type World } from './rollout-simulation.ts';

const loaded = { kind: 'ready' } as const;

test('a better version is promoted after as many requests as the error guardrail needs', () => {
  const { rollout, requests, canaryAnswers } = simulate({ seed: 1, noise: { champion: 0.6, challenger: 0.2 } });
  assert.equal(rollout.state.kind, 'promoted');
  assert.ok(requests > 8000 && requests < 10_500, `${requests} requests`);
  assert.ok(canaryAnswers >= 997 && canaryAnswers < 1100, `${canaryAnswers} canary answers`);
});

test('an equal version is promoted: no worse is enough', () => {
  assert.equal(simulate({ seed: 2 }).rollout.state.kind, 'promoted');
});

test('a worse version is caught in the shadow, before anyone gets its answers', () => {
  const { rollout, canaryAnswers } = simulate({ seed: 3, noise: { champion: 0.3, challenger: 3 } });
  assert.equal(rollout.state.kind, 'rolled-back');
  assert.equal(canaryAnswers, 0);
});

test('a worse version forced past the shadow is rolled back after some ten or hundred canary answers', () => {
  for (let seed = 0; seed < 10; seed++) {
    const { rollout, canaryAnswers } = simulate({ seed, noise: { champion: 0.3, challenger: 3 }, fromStep: 1 });
    assert.equal(rollout.state.kind, 'rolled-back');
    assert.ok(canaryAnswers >= 30 && canaryAnswers <= 350, `${canaryAnswers} canary answers`);
  }
});

test('what stopped a worse version is what the page shows: the labels as they arrived', () => {
  const { log } = simulate({ seed: 1, noise: { champion: 0.3, challenger: 1.2 }, fromStep: 1, perDay: 300 });
  const evidence = noEvidence(rolloutOf({ fromStep: 1 }));
  for (const record of log) fold(evidence, record);
  const loss = findingsOf(evidence, { loaded, generation: 0 }).guardrails.find(({ unit }) => unit === 'loss');
  assert.ok(loss?.broken);
  assert.equal(loss.word, 'worse');
  assert.ok((loss.verdict.lower ?? Number.NaN) > loss.margin, `at best ${loss.verdict.lower}`);
});

test('a failing version is rolled back after tens of canary answers, without any label', () => {
  const { rollout, canaryAnswers, moves } = simulate({
    seed: 5,
    errors: { champion: 0.002, challenger: 0.2 },
    fromStep: 1,
    labels: false,
  });
  assert.equal(rollout.state.kind, 'rolled-back');
  assert.ok(canaryAnswers < 100, `${canaryAnswers} canary answers`);
  assert.match(moves.at(-1)?.because ?? '', /^errors: \d+ on the new version/);
});

test('without labels a loss guardrail is never proved: the rollout holds, then pauses', () => {
  const { rollout, moves } = simulate({ seed: 6, labels: false, most: 20_000 });
  assert.deepEqual(rollout.state, { kind: 'paused', during: { kind: 'shadow' } });
  assert.match(moves.at(-1)?.because ?? '', /undecided for 14 d: log_loss/);
});

test('slower answers beyond the margin are rolled back', () => {
  const { rollout, moves } = simulate({ seed: 7, slow: { champion: 0.01, challenger: 0.2 }, fromStep: 2 });
  assert.equal(rollout.state.kind, 'rolled-back');
  assert.match(moves.at(-1)?.because ?? '', /answers above 100 ms/);
});

test('a copy of the champion is rolled back by chance no more often than alpha allows', () => {
  const world: Omit<World, 'seed'> = {
    errors: { champion: 0.02, challenger: 0.02 },
    slow: { champion: 0.02, challenger: 0.02 },
  };
  const runs = 40;
  let wrong = 0;
  for (let seed = 100; seed < 100 + runs; seed++) {
    const { rollout } = simulate({ ...world, seed, most: 6000, perDay: 400, fromStep: 3 });
    if (rollout.state.kind === 'rolled-back') wrong += 1;
  }
  // Binomial with .05: 40 runs exceed 6 with a chance below .005.
  assert.ok(wrong <= 6, `${wrong} of ${runs}`);
});

test('the same log gives the same evidence, however it is cut and repeated', () => {
  const { log, rollout } = simulate({
    seed: 8,
    noise: { champion: 0.6, challenger: 0.2 },
    errors: { champion: 0.01, challenger: 0.01 },
  });
  const start = rolloutOf({});
  const whole = noEvidence(start);
  for (const record of log) fold(whole, record);
  const expected = findingsOf(whole, { loaded, generation: rollout.generation });
  fc.assert(
    fc.property(fc.array(fc.nat(log.length), { maxLength: 5 }), (cuts) => {
      const again = noEvidence(start);
      for (const cut of cuts) for (const record of log.slice(0, cut)) fold(again, record);
      for (const record of log) fold(again, record);
      assert.deepEqual(findingsOf(again, { loaded, generation: rollout.generation }), expected);
    }),
    { numRuns: 8, seed: 1 },
  );
});

test('a plot never has more than 300 points', () => {
  const { log } = simulate({ seed: 2, most: 12_000 });
  const evidence = noEvidence(rolloutOf({}));
  for (const record of log) fold(evidence, record);
  for (const { series } of findingsOf(evidence, { loaded, generation: 0 }).guardrails) {
    assert.ok(series.length > 100 && series.length <= 300, `${series.length} points`);
  }
});

test('a version that kills its thread, answers with no number or in another shape is out at once, in the shadow too', () => {
  const rollout = rolloutOf({});
  const common = { endpoint: 'flights', at: 1, eventTime: 1, rollout: 'r1', model: 'delay', version: 2, latencyMs: 1 };
  for (const errorCode of ['serving/model-crashed', 'serving/not-finite', 'serving/wrong-shape']) {
    const broken = { ...common, outcome: 'error', errorCode } as const;
    const found = (record: Parameters<typeof fold>[1]) => {
      const evidence = noEvidence(rollout);
      fold(evidence, { ...record, seq: evidence.seq + 1 });
      return findingsOf(evidence, { loaded, generation: 2 }).hardFailure;
    };
    const answer = {
      ...broken,
      kind: 'prediction',
      id: 'p1',
      unit: 'u',
      generation: 2,
      inputs: {},
      outputs: {},
      seq: 1,
    } as const;
    const mirror = { ...broken, kind: 'mirror', predictionId: 'p1', seq: 1 } as const;
    const expected = `${errorCode} on request p1: no further request is risked`;
    assert.equal(found({ ...answer, role: 'challenger' }), expected);
    assert.equal(found({ ...mirror, role: 'shadow' }), expected);
    assert.equal(found({ ...mirror, role: 'challenger' }), expected);
    // The old version's own trouble is not held against the new one.
    assert.equal(found({ ...answer, role: 'control' }), undefined);
    assert.equal(found({ ...mirror, role: 'control' }), undefined);
    assert.equal(found({ ...answer, role: 'challenger', errorCode: 'serving/model-failed' }), undefined);
  }
});

test('one user who retries a failing request a thousand times is one observation', () => {
  const evidence = noEvidence({ ...rolloutOf({ config: flightsConfig }), sticky: true });
  for (let seq = 1; seq <= 1000; seq++) {
    fold(evidence, {
      kind: 'prediction',
      seq,
      endpoint: 'flights',
      at: seq,
      eventTime: seq,
      id: `p${seq}`,
      unit: 'ada',
      rollout: 'r1',
      generation: 2,
      role: 'challenger',
      model: 'delay',
      version: 2,
      outcome: 'error',
      latencyMs: 1,
      inputs: {},
      outputs: {},
    });
  }
  const { guardrails, arms } = findingsOf(evidence, { loaded, generation: 2 });
  assert.equal(arms.challenger.errors, 1000);
  assert.equal(guardrails[0]?.broken, undefined);
});
