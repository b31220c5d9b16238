/** Real processes, really killed, and a disk that really fails. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { openDatabase } from './open-database.ts';

const module = (name: string) => JSON.stringify(new URL(name, import.meta.url));

/** Writes pairs from 16 callers at once, for ever, and says each pair's number when it was acknowledged. */
const writePairs = (folder: string, from: number) => `
  const { openDatabase } = await import(${module('open-database.ts')});
  const { sql } = await import(${JSON.stringify(import.meta.resolve('kysely'))});
  const { writeSync } = await import('node:fs');
  const database = await openDatabase({ folder: ${JSON.stringify(folder)} });
  let next = ${from};
  async function writePairs() {
    for (;;) {
      const number = next++;
      await database.write(async (tx) => {
        await sql\`insert into pairs values (\${number}, 'left')\`.execute(tx);
        await sql\`insert into pairs values (\${number}, 'right')\`.execute(tx);
      });
      writeSync(1, number + '\\n');
    }
  }
  await Promise.all(Array.from({ length: 16 }, writePairs));`;

test('20 times killed while 16 callers write: every acknowledged write is there, and no half of any', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  {
    await using database = await openDatabase({ folder: folder.path });
    await database.write((tx) =>
      sql`create table pairs (number integer, side text, primary key (number, side))`.execute(tx),
    );
  }
  const acknowledged = new Set<number>();
  for (let round = 0; round < 20; round += 1) {
    const from = round * 1_000_000;
    const child = spawn(process.execPath, ['--eval', writePairs(folder.path, from)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface(child.stdout);
    const exited = once(child, 'exit');
    const started = once(lines, 'line');
    lines.on('line', (line) => acknowledged.add(Number(line)));
    await Promise.race([started, exited.then(() => assert.fail('the writer ended by itself'))]);
    await sleep(Math.random() * 60);
    child.kill('SIGKILL');
    await Promise.all([exited, once(lines, 'close')]);

    await using database = await openDatabase({ folder: folder.path });
    const { rows } = await sql<{ number: number; sides: number }>`
      select number, count(*) as sides from pairs group by number`.execute(database.read);
    const found = new Set(rows.map(({ number }) => number));
    assert.deepEqual(acknowledged.difference(found), new Set());
    assert.deepEqual(
      rows.filter(({ sides }) => sides !== 2),
      [],
    );
    assert.equal(await integrity(database), 'ok');
  }
  assert.ok(acknowledged.size > 20);
});

/** Writes until it is refused, and says how that was and what came after. */
const writeUntilRefused = (folder: string) => `
  const { openDatabase } = await import(${module('open-database.ts')});
  const { sql } = await import(${JSON.stringify(import.meta.resolve('kysely'))});
  const database = await openDatabase({ folder: ${JSON.stringify(folder)} });
  await database.write((tx) => sql\`create table numbers (number integer)\`.execute(tx));
  const errors = [];
  let acknowledged = 0;
  while (errors.length < 2) {
    await database.write((tx) => sql\`insert into numbers values (\${acknowledged})\`.execute(tx)).then(
      () => { acknowledged += 1; },
      (error) => errors.push(error.code),
    );
  }
  const { rows } = await sql\`select count(*) as count from numbers\`.execute(database.read);
  console.log(JSON.stringify({ errors, acknowledged, readable: rows[0].count, state: database.state().kind }));
  process.exit();`;

const hasStrace = spawnSync('strace', ['-V']).status === 0;

test('after a failed fsync nothing more is written until the next start', {
  skip: !hasStrace && 'needs strace',
}, async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  // One failure only: a database that tried again would succeed, with pages that the kernel may have dropped.
  const inject = ['-f', '-qq', '-o', '/dev/null', '-e', 'inject=fsync,fdatasync:error=EIO:when=60'];
  const node = [process.execPath, '--eval', writeUntilRefused(folder.path)];
  const child = spawn('strace', [...inject, ...node], { stdio: ['ignore', 'pipe', 'inherit'] });
  const { acknowledged, readable, ...rest } = JSON.parse(await text(child.stdout));
  assert.deepEqual(rest, { errors: ['storage/broken', 'storage/broken'], state: 'broken' });
  assert.equal(readable, acknowledged);

  await using database = await openDatabase({ folder: folder.path });
  const { rows } = await sql<{ number: number }>`select number from numbers order by number`.execute(database.read);
  assert.deepEqual(
    rows.slice(0, acknowledged).map(({ number }) => number),
    Array.from({ length: acknowledged }, (_, i) => i),
  );
  await database.write((tx) => sql`insert into numbers values (-1)`.execute(tx));
});

async function integrity(database: Database): Promise<string | undefined> {
  const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(database.read);
  return rows[0]?.integrity_check;
}
