import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Transferable } from 'node:worker_threads';
import {
  columnsModel,
  columnsSignature,
  linearModel,
  linearSignature,
  pickyModel,
  pickySignature,
  treesModel,
  treesSignature,
} from '../../tests/fixtures/onnx/tiny-models.ts';
import { PlatformError } from '../errors.ts';
import { type ModelFile, type ModelRequest, startInference } from './inference-adapter.ts';
import type { ToInference } from './inference-message.ts';

const one = (...values: readonly (number | string | null)[]): ModelRequest => ({
  rows: 1,
  values: values.map((value) => [value]),
  shapes: values.map(() => [1, 1]),
});

async function modelIn(folder: string, name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, `${name}.onnx`);
  await writeFile(path, bytes);
  return path;
}

test('answers each request with its own rows of a shared batch', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  await using inference = await startInference({ concurrency: 1 });
  const path = await modelIn(folder.path, 'linear', linearModel({ weight: 2, bias: 1 }));
  using lease = await inference.load({ key: 'linear@1', path, ...linearSignature });
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => lease.run(one(i))));
  assert.deepEqual(
    answers.map(({ outputs }) => outputs[0]?.data[0]),
    Array.from({ length: 100 }, (_, i) => 2 * i + 1),
  );
  assert.ok(answers.some(({ batchRows }) => batchRows > 10));
  const two = await lease.run({ rows: 2, values: [[5, null]], shapes: [[2, 1]] });
  assert.deepEqual([...(two.outputs[0]?.data ?? [])], [11, Number.NaN]);
});

test('takes raw columns with strings and gives whole numbers and floats', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  await using inference = await startInference({ concurrency: 1 });
  const path = await modelIn(folder.path, 'columns', columnsModel());
  using lease = await inference.load({ key: 'columns@1', path, ...columnsSignature });
  const [late, early, unseen] = await Promise.all([
    lease.run(one(500, 'ORD')),
    lease.run(one(0, 'LAX')),
    lease.run(one(0, 'XXX')),
  ]);
  assert.deepEqual(
    [late, early, unseen].map(({ outputs }) => outputs[0]?.data[0]),
    [1n, 0n, 0n],
  );
  assert.ok(Math.abs(Number(late.outputs[1]?.data[1]) - 0.8175744761936437) < 1e-6);
  assert.deepEqual(late.outputs[1]?.shape, [1, 2]);
});

test('one poison row fails alone', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  await using inference = await startInference({ concurrency: 1 });
  const path = await modelIn(folder.path, 'picky', pickyModel());
  using lease = await inference.load({ key: 'picky@1', path, ...pickySignature });
  const settled = await Promise.allSettled(
    Array.from({ length: 40 }, (_, i) => lease.run(one(i === 17 ? 99 : i % 10))),
  );
  const failed = settled.flatMap((one, i) => (one.status === 'rejected' ? [i] : []));
  assert.deepEqual(failed, [17]);
  const poison = settled[17];
  assert.ok(poison?.status === 'rejected' && poison.reason instanceof PlatformError);
  assert.equal(poison.reason.code, 'serving/model-failed');
});

test('never mixes versions, and shares one load of a key', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  await using inference = await startInference({ concurrency: 2 });
  const file = async (version: number): Promise<ModelFile> => ({
    key: `linear@${version}`,
    path: await modelIn(folder.path, String(version), linearModel({ weight: version, bias: 0 })),
    ...linearSignature,
  });
  const files = await Promise.all([file(1), file(2), file(3)]);
  const leases = await Promise.all([...files, ...files].map((one) => inference.load(one)));
  const answers = await Promise.all(
    Array.from({ length: 300 }, async (_, i) => {
      const { outputs } = await leases[i % 6]!.run(one(1));
      return outputs[0]?.data[0];
    }),
  );
  assert.deepEqual(
    answers,
    Array.from({ length: 300 }, (_, i) => (i % 3) + 1),
  );
});

