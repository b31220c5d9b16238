/** Golden values: Go's golang.org/x/mod/sumdb/note (example_test.go and note_test.go) and https://c2sp.org/signed-note. */
import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempDisposable, stat } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatCheckpoint, parseCheckpoint } from './checkpoint.ts';
import { checkNote, noteKey, openNoteKey } from './note-key-adapter.ts';
import { formatVerifierKey, parseNote, parseVerifierKey } from './signed-note.ts';

const text = 'This is an example message.\n';

test('a published verifier key is read, and its key id is ours', () => {
  const published = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
  const key = parseVerifierKey(published);
  assert.equal(key.name, 'example.com/foo');
  assert.equal(formatVerifierKey(key), published);
  for (const wrong of [
    published.replace('530d', '530e'),
    published.replace('foo', 'bar'),
    published.slice(0, -1),
    '',
  ]) {
    assert.throws(() => parseVerifierKey(wrong), TypeError);
  }
});

test('what a key has signed is good, and bad as soon as a letter or a bit changes', () => {
  const key = noteKey('rondo-test', generateKeyPairSync('ed25519').privateKey);
  const note = key.sign(text);
  assert.deepEqual(checkNote(note, [key.verifier]), { verdict: 'good', text });
  assert.equal(checkNote(note.replace('example', 'exemple'), [key.verifier]).verdict, 'bad');
  const signature = note.slice(note.indexOf('— ') + 20);
  const at = note.length - signature.length + 10;
  const flipped = `${note.slice(0, at)}${note[at] === 'A' ? 'B' : 'A'}${note.slice(at + 1)}`;
  assert.equal(checkNote(flipped, [key.verifier]).verdict, 'bad');
});

test('signatures of other keys are left alone', () => {
  const key = noteKey('rondo-test', generateKeyPairSync('ed25519').privateKey);
  const other = noteKey('someone-else', generateKeyPairSync('ed25519').privateKey);
  const witnessed = `${key.sign(text)}${other.sign(text).split('\n\n')[1]}`;
  assert.equal(parseNote(witnessed)?.signatures.length, 2);
  assert.equal(checkNote(witnessed, [key.verifier]).verdict, 'good');
  assert.equal(checkNote(key.sign(text), [other.verifier]).verdict, 'unknown');
});

test("the note of Go's example is signed as there, byte for byte", () => {
  const seed = 'gQoUAtUUbI2E8kQzMPVAgOv5juF9nHT2JS/F1ccoMXM=';
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seed, 'base64')]);
  const key = noteKey('PeterNeumann', createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
  assert.equal(formatVerifierKey(key.verifier), 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW');
  const words = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
  const signature = 'x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=';
  assert.equal(key.sign(words), `${words}\n— PeterNeumann ${signature}\n`);
});

test('what is no signed note is told apart', () => {
  for (const note of [
    '',
    'text\n',
    'text\n\n',
    'text\n\n— name\n',
    'text\n\n- name AAAAAAAA\n',
    'te\txt\n\n— n AAAAAAAA\n',
  ]) {
    assert.equal(parseNote(note), undefined, JSON.stringify(note));
  }
});

test('a checkpoint reads back, and its size has one form', () => {
  const checkpoint = { origin: 'rondo-log-00', size: 1234067, root: Buffer.alloc(32, 7) };
  assert.deepEqual(parseCheckpoint(formatCheckpoint(checkpoint)), checkpoint);
  for (const size of ['01', '-1', '1.0', '', '99999999999999999999']) {
    assert.equal(parseCheckpoint(`o\n${size}\n${checkpoint.root.toString('base64')}\n`), undefined, size);
  }
});

test('the key of a folder is made once, and only its owner may read it', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  const path = join(folder.path, 'keys', 'log.pem');
  const first = await openNoteKey(path);
  const again = await openNoteKey(path);
  assert.equal(formatVerifierKey(again.verifier), formatVerifierKey(first.verifier));
  assert.equal(checkNote(again.sign(text), [first.verifier]).verdict, 'good');
  if (platform() !== 'win32') assert.equal((await stat(path)).mode & 0o777, 0o600);
});
