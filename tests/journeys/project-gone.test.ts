/** A project whose folder is gone: it goes on as it was, and says so where people look. */
import assert from 'node:assert/strict';
import { mkdtempDisposable, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { linearModel } from '../fixtures/onnx/tiny-models.ts';
import { infer, linkProject, registerModel, ship, spawnServer, until } from './spawned-server.ts';

test('a project whose folder is gone is told once, its endpoint serves on, and it comes back', async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-gone-'));
  const folder = join(place.path, 'project');
  await using server = await spawnServer({ dataFolder: join(place.path, 'data') });
  await linkProject(server, { folder, more: 'monitors:\n  service: {availability: 99%}\n' });
  const model = linearModel({ weight: 2, bias: 0 });
  await ship(server, await registerModel(server, { name: 'line', files: { 'model.onnx': model } }));
  await until('it serves', async () => (await infer(server, 1)).status === 200);
  const problem = async () => (await server.must<{ problem?: string }>('GET', '/api/v1/projects/lines')).problem;
  assert.equal(await problem(), undefined);

  await rename(folder, `${folder}-away`);
  assert.match((await problem()) ?? '', /no rondo\.yaml/i);
  const told = () => server.stderr().split('lifecycle/no-project-file').length - 1;
  await until('the log tells it', async () => told() > 0);
  const before = told();
  await wait(5_000); // two passes of the monitors and more
  assert.equal(told(), before);
  assert.equal((await infer(server, 1)).status, 200);

  await rename(`${folder}-away`, folder);
  assert.equal(await problem(), undefined);
});
