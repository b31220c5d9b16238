import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openBlobFolder } from './blob-store.ts';

const hello = new TextEncoder().encode('hello');
const digestOfHello = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';

test('an object lies under the SHA-256 of its bytes, on a path that workers can read', async () => {
  await using folder = await tempFolder();
  const blobs = await openBlobFolder(folder.path);
  assert.deepEqual(await blobs.put(hello), { digest: digestOfHello, size: 5 });
  assert.equal(await readFile(blobs.path(digestOfHello), 'utf8'), 'hello');
  assert.equal(await blobs.size(digestOfHello), 5);
});

test('the same bytes are stored once, also when they arrive together', async () => {
  await using folder = await tempFolder();
  const blobs = await openBlobFolder(folder.path);
  await Promise.all(Array.from({ length: 16 }, () => blobs.put(hello)));
  assert.deepEqual((await readdir(folder.path, { recursive: true })).sort(), ['2c', `2c/${digestOfHello}`, 'incoming']);
});

test('a large stream is hashed on its way', async () => {
  await using folder = await tempFolder();
  const blobs = await openBlobFolder(folder.path);
  const part = Buffer.alloc(1 << 16, 'part');
  const expected = createHash('sha256');
  for (let index = 0; index < 64; index += 1) expected.update(part);
  const stored = await blobs.put(
    (async function* () {
      for (let index = 0; index < 64; index += 1) yield part;
    })(),
  );
  assert.deepEqual(stored, { digest: expected.digest('hex'), size: 1 << 22 });
  await blobs.verify(stored.digest);
});

test('a changed object and a missing one do not verify', async () => {
  await using folder = await tempFolder();
  const blobs = await openBlobFolder(folder.path);
  await blobs.put(hello);
  await writeFile(blobs.path(digestOfHello), 'hellO');
  await assert.rejects(blobs.verify(digestOfHello), { code: 'storage/blob-changed' });
  await blobs.delete(digestOfHello);
  await assert.rejects(blobs.verify(digestOfHello), { code: 'storage/blob-changed' });
  assert.equal(await blobs.open(digestOfHello), undefined);
});

test('what a crash left half written is removed at the next start', async () => {
  await using folder = await tempFolder();
  await openBlobFolder(folder.path);
  await writeFile(join(folder.path, 'incoming', 'half'), 'hal');
  await openBlobFolder(folder.path);
  assert.deepEqual(await readdir(join(folder.path, 'incoming')), []);
});

test('a name that is no digest never becomes a path', async () => {
  await using folder = await tempFolder();
  const blobs = await openBlobFolder(folder.path);
  for (const name of ['', '../../etc/passwd', digestOfHello.toUpperCase(), `${digestOfHello}\n`]) {
    assert.throws(() => blobs.path(name), RangeError);
    await assert.rejects(blobs.open(name), RangeError);
  }
});

function tempFolder() {
  return mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
}
