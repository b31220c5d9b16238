import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlatformError } from '../errors.ts';
import type { FileProblem } from './project-file.ts';
import { parseProject } from './project-file.ts';
import { isCronLine } from './retrain-config.ts';

const flights = `project: flights
data:
  flights:
    source: data/flights.parquet
    time: date
    checks:
      - {column: distance, between: [0, 6000]}
      - {column: origin, matches: '^[A-Z]{3}$'}
      - {rows: {min: 100000}}
  recent:
    source: endpoint://flights?last=60d
pipeline:
  prepare: {run: node prepare.ts, reads: [flights, recent, prepare.ts], writes: [out/train.parquet, out/test.parquet]}
  train:
    run: node train.ts --depth \${params.depth}
    reads: [prepare, train.ts]
    params: {depth: 6, learning_rate: 0.1}
    seed: 42
    model: out/model.onnx
model:
  name: flight-delay
  task: binary
  target: late
  purpose: whether a US domestic flight will arrive more than 15 minutes late, asked at departure
gates:
  data: out/test.parquet
  tests:
    - {metric: auc, atLeast: 0.60}
    - {metric: log_loss, notWorseThan: champion, margin: 0.005}
    - {metric: auc, by: origin, atLeast: 0.55, minRows: 500, onInconclusive: pass}
    - {fairness: equal_opportunity_difference, by: {distance: [500, 1000]}, threshold: 0.3, atMost: 0.1, minRows: 500}
    - {latency: p99, below: 100ms, batch: 1}
    - {parity: out/expected.parquet, tolerance: 1e-4}
endpoint: {name: flights, key: flight_id, time: date, latency: 100ms, log: durable}
rollout:
  shadow: {requests: 2000}
  steps: [{to: 1%, min: 20}, {to: 5%, min: 100}, {to: 25%, min: 250}, {to: 50%, min: 500}]
  guardrails: [{errors: {margin: 1%}}, {slow: {above: 100ms, margin: 2%}}, {metric: log_loss, margin: 0.01, maturity: 1d}]
  undecidedAfter: 14d
  onInconclusive: pause
monitors:
  drift: {against: training, window: 7d, every: 1d, persist: 3, features: all}
  quality: {metric: auc, atLeast: 0.62, window: 7d, maturity: 1d}
  fairness: {metric: equal_opportunity_difference, by: {distance: [500, 1000]}, threshold: 0.3, atMost: 0.1}
  service: {availability: 99.9%, latency: {p99: 100ms}}
retrain:
  when: [{drift: {features: 2}}, {quality: fail}]
  cooldown: 7d
  ship: auto
`;

test('reads the example of the documentation', () => {
  const { config, digest } = parseProject(flights);
  assert.equal(config.project, 'flights');
  assert.equal(config.rollout?.steps?.length, 4);
  assert.equal(digest.length, 64);
});

test('a misspelt key is told with its line, its column and the key that was meant', () => {
  const [problem] = problemsOf(flights.replace('undecidedAfter', 'undecidedafter'));
  assert.deepEqual(problem, {
    path: ['rollout', 'undecidedafter'],
    line: 39,
    column: 3,
    message: 'there is no "undecidedafter" here',
    fix: 'Did you mean "undecidedAfter"?',
  });
});

test('a wrong value says what can stand there', () => {
  const [problem] = problemsOf(flights.replace('onInconclusive: pause', 'onInconclusive: wait'));
  assert.equal(problem?.line, 40);
  assert.equal(problem?.message, '"wait" does not fit here');
  assert.equal(problem?.fix, 'Write "pause" or "promote" or "rollback".');
});

test('a quantity without its unit says how it is written', () => {
  const [problem] = problemsOf(flights.replace('cooldown: 7d', 'cooldown: 7'));
  assert.equal(problem?.message, '7 does not fit here');
  assert.match(problem?.fix ?? '', /^Write a duration: a number and one of ms, s, m, h, d, w/);
});

test('in a list of forms, the form that was meant is explained', () => {
  const [problem] = problemsOf(flights.replace('{errors: {margin: 1%}}', '{errors: {margn: 1%}}'));
  assert.deepEqual(problem?.path, ['rollout', 'guardrails', 0, 'errors', 'margn']);
  assert.equal(problem?.fix, 'Did you mean "margin"?');
});

