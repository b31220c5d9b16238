/** An artifact root in a bucket of S3, or of a store that speaks its protocol. */
import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  type MultipartUpload,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { PlatformError } from '../errors.ts';
import { checkKey, checkPrefix, isGoodSegment } from './artifact-key.ts';
import { partsOf } from './artifact-places.ts';
import type { ArtifactEntry, ArtifactRoot, DirectTransfers, UploadedPart } from './artifact-root.ts';
import { type Body, type ByteRange, checkRange } from './blob-store.ts';
import { partsOfBody } from './body-parts.ts';
import { byBytes } from './by-bytes.ts';

export type BucketSettings = {
  /** `s3://bucket/prefix` */
  readonly uri: string;
  /** Of a store that is not Amazon's. */
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
};

/** Asks for nothing yet: who may sign in, and with what, shows at the first request. Credentials are found as Amazon's own tools find them. */
export function artifactBucket({
  uri,
  endpoint,
  region,
}: BucketSettings): ArtifactRoot & { readonly direct: DirectTransfers } {
  const { authority: Bucket, path } = partsOf(uri);
  const prefix = path
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => `${segment}/`)
    .join('');
  const client = new S3Client({
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }), // such stores have one name for all buckets
    ...(region !== undefined && { region }),
    // Stores that are not Amazon's refuse checksums that they do not know.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 120_000 },
  });
  const at = (key: string) => ({ Bucket, Key: `${prefix}${key}` });

  /** What the store says is told as one of our errors, with the bucket's name. */
  async function asked<T>(key: string, question: Promise<T>): Promise<T> {
    try {
      return await question;
    } catch (error) {
      throw told(error, `s3://${Bucket}`, key);
    }
  }

  async function sizeOf(
    key: string,
  ): Promise<{ readonly size: number; readonly etag: string | undefined } | undefined> {
    try {
      const { ContentLength = 0, ETag } = await client.send(new HeadObjectCommand(at(key)));
      return { size: ContentLength, etag: ETag };
    } catch (error) {
      if (error instanceof S3ServiceException && error.name === 'NotFound') return undefined;
      throw told(error, `s3://${Bucket}`, key);
    }
  }

  const page = (input: {
    readonly folder: string;
    readonly Delimiter?: string;
    readonly MaxKeys?: number;
    readonly token?: string | undefined;
  }) => {
    const { folder, token: ContinuationToken, ...rest } = input;
    const Prefix = folder === '' ? prefix : `${prefix}${folder}/`;
    return asked(folder, client.send(new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken, ...rest })));
  };

  async function* pages(folder: string, Delimiter?: string) {
    let token: string | undefined;
    do {
      const found = await page({ folder, token, ...(Delimiter !== undefined && { Delimiter }) });
      yield found;
      token = found.NextContinuationToken;
    } while (token !== undefined);
  }

  /** As on a file system, a name is a file or a folder. Two who write both at the same moment can still have both: the store has no locks. */
  async function refuseTaken(key: string): Promise<void> {
    const segments = key.split('/');
    const folders = segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'));
    const [below, ...above] = await Promise.all([page({ folder: key, MaxKeys: 1 }), ...folders.map(sizeOf)]);
    if ((below.KeyCount ?? 0) === 0 && above.every((file) => file === undefined)) return;
    throw new PlatformError('storage/key-taken', key);
  }

  async function begin(key: string): Promise<string> {
    const { UploadId = '' } = await asked(key, client.send(new CreateMultipartUploadCommand(at(key))));
    return UploadId;
  }
  const complete = async (key: string, UploadId: string, parts: readonly UploadedPart[]): Promise<void> => {
    const Parts = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag }));
    await asked(
      key,
      client.send(new CompleteMultipartUploadCommand({ ...at(key), UploadId, MultipartUpload: { Parts } })),
    );
  };
  const abort = async (key: string, UploadId: string): Promise<void> => {
    await asked(key, client.send(new AbortMultipartUploadCommand({ ...at(key), UploadId })));
  };

  /** Nothing is visible below the key before the last part is there, and nothing is left when the body breaks off. */
  async function putParts(key: string, parts: AsyncIterable<Buffer>): Promise<void> {
    const uploadId = await begin(key);
    const done: Promise<UploadedPart>[] = [];
    const send = async (number: number, Body: Buffer): Promise<UploadedPart> => {
      const input = { ...at(key), UploadId: uploadId, PartNumber: number, Body };
      const { ETag = '' } = await asked(key, client.send(new UploadPartCommand(input)));
      return { number, etag: ETag };
    };
    try {
      for await (const part of parts) {
        await done.at(-2); // one on its way while the next is gathered: memory for three
        const sent = send(done.length + 1, part);
        sent.catch(() => undefined); // it is awaited below
        done.push(sent);
      }
      await complete(key, uploadId, await Promise.all(done));
    } catch (error) {
      await Promise.allSettled(done);
      await abort(key, uploadId).catch(() => undefined); // the first error is the one to tell
      throw error;
    }
  }

  /** All below the prefix that were begun and not yet completed. */
  async function* uploads(): AsyncGenerator<MultipartUpload> {
    let from: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
    for (;;) {
      const page = await asked('', client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: prefix, ...from })));
      yield* page.Uploads ?? [];
      if (page.IsTruncated !== true) return;
      from = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    }
  }

  async function sizeOfParts(Key: string, UploadId: string | undefined): Promise<number> {
    let bytes = 0;
    for (let PartNumberMarker: string | undefined; ; ) {
      const page = await asked(Key, client.send(new ListPartsCommand({ Bucket, Key, UploadId, PartNumberMarker })));
      for (const { Size = 0 } of page.Parts ?? []) bytes += Size;
      if (page.IsTruncated !== true) return bytes;
      PartNumberMarker = page.NextPartNumberMarker;
    }
  }

  async function* read(
    key: string,
    etag: string | undefined,
    range: ByteRange | undefined,
  ): AsyncGenerator<Uint8Array> {
    const Range = range && `bytes=${range.start}-${range.end - 1}`;
    const { Body } = await asked(key, client.send(new GetObjectCommand({ ...at(key), Range, IfMatch: etag })));
    if (Body !== undefined) yield* Body as AsyncIterable<Uint8Array>; // in Node.js it is a Readable
  }

  return {
    put: async (key, body) => {
      checkKey(key);
      await refuseTaken(key);
      const digester = createHash('sha256');
      let size = 0;
      const parts = partsOfBody(
        seen(body, (chunk) => {
          digester.update(chunk);
          size += chunk.length;
        }),
      );
      const first = await parts.next();
      const second = await parts.next();
      if (first.done || second.done) {
        const Body = first.value ?? Buffer.alloc(0);
        await asked(key, client.send(new PutObjectCommand({ ...at(key), Body })));
      } else {
        await putParts(key, following([first.value, second.value], parts));
      }
      return { size, digest: digester.digest('hex') };
    },
    open: async (key, range) => {
      checkKey(key);
      const found = await sizeOf(key);
      if (!found) return undefined;
      return { body: read(key, found.etag, range && checkRange(range, found.size)), size: found.size };
    },
    list: async (folder) => {
      checkPrefix(folder);
      const start = folder === '' ? '' : `${folder}/`;
      const entries = new Map<string, ArtifactEntry>();
      const add = (name: string, entry: Omit<ArtifactEntry, 'path'>) => {
        if (isGoodSegment(name)) entries.set(name, { path: `${start}${name}`, ...entry });
      };
      for await (const { Contents = [], CommonPrefixes = [] } of pages(folder, '/')) {
        const nameOf = (key = '') => key.slice(prefix.length + start.length);
        for (const { Key, Size = 0 } of Contents) add(nameOf(Key), { size: Size, isFolder: false });
        for (const { Prefix } of CommonPrefixes) add(nameOf(Prefix).replace(/\/$/, ''), { size: 0, isFolder: true });
      }
      return [...entries.values()].sort((a, b) => byBytes(a.path, b.path));
    },
    delete: async (key) => {
      checkKey(key);
      const remove = async (keys: readonly (string | undefined)[]) => {
        const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet: true };
        const { Errors = [] } = await asked(key, client.send(new DeleteObjectsCommand({ Bucket, Delete })));
        const [refused] = Errors;
        if (refused) throw told(new Error(refused.Code), `s3://${Bucket}`, key);
      };
      for await (const { Contents = [] } of pages(key)) {
        if (Contents.length > 0) await remove(Contents.map(({ Key }) => Key));
      }
      await remove([at(key).Key]);
    },
    removeUnfinished: async ({ begunBefore, dryRun }) => {
      const gone = { count: 0, bytes: 0 };
      for await (const { Key = '', UploadId, Initiated } of uploads()) {
        if (!Initiated || Initiated.getTime() >= begunBefore) continue;
        try {
          const bytes = await sizeOfParts(Key, UploadId);
          if (!dryRun) await asked(Key, client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })));
          gone.count += 1;
          gone.bytes += bytes;
        } catch (error) {
          if (!isEndedMeanwhile(error)) throw error;
        }
      }
      return gone;
    },
    direct: {
      begin: async (key, count) => {
        checkKey(key);
        await refuseTaken(key);
        const uploadId = await begin(key);
        const numbers = Array.from({ length: count }, (_, index) => index + 1);
        const urls = await Promise.all(
          numbers.map((number) =>
            getSignedUrl(client, new UploadPartCommand({ ...at(key), UploadId: uploadId, PartNumber: number }), {
              expiresIn: 3600,
            }),
          ),
        );
        return { uploadId, urls };
      },
      complete: async (key, uploadId, parts) => {
        checkKey(key);
        await complete(key, uploadId, parts);
      },
      abort: async (key, uploadId) => {
        checkKey(key);
        await abort(key, uploadId);
      },
      uploadUrl: async (key, { type, seconds }) => {
        checkKey(key);
        await refuseTaken(key);
        return getSignedUrl(client, new PutObjectCommand({ ...at(key), ContentType: type }), { expiresIn: seconds });
      },
      downloadUrl: async (key, { disposition, seconds }) => {
        checkKey(key);
        const found = await sizeOf(key);
        if (!found) return undefined;
        const command = new GetObjectCommand({ ...at(key), ResponseContentDisposition: disposition });
        return { url: await getSignedUrl(client, command, { expiresIn: seconds }), size: found.size };
      },
    },
  };
}

