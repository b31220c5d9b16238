import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startSequencer } from '../events/event-sequencer-worker.ts';
import { eventStore } from '../events/event-store.ts';
import { openTestServer } from '../http/test-server.ts';
import { seededRandom } from '../statistics/seeded-random.ts';
import type { Db } from '../storage/database.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { deleteModel, renameModel } from './change-model.ts';
import { restoreModel, restoreVersion } from './change-trash.ts';
import { deleteAlias, deleteVersion, setAlias, setStage } from './change-version.ts';
import { readLabelEvents } from './label-event-store.ts';
import { type LabelEvent, labelMoves, labelsAt, momentOf } from './label-history.ts';
import { modelRoutes } from './model-routes.ts';
import { modelStore } from './model-store.ts';
import { stages } from './model-version.ts';
import { registerModel } from './register-model.ts';
import { registerVersion } from './register-version.ts';
import { registryTrashStore } from './registry-trash-store.ts';
import { versionStore } from './version-store.ts';

function log(...entries: readonly (readonly [at: number, type: string, subject: string, data: LabelEvent['data']])[]) {
  return entries.map(([at, type, subject, data], index): LabelEvent => {
    return { position: index + 1, type: `registry.${type}`, subject: `model/${subject}`, actor: 'user:ada', at, data };
  });
}
const set = (alias: string, version: number) => ({ model: 'm', version, alias });
const aliasesAt = (events: readonly LabelEvent[], at?: number, name = 'm') =>
  Object.fromEntries(labelsAt(labelMoves(name, events), at).aliases);

test('what an imported model brought with it is there from its import on, and moves from there', () => {
  const events = log(
    [10, 'model-imported', 'm', { versions: [1, 2], aliases: { champion: 2 }, stages: { 1: 'Archived' } }],
    [20, 'alias-set', 'm/1', set('champion', 1)],
  );
  assert.deepEqual(aliasesAt(events, 9), {});
  assert.deepEqual(aliasesAt(events, 10), { champion: 2 });
  assert.deepEqual([...labelsAt(labelMoves('m', events), 10).stages], [[1, 'Archived']]);
  const [, , last] = labelMoves('m', events);
  assert.ok(last?.kind === 'alias' && last.from === 2 && last.to === 1);
});

test('an alias at any moment is what was set last before it', () => {
  const events = log(
    [10, 'alias-set', 'm/1', set('champion', 1)],
    [20, 'alias-set', 'm/2', set('champion', 2)],
    [20, 'alias-set', 'other/9', set('champion', 9)],
    [30, 'alias-deleted', 'm/2', set('champion', 2)],
  );
  assert.deepEqual(
    [5, 10, 19, 20, 29, 30].map((at) => aliasesAt(events, at).champion),
    [undefined, 1, 1, 2, 2, undefined],
  );
  assert.deepEqual(labelMoves('m', events), [
    { position: 1, at: 10, actor: 'user:ada', kind: 'alias', alias: 'champion', to: 1 },
    { position: 2, at: 20, actor: 'user:ada', kind: 'alias', alias: 'champion', from: 1, to: 2 },
    { position: 4, at: 30, actor: 'user:ada', kind: 'alias', alias: 'champion', from: 2 },
  ]);
});

test('an alias that is set where it is has not moved', () => {
  const events = log([10, 'alias-set', 'm/1', set('a', 1)], [20, 'alias-set', 'm/1', set('a', 1)]);
  assert.equal(labelMoves('m', events).length, 1);
});

test('a stage moves those along that it archives', () => {
  const events = log(
    [10, 'stage-set', 'm/1', { version: 1, stage: 'Production', from: 'None', archived: [] }],
    [20, 'stage-set', 'm/2', { version: 2, stage: 'Production', from: 'None', archived: [1] }],
  );
  const { stages } = labelsAt(labelMoves('m', events));
  assert.deepEqual(Object.fromEntries(stages), { 1: 'Archived', 2: 'Production' });
});

