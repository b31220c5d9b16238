/** Passwords at rest: argon2id in the PHC string format, a few at a time. */
import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { PlatformError } from '../errors.ts';

/** OWASP's first choice: 19 MiB, two passes; about 40 ms of one core. */
const cost = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const;
/** More at once would let anybody who may knock take the thread pool from everything else. */
const atOnce = 2;
const mostWaiting = 20;

const minLength = 8;
const maxLength = 1_000;

export async function hashPassword(password: string, user: string): Promise<string> {
  if (password.length < minLength || password.length > maxLength) {
    throw new PlatformError('http/weak-password', user, {
      hint: `take ${minLength} characters or more; nothing else is asked of it`,
    });
  }
  const salt = randomBytes(16);
  const tag = await derive(password, salt);
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${unpadded(salt)}$${unpadded(tag)}`;
}

/** @param stored `undefined` for a user who does not exist or has no password: takes as long, and is false */
export async function isPassword(password: string, stored: string | undefined): Promise<boolean> {
  const [, , , , salt, tag] = (stored ?? nobody).split('$');
  const derived = await derive(password.slice(0, maxLength), Buffer.from(salt ?? '', 'base64'));
  const expected = Buffer.from(tag ?? '', 'base64');
  return derived.length === expected.length && timingSafeEqual(derived, expected) && stored !== undefined;
}

const nobody = `$argon2id$v=19$m=19456,t=2,p=1$${unpadded(Buffer.alloc(16))}$${unpadded(Buffer.alloc(32))}`;

const argon2Async = promisify<'argon2id', Argon2Parameters, Buffer>(argon2);
const waiting: (() => void)[] = [];
let running = 0;

async function derive(password: string, nonce: Buffer): Promise<Buffer> {
  if (running >= atOnce) {
    if (waiting.length >= mostWaiting) {
      throw new PlatformError('http/too-many-attempts', 'everybody at once', { data: { retryAfterSeconds: 2 } });
    }
    await new Promise<void>((resolve) => waiting.push(resolve));
  }
  running += 1;
  try {
    return await argon2Async('argon2id', { message: Buffer.from(password.normalize('NFKC')), nonce, ...cost });
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
