/** The examiner process: reads one model file, runs it once, says what it found, and leaves. Entry of `main.ts examine`. */
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { type Finding, refuse, warn } from '../onnx/finding.ts';
import { inspectOnnx } from '../onnx/inspect-onnx.ts';
import type { Examination, FromExaminer, ModelToExamine } from './examine-model-adapter.ts';
import { messageOf, openSession, warmUp } from './session-adapter.ts';
import { isDatatype } from './tensor.ts';

export async function runExaminer(): Promise<void> {
  const [message] = await once(process, 'message');
  const { path, beside } = message as ModelToExamine; // its starter's only message
  const { inputs, outputs, findings } = inspectOnnx(await readWhole(path), beside);
  await tell({ kind: 'inspected', inputs, outputs, findings });
  if (findings.some(({ severity }) => severity === 'refuse')) return;
  await tell({ kind: 'tried', findings: await tryModel({ path, inputs, outputs }) });
}

async function tryModel(file: Pick<Examination, 'inputs' | 'outputs'> & { path: string }): Promise<readonly Finding[]> {
  const odd = [...file.inputs, ...file.outputs].find(({ datatype }) => !isDatatype(datatype));
  if (odd) return [refuse('serving/cannot-load', `'${odd.name}' is ${odd.datatype}, which is not served.`)];
  try {
    const warm = await warmUp(await openSession(file, { warnings: true }));
    return 'warmUpError' in warm
      ? [warn('serving/warm-up-failed', `It failed on a row of zeros: ${warm.warmUpError}`)]
      : [];
  } catch (error) {
    return [refuse('serving/cannot-load', messageOf(error))];
  }
}

/** `readFile` ends at 2 GiB. */
async function readWhole(path: string): Promise<Uint8Array> {
  await using file = await open(path);
  const { size } = await file.stat();
  const bytes = Buffer.allocUnsafeSlow(size);
  for (let at = 0; at < size; ) {
    const { bytesRead } = await file.read(bytes, at, Math.min(size - at, 2 ** 30), at);
    if (bytesRead === 0) return bytes.subarray(0, at);
    at += bytesRead;
  }
  return bytes;
}

const tell = (message: FromExaminer): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  // A server that is gone needs no answer.
  process.send?.(message, () => resolve());
  return promise;
};
