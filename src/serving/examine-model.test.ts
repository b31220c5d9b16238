import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { linearModel } from '../../tests/fixtures/onnx/tiny-models.ts';
import { writeOnnx } from '../../tests/fixtures/onnx/write-onnx.ts';
import { forkWorker } from '../jobs/fork-worker.ts';
import { ModelExaminer } from './examine-model-adapter.ts';

const floats = (name: string) => ({ name, type: 'float', shape: ['n', 1] }) as const;
const program = join(import.meta.dirname, '..', 'main.ts');

test('a sound model is told with its inputs and outputs, and without a finding', async () => {
  assert.deepEqual(await examine(linearModel({ weight: 2, bias: 1 })), {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
    findings: [],
  });
});

test('what the runtime warns of is a finding, once, and keeps nothing from serving', async () => {
  const { findings } = await examine(
    writeOnnx({
      inputs: [floats('x')],
      outputs: [floats('y')],
      constants: [{ name: 'leftover', shape: [1], floats: [1] }],
      nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }],
    }),
  );
  assert.deepEqual(
    findings.map(({ code, severity }) => [code, severity]),
    [['onnx/runtime-warning', 'warn']],
  );
  assert.match(findings[0]?.message ?? '', /leftover/);
});

test('a model that fails on zeros, and one that the runtime refuses, are told with its words', async () => {
  const plain = { inputs: [floats('x')], outputs: [floats('y')] };
  const [failed] = (
    await examine(
      writeOnnx({
        ...plain,
        constants: [{ name: 'seven', shape: [2], ints: [7, 1] }],
        nodes: [{ op: 'Reshape', inputs: ['x', 'seven'], outputs: ['y'] }],
      }),
    )
  ).findings;
  assert.deepEqual([failed?.code, failed?.severity], ['serving/warm-up-failed', 'warn']);
  const [refused] = (await examine(writeOnnx({ ...plain, nodes: [{ op: 'Nonsense', inputs: ['x'], outputs: ['y'] }] })))
    .findings;
  assert.deepEqual([refused?.code, refused?.severity], ['serving/cannot-load', 'refuse']);
  assert.match(refused?.message ?? '', /Nonsense/);
});

test('what is refused from its bytes never reaches the runtime', async () => {
  const { findings } = await examine(Buffer.from('<html>'));
  assert.deepEqual(
    findings.map(({ code }) => code),
    ['onnx/malformed'],
  );
});

test('a model that ends the runtime, or keeps it for too long, ends only its examiner', async () => {
  const entry = join(import.meta.dirname, 'fixtures', 'dying-examiner-worker.ts');
  const [died] = (await examine(linearModel({ weight: 1, bias: 0 }), { entry })).findings;
  assert.deepEqual([died?.code, died?.severity], ['onnx/ends-the-runtime', 'refuse']);
  assert.match(died?.message ?? '', /SIGSEGV/);
  const [late] = (await examine(linearModel({ weight: 1, bias: 0 }), { timeoutMs: 1 })).findings;
  assert.deepEqual([late?.code, late?.severity], ['onnx/not-examined', 'refuse']);
});

test('a machine on which no process starts any more says so, and breaks nothing', async () => {
  await using examiner = new ModelExaminer({
    spawn: () => spawn('/no/such/program', { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] }),
  });
  const { findings } = await examiner.examine({ path: '/no/such/file', beside: new Map() });
  assert.equal(findings[0]?.code, 'onnx/not-examined');
  assert.match(findings[0]?.message ?? '', /ENOENT/);
});

async function examine(bytes: Uint8Array, options: { entry?: string; timeoutMs?: number } = {}) {
  await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-examine-'));
  const path = join(place.path, 'model.onnx');
  await writeFile(path, bytes);
  const { entry = program, ...rest } = options;
  await using examiner = new ModelExaminer({
    spawn: () => forkWorker({ entry, role: 'examine', env: process.env }),
    ...rest,
  });
  return examiner.examine({ path, beside: new Map() });
}
