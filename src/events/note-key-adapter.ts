/** Ed25519 keys that sign notes, and the one of this data folder. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isMissing } from '../storage/blob-store.ts';
import { syncFolder } from '../storage/sync-folder.ts';
import { formatNote, keyIdOf, type Note, parseNote, type VerifierKey } from './signed-note.ts';

export type NoteKey = {
  readonly verifier: VerifierKey;
  /** @param text ends with a newline */
  readonly sign: (text: string) => string;
};

/** The key in this file, which only its owner may read; a new one when there is none. Its name follows from it. */
export async function openNoteKey(path: string): Promise<NoteKey> {
  const key = createPrivateKey(await readOrCreate(path));
  const fingerprint = createHash('sha256').update(rawPublicKey(key)).digest('hex').slice(0, 16);
  return noteKey(`rondo-log-${fingerprint}`, key);
}

export function noteKey(name: string, key: KeyObject): NoteKey {
  const publicKey = rawPublicKey(key);
  const keyId = keyIdOf(name, publicKey);
  return {
    verifier: { name, keyId, publicKey },
    sign: (text) => formatNote({ text, signatures: [{ name, keyId, signature: sign(null, Buffer.from(text), key) }] }),
  };
}

/**
 * What the keys say of a note: `good` when one of them has signed it, `bad` when one of them is named and has not. Signatures of other
 * keys are not looked at.
 */
export function checkNote(
  note: string,
  keys: readonly VerifierKey[],
): { verdict: 'good' | 'bad' | 'unknown'; text: string } {
  const parsed = parseNote(note);
  if (!parsed) return { verdict: 'bad', text: '' };
  const verdicts = keys.flatMap((key) => verdictsOf(parsed, key));
  const verdict = verdicts.includes(false) ? 'bad' : verdicts.includes(true) ? 'good' : 'unknown';
  return { verdict, text: parsed.text };
}

function verdictsOf({ text, signatures }: Note, { name, keyId, publicKey }: VerifierKey): boolean[] {
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: base64url(publicKey) }, format: 'jwk' });
  return signatures
    .filter((signature) => signature.name === name && signature.keyId === keyId)
    .map(({ signature }) => verify(null, Buffer.from(text), key, signature));
}

async function readOrCreate(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  await mkdir(dirname(path), { recursive: true });
  {
    await using file = await open(path, 'wx', 0o600);
    await file.writeFile(pem);
    await file.sync();
  }
  await syncFolder(dirname(path));
  return pem;
}

function rawPublicKey(key: KeyObject): Uint8Array {
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  return Buffer.from(x ?? '', 'base64url');
}

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
