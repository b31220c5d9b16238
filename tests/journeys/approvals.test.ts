/** People agree before a version serves, and nothing gets past them. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { linearModel } from '../fixtures/onnx/tiny-models.ts';
import { infer, linkProject, registerModel, rollouts, type Spawned, spawnServer, until } from './spawned-server.ts';

const approvals = 'approvals:\n  production: {people: 1, not: [author]}\n';

type Approval = { id: string; version: number; state: string; says?: string };

test('a version waits for somebody else, survives a restart, and is not rolled out around them', async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-approvals-'));
  const dataFolder = join(place.path, 'data');
  let operation = '';
  {
    await using server = await spawnServer({ dataFolder });
    await linkProject(server, { folder: join(place.path, 'project'), more: approvals });
    await server.must('POST', '/api/v1/users', { name: 'eve', role: 'deployer', password: 'a long enough secret' });
    operation = await shipNext(server, 2);
    const asked = await waiting(server);
    assert.match(asked.says ?? '', new RegExp(`rondo approvals grant ${asked.id}`));
    const watched = await server.must<{ progress: { note: string } }>('GET', `/api/v1/operations/${operation}`);
    assert.equal(watched.progress.note, asked.says);

    const own = await server.call<{ code: string }>('POST', `/api/v1/approvals/${asked.id}/grant`, {});
    assert.deepEqual([own.status, own.body.code], [403, 'governance/own-change']);
    const force = { model: 'line', version: 1, force: { gates: true }, reason: 'in a hurry' };
    const around = await server.call<{ code: string }>('POST', '/api/v1/endpoints/line/rollouts', force);
    assert.deepEqual([around.status, around.body.code], [409, 'governance/approval-missing']);
    assert.deepEqual(await rollouts(server), []);
    await server.kill();
  }
  await using server = await spawnServer({ dataFolder });
  const asked = await waiting(server);
  await asEve(server, `/api/v1/approvals/${asked.id}/grant`);
  await until('it serves', async () => (await infer(server, 3)).status === 200);
  assert.equal(await stateOf(server, operation), 'done');
  assert.deepEqual((await infer(server, 3)).body.outputs[0].data, [6]);

  const live = await server.call<{ code: string }>('POST', '/api/v1/projects/lines/ship', { version: 1 });
  assert.deepEqual([live.status, live.body.code], [409, 'rollouts/already-live'], 'before anything is tested or asked');
  const refused = await shipNext(server, 3);
  await asEve(server, `/api/v1/approvals/${(await waiting(server)).id}/refuse`);
  await until('the shipment ends', async () => (await stateOf(server, refused)) === 'failed');
  const { error } = await server.must<{ error: { code: string } }>('GET', `/api/v1/operations/${refused}`);
  assert.equal(error.code, 'governance/approval-refused');
  assert.deepEqual((await infer(server, 3)).body.outputs[0].data, [6]);
  const { items } = await server.must<{ items: Approval[] }>('GET', '/api/v1/approvals');
  assert.deepEqual(
    items.map(({ version, state }) => [version, state]),
    [
      [2, 'refused'],
      [1, 'used'],
    ],
  );
});

/** @returns the operation */
async function shipNext(server: Spawned, weight: number): Promise<string> {
  const model = linearModel({ weight, bias: 0 });
  const version = await registerModel(server, { name: 'line', files: { 'model.onnx': model } });
  return (await server.must<{ operation: string }>('POST', '/api/v1/projects/lines/ship', { version })).operation;
}

const waiting = (server: Spawned): Promise<Approval> =>
  until('somebody is asked', async () => {
    const { items } = await server.must<{ items: Approval[] }>('GET', '/api/v1/approvals?open=true');
    return items[0];
  });

const stateOf = async (server: Spawned, operation: string): Promise<string> =>
  (await server.must<{ state: string }>('GET', `/api/v1/operations/${operation}`)).state;

async function asEve(server: Spawned, path: string): Promise<void> {
  const authorization = `Basic ${Buffer.from('eve:a long enough secret').toString('base64')}`;
  const headers = { authorization, 'content-type': 'application/json' };
  const answer = await fetch(new URL(path, server.url), { method: 'POST', headers, body: '{}' });
  assert.equal(answer.status, 200, await answer.text());
}
