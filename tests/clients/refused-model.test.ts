/** What somebody sees in the unmodified MLflow client who registers a hostile or broken ONNX file. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { linearModel } from '../fixtures/onnx/tiny-models.ts';
import { writeOnnx } from '../fixtures/onnx/write-onnx.ts';
import { spawnServer } from '../journeys/spawned-server.ts';
import { findPythonClients } from './python-env.ts';

const python = findPythonClients('skinny');

const program = `
import mlflow
from mlflow.exceptions import MlflowException

client = mlflow.MlflowClient()
for name in ["sound", "broken", "hostile"]:
    with mlflow.start_run() as run:
        mlflow.log_artifact(f"{name}/model.onnx", "model")
    client.create_registered_model(name)
    try:
        version = client.create_model_version(name, f"{run.info.artifact_uri}/model", run.info.run_id)
        print(name, version.status)
    except MlflowException as error:
        print(name, error)
`;

test('the client is told that a hostile or broken model was not registered, and why', {
  skip: python === undefined && 'no MLflow client here: npm run setup:tests installs it',
}, async () => {
  assert.ok(python); // the test is skipped without it
  await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-refused-'));
  const sound = linearModel({ weight: 2, bias: 1 });
  const float = (name: string) => ({ name, type: 'float', shape: ['n', 1] }) as const;
  const models = {
    sound,
    broken: sound.subarray(0, 60),
    hostile: writeOnnx({
      inputs: [float('x')],
      outputs: [float('y')],
      constants: [{ name: 'w', shape: [1], location: '../../x' }],
      nodes: [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
    }),
  };
  for (const [name, bytes] of Object.entries(models)) {
    await mkdir(join(place.path, name));
    await writeFile(join(place.path, name, 'model.onnx'), bytes);
  }
  await using server = await spawnServer({ dataFolder: join(place.path, 'data') });
  const { stdout } = await promisify(execFile)(python, ['-c', program], {
    cwd: place.path,
    env: { PATH: process.env['PATH'], HOME: place.path, MLFLOW_TRACKING_URI: server.url },
  });
  const lines = stdout.split('\n');
  const told = (name: string) => lines.find((line) => line.startsWith(`${name} `)) ?? '';
  assert.equal(told('sound'), 'sound READY');
  assert.match(told('broken'), /creation failed .*FAILED_REGISTRATION .*not a sound ONNX file/);
  assert.match(told('hostile'), /creation failed .*FAILED_REGISTRATION .*'\.\.\/\.\.\/x'/);
});
