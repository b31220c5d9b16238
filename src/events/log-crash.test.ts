/** Killed while it appends and signs, the log is whole and what was signed is its beginning. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../storage/open-database.ts';
import { openLogSigner } from './checkpoint-worker.ts';
import { readEvents } from './event-store.ts';
import { auditLog } from './log-audit-store.ts';

const module = (name: string) => JSON.stringify(new URL(name, import.meta.url));

const appendAndSign = (folder: string, from: number) => `
  const { openDatabase } = await import(${module('../storage/open-database.ts')});
  const { eventStore } = await import(${module('event-store.ts')});
  const { openLogSigner } = await import(${module('checkpoint-worker.ts')});
  const { writeSync } = await import('node:fs');
  const folder = ${JSON.stringify(folder)};
  const database = await openDatabase({ folder });
  const signer = await openLogSigner({ database, folder, now: Date.now });
  let next = ${from};
  const base = { type: 'test.happened', project: 'p', subject: 's', actor: 'owner', data: {} };
  async function append() {
    for (;;) {
      const at = next++;
      await database.write((tx) => eventStore(tx).append({ ...base, at }));
      writeSync(1, at + '\\n');
    }
  }
  async function sign() {
    for (;;) await signer.sign();
  }
  await Promise.all([append(), append(), append(), append(), sign()]);`;

test('8 times killed while it appends and signs, the log verifies and goes on', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  const acknowledged = new Set<number>();
  for (let round = 0; round < 8; round += 1) {
    const child = spawn(process.execPath, ['--eval', appendAndSign(folder.path, round * 100_000)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface(child.stdout);
    const exited = once(child, 'exit');
    const started = once(lines, 'line');
    lines.on('line', (line) => acknowledged.add(Number(line)));
    await Promise.race([started, exited.then(() => assert.fail('the writer ended by itself'))]);
    await sleep(Math.random() * 100);
    child.kill('SIGKILL');
    await Promise.all([exited, once(lines, 'close')]);

    await using database = await openDatabase({ folder: folder.path });
    const events = await readEvents(database.read, { limit: 1_000_000 });
    assert.deepEqual(acknowledged.difference(new Set(events.map(({ at }) => at))), new Set());
    const signer = await openLogSigner({ database, folder: folder.path, now: Date.now });
    await signer.sign();
    const verified = await auditLog({ database, folders: [join(folder.path, 'checkpoints')] });
    assert.ok(verified.ok, JSON.stringify(verified));
    assert.equal(verified.size, events.length);
  }
});
