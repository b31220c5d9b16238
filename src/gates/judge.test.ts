import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../statistics/seeded-random.ts';
import { obstacles, overallOutcome, type TestReport } from './gate.ts';
import { type GateEvidence, groupingKey } from './gate-evidence.ts';
import { type GatesConfig, gatePlan } from './gates-config.ts';
import { judge } from './judge.ts';
import { sliceNames } from './slice-names.ts';

type Rows = NonNullable<GateEvidence['rows']>;

/** Late flights have higher scores by `skill`; the champion knows less by `worse`. */
function flights(n: number, { skill, worse = 0.5, seed = 1 }: { skill: number; worse?: number; seed?: number }): Rows {
  const random = seededRandom(seed);
  const truth = new Float64Array(n);
  const candidate = new Float64Array(n);
  const champion = new Float64Array(n);
  const origins: string[] = [];
  const distance: number[] = [];
  for (let i = 0; i < n; i++) {
    truth[i] = random.chance(0.2) ? 1 : 0;
    const signal = skill * (truth[i]! - 0.2) + random.normal();
    candidate[i] = 1 / (1 + Math.exp(1.4 - 0.7 * signal));
    champion[i] = 1 / (1 + Math.exp(1.4 - 0.7 * (signal + worse * random.normal())));
    origins.push(['ATL', 'ORD', 'DFW', 'GST'][Math.min(random.below(34) / 11, 3) | 0] ?? 'ATL');
    distance.push(random.below(2000));
  }
  const groups = new Map([
    [groupingKey({ column: 'origin' }), origins],
    [
      groupingKey({ column: 'distance', cuts: [500, 1000] }),
      sliceNames({ column: 'distance', cuts: [500, 1000] }, distance),
    ],
  ]);
  return { truth, candidate, champion, groups };
}

const judged = (config: GatesConfig['tests'][number], evidence: Partial<GateEvidence>): TestReport => {
  const [planned] = gatePlan({ data: 'x', tests: [config] });
  assert.ok(planned);
  return judge(planned, { latencies: new Map(), ...evidence });
};
const outcomeOf = (config: GatesConfig['tests'][number], evidence: Partial<GateEvidence>) =>
  judged(config, evidence).verdict.outcome;

test('no rows, no checks, no answers and no runs are inconclusive, never a pass', () => {
  for (const config of [
    { data: 'checks' },
    { metric: 'auc', atLeast: 0.1 },
    { metric: 'log_loss', atMost: 9 },
    { metric: 'auc', notWorseThan: 'champion', margin: 1 },
    { metric: 'auc', by: 'origin', atLeast: 0.1 },
    { fairness: 'demographic_parity_difference', by: 'origin', atMost: 1 },
    { latency: 'p99', below: '10s' },
    { parity: 'x' },
  ] as const) {
    const { verdict, applies } = judged(config, {});
    assert.equal(verdict.outcome, 'inconclusive');
    assert.equal(applies, true);
  }
});

test('a floor is passed, failed or undecided by the bound that matters', () => {
  const rows = flights(4000, { skill: 1 });
  assert.equal(outcomeOf({ metric: 'auc', atLeast: 0.7 }, { rows }), 'pass');
  assert.equal(outcomeOf({ metric: 'auc', atLeast: 0.8 }, { rows }), 'fail');
  assert.equal(outcomeOf({ metric: 'auc', atLeast: 0.76 }, { rows }), 'inconclusive');
  assert.equal(outcomeOf({ metric: 'log_loss', atMost: 0.6 }, { rows }), 'pass');
  assert.equal(outcomeOf({ metric: 'log_loss', atMost: 0.3 }, { rows }), 'fail');
});

test('99 rows are too few to judge a metric, unless the plan says otherwise', () => {
  const rows = flights(99, { skill: 3 });
  assert.equal(outcomeOf({ metric: 'auc', atLeast: 0.5 }, { rows }), 'inconclusive');
  assert.equal(outcomeOf({ metric: 'auc', atLeast: 0.5, minRows: 50 }, { rows }), 'pass');
});

