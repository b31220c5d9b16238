import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { senderBeside } from './open-runs.ts';

test('what is left is sent by a program of ours, never by the program of the user that a bundler put us into', () => {
  const sender = senderBeside(join(import.meta.dirname, 'open-runs.ts'));
  assert.ok(sender?.endsWith('send-left-files.ts') && existsSync(sender));
  assert.equal(
    senderBeside('/app/node_modules/rondo/dist/client/open-runs.js'),
    '/app/node_modules/rondo/dist/client/send-left-files.js',
  );
  assert.equal(senderBeside('C:\\app\\open-runs.js'), 'C:\\app\\send-left-files.js');
  assert.equal(senderBeside('/app/dist/train.js'), undefined);
  assert.equal(senderBeside('/app/dist/train-open-runs.js'), undefined);
});
