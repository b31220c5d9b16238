import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trainingFileOf } from './training-file.ts';

const prepare = { run: 'node prepare.ts', writes: ['out/test.parquet', 'out/train.parquet'] };
const train = { run: 'node train.ts', reads: ['prepare', 'train.ts'], model: 'out/model.onnx' };

test('the training rows are what the model step reads and the gates do not', () => {
  assert.equal(
    trainingFileOf({ pipeline: { prepare, train }, gates: { data: 'out/test.parquet', tests: [] } }),
    'out/train.parquet',
  );
});

test('a file that is read directly counts too', () => {
  assert.equal(
    trainingFileOf({ pipeline: { train: { ...train, reads: ['data/rows.parquet'] } } }),
    'data/rows.parquet',
  );
});

test('without a Parquet file, or without a model, there are no training rows to compare with', () => {
  assert.equal(trainingFileOf({ pipeline: { train: { ...train, reads: ['train.csv'] } } }), undefined);
  assert.equal(trainingFileOf({ pipeline: { prepare } }), undefined);
});