test('a model keeps its history through a rename, and whoever gets its old name begins anew', () => {
  const events = log(
    [10, 'alias-set', 'old/1', set('a', 1)],
    [20, 'model-renamed', 'old', { to: 'm' }],
    [30, 'model-created', 'old', {}],
    [40, 'alias-set', 'old/7', set('a', 7)],
  );
  assert.deepEqual(aliasesAt(events, 15), { a: 1 });
  assert.deepEqual(aliasesAt(events, 50), { a: 1 });
  assert.deepEqual(aliasesAt(events, 35, 'old'), {});
  assert.deepEqual(aliasesAt(events, 50, 'old'), { a: 7 });
});

test('a deleted model says what it was until then; made anew, it is another one', () => {
  const deleted = log([10, 'alias-set', 'm/1', set('a', 1)], [20, 'model-deleted', 'm', { trash: 't' }]);
  assert.deepEqual([aliasesAt(deleted, 15), aliasesAt(deleted, 25)], [{ a: 1 }, {}]);
  const created = { ...log([30, 'model-created', 'm', {}])[0], position: 3 } as LabelEvent;
  assert.deepEqual(labelMoves('m', [...deleted, created]), []);
});

test('a day means its end, a time itself, and anything else nothing', () => {
  assert.equal(momentOf('2026-05-03'), Date.UTC(2026, 4, 4) - 1);
  assert.equal(momentOf('2026-05-03T10:00'), Date.UTC(2026, 4, 3, 10));
  assert.equal(momentOf('2026-05-03 10:00:01.5Z'), Date.UTC(2026, 4, 3, 10, 0, 1, 500));
  assert.equal(momentOf('2026-05-03T10:00:00+02:00'), Date.UTC(2026, 4, 3, 8));
  for (const text of ['', '3 May', '2026-13-01', '2026-05-32', '2026-02-30', '1e9', '2026'])
    assert.equal(momentOf(text), undefined);
});

