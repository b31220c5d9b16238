/** An intruder changes the file of the database behind our back; the audit says what and where. */
import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import fc from 'fast-check';
import { sql } from 'kysely';
import type { Database } from '../storage/database.ts';
import { eachDatabase, type TestDatabase } from '../storage/test-databases.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { openLogSigner, startCheckpoints } from './checkpoint-worker.ts';
import type { LoggedEvent, NewEvent } from './event.ts';
import { sequenceEvents } from './event-sequencer-worker.ts';
import { eventStore, leafOf, readEvents } from './event-store.ts';
import { auditLog } from './log-audit-store.ts';
import { entryHash } from './log-entry.ts';
import { logProofs } from './log-proof-store.ts';
import { isSame, verifyConsistency, verifyInclusion } from './merkle-proof.ts';
import { checkNote } from './note-key-adapter.ts';
import { parseVerifierKey } from './signed-note.ts';

eachDatabase((name, open) => {
  test(`${name}: an honest log verifies against its own checkpoints and the files`, async () => {
    await using database = await open();
    const signer = await openLogSigner({ database, folder: database.folder, now });
    assert.equal(await signer.sign(), undefined);
    await append(database, 5);
    const first = await signer.sign();
    assert.equal(await signer.sign(), first);
    await append(database, 300);
    const second = await signer.sign();
    assert.equal(await readFile(checkpointFile(database), 'utf8'), second);
    const verified = await audit(database);
    assert.ok(verified.ok);
    const { checkpoints, size, root } = verified;
    assert.deepEqual({ checkpoints, size }, { checkpoints: 4, size: 305 }); // two rows, `checkpoint` and the one of the day
    const { text, verdict } = checkNote(second ?? '', [parseVerifierKey(signer.verifierKey)]);
    assert.equal(verdict, 'good');
    assert.ok(isSame(parseCheckpoint(text)?.root ?? new Uint8Array(), root));
  });

  test(`${name}: an entry and the growth of the log are proved from what is stored`, async () => {
    await using database = await open();
    await append(database, 700);
    const proofs = logProofs(database.read);
    const root = await proofs.root(700);
    const events = await readEvents(database.read, { limit: 700 });
    for (const position of [1, 2, 255, 256, 257, 512, 699, 700]) {
      const proof = await proofs.inclusion(position, 700);
      const leaf = entryHash(events[position - 1]!);
      assert.ok(verifyInclusion({ leaf, index: position - 1, size: 700, root, proof }), `entry ${position}`);
    }
    for (const from of [1, 256, 300, 512, 699]) {
      const claim = { from, fromRoot: await proofs.root(from), to: 700, toRoot: root };
      assert.ok(verifyConsistency({ ...claim, proof: await proofs.consistency(from, 700) }), `from ${from}`);
    }
    await assert.rejects(proofs.inclusion(701, 701), { code: 'events/no-entry' });
  });

  test(`${name}: the worker signs what was appended when it closes`, async () => {
    await using database = await open();
    const problems: unknown[] = [];
    {
      const options = {
        database,
        folder: database.folder,
        now,
        onError: (error: unknown) => void problems.push(error),
      };
      await using _checkpoints = await startCheckpoints(options);
      await append(database, 3);
    }
    assert.deepEqual(problems, []);
    assert.equal(parseCheckpoint(await readFile(checkpointFile(database), 'utf8'))?.size, 3);
  });

  test(`${name}: a signed file that a crash lost is written again`, async () => {
    await using database = await open();
    const signer = await openLogSigner({ database, folder: database.folder, now });
    await append(database, 2);
    await signer.sign();
    const older = await readFile(checkpointFile(database));
    await append(database, 2);
    const newest = await signer.sign();
    await writeFile(checkpointFile(database), older);
    assert.equal(await signer.sign(), newest);
    assert.equal(await readFile(checkpointFile(database), 'utf8'), newest);
  });

  test(`${name}: another server, with its own key, signs the same log`, async () => {
    await using database = await open();
    const here = await openLogSigner({ database, folder: join(database.folder, 'a'), now });
    const there = await openLogSigner({ database, folder: join(database.folder, 'b'), now });
    await append(database, 4);
    await here.sign();
    await there.sign();
    const folders = ['a', 'b'].map((folder) => join(database.folder, folder, 'checkpoints'));
    const verified = await auditLog({ database, folders });
    assert.ok(verified.ok);
    assert.equal(verified.checkpoints, 6);
  });

  if (name === 'sqlite') tampering(open);

  test(`${name}: a changed, a dropped, a moved and a cut off entry are found, and the first is named`, async () => {
    await using database = await open();
    const signer = await openLogSigner({ database, folder: database.folder, now });
    await append(database, 20);
    await signer.sign();
    await asIntruder(database, 'create table kept as select * from events');
    const found: unknown[] = [];
    for (const statements of [
      [`update events set actor = 'user:eve' where position = 7`],
      ['delete from events where position = 7'],
      [
        'update events set position = -1 where position = 4',
        'update events set position = 4 where position = 13',
        'update events set position = 13 where position = -1',
      ],
      ['delete from events where position > 15'],
    ]) {
      await asIntruder(database, ...statements);
      found.push(problemOf(await audit(database)));
      await asIntruder(database, 'delete from events', 'insert into events select * from kept');
    }
    assert.deepEqual(found, [
      { kind: 'changed', position: 7 },
      { kind: 'dropped', position: 7 },
      { kind: 'reordered', position: 4 },
      { kind: 'truncated', position: 16 },
    ]);
    assert.ok((await audit(database)).ok);
  });

  test(`${name}: a copy kept elsewhere tells what was cut off with its own checkpoint`, async () => {
    await using database = await open();
    const signer = await openLogSigner({ database, folder: database.folder, now });
    await append(database, 5);
    await signer.sign();
    await append(database, 5);
    const note = (await signer.sign()) ?? '';
    await asIntruder(database, 'delete from events where position > 5', 'delete from checkpoints where size > 5');
    const kept = [{ source: 'a mail', note }];
    const verified = await auditLog({ database, folders: [], kept, verifierKeys: [signer.verifierKey] });
    assert.deepEqual(problemOf(verified), { kind: 'truncated', position: 6 });
    const forged = [{ source: 'a mail', note: note.replace('\n10\n', '\n11\n') }];
    await assert.rejects(auditLog({ database, folders: [], kept: forged, verifierKeys: [signer.verifierKey] }), {
      code: 'events/checkpoint-forged',
    });
  });
});

