import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCsv, readRows } from './input.ts';
import { printable, table } from './table.ts';

async function* stdin(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

test('CSV: quotes hold commas, quotes and line breaks; numbers are numbers; empty fields are absent', () => {
  assert.deepEqual(parseCsv('key,value,note\r\n7,1.5,"a, ""b""\nc"\nATL-007,,x\n'), [
    { key: 7, value: 1.5, note: 'a, "b"\nc' },
    { key: 'ATL-007', note: 'x' },
  ]);
  assert.deepEqual(parseCsv('id\n007\n1e3'), [{ id: '007' }, { id: 1000 }]);
  assert.throws(() => parseCsv('a\n"x" y\n'), { code: 'cli/usage' });
});

test('JSON, NDJSON and CSV read the same', async () => {
  const rows = [
    { key: 'a', value: 1 },
    { key: 'b', value: 0 },
  ];
  for (const text of [
    JSON.stringify(rows),
    rows.map((row) => JSON.stringify(row)).join('\n'),
    'key,value\na,1\nb,0\n',
  ]) {
    assert.deepEqual(await readRows('-', stdin(text)), rows);
  }
  assert.deepEqual(await readRows('-', stdin('{\n  "key": "a"\n}')), [{ key: 'a' }]);
  await assert.rejects(readRows('-', stdin('[1, 2]')), { code: 'cli/usage' });
});

test('a name from elsewhere cannot move the cursor', () => {
  assert.equal(printable('a\u001b[2Jb\u202ec'), 'a\ufffd[2Jb\ufffdc');
  assert.equal(
    table([{ n: 'x' }, { n: 'long' }], [{ title: 'n', cell: ({ n }) => n, align: 'right' }]),
    '   n\n   x\nlong',
  );
});
