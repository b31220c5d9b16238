/** The unmodified client of Triton, which most servers of the Open Inference Protocol are asked with. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { openTestServing } from '../../src/serving/test-serving.ts';
import { columnsModel, columnsSignature } from '../fixtures/onnx/tiny-models.ts';
import { findPythonClients } from './python-env.ts';

const python = findPythonClients('triton');

test('Triton’s client finds, asks and understands a model, in JSON and in bytes, packed and not', {
  skip: python === undefined && 'no Triton client here: npm run setup:tests installs it',
}, async () => {
  assert.ok(python); // the test is skipped without it
  await using serving = await openTestServing();
  await serving.addVersion({ model: 'flight-delay', version: 1, ...columnsSignature }, columnsModel());
  await serving.addEndpoint({ name: 'flights', task: 'binary' }, { champion: { model: 'flight-delay', version: 1 } });
  const url = await serving.app.listen({ host: '127.0.0.1', port: 0 });
  const args = [join(import.meta.dirname, 'triton_client.py'), url.replace('http://', '')];
  const said = JSON.parse((await promisify(execFile)(python, args)).stdout);

  assert.deepEqual(said.server, [true, true, ['binary_tensor_data']]);
  assert.deepEqual(said.model, [true, true, false]);
  assert.deepEqual(said.metadata, {
    ...{ name: 'flights', versions: ['1'], platform: 'onnx_onnxv1' },
    inputs: [
      { name: 'distance', datatype: 'FP32', shape: [-1, 1] },
      { name: 'origin', datatype: 'BYTES', shape: [-1, 1] },
    ],
    outputs: [
      { name: 'label', datatype: 'INT64', shape: [-1] },
      { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] },
    ],
  });
  for (const way of ['usual', 'json', 'binary', 'gzip', 'deflate']) {
    assert.deepEqual(said[way].label, [1, 0], way);
    const late = said[way].probabilities.map(([, p]: [number, number]) => Math.round(p * 1_000) / 1_000);
    assert.deepEqual(late, [0.818, 0.269], way);
  }
  assert.deepEqual(said.later, [1, 0]);
  assert.equal(said.wrong[0], '400');
  assert.match(said.wrong[1], /input 'distance' is sent as "FP64", the model takes FP32/);
  assert.equal(said.unknown[0], '404');
  assert.match(said.unknown[1], /^Request for unknown model: 'nothing' is not found/);
});
