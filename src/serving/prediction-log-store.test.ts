import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { labelLine } from './log-line.ts';
import { openPredictionLog, type PredictionLogOptions } from './prediction-log-store.ts';
import { dayOf } from './summary.ts';

const noTables = () => Promise.reject(new Error('nothing was compacted'));
const open = (folder: string, options: Partial<PredictionLogOptions> = {}) =>
  openPredictionLog({ folder, readTables: noTables, ...options });
const label = (key: string, value: number | string, at = 1_000) => labelLine({ key, value, at, eventTime: at });
const answer = (id: string, eventTime: number, score = 0.5) =>
  `"kind":"prediction","at":1000,"eventTime":${eventTime},"id":"${id}","unit":"u","latencyMs":2,"role":"champion","model":"m","version":1,"generation":1,"outcome":"ok","inputs":{"a":${score}},"outputs":{},"score":${score}}`;
const times = { at: 1_000, eventTime: 1_000 };

test('numbers records without gaps, and goes on where it was', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  for (let round = 0; round < 3; round++) {
    await using log = await open(folder.path);
    await log.open('flights');
    await Promise.all(Array.from({ length: 100 }, (_, i) => log.append('flights', [label(`${round}/${i}`, i)], times)));
    const records = await log.readLog('flights', { after: 0, limit: 1_000 });
    assert.deepEqual(
      records.map(({ seq }) => seq),
      Array.from({ length: 100 * (round + 1) }, (_, i) => i + 1),
    );
    assert.equal(records.at(-1)?.endpoint, 'flights');
  }
});

test('reads the newest from memory and the rest from files alike', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  await using log = await open(folder.path, { limits: { maxRows: 3_000 } });
  await log.open('flights');
  for (let group = 0; group < 25; group++) {
    await log.append(
      'flights',
      Array.from({ length: 1_000 }, (_, i) => answer(`p${group * 1_000 + i + 1}`, 5)),
      times,
    );
  }
  let after = 0;
  while (after < 25_000) {
    const page = await log.readLog('flights', { after, limit: 777 });
    for (const record of page) {
      after++;
      assert.ok(record.kind === 'prediction' && record.seq === after && record.id === `p${after}`);
    }
    assert.ok(page.length > 0);
  }
  assert.ok((await log.segments('flights', { seal: false })).length >= 5);
});

test('wide lines are read from memory and from files alike, and others grow between them', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  await using log = await open(folder.path);
  await log.open('flights');
  const wide = 'é'.repeat(5_000); // 100 lines are a megabyte
  for (let group = 0; group < 40; group++) {
    const lines = Array.from({ length: 100 }, (_, i) => label(`${group}/${i} ${group % 3 === 0 ? 'w' : wide}`, i));
    await log.append('flights', lines, times);
  }
  for (const after of [0, 1_990, 2_550, 3_650, 3_999]) {
    const [next] = await log.readLog('flights', { after, limit: 10 });
    const [group, i] = [Math.floor(after / 100), after % 100];
    assert.equal(next?.seq, after + 1);
    assert.ok(next.kind === 'label' && next.key.startsWith(`${group}/${i} `));
  }
});

test('a label sent again is not written again, after a restart too', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  {
    await using log = await open(folder.path);
    await log.open('flights');
    const known = await Promise.all([
      log.append('flights', [label('k1', 1), label('k1', 1), label('k2', 'x')], times),
      log.append('flights', [label('k1', 1), label('k1', 0)], times),
    ]);
    assert.deepEqual(known, [1, 1]);
  }
  await using log = await open(folder.path);
  await log.open('flights');
  assert.equal(await log.append('flights', [label('k2', 'x'), label('k2', 'y')], times), 1);
  const records = await log.readLog('flights', { after: 0, limit: 10 });
  assert.deepEqual(
    records.map((record) => (record.kind === 'label' ? [record.seq, record.key, record.value] : undefined)),
    [
      [1, 'k1', 1],
      [2, 'k2', 'x'],
      [3, 'k1', 0],
      [4, 'k2', 'y'],
    ],
  );
});

test('the watermark never goes back', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  {
    await using log = await open(folder.path);
    await log.open('flights');
    await log.append('flights', [answer('a', 500)], { at: 1, eventTime: 500 });
    await log.append('flights', [answer('b', 300)], { at: 2, eventTime: 300 });
    assert.equal(log.watermark('flights'), 500);
  }
  await using log = await open(folder.path);
  await log.open('flights');
  assert.equal(log.watermark('flights'), 500);
});

test('a torn tail is cut off and its number given again', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  {
    await using log = await open(folder.path);
    await log.open('flights');
    await log.append('flights', [answer('a', 1)], times);
  }
  const file = join(folder.path, 'flights', '0000000000000001.ndjson');
  await appendFile(file, '{"seq":2,"kind":"pre');
  await using log = await open(folder.path);
  await log.open('flights');
  await log.append('flights', [answer('b', 1)], times);
  assert.deepEqual(
    (await log.readLog('flights', { after: 0, limit: 9 })).map((one) => 'id' in one && one.id),
    ['a', 'b'],
  );
  assert.equal((await readFile(file, 'utf8')).split('\n').length, 3);
});

