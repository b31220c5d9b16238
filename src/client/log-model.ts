/** A model as MLflow keeps it: a logged model with its files and an MLmodel file that says what they are. */
import { openAsBlob } from 'node:fs';
import { textIn } from './answer.ts';
import type { Rest } from './rest-client.ts';
import { uploadPath } from './upload-path.ts';

/** One input or output; `dtype` is numpy's name, `object` for texts; -1 is a free dimension. */
export type TensorSignature = { readonly name: string; readonly dtype: string; readonly shape: readonly number[] };
export type Signature = { readonly inputs: readonly TensorSignature[]; readonly outputs: readonly TensorSignature[] };

export type ModelToLog = {
  readonly name: string;
  /** Path in the model's folder to its bytes, or to the path of a local file. One of them is `model.onnx`. */
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  readonly signature: Signature;
  readonly step?: number;
  readonly params?: Readonly<Record<string, string | number>>;
};
/** `uri` is what a version is registered from. */
export type LoggedModel = { readonly id: string; readonly uri: string };

export async function logModel(
  rest: Rest,
  { runId, experimentId }: { readonly runId: string; readonly experimentId: string },
  { name, files, signature, step = 0, params = {} }: ModelToLog,
): Promise<LoggedModel> {
  const answer = await rest.call('POST', 'logged-models', {
    experiment_id: experimentId,
    name,
    source_run_id: runId,
    params: Object.entries(params).map(([key, value]) => ({ key, value: String(value) })),
  });
  const id = textIn(answer, 'model', 'info', 'model_id');
  const root = textIn(answer, 'model', 'info', 'artifact_uri');
  await rest.call('POST', 'runs/outputs', { run_id: runId, models: [{ model_id: id, step }] });
  const finish = (status: string) =>
    rest.call('PATCH', `logged-models/${encodeURIComponent(id)}`, { model_id: id, status });
  try {
    for (const [path, content] of Object.entries(files)) {
      const body =
        typeof content === 'string' ? await openAsBlob(content) : new Blob([content as Uint8Array<ArrayBuffer>]);
      await rest.upload(uploadPath(root, path), body);
    }
    // Last, so that nobody takes a folder with an MLmodel file for complete before it is.
    const description = JSON.stringify(describe({ id, runId, signature, files: Object.keys(files) }), null, 2);
    await rest.upload(uploadPath(root, 'MLmodel'), new Blob([description]));
  } catch (error) {
    await finish('LOGGED_MODEL_UPLOAD_FAILED');
    throw error;
  }
  await finish('LOGGED_MODEL_READY');
  return { id, uri: `models:/${id}` };
}

/** JSON is YAML too, so that the file needs no YAML writer. */
function describe({
  id,
  runId,
  signature,
  files,
}: {
  id: string;
  runId: string;
  signature: Signature;
  files: readonly string[];
}) {
  const data = files.find((path) => path.endsWith('.onnx'));
  const loader = { loader_module: 'mlflow.onnx', data, python_version: '3.12.0' };
  return {
    model_id: id,
    run_id: runId,
    utc_time_created: new Date().toISOString().replace('T', ' ').replace('Z', ''),
    flavors:
      data === undefined
        ? {}
        : { onnx: { data, providers: ['CPUExecutionProvider'], code: null }, python_function: loader },
    signature: { inputs: specs(signature.inputs), outputs: specs(signature.outputs), params: null },
  };
}

/** MLflow keeps each side as a text of JSON. */
const specs = (side: readonly TensorSignature[]): string =>
  JSON.stringify(side.map(({ name, dtype, shape }) => ({ name, type: 'tensor', 'tensor-spec': { dtype, shape } })));