test('a version that is let go answers what was asked before', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  await using inference = await startInference({ concurrency: 1 });
  const path = await modelIn(folder.path, 'linear', linearModel({ weight: 2, bias: 0 }));
  const file = { key: 'linear@1', path, ...linearSignature };
  for (let round = 0; round < 20; round++) {
    const lease = await inference.load(file);
    const asked = Array.from({ length: 30 }, (_, i) => lease.run(one(i)));
    lease[Symbol.dispose]();
    const answers = await Promise.all(asked);
    assert.equal(answers[29]?.outputs[0]?.data[0], 58);
  }
});

test('a file that is no model is refused, and the threads go on', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  await using inference = await startInference({ concurrency: 1 });
  const broken = await modelIn(folder.path, 'broken', Buffer.from('not a model'));
  await assert.rejects(inference.load({ key: 'broken@1', path: broken, ...linearSignature }), {
    code: 'serving/cannot-load',
  });
  const path = await modelIn(folder.path, 'linear', linearModel({ weight: 2, bias: 0 }));
  using lease = await inference.load({ key: 'linear@1', path, ...linearSignature });
  assert.equal((await lease.run(one(4))).outputs[0]?.data[0], 8);
});

test('a model without a free first dimension runs one request at a time', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  await using inference = await startInference({ concurrency: 1 });
  const path = await modelIn(folder.path, 'fixed', linearModel({ weight: 3, bias: 0, rows: 1 }));
  using lease = await inference.load({
    key: 'fixed@1',
    path,
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 1] }],
  });
  const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => lease.run(one(i))));
  assert.deepEqual(
    answers.map(({ outputs, batchRows }) => [outputs[0]?.data[0], batchRows]),
    Array.from({ length: 10 }, (_, i) => [3 * i, 1]),
  );
});

test('a row of a batch equals the row computed alone', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  await using inference = await startInference({ concurrency: 1 });
  const path = await modelIn(folder.path, 'trees', treesModel({ trees: 100, depth: 6, features: 20 }));
  using lease = await inference.load({ key: 'trees@1', path, ...treesSignature(20) });
  const rows = Array.from({ length: 64 }, (_, row) =>
    Array.from({ length: 20 }, (_, i) => ((row * 31 + i * 17) % 100) / 100),
  );
  const request = (row: number[]): ModelRequest => ({ rows: 1, values: [row], shapes: [[1, 20]] });
  const together = await Promise.all(rows.map((row) => lease.run(request(row))));
  assert.ok(together.every(({ batchRows }) => batchRows > 1));
  for (const [i, row] of rows.entries()) {
    const alone = await lease.run(request(row));
    // Sums of a hundred float32 leaves in another order: the last digit may differ.
    assert.ok(Math.abs(Number(alone.outputs[1]?.data[1]) - Number(together[i]?.outputs[1]?.data[1])) < 1e-6);
  }
});

test('a thread that dies is replaced, and its requests are answered', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  await using inference = await startInference({ concurrency: 1 });
  const path = await modelIn(folder.path, 'linear', linearModel({ weight: 2, bias: 0 }));
  using lease = await inference.load({ key: 'linear@1', path, ...linearSignature });
  for (let round = 0; round < 5; round++) {
    const asked = Array.from({ length: 50 }, (_, i) => lease.run(one(i)));
    await inference.threads[round % 2]?.terminate();
    const answers = await Promise.all(asked);
    assert.equal(answers[49]?.outputs[0]?.data[0], 98);
  }
  assert.equal(inference.threads.length, 2);
});

test('what kills two threads is given up by name, and the next request is answered', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  await using inference = await startInference({ concurrency: 1 });
  const path = await modelIn(folder.path, 'linear', linearModel({ weight: 2, bias: 0 }));
  using lease = await inference.load({ key: 'linear@1', path, ...linearSignature });
  // Both threads end when a request is sent to them, before they read it.
  for (const thread of inference.threads) {
    const post = thread.postMessage.bind(thread);
    thread.postMessage = (message: ToInference, transfer?: Transferable[]) => {
      if (message.kind === 'run') post({ kind: 'close' } satisfies ToInference);
      post(message, transfer);
    };
  }
  await assert.rejects(lease.run(one(1)), { code: 'serving/model-crashed' });
  assert.equal((await lease.run(one(4))).outputs[0]?.data[0], 8);
});
