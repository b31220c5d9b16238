import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { artifactBucket } from './artifact-bucket.ts';
import { firstPartSize, partsOfBody } from './body-parts.ts';
import { openTestBucket, skipWithoutS3 } from './test-bucket.ts';

const options = { skip: skipWithoutS3 };
const mebibyte = 2 ** 20;

async function setUp() {
  const { client, ...settings } = await openTestBucket();
  const Bucket = settings.uri.split('/')[2] ?? '';
  const root = artifactBucket(settings);
  return {
    ...{ root, client, settings, Bucket },
    unfinished: async () => (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads?.length ?? 0,
    read: async (key: string) => {
      const opened = await root.open(key);
      return opened && Buffer.concat(await Array.fromAsync(opened.body));
    },
    [Symbol.dispose]: () => client.destroy(),
  };
}

test('a body that does not fit into memory goes in parts', options, async () => {
  using set = await setUp();
  const chunk = Buffer.alloc(mebibyte, 'rondo');
  async function* body() {
    for (let count = 0; count < 40; count += 1) yield chunk;
  }
  const digest = createHash('sha256');
  for await (const each of body()) digest.update(each);
  assert.deepEqual(await set.root.put('a/big', body()), { size: 40 * mebibyte, digest: digest.digest('hex') });
  const back = await set.read('a/big');
  assert.equal(back?.length, 40 * mebibyte);
  assert.ok(back.subarray(39 * mebibyte).equals(chunk));
  assert.equal(await set.unfinished(), 0);
});

test('a body that breaks off after some parts leaves nothing, and the file that was there stays', options, async () => {
  using set = await setUp();
  await set.root.put('a/big', Buffer.from('the first'));
  async function* body() {
    for (let count = 0; count < 40; count += 1) yield Buffer.alloc(mebibyte);
    throw new Error('connection lost');
  }
  await assert.rejects(set.root.put('a/big', body()), { message: 'connection lost' });
  assert.equal(await set.unfinished(), 0);
  assert.equal(String(await set.read('a/big')), 'the first');
});

test('parts are filled to their size, and the last one is the rest', async () => {
  const sizesOf = async (chunks: readonly number[]) => {
    async function* body() {
      for (const size of chunks) yield Buffer.alloc(size);
    }
    return Array.fromAsync(partsOfBody(body()), ({ length }) => length);
  };
  assert.deepEqual(await sizesOf([]), []);
  assert.deepEqual(await sizesOf([0, 3, 0, 4]), [7]);
  assert.deepEqual(await sizesOf([firstPartSize]), [firstPartSize]);
  assert.deepEqual(await sizesOf([firstPartSize - 1, 2 * firstPartSize + 3]), [
    firstPartSize,
    firstPartSize,
    firstPartSize,
    2,
  ]);
});

test(
  'a client that was given URLs uploads parts to the store itself, and the file is there once it is complete',
  options,
  async () => {
    using set = await setUp();
    const { direct } = set.root;
    const { uploadId, urls } = await direct.begin('a/big #1.bin', 2);
    const sent = [Buffer.alloc(5 * mebibyte, 1), Buffer.from('the rest')];
    const parts = await Promise.all(
      urls.map(async (url, index) => {
        const answer = await fetch(url, { method: 'PUT', body: new Uint8Array(sent[index] ?? []) });
        assert.equal(answer.status, 200, await answer.text());
        return { number: index + 1, etag: answer.headers.get('etag') ?? '' };
      }),
    );
    assert.deepEqual(await set.root.list('a'), []);
    await direct.complete('a/big #1.bin', uploadId, parts);
    assert.ok((await set.read('a/big #1.bin'))?.equals(Buffer.concat(sent)));
  },
);

test('an upload that cannot be completed is refused as such', options, async () => {
  using set = await setUp();
  const { direct } = set.root;
  const refused = { code: 'storage/bad-upload' };
  await assert.rejects(direct.abort('a/x', 'nobody-began-it'), refused);
  const { uploadId, urls } = await direct.begin('a/x', 2);
  const etags = await Promise.all(
    urls.map(async (url) => (await fetch(url, { method: 'PUT', body: 'too small' })).headers.get('etag') ?? ''),
  );
  const parts = etags.map((etag, index) => ({ number: index + 1, etag }));
  await assert.rejects(direct.complete('a/x', uploadId, parts), refused); // only the last may be below 5 MiB
  await assert.rejects(direct.complete('a/x', uploadId, [{ number: 1, etag: '"another"' }]), refused);
  await direct.abort('a/x', uploadId);
  assert.equal(await set.unfinished(), 0);
  assert.equal(await set.root.open('a/x'), undefined);
});

test('an upload that one server began is completed by the next one', options, async () => {
  using set = await setUp();
  const { uploadId, urls } = await set.root.direct.begin('a/x', 1);
  const answer = await fetch(urls[0] ?? '', { method: 'PUT', body: 'all of it' });
  const next = artifactBucket(set.settings);
  await next.direct.complete('a/x', uploadId, [{ number: 1, etag: answer.headers.get('etag') ?? '' }]);
  assert.equal(String(await set.read('a/x')), 'all of it');
});

test('uploads that nobody completed go when they are old, and none that lies beside the prefix', options, async () => {
  using set = await setUp();
  const { urls } = await set.root.direct.begin('a/x', 1);
  await fetch(urls[0] ?? '', { method: 'PUT', body: 'a part' });
  await set.root.direct.begin('a/y', 0);
  await set.client.send(new CreateMultipartUploadCommand({ Bucket: set.Bucket, Key: 'some/prefix2/z' }));
  // This S3 says of every upload that it was begun in November 2010.
  const { removeUnfinished } = set.root;
  const [before, after] = ['2010-11-01', '2010-12-01'].map((day) => Date.parse(day)) as [number, number];
  assert.deepEqual(await removeUnfinished?.({ begunBefore: before, dryRun: false }), { count: 0, bytes: 0 });
  assert.deepEqual(await removeUnfinished?.({ begunBefore: after, dryRun: true }), { count: 2, bytes: 6 });
  assert.equal(await set.unfinished(), 3);
  assert.deepEqual(await removeUnfinished?.({ begunBefore: after, dryRun: false }), { count: 2, bytes: 6 });
  assert.equal(await set.unfinished(), 1);
});

test('an upload is not begun where a folder stands, nor outside of the prefix', options, async () => {
  using set = await setUp();
  await set.root.put('a/b', Buffer.from('x'));
  await assert.rejects(set.root.direct.begin('a', 1), { code: 'storage/key-taken' });
  await assert.rejects(set.root.direct.begin('a/b/c', 1), { code: 'storage/key-taken' });
  await assert.rejects(set.root.direct.begin('../x', 1), { code: 'storage/bad-key' });
  await assert.rejects(set.root.direct.uploadUrl('../x', { type: 'text/plain', seconds: 60 }), {
    code: 'storage/bad-key',
  });
  await assert.rejects(set.root.direct.downloadUrl('../x', { disposition: 'attachment', seconds: 60 }), {
    code: 'storage/bad-key',
  });
});

test('one URL uploads a file, another one downloads it, in ranges and as an attachment', options, async () => {
  using set = await setUp();
  const { direct } = set.root;
  const url = await direct.uploadUrl('a/x%y.txt', { type: 'text/plain', seconds: 60 });
  const headers = { 'content-type': 'text/plain' };
  assert.equal((await fetch(url, { method: 'PUT', headers, body: '0123456789' })).status, 200);
  const found = await direct.downloadUrl('a/x%y.txt', { disposition: 'attachment; filename=x', seconds: 60 });
  assert.equal(found?.size, 10);
  const answer = await fetch(found.url, { headers: { range: 'bytes=2-4' } });
  assert.deepEqual([answer.status, await answer.text()], [206, '234']);
  assert.equal(answer.headers.get('content-disposition'), 'attachment; filename=x');
  assert.equal(await direct.downloadUrl('a/none', { disposition: 'attachment', seconds: 60 }), undefined);
});

test('a folder of more than a page is listed and deleted whole', options, async () => {
  using set = await setUp();
  const names = Array.from({ length: 1_001 }, (_, index) => `${index}`.padStart(4, '0'));
  for (let at = 0; at < names.length; at += 50) {
    await Promise.all(
      names
        .slice(at, at + 50)
        .map((name) =>
          set.client.send(new PutObjectCommand({ Bucket: set.Bucket, Key: `some/prefix/many/${name}`, Body: name })),
        ),
    );
  }
  assert.deepEqual(
    (await set.root.list('many')).map(({ path }) => path),
    names.map((name) => `many/${name}`),
  );
  await set.root.delete('many');
  assert.deepEqual(await set.root.list(''), []);
});

test(
  'what others left beside the prefix is neither seen nor deleted, and marks of folders are no files',
  options,
  async () => {
    using set = await setUp();
    const put = (Key: string) => set.client.send(new PutObjectCommand({ Bucket: set.Bucket, Key, Body: 'x' }));
    await Promise.all(
      ['some/prefix2/a', 'some/prefixa', 'a', 'some/prefix/f/', 'some/prefix/f/x', 'some/prefix//y'].map(put),
    );
    assert.deepEqual(await set.root.list(''), [{ path: 'f', size: 0, isFolder: true }]);
    assert.deepEqual(await set.root.list('f'), [{ path: 'f/x', size: 1, isFolder: false }]);
    await set.root.delete('a');
    const beside = artifactBucket({ ...set.settings, uri: `s3://${set.Bucket}` });
    assert.deepEqual(
      (await beside.list('')).map(({ path }) => path),
      ['a', 'some'],
    );
  },
);

test('a bucket that is not there or does not answer is told as such', options, async () => {
  using set = await setUp();
  const missing = artifactBucket({ ...set.settings, uri: 's3://no-such-bucket/x' });
  await assert.rejects(missing.put('a', Buffer.from('x')), {
    code: 'storage/bucket-refused',
    message: 'The bucket s3://no-such-bucket refuses this server: NoSuchBucket.',
  });
  const away = artifactBucket({ ...set.settings, endpoint: 'http://127.0.0.1:9' });
  await assert.rejects(away.put('a', Buffer.from('x')), { code: 'storage/unreachable' });
  await assert.rejects(away.open('a'), { code: 'storage/unreachable' });
});