test('parts that do not fit each other are told', () => {
  assert.match(problemsOf(flights.replace('to: 5%', 'to: 0.5%'))[0]?.message ?? '', /must rise from step to step/);
  assert.match(problemsOf(flights.replace('to: 50%', 'to: 60%'))[0]?.message ?? '', /above 50%/);
  assert.match(
    problemsOf(flights.replace('window: 7d, every: 1d', 'window: 7d, every: 2d'))[0]?.message ?? '',
    /whole strides/,
  );
  assert.match(problemsOf(flights.replace('key: flight_id, ', ''))[0]?.message ?? '', /labels need a key/);
});

test('what no run could begin with is told before one begins, where it stands', () => {
  const told = (from: string, to: string) => {
    const [problem] = problemsOf(flights.replace(from, to));
    return `${problem?.line}:${problem?.column} ${problem?.message}. ${problem?.fix}`;
  };
  assert.match(told('data/flights.parquet', 's3://bucket/flights'), /^4:13 s3:\/\/ is no source that is read\. Bring/);
  assert.match(told('data/flights.parquet', '../flights'), /^4:13 .* outside of the project folder/);
  assert.match(told('?last=60d', '?last=60y'), /^11:13 .*Write endpoint:\/\/name\?last=60d/);
  assert.match(told('[0, 6000]', '[6000, 0]'), /^7:9 nothing lies between 6000 and 0/);
  assert.match(told('params.depth}', 'params.deep}'), /^14:3 .*\$\{params\.deep\}, which is not there.*There is/);
  assert.match(told('node prepare.ts,', 'node prepare.ts > log,'), /^13:3 .*unquoted >.*script/);
  assert.match(told('reads: [flights,', 'reads: [train, flights,'), /^12:1 .*cycle/);
  assert.match(
    told(
      'by: {distance: [500, 1000]}, threshold: 0.3, atMost: 0.1, minRows',
      'by: {distance: [1000, 500]}, threshold: 0.3, atMost: 0.1, minRows',
    ),
    /^\d+:7 .*do not rise/,
  );
  assert.match(told('{quality: fail}', "{schedule: '0 25 * * 1'}"), /^\d+:\d+ "0 25 \* \* 1" is no cron line/);
});

test('cron lines are those of five fields', () => {
  const good = ['0 3 * * 1', '*/15 * * * *', '0 0 1,15 * *', '30 4 * jan-mar mon-fri', '0 9-17/2 * * 7'];
  const bad = [
    '',
    '* * * *',
    '60 * * * *',
    '0 3 * * 8',
    '0 5-3 * * *',
    '*/0 * * * *',
    '0 3 * * mo',
    '0 0 3 * * 1',
    '@daily',
  ];
  assert.deepEqual(
    good.filter((line) => !isCronLine(line)),
    [],
  );
  assert.deepEqual(bad.filter(isCronLine), []);
});

test('broken YAML, repeated keys, tags, aliases and large files are refused with their place', () => {
  assert.equal(problemsOf('project: [flights')[0]?.line, 1);
  assert.equal(problemsOf('project: a\nproject: b')[0]?.line, 2);
  assert.match(problemsOf('project: !!js/function "x"')[0]?.message ?? '', /tags/);
  assert.match(problemsOf('project: &a b\nmodel: *a')[0]?.message ?? '', /aliases/);
  assert.match(problemsOf(`project: ${'a'.repeat(300_000)}`)[0]?.message ?? '', /256 KiB/);
  assert.ok(problemsOf(`project: ${'['.repeat(500)}${']'.repeat(500)}`).length > 0);
});

test('a missing part is told where it is missing', () => {
  const [problem] = problemsOf(flights.replace('  task: binary\n', ''));
  assert.equal(problem?.message, '"task" is missing');
  assert.equal(problem?.line, 20);
});

function problemsOf(text: string): readonly FileProblem[] {
  try {
    parseProject(text);
  } catch (error) {
    assert.ok(error instanceof PlatformError);
    assert.equal(error.code, 'lifecycle/invalid-project');
    return (error.data as { problems: readonly FileProblem[] }).problems;
  }
  return assert.fail('the file was accepted');
}

test('what is no YAML, is empty, or stands there twice is told with what to do', () => {
  const told = (text: string) => problemsOf(text).map(({ line, column, fix = '' }) => `${line}:${column} ${fix}`);
  assert.match(told('')[0] ?? '', /^1:1 .*rondo init/);
  assert.match(told('project: a\n  data: x')[0] ?? '', /^1:10 .*indentation/);
  assert.deepEqual(told('project: a\nproject: b'), ['2:1 Keep one of them.']);
});
