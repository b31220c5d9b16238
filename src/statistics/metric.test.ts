import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assertClose, golden, twoModels } from '../../tests/fixtures/statistics/golden.ts';
import { measuredInterval, normalInterval, pairedDifference } from './measurement.ts';
import { type MetricName, measure } from './metric.ts';
import { seededRandom } from './seeded-random.ts';

const { first, second, truth, value } = twoModels();
const expected = golden.models;

test('every metric is that of scikit-learn', () => {
  assert.equal(truth.filter((y) => y === 1).length, expected.positives);
  const of = (metric: MetricName) => measure(metric, { truth, score: first })?.value;
  assertClose(of('auc'), expected.sklearnAuc);
  assertClose(of('log_loss'), expected.logLoss);
  assertClose(of('brier'), expected.brier);
  assertClose(of('accuracy'), expected.accuracy);
  assertClose(of('precision'), expected.precision);
  assertClose(of('recall'), expected.recall);
  assertClose(of('f1'), expected.f1);
  const doubled = first.map((x) => 2 * x);
  assertClose(measure('mae', { truth: value, score: doubled })?.value, expected.mae);
  assertClose(measure('rmse', { truth: value, score: doubled })?.value, expected.rmse);
});

test('the AUC’s errors are DeLong’s, alone and paired', () => {
  const a = measure('auc', { truth, score: first });
  const b = measure('auc', { truth, score: second });
  assert.ok(a && b);
  assertClose(a.standardError, expected.delong.firstSe);
  assertClose(b.standardError, expected.delong.secondSe);
  const difference = pairedDifference(a, b);
  assertClose(difference.value, expected.delong.first - expected.delong.second);
  assertClose(difference.standardError, expected.delong.differenceSe);
});

test('a mean’s errors are those of its rows, alone and paired', () => {
  const a = measure('log_loss', { truth, score: first });
  const b = measure('log_loss', { truth, score: second });
  assert.ok(a && b);
  assertClose(a.standardError, expected.logLossSe);
  const difference = pairedDifference(a, b);
  assertClose(difference.value, expected.logLossDifference);
  assertClose(difference.standardError, expected.logLossDifferenceSe);
});

test('what cannot be computed is undefined, not 0 and not 1', () => {
  const score = Float64Array.of(0.1, 0.2);
  const none = Float64Array.of(0, 0);
  assert.equal(measure('auc', { truth: none, score }), undefined);
  assert.equal(measure('recall', { truth: none, score }), undefined);
  assert.equal(measure('precision', { truth: Float64Array.of(1, 0), score }), undefined);
  assert.equal(measure('f1', { truth: none, score }), undefined);
  assert.equal(measure('mae', { truth: new Float64Array(), score: new Float64Array() }), undefined);
});

test('labels that are not 0 or 1, NaN scores and unequal lengths are refused', () => {
  const two = Float64Array.of(0, 2);
  assert.throws(() => measure('auc', { truth: two, score: Float64Array.of(0.1, 0.2) }), /truth holds 2/);
  assert.throws(() => measure('mae', { truth: two, score: Float64Array.of(0.1, Number.NaN) }), /score\[1\] is NaN/);
  assert.throws(() => measure('mae', { truth: two, score: Float64Array.of(0.1) }), /2 and 1 entries/);
});

test('a certain and wrong answer costs 34.5 nats, not infinity', () => {
  const loss = measure('log_loss', { truth: Float64Array.of(1, 0), score: Float64Array.of(0, 0) });
  assertClose(loss?.value, 34.538776394910684 / 2);
});

test('a perfect sample of 20 still leaves room for error', () => {
  const labels = Float64Array.from({ length: 20 }, (_, i) => i % 2);
  for (const metric of ['auc', 'accuracy', 'recall'] as const) {
    const measured = measure(metric, { truth: labels, score: labels });
    assert.ok(measured);
    const { lower, upper } = measuredInterval(measured, { level: 0.95 });
    assert.equal(upper, 1);
    assert.ok(lower > 0.6 && lower < 0.9, `${metric} at least ${lower}`);
  }
});

test('the AUC does not change under a rising transformation and mirrors under a falling one', () => {
  const rows = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: -50, max: 50 })), { minLength: 2, maxLength: 60 });
  fc.assert(
    fc.property(rows, (sample) => {
      const labels = Float64Array.from(sample, ([late]) => Number(late));
      const of = (transform: (x: number) => number) =>
        measure('auc', { truth: labels, score: Float64Array.from(sample, ([, x]) => transform(x)) });
      const plain = of((x) => x);
      if (!plain) return;
      const cubed = of((x) => x ** 3 + x);
      const mirrored = of((x) => -x);
      assertClose(cubed?.value, plain.value);
      assertClose(cubed?.standardError, plain.standardError);
      assertClose(mirrored?.value, 1 - plain.value, 1e-9);
    }),
  );
});

test('two equal models differ by exactly nothing', () => {
  for (const metric of ['auc', 'log_loss', 'f1'] as const) {
    const a = measure(metric, { truth, score: first });
    assert.ok(a);
    assert.deepEqual(pairedDifference(a, a), { value: 0, standardError: 0, n: 200 });
  }
});

test('90 % intervals of paired differences cover the truth in about 90 % of samples', () => {
  // Score B is score A with noise; the true differences come from one large sample of the same process.
  const random = seededRandom(3);
  const draw = (n: number) => {
    const labels = new Float64Array(n);
    const a = new Float64Array(n);
    const b = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      labels[i] = random.chance(0.3) ? 1 : 0;
      const logit = -1 + labels[i]! + random.normal();
      a[i] = 1 / (1 + Math.exp(-logit));
      b[i] = 1 / (1 + Math.exp(-logit - 0.4 * random.normal()));
    }
    const of = (metric: MetricName) => {
      const one = measure(metric, { truth: labels, score: a });
      const other = measure(metric, { truth: labels, score: b });
      assert.ok(one && other);
      return pairedDifference(one, other);
    };
    return { auc: of('auc'), log_loss: of('log_loss'), f1: of('f1') };
  };
  const real = draw(400_000);
  const covered = { auc: 0, log_loss: 0, f1: 0 };
  const runs = 600;
  for (let run = 0; run < runs; run++) {
    const sample = draw(400);
    for (const metric of ['auc', 'log_loss', 'f1'] as const) {
      const { lower, upper } = normalInterval(sample[metric], { level: 0.9 });
      if (lower <= real[metric].value && real[metric].value <= upper) covered[metric]++;
    }
  }
  // 540 expected; three binomial deviations are 22, and the asymptotic interval may miss by another point.
  for (const [metric, count] of Object.entries(covered))
    assert.ok(Math.abs(count - 540) < 30, `${metric}: ${count} of 600`);
});