eachDatabase((dialect, open) => {
  test(`${dialect}: what an alias was on a day is asked over HTTP`, async () => {
    await using database = await open();
    await using app = await openTestServer();
    const unused = () => assert.fail('nothing is sealed here');
    const clock = { now: Date.UTC(2026, 4, 3, 12) };
    const now = () => clock.now;
    const deps = { database, now, examine: unused };
    // biome-ignore lint/suspicious/noExplicitAny: reading the history touches neither files nor bytes
    await app.register(modelRoutes({ ...deps, artifacts: {}, blobs: {} } as any));
    await using _sequencer =
      dialect === 'postgres' ? startSequencer({ database, onError: (error) => assert.fail(String(error)) }) : undefined;
    const stores = (tx: Db) => ({
      ...{ models: modelStore(tx), versions: versionStore(tx), events: eventStore(tx), now },
    });
    const actor = 'user:ada';
    await database.write((tx) => registerModel(stores(tx), { name: 'm', project: 'p', actor }));
    for (const version of [1, 2]) {
      await database.write((tx) => registerVersion(stores(tx), { model: 'm', source: 's3://b/p', actor }));
      await database.write((tx) => setAlias(stores(tx), { model: 'm', alias: 'champion', version, actor }));
      clock.now += 86_400_000;
    }
    while ((await readLabelEvents(database.read, 'm')).length < 3) await delay(5); // the sequencer has been there
    const get = async (query: string) => {
      const answer = await app.inject({ url: `/api/v1/models/m/history${query}`, headers: { host: 'localhost' } });
      return { status: answer.statusCode, body: answer.json() };
    };
    const champions = await Promise.all(
      ['2026-05-02', '2026-05-03', '2026-05-04T11:59', '2026-05-04T12:00', '2026-05-04'].map(
        async (at) => (await get(`?at=${at}`)).body.aliases.champion,
      ),
    );
    assert.deepEqual(champions, [undefined, 1, 1, 2, 2]);
    const { moves } = (await get('?limit=1')).body;
    const { position: _, ...move } = moves[0];
    const moved = { at: Date.UTC(2026, 4, 4, 12), actor, kind: 'alias', alias: 'champion', from: 1, to: 2 };
    assert.deepEqual([moves.length, move], [1, moved]);
    assert.equal((await get('?at=yesterday')).status, 400);
  });

  // The sequencer gives events their places on PostgreSQL; what is folded is the same.
  if (dialect === 'postgres') return;

  for (const seed of [1, 2, 3]) {
    test(`${dialect}: whatever is done to models, the log says what every label was after each step (seed ${seed})`, async () => {
      await using database = await open();
      const { below, chance } = seededRandom(seed);
      const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T; // never of an empty list
      let clock = 0;
      const actor = 'owner';
      const stores = (tx: Db) => ({
        ...{ models: modelStore(tx), versions: versionStore(tx), trash: registryTrashStore(tx) },
        ...{ events: eventStore(tx), now: () => clock },
      });
      const names = ['a', 'b', 'c'];
      const act = (work: (deps: ReturnType<typeof stores>) => Promise<unknown>) =>
        database
          .write((tx) => work(stores(tx)))
          .catch((error: { code?: string }) => {
            assert.match(String(error.code), /^registry\//, String(error)); // a name that is taken, a version that is gone
          });
      const seen: { at: number; name: string; aliases: unknown; stages: unknown }[] = [];

      for (clock = 1; clock <= 150; clock++) {
        const model = pick(names);
        const version = 1 + below(3);
        const alias = pick(['x', 'y']);
        await pick([
          () => act((deps) => registerModel(deps, { name: model, project: 'p', actor })),
          () => act((deps) => registerVersion(deps, { model, source: 's3://b/p', actor })),
          () => act((deps) => setAlias(deps, { model, alias, version, actor })),
          () => act((deps) => setAlias(deps, { model, alias, version, actor })),
          () => act((deps) => deleteAlias(deps, { model, alias, actor })),
          () =>
            act((deps) =>
              setStage(deps, { model, version, stage: pick(stages.slice(1, 3)), archiveOthers: chance(0.5), actor }),
            ),
          () => act((deps) => deleteVersion(deps, { model, version, actor })),
          async () => {
            const [deleted] = await registryTrashStore(database.read).versions({ limit: 1 });
            if (deleted) await act((deps) => restoreVersion(deps, deleted, actor));
          },
          () => act((deps) => renameModel(deps, model, { newName: pick(names), actor })),
          () => act((deps) => deleteModel(deps, model, { id: `t${clock}`, actor })),
          async () => {
            const [deleted] = await registryTrashStore(database.read).models({ limit: 1 });
            if (deleted) await act((deps) => restoreModel(deps, deleted, actor));
          },
        ])();
        for (const name of names) {
          const found = await modelStore(database.read).find(name);
          const versions = await versionStore(database.read).list(name);
          const aliases = Object.fromEntries((found?.aliases ?? []).map((one) => [one.alias, one.version]));
          const staged = versions.filter((one) => one.stage !== 'None').map((one) => [one.version, one.stage]);
          seen.push({ at: clock, name, aliases, stages: Object.fromEntries(staged) });
        }
      }

      for (const { at, name, aliases, stages } of seen) {
        const events = (await readLabelEvents(database.read, name)).filter((event) => event.at <= at);
        const found = labelsAt(labelMoves(name, events));
        assert.deepEqual(Object.fromEntries(found.aliases), aliases, `${name} at ${at}`);
        assert.deepEqual(Object.fromEntries(found.stages), stages, `${name} at ${at}`);
      }
      // Looking back from the end says the same of each model for as long as it kept its name.
      for (const name of names) {
        const events = await readLabelEvents(database.read, name);
        const moves = labelMoves(name, events);
        const since = Math.max(0, ...nameChanges(events, name));
        for (const one of seen.filter((entry) => entry.name === name && entry.at >= since)) {
          assert.deepEqual(Object.fromEntries(labelsAt(moves, one.at).aliases), one.aliases, `${name} at ${one.at}`);
        }
      }
    });
  }
});

const nameChanges = (events: readonly LabelEvent[], name: string): readonly number[] =>
  events
    .filter(
      ({ type, subject, data }) =>
        /-renamed|-created|-deleted|-restored/.test(type) && [subject, `model/${data.to}`].includes(`model/${name}`),
    )
    .map(({ at }) => at);