test('summaries count what the log holds, also after a crash lost them', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  const bins = { features: { a: { kind: 'numeric', edges: [0.25, 0.75] } } } as const;
  const day = 86_400_000;
  {
    await using log = await open(folder.path, { limits: { maxRows: 40 } });
    await log.setBins({ model: 'm', version: 1 }, bins);
    await log.open('flights');
    for (let i = 0; i < 100; i++) await log.append('flights', [answer(`p${i}`, i < 60 ? 5 : day + 5, i / 100)], times);
    await log.summaries('flights', { from: 0, to: day });
  }
  // As a crash leaves it: the file of an earlier moment, or none.
  await writeFile(
    join(folder.path, 'flights', 'summaries.json'),
    JSON.stringify({ covered: 0, bins: [], summaries: [] }),
  );
  await using log = await open(folder.path);
  await log.setBins({ model: 'm', version: 1 }, bins);
  await log.open('flights');
  const summaries = await log.summaries('flights', { from: 0, to: 2 * day });
  assert.deepEqual(
    summaries.map((one) => [one.day, one.count, one.errors, one.features['a']?.counts]),
    [
      [0, 60, 0, [26, 34, 0, 0]],
      [day, 40, 0, [0, 16, 24, 0]],
    ],
  );
  assert.equal(dayOf(day + 5), day);
});

test('what does not fit is dropped and counted, or refused to those who wait', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  await using log = await open(folder.path, { maxWaiting: 2_000 });
  await log.open('flights');
  for (let i = 0; i < 100; i++) log.appendLater('flights', [answer(`p${i}`, 1)], times);
  await assert.rejects(log.append('flights', [answer('x', 1)], times), { code: 'serving/log-full' });
  const { dropped } = log.stats('flights');
  assert.ok(dropped > 80 && dropped < 100);
  let records = await log.readLog('flights', { after: 0, limit: 200 });
  while (records.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    records = await log.readLog('flights', { after: 0, limit: 200 });
  }
  assert.equal(records.length + dropped, 100);
});

test('a full disk refuses those who wait, and what was refused is not in the log', { timeout: 60_000 }, async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  // The limit is the kernel's own: a file may not grow beyond 64 KiB.
  const child = spawn('sh', [
    '-c',
    'ulimit -f 128; exec "$0" "$@"',
    process.execPath,
    writer,
    folder.path,
    'until-full',
  ]);
  const { acknowledged, said } = await listen(child);
  assert.ok(acknowledged.length > 10);
  assert.deepEqual(said, ['serving/log-failing']);
  await using log = await open(folder.path);
  await log.open('flights');
  const keys = await labelKeys(log);
  assert.deepEqual(keys, acknowledged);
});

test('a log thread that dies is replaced; what it had acknowledged is there, and numbers go on', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  await using log = await open(folder.path);
  await log.open('flights');
  const acknowledged: string[] = [];
  const refused: string[] = [];
  for (let round = 0; round < 4; round++) {
    const writes = Array.from({ length: 200 }, async (_, i) => {
      const key = `${round}/${i}`;
      await new Promise((resolve) => setTimeout(resolve, i % 20));
      await log.append('flights', [label(key, i)], times).then(
        () => acknowledged.push(key),
        (error) => refused.push(error.code),
      );
    });
    setTimeout(() => void log.thread.terminate(), 10);
    await Promise.all(writes);
  }
  await log.append('flights', [label('last', 1)], times);
  assert.ok(acknowledged.length > 200, `${acknowledged.length} acknowledged`);
  assert.deepEqual(
    [...new Set(refused)].filter((code) => code !== 'serving/log-failing'),
    [],
  );
  const keys = new Set(await labelKeys(log));
  assert.deepEqual(
    [...acknowledged, 'last'].filter((key) => !keys.has(key)),
    [],
  );
});

test('kill -9 under load loses nothing that was acknowledged', { timeout: 120_000 }, async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rondo-test-'));
  const acknowledged = new Set<string>();
  for (let round = 0; round < 15; round++) {
    const child = spawn(process.execPath, [writer, folder.path, `r${round}`], { stdio: ['ignore', 'pipe', 'inherit'] });
    const heard = await listen(child, { killAfter: 1 + round * 20 });
    for (const key of heard.acknowledged) acknowledged.add(key);
  }
  await using log = await open(folder.path);
  await log.open('flights');
  const keys = await labelKeys(log);
  assert.ok(acknowledged.size > 100, `only ${acknowledged.size} were acknowledged`);
  const inLog = new Set(keys);
  assert.deepEqual(
    [...acknowledged].filter((key) => !inLog.has(key)),
    [],
  );
  assert.equal(inLog.size, keys.length);
  assert.deepEqual(
    (await readdir(join(folder.path, 'flights'))).filter((name) => name.endsWith('.new')),
    [],
  );
});

const writer = join(import.meta.dirname, '..', '..', 'tests', 'fixtures', 'log-writer.ts');

/** @param killAfter so many answers, while it writes on */
async function listen(
  child: ChildProcess,
  { killAfter }: { readonly killAfter?: number } = {},
): Promise<{ acknowledged: string[]; said: string[] }> {
  const acknowledged: string[] = [];
  const said: string[] = [];
  const exited = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout! })) {
    // A killed process may leave half a line, which then tells of nothing.
    if (/^ok \S+ end$/.test(line)) acknowledged.push(line.slice(3, -4));
    if (acknowledged.length === killAfter) child.kill('SIGKILL');
    else if (line.startsWith('failed ')) said.push(line.slice(7));
  }
  await exited;
  return { acknowledged, said };
}

async function labelKeys(log: Awaited<ReturnType<typeof open>>): Promise<string[]> {
  const keys: string[] = [];
  for (let after = 0; ; ) {
    const page = await log.readLog('flights', { after, limit: 1_000 });
    if (page.length === 0) return keys;
    for (const record of page) {
      assert.equal(record.seq, ++after);
      if (record.kind === 'label') keys.push(record.key);
    }
  }
}