test('a better model is not worse, a much worse one is refused by the comparison alone', () => {
  const better = flights(4000, { skill: 1 });
  assert.equal(outcomeOf({ metric: 'auc', notWorseThan: 'champion', margin: 0.01 }, { rows: better }), 'pass');
  assert.equal(outcomeOf({ metric: 'log_loss', notWorseThan: 'champion', margin: 0.005 }, { rows: better }), 'pass');
  const { truth, candidate, champion, groups } = flights(4000, { skill: 1, worse: 2 });
  const swapped: Rows = { truth, candidate: champion ?? candidate, champion: candidate, groups };
  const { verdict } = judged({ metric: 'auc', notWorseThan: 'champion', margin: 0.01 }, { rows: swapped });
  assert.equal(verdict.outcome, 'fail');
  assert.ok((verdict.value ?? 0) < -0.05 && verdict.threshold === -0.01);
});

test('the very same answers are not worse', () => {
  const { truth, candidate, groups } = flights(500, { skill: 1 });
  const { verdict } = judged(
    { metric: 'auc', notWorseThan: 'champion', margin: 0 },
    { rows: { truth, candidate, champion: candidate, groups } },
  );
  assert.equal(verdict.outcome, 'pass');
});

test('without a champion a comparison does not apply and keeps nobody back', () => {
  const { champion: _, ...alone } = flights(500, { skill: 1 });
  const compared = judged({ metric: 'auc', notWorseThan: 'champion', margin: 0.01 }, { rows: alone });
  assert.equal(compared.applies, false);
  assert.equal(overallOutcome([compared, judged({ metric: 'auc', atLeast: 0.6 }, { rows: alone })]), 'pass');
  assert.equal(overallOutcome([compared]), 'inconclusive');
});

test('every slice is judged, the small one is listed and left open', () => {
  const rows = flights(6000, { skill: 1 });
  const { verdict, slices } = judged({ metric: 'auc', by: 'origin', atLeast: 0.6, minRows: 500 }, { rows });
  assert.equal(verdict.outcome, 'pass');
  assert.deepEqual(slices?.map(({ slice, outcome }) => [slice, outcome]).sort(), [
    ['ATL', 'pass'],
    ['DFW', 'pass'],
    ['GST', 'small'],
    ['ORD', 'pass'],
  ]);
  assert.match(verdict.reason, /1 with fewer than 500 rows/);
});

test('one bad slice fails the test and is named', () => {
  const rows = flights(6000, { skill: 1 });
  const origins = rows.groups.get(groupingKey({ column: 'origin' })) ?? [];
  const candidate = rows.candidate.map((score, i) => (origins[i] === 'ORD' ? 1 - score : score));
  const { verdict } = judged(
    { metric: 'auc', by: 'origin', atLeast: 0.6, minRows: 500 },
    { rows: { ...rows, candidate } },
  );
  assert.equal(verdict.outcome, 'fail');
  assert.match(verdict.reason, /1 of 3 slices fail: ORD/);
});

test('no slice with enough rows is inconclusive, and passes only by option', () => {
  const rows = flights(1000, { skill: 1 });
  const sliced = { metric: 'auc', by: 'origin', atLeast: 0.55, minRows: 900 } as const;
  const strict = judged(sliced, { rows });
  assert.equal(strict.verdict.outcome, 'inconclusive');
  assert.equal(overallOutcome([strict]), 'inconclusive');
  assert.deepEqual(obstacles([strict]), [strict]);
  assert.equal(overallOutcome([judged({ ...sliced, onInconclusive: 'pass' }, { rows })]), 'pass');
});

