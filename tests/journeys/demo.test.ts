/** The demo as a newcomer runs it, held against what was found when the story was simulated on the same flights. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Summary } from '../../examples/flights/story/summary.ts';

const root = join(import.meta.dirname, '..', '..');

/** `.ci/run` has just run it: what `npm run demo -- --exit --json` said is held against the ranges, instead of running it once more. */
const justRun = process.env['RONDO_DEMO_OUTPUT'];
const toldBy = async (file: string) => ({ code: 0, stdout: await readFile(file, 'utf8'), stderr: '' });

async function runDemo(options: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  await using temp = await mkdtempDisposable(join(tmpdir(), 'rondo-demo-'));
  const folder = join(temp.path, 'demo');
  const child = spawn(
    process.execPath,
    ['bin/rondo.mjs', 'demo', '--exit', '--json', '--folder', folder, '--port', '5300', ...options],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = await once(child, 'exit');
  return { code, stdout, stderr };
}

test('the whole loop closes on real flights, inside the ranges that a simulation of it gave', async (t) => {
  const { code, stdout, stderr } = justRun === undefined ? await runDemo([]) : await toldBy(justRun);
  assert.equal(code, 0, stderr.slice(-3000));
  // The first line says where; the result is the document after it.
  const summary = JSON.parse(stdout.slice(stdout.indexOf('\n'))) as Summary; // its own type
  const within = (what: string, value: number | undefined, [low, high]: readonly [number, number]) =>
    t.test(`${what} lies between ${low} and ${high}`, () => {
      assert.ok(value !== undefined && value >= low && value <= high, `${what} is ${value}`);
    });
  const gate = (version: number, start: string) =>
    summary.gates.find((one) => one.version === version)?.tests.find((one) => one.test.startsWith(start));
  const rollout = (version: number) => summary.rollouts.find((one) => one.version === version);
  const [v1, v2, v3, v4] = [1, 2, 3, 4] as const;

  await within('gate AUC of version 1', gate(v1, 'auc at least')?.value, [0.69, 0.74]);
  await within('gate AUC of version 2', gate(v2, 'auc at least')?.value, [0.69, 0.74]);
  await within('AUC of version 2 less that of version 1', gate(v2, 'auc not worse')?.value, [0.02, 0.045]);
  await within('requests until version 2 has all traffic', rollout(v2)?.requests, [7_000, 14_000]);
  await within('bad answers of version 3', rollout(v3)?.challengerAnswers, [30, 350]);
  // Kept out by its gates it has no rollout.
  const lossOfFourth = rollout(v4)?.logLoss?.value ?? gate(v4, 'log_loss not worse')?.value;
  await within('log loss of version 4 less that of version 2', lossOfFourth, [-0.008, 0.004]);
  await within('predictions', summary.predictions, [120_000, 120_000]);
  await within('failed requests', summary.failed, [0, 0]);
  for (const week of summary.measures.quality)
    await within(`AUC served in the week up to ${week.weekEnds}`, week.value, [0.64, 0.78]);

  await t.test('version 2 is promoted within 15 days', () => {
    const { state, startedClock, endedClock } = rollout(v2) ?? assert.fail('version 2 was not rolled out');
    assert.equal(state, 'promoted');
    assert.ok(endedClock - startedClock < 15 * 86_400_000);
  });
  await t.test(
    'version 3 passes the floor, is refused by paired AUC, log loss and parity, and is rolled back when forced',
    () => {
      assert.equal(gate(v3, 'auc at least')?.outcome, 'pass');
      for (const start of ['auc not worse', 'log_loss not worse', 'answers equal'])
        assert.equal(gate(v3, start)?.outcome, 'fail', start);
      assert.equal(rollout(v3)?.state, 'rolled-back');
    },
  );
  await t.test('one drift alert opens, on recent lateness at both airports and nothing else, around 1 May', () => {
    const drift = summary.alerts.filter((alert) => alert.monitor === 'drift');
    assert.deepEqual(
      drift.map((alert) => alert.items),
      [['recent_destination', 'recent_origin']],
    );
    const windowEnds = drift[0]?.windowEnds ?? '';
    assert.ok(windowEnds >= '2001-04-29' && windowEnds <= '2001-05-04', windowEnds);
  });
  await t.test('version 4 is kept out, or promoted in the second or third week of May', () => {
    const { state, endedClock } = rollout(v4) ?? { state: 'kept out', endedClock: 0 };
    if (state !== 'promoted') return;
    const day = new Date(endedClock).toISOString().slice(0, 10);
    assert.ok(day >= '2001-05-07' && day <= '2001-05-20', day);
  });
});

test('the demo fails when its third version is a good one', async () => {
  const { code, stderr } = await runDemo(['--third-version', 'share']);
  assert.equal(code, 1);
  assert.match(stderr, /version 3 was not refused by its gates/);
});
