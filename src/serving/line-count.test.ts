import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Endpoint } from './endpoint.ts';
import { compileCells, countReader, NumberList, packCount, unanswered } from './line-count.ts';
import { compileHead, compileLines, completeLine, loggedLatency, mirrorLine, readLine } from './log-line.ts';
import { compileSignature } from './model-signature.ts';
import type { InferRequest } from './open-inference.ts';
import type { ReferenceBins } from './reference-bins.ts';
import { foldSummaries, type LineCount, type LineSource } from './summary.ts';

const endpoint: Endpoint = {
  ...{
    name: 'e',
    project: 'p',
    task: 'binary',
    key: 'id',
    time: 'y[0]',
    assign: 'where',
    latencyMs: 100,
    log: 'durable',
  },
};
const signature = compileSignature(
  {
    inputs: [
      { name: 'x', datatype: 'FP64', shape: [-1, 3] },
      { name: 'where', datatype: 'BYTES', shape: [-1, 1] },
      { name: 'n', datatype: 'INT64', shape: [-1, 1] },
      { name: 'y', datatype: 'FP32', shape: [-1, 2] },
      { name: 'y[1]', datatype: 'BOOL', shape: [-1, 1] },
    ],
    outputs: [{ name: 'p', datatype: 'FP32', shape: [-1, 2] }],
  },
  'binary',
);
const numeric = { kind: 'numeric', edges: [-1, 0, 0.5, 2 ** 53] } as const;
const categorical = { kind: 'categorical', categories: ['a', '1', 'true', '9007199254740993'] } as const;
const names = [
  'x',
  'x[0]',
  'x[2]',
  'x[3]',
  'where',
  'where[0]',
  'n',
  'n[0]',
  'id',
  'id[0]',
  'y[0]',
  'y[1]',
  'none',
  'none[0]',
];
const features = Object.fromEntries(names.flatMap((name) => [[name, numeric]]));
const words = Object.fromEntries(names.map((name) => [name, categorical]));
const cases: readonly ReferenceBins[] = [{ features, score: numeric }, { features: words }, { features: {} }];

const some = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });
const row = fc.record({
  x: fc.array(some(fc.double({ noDefaultInfinity: true, noNaN: true })), { minLength: 3, maxLength: 3 }),
  where: some(fc.constantFrom('a', 'b', '', '1', '0.5')),
  n: fc.oneof(fc.constantFrom(1n, 9007199254740993n), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  y: fc.array(fc.constantFrom(0.25, Number.NaN, null), { minLength: 2, maxLength: 2 }),
  isY: some(fc.boolean()),
  id: some(fc.constantFrom('a', 1, true)),
  time: some(fc.constantFrom(1, '2001-05-04')),
  score: fc.constantFrom(Math.fround(0.3), 0.5, 0.9),
});
type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;

const requestOf = (rows: readonly Row[]): InferRequest => ({
  ...{ id: undefined, rows: rows.length, shapes: [], outputs: undefined },
  values: [
    rows.flatMap(({ x }) => x),
    rows.map(({ where }) => where),
    rows.map(({ n }) => n),
    rows.flatMap(({ y }) => y),
    rows.map(({ isY }) => isY),
  ],
  extras: { key: rows.map(({ id }) => id), time: rows.map(({ time }) => time) },
});

test('what is counted while a line is written is what is counted when it is read', () => {
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 3 }),
      fc.constantFrom(...cases),
      fc.constantFrom('answered', 'failed', 'mirrored', 'unanswered'),
      (rows, bins, way) => {
        const request = requestOf(rows);
        const [lines, cells] = [compileLines(endpoint, signature), compileCells(endpoint, signature, bins)];
        const isError = way === 'failed' || way === 'unanswered';
        const kind = way === 'answered' || way === 'failed' ? 'prediction' : 'mirror';
        const source: LineSource = { kind, role: 'champion', model: 'm', version: 1 };
        const served = { model: 'm', version: 1 };
        const head = compileHead({ role: 'champion', served, generation: 1, runtime: 'r' });
        const written: string[] = [];
        const counts: LineCount[] = [];
        for (const [index, { score }] of rows.entries()) {
          const latencyMs = loggedLatency(index + 0.123456);
          const facts = {
            id: `${index}`,
            unit: 'u',
            key: 'k',
            at: 1,
            eventTime: index * 50_000_000,
            latencyMs,
            row: index,
          };
          const outcome = isError
            ? ({ outcome: 'error', errorCode: 'serving/model-failed', score: undefined } as const)
            : ({ outcome: 'ok', errorCode: undefined, score } as const);
          const outputs = [{ data: new Float32Array(2 * rows.length) }];
          if (way === 'answered') {
            written.push(lines.answered(head, request, { ...facts, score, outputs, batch: { rows: 1, row: 0 } }));
          } else if (way === 'failed') {
            written.push(lines.failed(head, request, { ...facts, errorCode: 'serving/model-failed' }));
          } else {
            const mirrored = { predictionId: 'i', rollout: 'r', role: 'champion', version: served } as const;
            written.push(mirrorLine({ ...facts, ...mirrored, ...outcome }));
          }
          const own = {
            answered: () => cells.answered(request, index, score),
            failed: () => cells.failed(request, index),
            mirrored: () => cells.mirrored(score),
            unanswered: () => unanswered,
          }[way]();
          counts.push({ source, eventTime: facts.eventTime, latencyMs, isError, cells: own });
        }
        const read = foldSummaries({ covered: 0, summaries: [] }, () => bins);
        const counted = foldSummaries({ covered: 0, summaries: [] }, () => bins);
        const next = countReader(packed(counts));
        for (const [index, line] of written.entries()) {
          read.add(readLine(completeLine(index + 1, line)));
          const one = next();
          assert.ok(one && counted.addCells(index + 1, one));
        }
        assert.deepEqual(counted.snapshot(), read.snapshot());
      },
    ),
    { numRuns: 500 },
  );
});

test('a line without a count, or with the cells of other bins, is left to whoever reads it', () => {
  const source: LineSource = { kind: 'prediction', role: 'champion', model: 'm', version: 1 };
  const count: LineCount = { source, eventTime: 1, latencyMs: 1, isError: false, cells: [0, 1, 2] };
  const next = countReader(packed([undefined, count, undefined]));
  assert.equal(next(), undefined);
  const read = next();
  assert.deepEqual({ ...read, cells: Array.from(read?.cells ?? []) }, count);
  assert.equal(next(), undefined);
  const fold = foldSummaries({ covered: 0, summaries: [] }, () => ({ features: { a: numeric } }));
  assert.equal(fold.addCells(1, count), false);
  assert.equal(fold.snapshot().covered, 0);
});

function packed(counts: readonly (LineCount | undefined)[]) {
  const [sources, numbers] = [new Map<LineSource, number>(), new NumberList()];
  for (const count of counts) packCount(count, sources, numbers);
  return { sources: [...sources.keys()], numbers: numbers.values };
}
