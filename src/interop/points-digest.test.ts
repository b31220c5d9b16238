import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WireDouble, WireInt64 } from './mlflow-record.ts';
import { PointsDigest } from './points-digest.ts';

type Point = readonly [key: string, step: WireInt64, timestamp: WireInt64, value: WireDouble];

const points: readonly Point[] = [
  ['loss', 1, 1000, 0.5],
  ['loss', 2, 2000, 0.25],
  ['loss', 2, 2000, 'NaN'],
  ['auc', -1, 0, 1e-300],
  ['auc', '4611686018427387904', 5, Number.MAX_VALUE],
];

const digestOf = (all: readonly Point[]) => {
  const digest = new PointsDigest();
  for (const [key, step, timestamp, value] of all) digest.add(key, [step], [timestamp], [value]);
  return digest.summary;
};

test('the order of points and how they are cut into parts play no part', () => {
  const whole = new PointsDigest();
  whole.add('loss', [2, 1, 2], [2000, 1000, 2000], ['NaN', 0.5, 0.25]);
  whole.add('auc', ['4611686018427387904', -1], [5, 0], [Number.MAX_VALUE, 1e-300]);
  assert.deepEqual(whole.summary, digestOf(points));
  assert.deepEqual(digestOf(points.toReversed()), digestOf(points));
  assert.deepEqual({ ...digestOf(points), digest: '' }, { metrics: 2, points: 5, digest: '' });
});

test('a point that is lost, doubled or changed in anything changes the digest', () => {
  const digest = digestOf(points).digest;
  const [first, second, third, fourth, fifth] = points;
  assert.ok(first && second && third && fourth && fifth);
  const others: readonly (readonly Point[])[] = [
    points.slice(1),
    [...points, first],
    [['lost', 1, 1000, 0.5], second, third, fourth, fifth],
    [['loss', 2, 1000, 0.5], ['loss', 1, 2000, 0.25], third, fourth, fifth],
    [['loss', 1, 1001, 0.5], second, third, fourth, fifth],
    [['loss', 1, 1000, 0.5000000000000001], second, third, fourth, fifth],
    [first, second, ['loss', 2, 2000, 0], fourth, fifth],
    [first, second, third, fourth, ['auc', '4611686018427387905', 5, Number.MAX_VALUE]],
    [first, second, third, ['auc', -1, 0, -1e-300], fifth],
  ];
  const digests = others.map((some) => digestOf(some).digest);
  assert.equal(new Set([digest, ...digests]).size, others.length + 1);
});

test('minus zero is zero, because SQLite keeps no sign of it', () => {
  assert.equal(digestOf([['m', 0, 0, -0]]).digest, digestOf([['m', 0, 0, 0]]).digest);
});
