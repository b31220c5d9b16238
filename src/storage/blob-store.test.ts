import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempDisposable, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
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
  await rm(blobs.path(digestOfHello));
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

test('a sweep deletes what nobody needs, and nothing that is needed or young', async () => {
  await using folder = await tempFolder();
  const blobs = await openBlobFolder(folder.path);
  const [old, needed, young] = await Promise.all(
    ['old', 'needed', 'young'].map((text) => blobs.put(Buffer.from(text))),
  );
  assert.ok(old && needed && young);
  for (const { digest } of [old, needed]) await utimes(blobs.path(digest), 1, 1);
  const options = { needed: async () => new Set([needed.digest]), putBefore: 2000 };
  const counted = { gone: { count: 1, bytes: 3 }, young: { count: 1, bytes: 5 } };
  assert.deepEqual(await blobs.sweep({ ...options, dryRun: true }), counted);
  assert.equal(await blobs.size(old.digest), 3);
  assert.deepEqual(await blobs.sweep({ ...options, dryRun: false }), counted);
  assert.deepEqual(await Promise.all([old, needed, young].map(({ digest }) => blobs.size(digest))), [undefined, 6, 5]);
});

test('bytes that are put again while a sweep takes them for dead are there afterwards', async () => {
  await using folder = await tempFolder();
  const blobs = await openBlobFolder(folder.path);
  const texts = Array.from({ length: 50 }, (_, index) => `bytes ${index}`);
  const digests = await Promise.all(texts.map(async (text) => (await blobs.put(Buffer.from(text))).digest));
  for (const digest of digests) await utimes(blobs.path(digest), 1, 1);
  let puts: readonly Promise<unknown>[] = [];
  const needed = async () => {
    if (puts.length === 0) puts = texts.map((text) => blobs.put(Buffer.from(text)));
    return new Set<string>();
  };
  await blobs.sweep({ needed, putBefore: 2000, dryRun: false });
  await Promise.all(puts);
  for (const digest of digests) await blobs.verify(digest);
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
