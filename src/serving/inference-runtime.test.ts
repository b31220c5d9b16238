import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type InferenceRuntime, runtimeDifferences, runtimeId } from './inference-runtime.ts';

const here: InferenceRuntime = {
  onnxruntime: 'onnxruntime-node 1.30.0, CPU',
  node: '26.10.0',
  platform: 'linux x64',
  cpu: 'EPYC 7763',
  cpuFeatures: ['avx', 'avx2', 'fma'],
  threads: 1,
};

test('a runtime is named by all that it is', () => {
  assert.match(runtimeId(here), /^[0-9a-f]{12}$/);
  const others: readonly InferenceRuntime[] = [
    { ...here, onnxruntime: 'onnxruntime-node 1.29.0, CPU' },
    { ...here, node: '24.12.0' },
    { ...here, platform: 'linux arm64' },
    { ...here, cpu: 'EPYC 9654' },
    { ...here, cpuFeatures: ['avx', 'avx2'] },
    { ...here, threads: 2 },
  ];
  assert.equal(new Set([here, ...others].map(runtimeId)).size, 7);
  assert.equal(runtimeId({ ...here }), runtimeId(here));
});

test('only what rounding depends on is a difference, in both directions', () => {
  assert.deepEqual(runtimeDifferences(here, { ...here, node: '24.12.0', cpu: 'EPYC 9654' }), []);
  const there = {
    ...here,
    onnxruntime: 'onnxruntime-node 1.31.0, CPU',
    cpuFeatures: ['avx', 'avx2', 'avx512f'],
    threads: 2,
  };
  assert.deepEqual(runtimeDifferences(here, there), [
    'onnxruntime-node 1.30.0, CPU then, onnxruntime-node 1.31.0, CPU now',
    'the processor then had fma',
    'the processor now has avx512f',
    '1 threads then, 2 now',
  ]);
});