async function* seen(body: Body, look: (chunk: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    look(chunk);
    yield chunk;
  }
}

async function* following(first: readonly Buffer[], rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* first;
  yield* rest;
}

/** Mistakes of whoever asks for a transfer of their own. */
const badUploads = new Set([
  'NoSuchUpload',
  'InvalidPart',
  'InvalidPartOrder',
  'EntityTooSmall',
  'MalformedXML',
  'InvalidArgument',
  'InvalidRequest',
]);

const isEndedMeanwhile = (error: unknown): boolean =>
  error instanceof PlatformError && error.cause instanceof Error && error.cause.name === 'NoSuchUpload';

function told(error: unknown, bucket: string, key: string): PlatformError {
  if (error instanceof PlatformError) return error;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  if (badUploads.has(name)) return new PlatformError('storage/bad-upload', key, { cause: error, hint: message });
  if (name === 'KeyTooLongError') return new PlatformError('storage/bad-key', JSON.stringify(key), { cause: error });
  const isRefusal =
    status !== undefined ? status < 500 && status !== 429 : /Credentials|Region is missing/.test(`${name} ${message}`);
  return isRefusal
    ? new PlatformError('storage/bucket-refused', bucket, {
        cause: error,
        message: `The bucket ${bucket} refuses this server: ${name}.`,
      })
    : new PlatformError('storage/unreachable', bucket, { cause: error });
}
