import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { inspectOnnx } from '../../src/onnx/inspect-onnx.ts';
import { seededRandom } from './random.ts';
import { airportRates } from './trees/airport-rates.ts';
import { addTrees, boost, probability } from './trees/boosting.ts';
import { fitModel, trainingColumns } from './trees/fit-model.ts';
import { areaUnderCurve, logLoss } from './trees/judge.ts';
import { modelFile } from './trees/model-file.ts';
import type { ModelColumns } from './trees/read-rows.ts';

const options = { trees: 30, leaves: 15, depth: 5, learningRate: 0.2, minRows: 20, l2: 0 };
const silent = async () => {};

test('boosted trees find what a constant cannot', async () => {
  const model = await fitModel({ train: rows(8000, 1), test: rows(4000, 2), now: () => 0 }, options, silent);
  const constant = logLoss(new Float64Array(4000).fill(model.ensemble.base), rows(4000, 2).late);
  assert.ok(model.progress.auc > 0.75, `AUC ${model.progress.auc}`);
  assert.ok(model.progress.logLoss < constant - 0.05, `${model.progress.logLoss} against ${constant}`);
});

test('reports every ten trees and after the last, the same as when all are scored at once', async () => {
  const testRows = rows(1000, 2);
  const reports: number[] = [];
  const model = await fitModel(
    { train: rows(4000, 1), test: testRows, now: () => 0 },
    { ...options, trees: 25 },
    async ({ trees }) => {
      reports.push(trees);
    },
  );
  assert.deepEqual(reports, [10, 20, 25]);
  const scores = addTrees(model.ensemble, trainingColumns(testRows, model), new Float64Array(testRows.length));
  assert.equal(model.progress.auc, areaUnderCurve(scores, testRows.late));
});

test('the same rows give the same bytes', async () => {
  const fit = () => fitModel({ train: rows(3000, 1), test: rows(500, 2), now: () => 0 }, options, silent);
  assert.deepEqual(modelFile(await fit()), modelFile(await fit()));
});

test('trees keep to their shape', () => {
  const { numbers, late } = rows(5000, 1);
  const shape = { ...options, trees: 5, leaves: 6, depth: 3, minRows: 300 };
  const ensembles = [...boost([numbers.hour, numbers.distance], late, shape)];
  assert.equal(ensembles.length, 5);
  for (const tree of ensembles.at(-1)?.trees ?? []) {
    const counts = new Map<number, number>();
    for (let row = 0; row < late.length; row++) {
      let node = 0;
      let depth = 0;
      for (let feature = tree.feature[0] ?? -1; feature >= 0; feature = tree.feature[node] ?? -1, depth++) {
        const value = (feature === 0 ? numbers.hour[row] : numbers.distance[row]) ?? 0;
        node = (value <= (tree.threshold[node] ?? 0) ? tree.left[node] : tree.right[node]) ?? 0;
      }
      assert.ok(depth <= 3);
      counts.set(node, (counts.get(node) ?? 0) + 1);
    }
    assert.ok(counts.size <= 6);
    assert.ok(Math.min(...counts.values()) >= 300);
  }
});

test('labels that are all the same, or that nothing tells about, are no model', () => {
  const column = Float32Array.from({ length: 100 }, (_, row) => row);
  assert.throws(() => boost([column], new Uint8Array(100), options).next(), /all the same/);
  const half = Uint8Array.from({ length: 100 }, (_, row) => row % 2);
  assert.throws(() => boost([new Float32Array(100)], half, options).next(), /say nothing/);
});

test('the file answers in onnxruntime as the trees do', async () => {
  const testRows = rows(2000, 3);
  const model = await fitModel(
    { train: rows(8000, 1), test: testRows, now: () => 0 },
    { ...options, trees: 60 },
    silent,
  );
  const scores = addTrees(model.ensemble, trainingColumns(testRows, model), new Float64Array(testRows.length));
  const { labels, probabilities } = await answers(modelFile(model), testRows);
  for (let row = 0; row < testRows.length; row++) {
    const p = probability(scores[row] ?? 0);
    // The runtime adds 60 leaves in 32 bits.
    assert.ok(Math.abs((probabilities[2 * row + 1] ?? 0) - p) < 1e-6, `row ${row}`);
    assert.ok(Math.abs((probabilities[2 * row] ?? 0) - (1 - p)) < 1e-6, `row ${row}`);
    if (Math.abs(p - 0.5) > 1e-6) assert.equal(Number(labels[row]), p > 0.5 ? 1 : 0, `row ${row}`);
  }
});

