import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { linearModel, linearSignature } from '../../tests/fixtures/onnx/tiny-models.ts';
import type { InferenceRuntime } from './inference-runtime.ts';
import type { PredictionRecord } from './prediction.ts';
import { replayPrediction } from './replay-prediction.ts';
import { openTestServing } from './test-serving.ts';

test('a replay says by how much an answer differs, and why it may', async () => {
  await using serving = await openTestServing();
  await serving.addVersion({ model: 'm', version: 1, ...linearSignature }, linearModel({ weight: 2, bias: 0.25 }));
  await serving.addEndpoint({ name: 'e' }, { champion: { model: 'm', version: 1 } });
  await serving.infer('e', { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], data: [3] }] });
  const [record] = (await serving.serving.log.readLog('e', { after: 0, limit: 1 })) as [PredictionRecord];

  const runtimes = join(serving.folder, 'predictions', '.runtimes');
  assert.deepEqual(await readdir(runtimes), [`${record.runtime}.json`]);
  const here = JSON.parse(await readFile(join(runtimes, `${record.runtime}.json`), 'utf8')) as InferenceRuntime;
  const { endpoint, variants } = serving.serving.live.get('e').plan;
  const { inference } = serving.serving;
  const resolveVersion = async () => variants[0]?.version;
  const replay = (given: PredictionRecord, then: InferenceRuntime | undefined) =>
    replayPrediction(
      { inference, resolveVersion, runtimes: { current: here, find: async () => then } },
      { record: given, endpoint },
    );
  const other = { ...record, outputs: { y: 6.75 } };
  const elsewhere = { ...here, onnxruntime: 'onnxruntime-node 1.29.0, CPU' };

  const same = await replay(record, here);
  assert.deepEqual([same.identical, same.greatestDifference, same.because], [true, 0, 'computed as it was then']);
  assert.deepEqual(same.runtime, { current: here, recorded: here });
  const moved = await replay(record, elsewhere);
  assert.equal(
    moved.because,
    `the same bits, although not computed alike: ${elsewhere.onnxruntime} then, ${here.onnxruntime} now`,
  );
  const rounded = await replay(other, elsewhere);
  assert.deepEqual([rounded.identical, rounded.greatestDifference], [false, 0.5]);
  assert.match(rounded.because, /^not computed alike: onnxruntime-node 1\.29\.0, CPU then, /);
  assert.match((await replay(other, here)).because, /does not give the same answer twice/);
  assert.match((await replay(other, undefined)).because, /the record does not say what computed it/);
  assert.equal((await replay({ ...record, outputs: { y: 'late' } }, here)).greatestDifference, undefined);
});
