import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { columnsModel } from '../../tests/fixtures/onnx/tiny-models.ts';
import { eventStore, readEvents } from '../events/event-store.ts';
import type { Finding } from '../onnx/finding.ts';
import { inspectOnnx } from '../onnx/inspect-onnx.ts';
import { blobArtifactRoot } from '../storage/artifact-blobs.ts';
import { artifactPlaces } from '../storage/artifact-places.ts';
import { openBlobFolder } from '../storage/blob-store.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { modelStore } from './model-store.ts';
import { isServable } from './model-version.ts';
import { registerModel } from './register-model.ts';
import { registerVersion, requireVersion } from './register-version.ts';
import { sealAndSave, sealRegistered } from './seal-adapter.ts';
import type { ExamineModel } from './seal-version.ts';
import { versionStore } from './version-store.ts';

const onnxMlmodel = 'flavors:\n  onnx:\n    data: model.onnx\n  python_function:\n    loader_module: mlflow.onnx\n';
const sklearnMlmodel = 'flavors:\n  sklearn:\n    pickled_model: model.pkl\n';
const location = 'mlflow-artifacts:/1/models/m-1/artifacts';

eachDatabase((dialect, open) => {
  async function setUp() {
    const database = await open();
    const blobs = await openBlobFolder(join(database.folder, 'blobs'));
    const artifacts = artifactPlaces(blobArtifactRoot({ database, blobs }));
    const now = () => 1000;
    await database.write(async (tx) => {
      const stores = { models: modelStore(tx), versions: versionStore(tx), events: eventStore(tx), now };
      await registerModel(stores, { name: 'm', project: 'p', actor: 'owner' });
      await registerVersion(stores, { model: 'm', source: location, actor: 'owner' });
    });
    const upload = async (files: Readonly<Record<string, string | Uint8Array>>) => {
      for (const [path, content] of Object.entries(files)) {
        await artifacts.proxied.put(
          `1/models/m-1/artifacts/${path}`,
          typeof content === 'string' ? Buffer.from(content) : content,
        );
      }
    };
    /** @param found what the runtime said */
    const examineWith =
      (found: readonly Finding[]): ExamineModel =>
      async ({ digest, beside }) => {
        const { inputs, outputs, findings } = inspectOnnx(await readFile(blobs.path(digest)), beside);
        return { inputs, outputs, findings: [...findings, ...found] };
      };
    const seal = (examine: ExamineModel = examineWith([])) =>
      sealAndSave({ database, artifacts, blobs, examine, now }, { model: 'm', version: 1, actor: 'owner' });
    const find = () => requireVersion(versionStore(database.read), 'm', 1);
    const register = async () =>
      sealRegistered({ database, artifacts, blobs, examine: examineWith([]), now }, await find());
    return {
      database,
      blobs,
      examineWith,
      upload,
      seal,
      find,
      register,
      [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
    };
  }

  test(`${dialect}: an ONNX model is copied, digested and examined, and the log says so`, async () => {
    await using set = await setUp();
    await set.upload({ MLmodel: onnxMlmodel, 'model.onnx': columnsModel(), 'requirements.txt': 'mlflow' });
    let asked: Parameters<ExamineModel>[0] | undefined;
    const version = await set.seal((model) => {
      asked = model;
      return set.examineWith([])(model);
    });
    assert.ok(isServable(version));
    assert.deepEqual(version.sealed?.files.map(({ path }) => path).sort(), [
      'MLmodel',
      'model.onnx',
      'requirements.txt',
    ]);
    assert.equal(await set.blobs.size(version.sealed?.onnxDigest ?? ''), columnsModel().length);
    assert.equal(asked?.digest, version.sealed?.onnxDigest);
    assert.deepEqual(
      [...(asked?.beside ?? [])],
      [
        ['MLmodel', onnxMlmodel.length],
        ['requirements.txt', 6],
      ],
    );
    assert.deepEqual(
      version.sealed?.inputs.map(({ name }) => name),
      ['distance', 'origin'],
    );
    if (dialect === 'postgres') return; // there the sequencer gives events their places
    const [event] = await readEvents(set.database.read, { types: ['registry.version-sealed'], limit: 1 });
    assert.equal(event?.subject, 'model/m/1');
    assert.equal(event?.data.servable, true);
  });

  test(`${dialect}: a sealed version keeps its bytes when its artifacts change`, async () => {
    await using set = await setUp();
    await set.upload({ MLmodel: onnxMlmodel, 'model.onnx': columnsModel() });
    const first = await set.seal();
    await set.upload({ 'model.onnx': 'something else' });
    assert.deepEqual((await set.seal()).sealed, first.sealed);
  });

  test(`${dialect}: a pickle is kept and not served, with the line that exports it`, async () => {
    await using set = await setUp();
    await set.upload({ MLmodel: sklearnMlmodel, 'model.pkl': 'x' });
    const version = await set.seal(async () => assert.fail('nothing to try'));
    assert.ok(!isServable(version));
    const [finding] = version.sealed?.findings ?? [];
    assert.equal(finding?.severity, 'refuse');
    assert.match(finding?.fix ?? '', /to_onnx\(model, X\[:1\], options=\{id\(model\): \{'zipmap': False\}\}\)/);
    await set.upload({ MLmodel: onnxMlmodel, 'model.onnx': columnsModel() });
    assert.ok(isServable(await set.seal()), 'a refused version may be mended and sealed again');
  });

  test(`${dialect}: a model that does not run is refused with what the runtime said`, async () => {
    await using set = await setUp();
    await set.upload({ 'model.onnx': columnsModel() });
    const version = await set.seal(
      set.examineWith([{ code: 'serving/cannot-load', severity: 'refuse', message: 'no' }]),
    );
    assert.deepEqual(version.sealed?.findings.at(-1)?.code, 'serving/cannot-load');
    assert.ok(!isServable(version));
  });

  test(`${dialect}: what a broken ONNX file is registered as has failed, and is ready once it is mended`, async () => {
    await using set = await setUp();
    await set.upload({ 'model.onnx': columnsModel().subarray(0, 60) });
    const failed = await set.register();
    assert.equal(failed.status, 'FAILED_REGISTRATION');
    assert.match(failed.statusMessage ?? '', /not a complete|ends|broken|malformed/i);
    await set.upload({ 'model.onnx': columnsModel() });
    const mended = await set.register();
    assert.deepEqual([mended.status, mended.statusMessage], ['READY', '']);
  });

  test(`${dialect}: a pickle, and a source that lies elsewhere, are registered without being read`, async () => {
    await using set = await setUp();
    assert.deepEqual(await set.register(), await set.find());
    await set.upload({ MLmodel: sklearnMlmodel, 'model.pkl': 'x' });
    const version = await set.register();
    assert.deepEqual([version.status, version.sealed], ['READY', undefined]);
  });

  test(`${dialect}: a source without files here is told where it should be`, async () => {
    await using set = await setUp();
    await assert.rejects(set.seal(), { code: 'registry/source-not-readable', hint: /Log the model again/ });
  });
});
