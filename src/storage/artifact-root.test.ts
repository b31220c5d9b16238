/** One contract for all artifact roots. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtempDisposable, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { blobArtifactRoot } from './artifact-blobs.ts';
import { artifactBucket } from './artifact-bucket.ts';
import { openArtifactFolder } from './artifact-folder.ts';
import { type ArtifactRoot, walkArtifacts } from './artifact-root.ts';
import { openBlobFolder } from './blob-store.ts';
import { openTestBucket, skipWithoutS3 } from './test-bucket.ts';
import { eachDatabase } from './test-databases.ts';

type OpenRoot = () => Promise<AsyncDisposable & { readonly root: ArtifactRoot }>;

eachDatabase((name, open) => {
  contract(`artifacts over blobs on ${name}`, async () => {
    const database = await open();
    const root = blobArtifactRoot({ database, blobs: await openBlobFolder(join(database.folder, 'blobs')) });
    return { root, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
  });

  test(`${name}: of 16 callers who want one name as a file and as a folder, one kind wins`, async () => {
    await using database = await open();
    const root = blobArtifactRoot({ database, blobs: await openBlobFolder(join(database.folder, 'blobs')) });
    const keys = Array.from({ length: 16 }, (_, index) => (index % 2 === 0 ? 'a/b' : `a/b/${index}`));
    await Promise.allSettled(keys.map((key) => root.put(key, bytes(key))));
    const [entry, ...others] = await root.list('a');
    assert.deepEqual(others, []);
    const inside = await root.list('a/b');
    assert.equal(inside.length, entry?.isFolder ? 8 : 0);
  });
});

contract('artifacts in a plain folder', async () => {
  const folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  const root = await openArtifactFolder(join(folder.path, 'artifacts'));
  return { root, [Symbol.asyncDispose]: () => folder.remove() };
});

contract('artifacts in a bucket', openBucket, { skip: skipWithoutS3 });

async function openBucket() {
  const { client, ...settings } = await openTestBucket();
  return { root: artifactBucket(settings), [Symbol.asyncDispose]: async () => client.destroy() };
}

function contract(name: string, open: OpenRoot, options: { readonly skip: string | false } = { skip: false }): void {
  test(`${name}: what was put is there, whole and in ranges`, options, async () => {
    await using opened = await open();
    const { root } = opened;
    const digest = createHash('sha256').update('0123456789').digest('hex');
    assert.deepEqual(await root.put('run/model.bin', bytes('0123456789')), { size: 10, digest });
    assert.equal(await read(root, 'run/model.bin'), '0123456789');
    assert.equal(await read(root, 'run/model.bin', { start: 2, end: 5 }), '234');
    assert.equal(await read(root, 'run/model.bin', { start: 9, end: 99 }), '9');
    await assert.rejects(read(root, 'run/model.bin', { start: 10, end: 11 }), { code: 'storage/bad-range' });
    await assert.rejects(read(root, 'run/model.bin', { start: -1, end: 11 }), { code: 'storage/bad-range' });
    assert.equal((await root.open('run/model.bin', { start: 2, end: 5 }))?.size, 10);
  });

  test(`${name}: a stream arrives whole, and nothing of one that breaks off`, options, async () => {
    await using opened = await open();
    const { root } = opened;
    await root.put(
      'a/stream',
      (async function* () {
        for (let part = 0; part < 100; part += 1) yield bytes(`${part};`.repeat(100));
      })(),
    );
    const expected = Array.from({ length: 100 }, (_, part) => `${part};`.repeat(100)).join('');
    assert.equal(await read(root, 'a/stream'), expected);
    const broken = (async function* () {
      yield bytes('half');
      throw new Error('connection lost');
    })();
    await assert.rejects(root.put('a/broken', broken), { message: 'connection lost' });
    assert.deepEqual(await paths(root, 'a'), ['a/stream']);
  });

  test(`${name}: an empty file is a file`, options, async () => {
    await using opened = await open();
    const { root } = opened;
    await root.put('empty', bytes(''));
    assert.equal(await read(root, 'empty'), '');
    assert.deepEqual(await root.list(''), [{ path: 'empty', size: 0, isFolder: false }]);
  });

  test(`${name}: a second put replaces the first`, options, async () => {
    await using opened = await open();
    const { root } = opened;
    await root.put('a/b', bytes('first'));
    await root.put('a/b', bytes('2nd'));
    assert.equal(await read(root, 'a/b'), '2nd');
    assert.deepEqual(await root.list('a'), [{ path: 'a/b', size: 3, isFolder: false }]);
  });

  test(`${name}: of several writers of one file, one wins whole`, options, async () => {
    await using opened = await open();
    const { root } = opened;
    const letters = ['a', 'b', 'c', 'd'];
    await Promise.all(letters.map((letter) => root.put('x/y', slowly(letter, 100))));
    const found = await read(root, 'x/y');
    assert.ok(
      letters.some((letter) => found === letter.repeat(100)),
      String(found),
    );
    assert.deepEqual(await paths(root, 'x'), ['x/y']);
  });

  test(`${name}: a folder lists what is directly in it, by bytes`, options, async () => {
    await using opened = await open();
    const { root } = opened;
    for (const key of ['m/b', 'm/a/1', 'm/a/2/x', 'm/é', 'm/B', 'm0', 'm-', 'n/a', 'm/😀/z'])
      await root.put(key, bytes(key));
    assert.deepEqual(await root.list('m'), [
      { path: 'm/B', size: 3, isFolder: false },
      { path: 'm/a', size: 0, isFolder: true },
      { path: 'm/b', size: 3, isFolder: false },
      { path: 'm/é', size: 4, isFolder: false },
      { path: 'm/😀', size: 0, isFolder: true },
    ]);
    assert.deepEqual(await paths(root, ''), ['m', 'm-', 'm0', 'n']);
    assert.deepEqual(await paths(root, 'm/😀'), ['m/😀/z']);
    assert.deepEqual(await root.list('nowhere'), []);
    assert.deepEqual(await root.list('m/b'), []);
    const walked = await Array.fromAsync(walkArtifacts(root, 'm/a'), ({ path }) => path);
    assert.deepEqual(walked, ['m/a/1', 'm/a/2/x']);
  });

  test(`${name}: what was deleted is gone, with all that was below it`, options, async () => {
    await using opened = await open();
    const { root } = opened;
    for (const key of ['m/a/1', 'm/a/2', 'm/ab', 'm/b']) await root.put(key, bytes(key));
    await root.delete('m/a');
    await root.delete('m/b');
    await root.delete('never/was');
    assert.deepEqual(await paths(root, 'm'), ['m/ab']);
    assert.equal(await root.open('m/a/1'), undefined);
  });

  test(`${name}: a name is a file or a folder, not both`, options, async () => {
    await using opened = await open();
    const { root } = opened;
    await root.put('a/b', bytes('file'));
    await assert.rejects(root.put('a/b/c', bytes('below a file')), { code: 'storage/key-taken' });
    await assert.rejects(root.put('a', bytes('over a folder')), { code: 'storage/key-taken' });
    assert.equal(await read(root, 'a/b'), 'file');
    assert.deepEqual(await paths(root, 'a'), ['a/b']);
  });

  test(`${name}: a folder is not opened as a file`, options, async () => {
    await using opened = await open();
    await opened.root.put('a/b', bytes('file'));
    assert.equal(await opened.root.open('a'), undefined);
    assert.equal(await opened.root.open('a/b/c'), undefined);
    assert.equal(await opened.root.open('nothing'), undefined);
  });

  test(`${name}: bad keys are refused everywhere`, options, async () => {
    await using opened = await open();
    const { root } = opened;
    for (const key of badKeys) {
      const refused = { code: 'storage/bad-key' };
      await assert.rejects(root.put(key, bytes('x')), refused, JSON.stringify(key));
      await assert.rejects(root.open(key), refused, JSON.stringify(key));
      await assert.rejects(root.delete(key), refused, JSON.stringify(key));
      if (key !== '') await assert.rejects(root.list(key), refused, JSON.stringify(key));
    }
    assert.deepEqual(await root.list(''), []);
  });

  test(`${name}: odd but honest keys work, and are never decoded`, options, async () => {
    await using opened = await open();
    const { root } = opened;
    const keys = ['%2e%2e/x', '..a/b..', 'a b', '~', '-', '$HOME', '%', 'ä', '中', '?#&', 'CON', "it's", '*'];
    for (const key of keys) await root.put(key, bytes(key));
    for (const key of keys) assert.equal(await read(root, key), key);
  });
}

const badKeys = [
  ...['', '/', '.', '..', '../x', 'a/../b', 'a/..', './a', 'a/./b', '/etc/passwd', 'a//b', 'a/', '//x'],
  ...[
    'a\\b',
    '..\\x',
    'C:/x',
    'c:x',
    'a\0b',
    'a\nb',
    'a\u007f',
    '\ud800',
    `${'x'.repeat(256)}`,
    'x/'.repeat(3000),
    '.rondo-tmp',
  ],
];

test('a file is no folder for artifacts, and who named it is told so', async () => {
  await using temp = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  await writeFile(join(temp.path, 'file'), '');
  for (const folder of ['file', 'file/below'])
    await assert.rejects(openArtifactFolder(join(temp.path, folder)), { code: 'storage/no-folder' });
});

test('links that lead out of a plain folder are refused, links within are followed', async () => {
  await using temp = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  const folder = join(temp.path, 'artifacts');
  const outside = join(temp.path, 'artifacts-of-others'); // shares the root's name as a prefix
  await mkdir(outside);
  await writeFile(join(outside, 'secret'), 'secret');
  const root = await openArtifactFolder(folder);
  await root.put('in/file', bytes('inside'));
  await symlink(outside, join(folder, 'out'));
  await symlink(join(outside, 'secret'), join(folder, 'out-file'));
  await symlink(folder, join(folder, 'self'));
  await symlink(join(folder, 'in'), join(folder, 'within'));
  await symlink('nowhere', join(folder, 'dangling'));

  const refused = { code: 'storage/outside-root' };
  await assert.rejects(root.open('out/secret'), refused);
  await assert.rejects(root.open('out-file'), refused);
  await assert.rejects(root.put('out/new', bytes('x')), refused);
  await assert.rejects(root.put('out/deep/new', bytes('x')), refused);
  await assert.rejects(root.list('out'), refused);
  await assert.rejects(root.open('self'), refused); // the root itself is not below the root
  await assert.rejects(root.delete('out/secret'), refused);
  assert.equal(await read(root, 'within/file'), 'inside');
  assert.deepEqual(await paths(root, ''), ['in', 'within']);

  await root.put('out-file', bytes('mine'));
  await root.delete('out');
  assert.equal(await readFile(join(outside, 'secret'), 'utf8'), 'secret');
});

test('a plain folder serves what others put there', async () => {
  await using temp = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  await mkdir(join(temp.path, 'theirs'));
  await writeFile(join(temp.path, 'theirs', 'file'), 'by hand');
  const root = await openArtifactFolder(temp.path);
  assert.equal(await read(root, 'theirs/file'), 'by hand');
});

async function* slowly(letter: string, times: number): AsyncGenerator<Uint8Array> {
  for (let count = 0; count < times; count += 1) yield bytes(letter);
}

test('what a crash left half written in a plain folder goes after a day, and what is being written stays', async () => {
  await using temp = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  const root = await openArtifactFolder(temp.path);
  await root.put('a', bytes('whole'));
  const incoming = join(temp.path, '.rondo-incoming');
  for (const name of ['left', 'now']) await writeFile(join(incoming, name), 'half');
  const yesterday = Date.now() / 1000 - 90_000;
  await utimes(join(incoming, 'left'), yesterday, yesterday);
  await openArtifactFolder(temp.path);
  assert.deepEqual(await readdir(incoming), ['now']);
  assert.deepEqual(await paths(root, ''), ['a']);
});

const bytes = (text: string) => new TextEncoder().encode(text);

async function read(
  root: ArtifactRoot,
  key: string,
  range?: { start: number; end: number },
): Promise<string | undefined> {
  const opened = await root.open(key, range);
  if (!opened) return undefined;
  return Buffer.concat(await Array.fromAsync(opened.body)).toString();
}

async function paths(root: ArtifactRoot, prefix: string): Promise<string[]> {
  return (await root.list(prefix)).map(({ path }) => path);
}
