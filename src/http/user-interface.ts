/** The built pages, from memory: a request's path is looked up among the names found at start and never touches the disk. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { type BrotliOptions, brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { PlatformError } from '../errors.ts';
import { pathOf } from './render-error.ts';

export type UserInterface = {
  readonly routes: FastifyPluginAsync;
  /** Whether a browser asks for a page whose address only the pages themselves know. */
  answersAt(request: FastifyRequest): boolean;
  send(request: FastifyRequest, reply: FastifyReply, name: string): Promise<FastifyReply>;
};

type Encoding = 'br' | 'gzip' | 'identity';
type Page = {
  readonly type: string;
  readonly etag: string;
  readonly bytes: Partial<Record<Encoding, Promise<Buffer>>> & { readonly identity: Promise<Buffer> };
};

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
};
const compressible = /^(text|application\/json|image\/svg)/;

/** Styles of charts and of the component kit are set at run time, hence `unsafe-inline` for styles, never for scripts. */
const pagePolicy =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; " +
  "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

/** Addresses below these are answered by routes or not at all: a typo in a client must not get a page with status 200. */
const notPages = /^\/(api|ajax-api|v1|v2|health|metrics|invocations|ping|version|assets)(\/|$)/;

/** @param prefix where a proxy shows the pages, '' for the root */
export async function openUserInterface(folder: string, prefix: string): Promise<UserInterface> {
  const pages = await readPages(folder, prefix);
  const built = pages.has('index.html');

  const send: UserInterface['send'] = async (request, reply, name) => {
    const page = pages.get(name);
    if (!page) throw new PlatformError('http/not-found', pathOf(request));
    const cache = name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
    reply.headers({ 'content-type': page.type, 'cache-control': cache, etag: page.etag, vary: 'accept-encoding' });
    if (page.type.startsWith('text/html')) reply.header('content-security-policy', pagePolicy);
    if (request.headers['if-none-match'] === page.etag) return reply.code(304).send();
    const encoding = compressible.test(page.type) ? encodingFor(request.headers['accept-encoding']) : 'identity';
    if (encoding !== 'identity') reply.header('content-encoding', encoding);
    return reply.send(await bytesAs(page, encoding));
  };

  const routes: FastifyPluginAsync = async (app) => {
    const options = { config: { permission: 'public' }, schema: { hide: true } } as const;
    app.get('/', options, (request, reply) => (built ? send(request, reply, 'index.html') : sayHowToBuild(reply)));
    for (const name of pages.keys()) {
      if (name !== 'index.html') app.get(`/${name}`, options, (request, reply) => send(request, reply, name));
    }
  };

  return {
    routes,
    send,
    answersAt: (request) =>
      built &&
      request.method === 'GET' &&
      !notPages.test(pathOf(request)) &&
      (request.headers.accept ?? '').includes('text/html'),
  };
}

async function readPages(folder: string, prefix: string): Promise<ReadonlyMap<string, Page>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    },
  );
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      files.map(async (file) => {
        const name = relative(folder, file).split(sep).join('/');
        const content = await readFile(file);
        return [name, pageOf(name, name === 'index.html' ? withBase(content, prefix) : content)] as const;
      }),
    ),
  );
}

function pageOf(name: string, bytes: Buffer): Page {
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return {
    type: types[extname(name)] ?? 'application/octet-stream',
    etag,
    bytes: { identity: Promise.resolve(bytes) },
  };
}

/** The pages name their files relative to the root; the same file is sent at every depth. */
function withBase(html: Buffer, prefix: string): Buffer {
  return Buffer.from(html.toString().replace('<head>', `<head><base href="${prefix}/" />`));
}

function encodingFor(accept: string | string[] | undefined): Encoding {
  const accepted = String(accept ?? '');
  if (/\bbr\b/.test(accepted)) return 'br';
  return /\bgzip\b/.test(accepted) ? 'gzip' : 'identity';
}

const brotli = promisify(brotliCompress);
const deflate = promisify(gzip);

/** Compressed when first asked for, and kept. */
function bytesAs({ bytes }: Page, encoding: Encoding): Promise<Buffer> {
  if (encoding === 'identity') return bytes.identity;
  bytes[encoding] ??= bytes.identity.then((plain) =>
    encoding === 'br' ? brotli(plain, brotliOptions(plain.length)) : deflate(plain),
  );
  return bytes[encoding];
}

function brotliOptions(size: number): BrotliOptions {
  // 9 of 11: the last two steps cost ten times as long for two percent.
  return { params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: size } };
}

function sayHowToBuild(reply: FastifyReply): FastifyReply {
  return reply
    .type('text/plain; charset=utf-8')
    .send(
      'Rondo is running, without its pages: build them with `npm run build:ui` and reload.\nThe API is described at /api/v1/openapi.json.\n',
    );
}
