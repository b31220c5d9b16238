/** C2SP signed notes (https://c2sp.org/signed-note), the part that is text: what was signed, and by which keys. */
import { createHash } from 'node:crypto';

export type NoteSignature = { readonly name: string; readonly keyId: string; readonly signature: Uint8Array };

/** `text` ends with a newline. */
export type Note = { readonly text: string; readonly signatures: readonly NoteSignature[] };

/** A key that can check notes; written as `name+keyid+base64`. */
export type VerifierKey = { readonly name: string; readonly keyId: string; readonly publicKey: Uint8Array };

export function formatNote({ text, signatures }: Note): string {
  const lines = signatures.map(({ name, keyId, signature }) => {
    const bytes = Buffer.concat([Buffer.from(keyId, 'hex'), signature]);
    return `— ${name} ${bytes.toString('base64')}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

/** Undefined when it is no signed note. Whether the signatures are good is another question. */
export function parseNote(note: string): Note | undefined {
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n') || hasControlCharacters(note)) return undefined;
  const lines = note.slice(end + 2, -1).split('\n');
  const signatures = lines.map(parseSignature);
  if (signatures.length > maxSignatures || !signatures.every((signature) => signature !== undefined)) return undefined;
  return { text: note.slice(0, end + 1), signatures };
}

export function formatVerifierKey({ name, keyId, publicKey }: VerifierKey): string {
  return `${name}+${keyId}+${Buffer.concat([ed25519, publicKey]).toString('base64')}`;
}

/** @throws TypeError when it is not the key of an Ed25519 verifier */
export function parseVerifierKey(text: string): VerifierKey {
  const [, name, keyId, encoded] = text.trim().match(/^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/) ?? [];
  const bytes = Buffer.from(encoded ?? '', 'base64');
  const publicKey = bytes.subarray(1);
  const isKey = name !== undefined && bytes.length === 33 && bytes[0] === ed25519[0];
  if (!isKey || keyIdOf(name, publicKey) !== keyId) throw new TypeError(`not an Ed25519 verifier key: ${text}`);
  return { name, keyId, publicKey };
}

export function keyIdOf(name: string, publicKey: Uint8Array): string {
  return createHash('sha256').update(`${name}\n`).update(ed25519).update(publicKey).digest('hex').slice(0, 8);
}

/** The number of the algorithm in keys and key ids. */
const ed25519 = Buffer.from([1]);
const maxSignatures = 100;

function parseSignature(line: string): NoteSignature | undefined {
  const [, name, encoded] = line.match(/^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/) ?? [];
  if (name === undefined || encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length < 5 || bytes.toString('base64') !== encoded) return undefined;
  return { name, keyId: bytes.toString('hex', 0, 4), signature: bytes.subarray(4) };
}

function hasControlCharacters(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a note may not hold them.
  return /[\u0000-\u0009\u000b-\u001f]/.test(text);
}
