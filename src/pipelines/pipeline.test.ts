import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { explainDifferences, type StepFacts, stepKey } from './cache-key.ts';
import { parseCommand } from './command.ts';
import { planPipeline } from './pipeline.ts';
import type { PipelineConfig } from './pipeline-config.ts';

const chain: PipelineConfig = {
  train: { run: 'node train.ts', reads: ['prepare', 'train.ts'], params: { depth: 6, rate: 0.1 }, model: 'out/m.onnx' },
  prepare: {
    run: 'node prepare.ts',
    reads: ['flights', 'prepare.ts'],
    params: { depth: 1 },
    writes: ['out/a', 'out/b'],
  },
  report: { run: 'node report.ts', reads: ['train'] },
};

test('steps come after what they read, and reads are told apart', () => {
  const steps = planPipeline(chain, ['flights', 'recent']);
  assert.deepEqual(
    steps.map(({ name }) => name),
    ['prepare', 'train', 'report'],
  );
  assert.deepEqual(steps[0]?.datasets, ['flights']);
  assert.deepEqual(steps[1]?.files, ['train.ts']);
  assert.deepEqual(steps[1]?.writes, ['out/m.onnx']);
});

test('only the wanted steps and what they need are planned', () => {
  assert.deepEqual(
    planPipeline(chain, ['flights'], { steps: ['train'] }).map(({ name }) => name),
    ['prepare', 'train'],
  );
  assert.throws(() => planPipeline(chain, [], { steps: ['tran'] }), { code: 'pipelines/unknown-step' });
});

test('a parameter is set where it is declared, or in one step', () => {
  const depths = (params: Record<string, number>) =>
    Object.fromEntries(planPipeline(chain, [], { params }).map(({ name, params }) => [name, params.depth]));
  assert.deepEqual(depths({ depth: 8 }), { prepare: 8, train: 8, report: undefined });
  assert.deepEqual(depths({ 'train.depth': 8 }), { prepare: 1, train: 8, report: undefined });
  assert.throws(() => depths({ dept: 8 }), { code: 'pipelines/unknown-param' });
  assert.equal(chain.train?.params?.depth, 6);
});

test('a cycle is named step by step', () => {
  const config: PipelineConfig = {
    a: { run: 'x', reads: ['c'] },
    b: { run: 'x', reads: ['a'] },
    c: { run: 'x', reads: ['b'] },
  };
  assert.throws(() => planPipeline(config, []), { code: 'pipelines/cycle', subject: 'a → c → b → a' });
});

test('two steps cannot write one file, and a step cannot be called like a dataset', () => {
  const config: PipelineConfig = { a: { run: 'x', writes: ['o'] }, b: { run: 'x', writes: ['o'] } };
  assert.throws(() => planPipeline(config, []), { code: 'pipelines/bad-step' });
  assert.throws(() => planPipeline(chain, ['train']), { code: 'pipelines/bad-step' });
});

test('any graph without a cycle is put in order', () => {
  // Edges point to lower numbers only, under names in any order: acyclic by construction.
  const graph = fc.integer({ min: 1, max: 12 }).chain((size) =>
    fc.record({
      names: fc.shuffledSubarray(
        Array.from({ length: size }, (_, i) => `s${i}`),
        { minLength: size },
      ),
      edges: fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 40 }),
    }),
  );
  fc.assert(
    fc.property(graph, ({ names, edges }) => {
      const reads = (name: string) =>
        edges.filter(([a, b]) => `s${Math.max(a, b)}` === name && a !== b).map(([a, b]) => `s${Math.min(a, b)}`);
      const config = Object.fromEntries(names.map((name) => [name, { run: 'x', reads: reads(name) }]));
      const order = planPipeline(config, []).map(({ name }) => name);
      assert.deepEqual([...order].sort(), [...names].sort());
      for (const name of names) for (const read of reads(name)) assert.ok(order.indexOf(read) < order.indexOf(name));
    }),
  );
});

const commandOf = (text: string, params = {}) => parseCommand(text, { params, seed: 7 });

test('a command becomes arguments, with quotes, escapes and values', () => {
  assert.deepEqual(commandOf(`python -m train 'a  b' "c \${params.x}" d\\ e '' --seed=\${seed}`, { x: 1 }), [
    'python',
    '-m',
    'train',
    'a  b',
    'c 1',
    'd e',
    '',
    '--seed=7',
  ]);
});

test('whatever a parameter holds, it stays inside one argument', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...' \'"\\$`;|&(){}\n\tax-é') }), (x) => {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the grammar of commands
      assert.deepEqual(commandOf('node a.ts --x=${params.x} end', { x }), ['node', 'a.ts', `--x=${x}`, 'end']);
    }),
  );
});

test('what only a shell could do is refused, not passed on', () => {
  for (const text of [
    'a | b',
    'a; b',
    'a && b',
    'a > f',
    'a `b`',
    'a $(b)',
    'a $HOME',
    'ls *.csv',
    '(a)',
    'a "$x"',
    "a 'b",
    '  ',
  ]) {
    assert.throws(() => commandOf(text), { code: 'pipelines/bad-command' }, text);
  }
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the grammar of commands
  assert.throws(() => commandOf('a ${params.toString}'), { code: 'pipelines/bad-command' });
});

const facts: StepFacts = {
  argv: ['node', 'train.ts'],
  params: { depth: 6, rate: 0.1 },
  seed: 42,
  environment: { node: 'v26.1.0', platform: 'linux-x64' },
  datasets: { flights: { root: 'r1', version: 1 } },
  files: { 'train.ts': 'f1' },
  steps: { prepare: { 'out/a': 'o1' } },
  writes: ['b', 'a'],
};

test('the key depends on everything a step reads, and not on the order of keys or the number of a version', () => {
  const changes: readonly Partial<StepFacts>[] = [
    { argv: ['node', 'train.ts', '-v'] },
    { params: { depth: 7, rate: 0.1 } },
    { params: { depth: '6', rate: 0.1 } },
    { seed: 43 },
    { environment: { ...facts.environment, node: 'v26.2.0' } },
    { datasets: { flights: { root: 'r2', version: 1 } } },
    { files: { 'train.ts': 'f2' } },
    { files: { 'train.ts': 'f1', 'more.ts': 'f1' } },
    { steps: { prepare: { 'out/a': 'o2' } } },
    { writes: ['a'] },
  ];
  const keys = [facts, ...changes.map((change) => ({ ...facts, ...change }))].map(stepKey);
  assert.equal(new Set(keys).size, keys.length);
  const same = {
    ...facts,
    params: { rate: 0.1, depth: 6 },
    writes: ['a', 'b'],
    datasets: { flights: { root: 'r1', version: 9 } },
  };
  assert.equal(stepKey(same), keys[0]);
});

test('a difference is said in words', () => {
  const say = (change: Partial<StepFacts>) => explainDifferences(facts, { ...facts, ...change });
  assert.equal(say({}), '');
  assert.equal(say({ params: { depth: 8, rate: 0.1 }, argv: ['node', 'train.ts', '8'] }), 'params.depth changed 6 → 8');
  assert.equal(say({ datasets: { flights: { root: 'r2', version: 3 } } }), 'dataset flights changed 1 → 3');
  assert.equal(say({ files: { 'train.ts': 'f2', 'x.ts': 'f3' } }), 'train.ts changed, x.ts is new');
  assert.equal(say({ argv: ['node', 'other.ts'] }), 'the command changed');
  assert.equal(
    say({ steps: { prepare: { 'out/a': 'o2' } }, seed: 1 }),
    'seed changed 42 → 1, prepare wrote another out/a',
  );
});
