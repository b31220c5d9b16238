/** Tokens: `rdo_`, 32 random bytes and a checksum, so that scanners find leaked ones and typing errors never reach the database. */
import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

export function newToken(): string {
  const secret = randomBytes(32).toString('base64url');
  return `rdo_${secret}${checksum(secret)}`;
}

export function isTokenShaped(text: string): boolean {
  const match = /^rdo_([\w-]{43})([\w-]{6})$/.exec(text);
  return match?.[1] !== undefined && match[2] === checksum(match[1]);
}

/** What is stored: enough to recognise the token, useless to whoever reads the database. */
export function tokenDigest(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function checksum(secret: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(secret));
  return bytes.toString('base64url');
}
