import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockFolder } from './lock-folder.ts';

test('a second holder gets one error that names the first, until the first lets go', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  {
    await using _lock = await lockFolder(folder.path);
    await assert.rejects(lockFolder(folder.path), {
      code: 'storage/folder-in-use',
      message: `The data folder ${folder.path} is in use by process ${process.pid}.`,
    });
  }
  await using _again = await lockFolder(folder.path);
});

test('the lock of a process that was killed is free', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  const source = `
    const { lockFolder } = await import(${JSON.stringify(new URL('lock-folder.ts', import.meta.url))});
    await lockFolder(${JSON.stringify(folder.path)});
    console.log('locked');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--eval', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  await assert.rejects(lockFolder(folder.path), {
    message: `The data folder ${folder.path} is in use by process ${child.pid}.`,
  });
  child.kill('SIGKILL');
  await once(child, 'exit');
  await using _lock = await lockFolder(folder.path);
});