test('forty slices at the floor are refused in no more than 5 % of samples', () => {
  // The truth does not depend on the score, so that every slice's AUC is exactly one half.
  const random = seededRandom(8);
  let refused = 0;
  for (let run = 0; run < 200; run++) {
    const n = 8000;
    const truth = Float64Array.from({ length: n }, () => (random.chance(0.3) ? 1 : 0));
    const candidate = Float64Array.from({ length: n }, () => random.uniform());
    const groups = new Map([[groupingKey({ column: 'origin' }), Array.from({ length: n }, (_, i) => `${i % 40}`)]]);
    if (outcomeOf({ metric: 'auc', by: 'origin', atLeast: 0.5 }, { rows: { truth, candidate, groups } }) === 'fail')
      refused++;
  }
  // 10 of 200 allowed, with three binomial deviations.
  assert.ok(refused <= 19, `${refused} of 200`);
});

test('groups that are found alike pass, a group that is overlooked fails', () => {
  const rows = flights(8000, { skill: 1, seed: 2 });
  const config = {
    fairness: 'equal_opportunity_difference',
    by: { distance: [500, 1000] as number[] },
    threshold: 0.3,
    atMost: 0.15,
    minRows: 500,
  } as const;
  assert.equal(outcomeOf(config, { rows }), 'pass');
  const bands = rows.groups.get(groupingKey({ column: 'distance', cuts: [500, 1000] })) ?? [];
  const candidate = rows.candidate.map((score, i) => (bands[i] === 'below 500' ? score / 3 : score));
  const { verdict } = judged(config, { rows: { ...rows, candidate } });
  assert.equal(verdict.outcome, 'fail');
  assert.match(verdict.reason, /below 500/);
});

test('a 99 % point needs 299 runs before it can pass', () => {
  const config = { latency: 'p99', below: '10ms' } as const;
  const runs = (n: number, ms: number) => ({ latencies: new Map([[1, Array.from({ length: n }, () => ms)]]) });
  assert.equal(outcomeOf(config, runs(298, 1)), 'inconclusive');
  assert.equal(outcomeOf(config, runs(299, 1)), 'pass');
  assert.equal(outcomeOf(config, runs(299, 12)), 'fail');
});

test('one answer beyond the tolerance fails parity', () => {
  const parity = { rows: 1000, greatest: 2e-4, beyond: (tolerance: number) => (tolerance < 2e-4 ? 1 : 0) };
  assert.equal(outcomeOf({ parity: 'x' }, { parity }), 'fail');
  assert.equal(outcomeOf({ parity: 'x', tolerance: 1e-3 }, { parity }), 'pass');
});

test('the share of passed checks is compared with what is asked', () => {
  const dataChecks = { passed: 49, total: 50, failing: ['origin matches ^[A-Z]{3}$'] };
  assert.equal(outcomeOf({ data: 'checks', atLeast: '98%' }, { dataChecks }), 'pass');
  assert.equal(outcomeOf({ data: 'checks' }, { dataChecks }), 'fail');
});

test('one fail fails, one open question leaves it open', () => {
  const rows = flights(4000, { skill: 1 });
  const pass = judged({ metric: 'auc', atLeast: 0.6 }, { rows });
  const open = judged({ parity: 'x' }, { rows });
  const fail = judged({ metric: 'auc', atLeast: 0.9 }, { rows });
  assert.equal(overallOutcome([pass, open, fail]), 'fail');
  assert.equal(overallOutcome([pass, open]), 'inconclusive');
  assert.equal(overallOutcome([pass]), 'pass');
  assert.equal(overallOutcome([]), 'inconclusive');
});

test('values fall into the range that starts at a cut', () => {
  const values = [499, 500, 1000, '1500', null, 'far'];
  assert.deepEqual(sliceNames({ column: 'distance', cuts: [500, 1000] }, values), [
    'below 500',
    '500 to 1000',
    'from 1000',
    'from 1000',
    'missing',
    'missing',
  ]);
  assert.deepEqual(sliceNames({ column: 'origin' }, ['ATL', 7, undefined]), ['ATL', '7', 'missing']);
});
