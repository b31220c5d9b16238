import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Endpoint } from './endpoint.ts';
import {
  cellReader,
  compileHead,
  compileLines,
  completeLine,
  type LoggedInputs,
  labelLine,
  loggedLatency,
  mirrorLine,
  parseLine,
  readLine,
} from './log-line.ts';
import { compileSignature } from './model-signature.ts';
import type { PredictionRecord } from './prediction.ts';

const endpoint: Endpoint = { name: 'e', project: 'p', task: 'binary', key: 'id', latencyMs: 100, log: 'durable' };
const signature = compileSignature(
  {
    inputs: [
      { name: 'x', datatype: 'FP64', shape: [-1, 3] },
      { name: 'where "it" is', datatype: 'BYTES', shape: [-1, 1] },
      { name: 'n', datatype: 'INT64', shape: [-1, 1] },
    ],
    outputs: [{ name: 'p', datatype: 'FP32', shape: [-1, 2] }],
  },
  'binary',
);
const served = { model: 'a "model"', version: 3 };
const head = compileHead({ role: 'control', served, generation: 7, rollout: 'r"1', runtime: '0123456789ab' });
const float = fc.option(fc.double({ noDefaultInfinity: true, noNaN: true }), { nil: null });

test('whatever a request holds comes back from its line, on one line', () => {
  const rows = fc.integer({ min: 1, max: 3 });
  fc.assert(
    fc.property(
      rows,
      fc.array(float, { minLength: 9, maxLength: 9 }),
      fc.string(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      (count, xs, text, n) => {
        const row = count - 1;
        const request = {
          id: undefined,
          rows: count,
          values: [xs.slice(0, 3 * count), Array(count).fill(text), Array(count).fill(n)],
          shapes: [
            [count, 3],
            [count, 1],
            [count, 1],
          ],
          extras: { key: Array(count).fill(text) },
          outputs: undefined,
        };
        const p = Math.fround(0.1);
        const line = compileLines(endpoint, signature).answered(head, request, {
          ...{ id: 'i', unit: text, key: text, at: 1, eventTime: 2, latencyMs: loggedLatency(0.12345), row, score: p },
          outputs: [{ data: Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? 1 - p : p)) }],
          batch: { rows: 5, row: 4 },
        });
        assert.ok(!line.includes('\n'));
        const record = parseLine('e', completeLine(9, line)) as PredictionRecord;
        const { inputs } = readLine(completeLine(9, line)) as { inputs: LoggedInputs };
        for (const [name, value] of Object.entries(record.inputs)) assert.equal(cellReader(name)(inputs), value, name);
        const same = (value: number | null | undefined) => (Object.is(value, -0) ? 0 : value);
        assert.deepEqual(record, {
          ...{ seq: 9, endpoint: 'e', kind: 'prediction', at: 1, eventTime: 2, id: 'i', key: text, unit: text },
          ...{
            latencyMs: 0.123,
            role: 'control',
            model: 'a "model"',
            version: 3,
            generation: 7,
            rollout: 'r"1',
            runtime: '0123456789ab',
            outcome: 'ok',
          },
          inputs: {
            'x[0]': same(xs[3 * row]),
            'x[1]': same(xs[3 * row + 1]),
            'x[2]': same(xs[3 * row + 2]),
            'where "it" is': text,
            n: Number.isSafeInteger(Number(n)) && BigInt(Number(n)) === n ? Number(n) : String(n),
            id: text,
          },
          outputs: { p: [Math.fround(1 - p), p] },
          score: p,
          batch: { rows: 5, row: 4 },
        });
      },
    ),
  );
});

test('mirrors and labels come back as they were', () => {
  const mirror = {
    predictionId: 'i',
    key: 'k',
    rollout: 'r',
    role: 'shadow',
    at: 1,
    eventTime: 2,
    outcome: 'ok',
  } as const;
  const line = mirrorLine({ ...mirror, version: served, latencyMs: 1, errorCode: undefined, score: 0.5 });
  assert.deepEqual(parseLine('e', completeLine(1, line)), {
    ...{ seq: 1, endpoint: 'e', kind: 'mirror', ...mirror, model: 'a "model"', version: 3, latencyMs: 1, score: 0.5 },
  });
  assert.deepEqual(parseLine('e', completeLine(2, labelLine({ key: 'k\n', value: 'v', at: 1, eventTime: 2 }))), {
    ...{ seq: 2, endpoint: 'e', kind: 'label', key: 'k\n', value: 'v', at: 1, eventTime: 2 },
  });
});