/** Who has the database itself, not only the server's way into it. */
async function asIntruder(database: TestDatabase, ...statements: readonly string[]): Promise<void> {
  const on = database.dialect === 'postgres' ? ' on events' : '';
  await database.write(async (tx) => {
    for (const trigger of ['events_keep', 'events_stay'])
      await sql.raw(`drop trigger if exists ${trigger}${on}`).execute(tx);
    for (const statement of statements) await sql.raw(statement).execute(tx);
  });
}

function tampering(open: () => Promise<TestDatabase>): void {
  const tampered = async (change: (raw: DatabaseSync) => void) => {
    const database = await open();
    const signer = await openLogSigner({ database, folder: database.folder, now });
    await append(database, 10);
    await signer.sign();
    await append(database, 10);
    await signer.sign();
    await cp(join(database.folder, 'checkpoints'), join(database.folder, 'elsewhere'), { recursive: true });
    tamper(database, change);
    return { database, signer };
  };

  for (const [what, statement] of [
    ['a changed actor', `update events set actor = 'user:eve' where position = 7`],
    ['a changed time', 'update events set at = at + 1 where position = 7'],
    ['changed data', `update events set data = replace(data, '7', '8') where position = 7`],
    ['data with other spaces', `update events set data = data || ' ' where position = 7`],
    ['data that is no JSON', `update events set data = '{' where position = 7`],
    ['an added reason', `update events set reason = 'because' where position = 7`],
    ['a removed leaf', 'update events set leaf = null where position = 7'],
    ['a changed leaf', 'update events set leaf = (select leaf from events where position = 8) where position = 7'],
  ] as const) {
    test(`${what} is found, and its entry named`, async () => {
      const { database } = await tampered((raw) => raw.exec(statement));
      await using _ = database;
      assert.deepEqual(problemOf(await audit(database)), { kind: 'changed', position: 7 });
    });
  }

  test('a dropped entry is named, whether or not the others move up', async () => {
    for (const after of ['', 'update events set position = position - 1 where position > 7']) {
      const { database } = await tampered((raw) => {
        raw.exec('delete from events where position = 7');
        if (after) moveUp(raw, 7);
      });
      await using _ = database;
      assert.deepEqual(problemOf(await audit(database)), { kind: 'dropped', position: 7 });
    }
  });

  test('two entries that changed places are named by the first', async () => {
    const { database } = await tampered((raw) => swap(raw, 4, 13));
    await using _ = database;
    const verified = await audit(database);
    assert.deepEqual(problemOf(verified), { kind: 'reordered', position: 4 });
    assert.match(verified.ok ? '' : verified.problem.says, /now stands at 13/);
  });

  test('an end that was cut off is seen from the database, and from outside when the checkpoints were cut too', async () => {
    const { database, signer } = await tampered((raw) => raw.exec('delete from events where position > 15'));
    await using _ = database;
    assert.deepEqual(problemOf(await audit(database)), { kind: 'truncated', position: 16 });
    tamper(database, (raw) => raw.exec('delete from checkpoints where size > 10'));
    const elsewhere = join(database.folder, 'elsewhere');
    assert.ok((await auditLog({ database, folders: [] })).ok);
    assert.deepEqual(problemOf(await auditLog({ database, folders: [elsewhere] })), {
      kind: 'truncated',
      position: 16,
    });
    await assert.rejects(signer.sign(), { code: 'events/log-changed' });
    await append(database, 20); // longer again, but not the same
    await assert.rejects(signer.sign(), { code: 'events/log-changed' });
    const rewritten = problemOf(await auditLog({ database, folders: [elsewhere] }));
    assert.deepEqual(rewritten, { kind: 'rewritten', position: 11, upTo: 20 });
  });

  test('an entry rewritten together with its leaf is found between two checkpoints', async () => {
    const { database } = await tampered(() => {});
    await using _ = database;
    const events = await readEvents(database.read, { limit: 20 });
    const forged: LoggedEvent = { ...events[13]!, actor: 'user:eve' };
    tamper(database, (raw) => {
      raw.prepare('update events set actor = ?, leaf = ? where position = 14').run(forged.actor, leafOf(forged));
    });
    assert.deepEqual(problemOf(await audit(database)), { kind: 'rewritten', position: 11, upTo: 20 });
  });

  test('a checkpoint that our key has not signed is refused', async () => {
    const { database, signer } = await tampered((raw) => {
      raw.exec(
        `update checkpoints set note = replace(note, char(10) || '20' || char(10), char(10) || '19' || char(10))`,
      );
    });
    await using _ = database;
    await assert.rejects(audit(database), { code: 'events/checkpoint-forged' });
    await assert.rejects(signer.sign(), { code: 'events/log-changed' });
  });

  test('whatever one statement does to the entries, the audit names the first of them', async () => {
    const { database } = await tampered(() => {});
    await using _ = database;
    const path = join(database.folder, 'rondo.db');
    const position = fc.integer({ min: 1, max: 20 });
    const column = fc.constantFrom('type', 'project', 'subject', 'actor', 'reason');
    await fc.assert(
      fc.asyncProperty(
        position,
        position,
        column,
        fc.constantFrom('change', 'drop', 'swap'),
        async (a, b, field, how) => {
          fc.pre(a !== b);
          using raw = new DatabaseSync(path);
          raw.exec('drop trigger if exists events_keep; drop trigger if exists events_stay');
          raw.exec('create temp table kept as select * from events');
          if (how === 'change')
            raw.exec(`update events set ${field} = 'x' || coalesce(${field}, '') where position = ${a}`);
          else if (how === 'drop') raw.exec(`delete from events where position = ${a}`);
          else swap(raw, a, b);
          const found = problemOf(await audit(database));
          raw.exec('delete from events; insert into events select * from kept; drop table kept');
          const kind = { change: 'changed', drop: a === 20 ? 'truncated' : 'dropped', swap: 'reordered' }[how];
          assert.deepEqual(found, { kind, position: how === 'swap' ? Math.min(a, b) : a });
        },
      ),
      { numRuns: 60 },
    );
    assert.ok((await audit(database)).ok);
  });
}