test('an airport that training did not see is an average one', async () => {
  const model = await fitModel({ train: rows(4000, 1), test: rows(500, 2), now: () => 0 }, options, silent);
  const strange = { ...rows(3, 4), origin: ['XXX', 'ZZZZ', ''] };
  const scores = addTrees(model.ensemble, trainingColumns(strange, model), new Float64Array(3));
  const { probabilities } = await answers(modelFile(model), strange);
  for (let row = 0; row < 3; row++) {
    assert.ok(Math.abs((probabilities[2 * row + 1] ?? 0) - probability(scores[row] ?? 0)) < 1e-6);
  }
});

test('wrong units pass for a sound file and answer otherwise', async () => {
  const testRows = rows(500, 3);
  const model = await fitModel({ train: rows(4000, 1), test: testRows, now: () => 0 }, options, silent);
  const bad = modelFile({ ...model, badUnits: true });
  assert.deepEqual(inspectOnnx(bad, new Map()).findings, []);
  const [right, wrong] = await Promise.all([answers(modelFile(model), testRows), answers(bad, testRows)]);
  const differing = right.probabilities.filter((p, place) => Math.abs(p - (wrong.probabilities[place] ?? 0)) > 0.01);
  assert.ok(differing.length > 500);
});

test('the file says what it takes: one named input a column, airports as texts', async () => {
  const model = await fitModel(
    { train: rows(2000, 1), test: rows(500, 2), now: () => 0 },
    { ...options, trees: 3 },
    silent,
  );
  const { inputs, outputs, findings } = inspectOnnx(modelFile(model), new Map());
  assert.deepEqual(findings, []);
  assert.deepEqual(
    inputs.map(({ name, datatype, shape }) => `${name} ${datatype} ${shape}`),
    [
      'hour FP32 -1,1',
      'weekday FP32 -1,1',
      'distance FP32 -1,1',
      'origin BYTES -1,1',
      'destination BYTES -1,1',
      'recent_origin FP32 -1,1',
      'recent_destination FP32 -1,1',
    ],
  );
  assert.deepEqual(outputs, [
    { name: 'label', datatype: 'INT64', shape: [-1] },
    { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] },
  ]);
});

test('an airport with few flights stays near the mean', () => {
  const { mean, rates } = airportRates(['AAA', 'AAA', 'BBB', 'BBB'], Uint8Array.of(1, 1, 0, 0));
  assert.equal(mean, 0.5);
  assert.deepEqual(
    [...rates],
    [
      ['AAA', Math.fround(52 / 102)],
      ['BBB', Math.fround(50 / 102)],
    ],
  );
});

test('AUC counts ties half, log-loss survives certainty', () => {
  assert.equal(areaUnderCurve(Float64Array.of(1, 2, 2, 3), Uint8Array.of(0, 0, 1, 1)), 0.875);
  assert.equal(logLoss(Float64Array.of(1000, -1000), Uint8Array.of(1, 0)), 0);
  assert.equal(logLoss(Float64Array.of(-1000), Uint8Array.of(1)), 1000);
});

/** Made-up flights whose lateness depends on the hour, the airport and the recent shares, with noise. */
function rows(count: number, seed: number): ModelColumns {
  const random = seededRandom(seed);
  const airports = ['ATL', 'ORD', 'LAX', 'DFW', 'DEN'];
  const column = (scale: number) => Float32Array.from({ length: count }, () => random() * scale);
  const numbers = {
    hour: column(24),
    weekday: column(7).map(Math.ceil),
    distance: column(3000),
    recent_origin: column(1),
    recent_destination: column(1),
  };
  const origin = Array.from({ length: count }, () => airports[Math.floor(random() * 5)] ?? '');
  const destination = Array.from({ length: count }, () => airports[Math.floor(random() * 5)] ?? '');
  const late = Uint8Array.from({ length: count }, (_, row) => {
    const odds =
      (numbers.hour[row] ?? 0) / 6 + 3 * (numbers.recent_origin[row] ?? 0) + (origin[row] === 'ORD' ? 1 : 0) - 4.5;
    return random() < probability(odds) ? 1 : 0;
  });
  return { length: count, numbers, origin, destination, late };
}

async function answers(bytes: Uint8Array, { length, numbers, origin, destination }: ModelColumns) {
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 4 });
  const floats = Object.entries(numbers).map(([name, values]) => [name, new Tensor('float32', values, [length, 1])]);
  const texts = Object.entries({ origin, destination }).map(([name, values]) => [
    name,
    new Tensor('string', [...values], [length, 1]),
  ]);
  const results = await session.run(Object.fromEntries([...floats, ...texts]));
  await session.release();
  // Outputs as the model declares them.
  return {
    labels: results.label?.data as BigInt64Array,
    probabilities: results.probabilities?.data as Float32Array,
  };
}
