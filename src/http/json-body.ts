/** JSON bodies: parsed once, never deeper than anything that walks them can bear. */
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { PlatformError } from '../errors.ts';

/** Our deepest request has about ten levels; JSON.stringify overflows its stack at some thousand. */
export const maxJsonDepth = 64;

/** @throws PlatformError http/bad-request when it is not JSON, not UTF-8, too deep, or has a key that reaches into prototypes */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw badJson('it is not UTF-8');
  if (isDeeperThan(maxJsonDepth, bytes)) throw badJson(`it is nested deeper than ${maxJsonDepth} levels`);
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    // A key can also be written with escapes, so their presence sends us looking too.
    if (bytes.includes('__proto__') || bytes.includes('\\u00')) refusePrototypeKeys(value);
    return value;
  } catch (cause) {
    if (cause instanceof PlatformError) throw cause;
    throw badJson(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Replaces Fastify's parsers. Text is refused: a page of another origin may send it without asking (CVE-2023-43472). */
export function readJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body: Buffer, done) => {
    if (body.length === 0) return done(null, undefined);
    try {
      done(null, parseJson(body));
    } catch (error) {
      done(error as Error, undefined); // parseJson throws PlatformErrors only
    }
  });
}

const quote = 0x22;
const backslash = 0x5c;

/** Reads bytes, not values: the value of 200,000 brackets would already have to be walked without a stack. */
export function isDeeperThan(limit: number, bytes: Uint8Array): boolean {
  if (bytes.length <= limit) return false;
  let depth = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === quote) {
      at = endOfString(bytes, at + 1);
      if (at === -1) return false; // unterminated: JSON.parse says so better
    } else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > limit) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
  return false;
}

/** The place of the closing quote, −1 when there is none. */
function endOfString(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === quote) return at;
    if (byte === backslash) at += 1;
  }
  return -1;
}

function refusePrototypeKeys(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Object.hasOwn(value, '__proto__')) throw badJson('a key is named "__proto__"');
  for (const inner of Object.values(value)) refusePrototypeKeys(inner);
}

function badJson(reason: string, cause?: unknown): PlatformError {
  return new PlatformError('http/bad-request', `the body is not JSON that can be read: ${reason}`, { cause });
}
