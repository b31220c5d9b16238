/** Keeps the secrets of webhooks: encrypted in the database with a key that lies beside it, in a file of its owner only. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isMissing } from '../storage/blob-store.ts';
import { syncFolder } from '../storage/sync-folder.ts';

export type SecretBox = {
  readonly seal: (secret: string) => string;
  /** @returns undefined when it was sealed with another key */
  readonly open: (sealed: string) => string | undefined;
};

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** The key in this file; a new one when there is none. */
export async function openSecretBox(path: string): Promise<SecretBox> {
  const key = await readOrCreate(path);
  return {
    seal: (secret) => {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, key, nonce);
      const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
    },
    open: (sealed) => {
      const bytes = Buffer.from(sealed, 'base64');
      const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
      decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
      const opened = decipher.update(bytes.subarray(nonceBytes + tagBytes));
      try {
        return Buffer.concat([opened, decipher.final()]).toString('utf8');
      } catch {
        return undefined; // the tag does not fit the key
      }
    },
  };
}

async function readOrCreate(path: string): Promise<Buffer> {
  try {
    return Buffer.from(await readFile(path, 'utf8'), 'base64');
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const key = randomBytes(32);
  await mkdir(dirname(path), { recursive: true });
  {
    await using file = await open(path, 'wx', 0o600);
    await file.writeFile(`${key.toString('base64')}\n`);
    await file.sync();
  }
  await syncFolder(dirname(path));
  return key;
}