/** Another connection, as another program would open it. */
function tamper(database: TestDatabase, change: (raw: DatabaseSync) => void): void {
  using raw = new DatabaseSync(join(database.folder, 'rondo.db'));
  raw.exec('drop trigger if exists events_keep; drop trigger if exists events_stay');
  change(raw);
}

function swap(raw: DatabaseSync, a: number, b: number): void {
  raw.exec(`update events set position = -1 where position = ${a};
    update events set position = ${a} where position = ${b};
    update events set position = ${b} where position = -1`);
}

function moveUp(raw: DatabaseSync, after: number): void {
  for (let position = after; position < 20; position += 1) {
    raw.exec(`update events set position = ${position} where position = ${position + 1}`);
  }
}

async function append(database: Database, count: number): Promise<void> {
  await database.write(async (tx) => {
    for (let at = 1; at <= count; at += 1) await eventStore(tx).append(event(at));
  });
  await sequenceEvents(database);
}

const event = (at: number): NewEvent => ({
  type: 'test.happened',
  project: 'p',
  subject: 's',
  actor: 'owner',
  at: at * 1000,
  data: { n: at },
});

function audit(database: TestDatabase) {
  return auditLog({ database, folders: [join(database.folder, 'checkpoints')] });
}

function problemOf(verified: Awaited<ReturnType<typeof audit>>) {
  assert.ok(!verified.ok, 'the audit found nothing');
  const { says: _, ...problem } = verified.problem;
  return problem;
}

const checkpointFile = (database: TestDatabase) => join(database.folder, 'checkpoints', 'checkpoint');
const now = () => Date.UTC(2026, 1, 28);
