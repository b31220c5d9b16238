/**
 * The story of the flights model, from its data to its fourth version. It is told to a server that knows nothing of it: every step
 * asks the server's own records whether it really happened, and nothing decides an outcome but the data.
 */
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { endpoint, expect, model, pause, seconds, type Teller } from './basics.ts';
import { type Project, type Replay, runProgram, startReplay } from './programs.ts';
import { beginRollout, endOf, gatesOf, type RolloutEnd, rollOut, ship } from './rollouts.ts';
import { type Api, type LoggedEvent, Refusal, serverApi } from './server-api.ts';
import { type Summary, sumUp } from './summary.ts';

export type StoryOptions = {
  readonly url: string;
  readonly token: string;
  /** A copy of this example, to be written into. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** `percent` is the mistake; `share` makes version 3 a good one, and the story must then fail. */
  readonly thirdVersion: 'percent' | 'share';
  readonly tell: Teller;
};

const secondVersion = { trees: 150, leaves: 63, depth: 8, learning_rate: 0.1 };
const thirdVersions = {
  percent: { ...secondVersion, recent_unit: 'percent' },
  share: { ...secondVersion, trees: 140 },
};

export async function tellStory(options: StoryOptions): Promise<Summary> {
  const { folder, env, signal, tell, thirdVersion } = options;
  const api = serverApi(options);
  const project: Project = {
    folder,
    signal,
    env: { ...env, MLFLOW_TRACKING_URI: options.url, MLFLOW_TRACKING_TOKEN: options.token },
  };
  const ends: RolloutEnd[] = [];

  tell.chapter('January and February become a dataset version');
  await api.put(`/api/v1/projects/${endpoint}`, { folder });
  await refuseDamagedData(api, project, tell);
  await addMonths(api, project, tell, '2001-02');

  tell.chapter('The pipeline prepares, trains and registers version 1');
  const first = await runPipeline(api, tell, {});
  await runFromCache(api, tell);
  await sweep(project, tell);

  tell.chapter('Gates pass; version 1 goes live and is asked');
  ends.push(await ship(api, tell, { version: first }));
  expect(ends.at(-1)?.state === 'promoted', 'version 1 is not live');
  using replay = startReplay(project, ['--url', options.url], (line) => {
    if (line.kind === 'day' && line.at)
      tell.now(`${line.at}: ${(line.requests ?? 0).toLocaleString('en-US')} predictions`);
  });
  await replay.until('2001-04-01');

  tell.chapter('A better version 2 is gated, shadowed and ramped');
  await addMonths(api, project, tell, '2001-03');
  const second = await runPipeline(api, tell, secondVersion);
  // On the same rows as version 2: what differs is the mistake, and nothing else.
  const third = await runPipeline(api, tell, thirdVersions[thirdVersion]);
  ends.push(await rollOut(api, tell, replay, { version: second }));
  expect(ends.at(-1)?.state === 'promoted', `version ${second} was not promoted`);

  tell.chapter('A bad version 3 is refused, then forced, and caught');
  await replay.pause();
  await refuseThird(api, tell, third);
  const forced = {
    version: third,
    force: { gates: true, shadow: true, from: '5%' },
    reason: 'the story shows what the guardrail catches without gates and shadow',
  };
  ends.push(await rollOut(api, tell, replay, forced));
  expect(ends.at(-1)?.state === 'rolled-back', `version ${third} was not rolled back`);
  tell.fact('With its shadow it would never have reached a passenger.');

  tell.chapter('The flights change; Rondo retrains on what it saw');
  const retrained = await retrainOnDrift(api, tell, replay);
  if (retrained.end) ends.push(retrained.end);

  tell.chapter('The rest of the half year, and the sum');
  const report = await replay.finish();
  return sumUp(api, tell, report, { rollouts: ends, retrained: retrained.version });
}

async function refuseDamagedData(api: Api, project: Project, tell: Teller): Promise<void> {
  const data = join(project.folder, 'data');
  await mkdir(data, { recursive: true });
  tell.now('a damaged copy: negative distances, airports with four letters');
  await runProgram(project, ['fetch-data.ts', '--through', '2001-02', '--damaged']);
  const before = await api.position();
  await addVersion(api);
  const [refused] = await api.eventsAfter(before, ['datasets.version-refused']);
  expect(refused, 'the damaged data were not refused');
  tell.fact(`Damaged data refused: ${refused?.reason}`);
  await rename(join(data, 'flights.parquet'), join(data, 'damaged.parquet'));
}

type Added = { readonly outcome: string; readonly version?: number; readonly checks: readonly unknown[] };

async function addVersion(api: Api): Promise<Added> {
  const { operation } = await api.post<{ operation: string }>(`/api/v1/projects/${endpoint}/datasets/flights/versions`);
  return api.operation<Added>(operation);
}

async function addMonths(api: Api, project: Project, tell: Teller, through: string): Promise<void> {
  tell.now(`flights through ${through}`);
  await runProgram(project, ['fetch-data.ts', '--through', through]);
  const added = await addVersion(api);
  expect(added.outcome === 'added', `the flights through ${through} were ${added.outcome}`);
  tell.fact(`flights@${added.version}: ${added.checks.length} checks pass`);
}

type Execution = {
  readonly state: string;
  readonly steps: readonly {
    readonly name?: string;
    readonly step?: string;
    readonly state: string;
    readonly reason?: string;
    readonly model?: { readonly version: number };
  }[];
};

async function execute(api: Api, params: Readonly<Record<string, unknown>>): Promise<Execution> {
  const { operation, execution } = await api.post<{ operation: string; execution: string }>(
    `/api/v1/projects/${endpoint}/executions`,
    { params },
  );
  await api.operation(operation);
  return api.get<Execution>(`/api/v1/executions/${execution}`);
}

/** @returns the version that the run made */
async function runPipeline(api: Api, tell: Teller, params: Readonly<Record<string, unknown>>): Promise<number> {
  const started = performance.now();
  tell.now('prepare, then train');
  const { state } = await execute(api, params);
  expect(state === 'done', `the pipeline is ${state}`);
  const { versions } = await api.get<{ versions: readonly { version: number }[] }>(`/api/v1/models/${model}`);
  const newest = Math.max(...versions.map((one) => one.version));
  tell.fact(`${model} version ${newest} registered after ${seconds(started)}`);
  return newest;
}

async function runFromCache(api: Api, tell: Teller): Promise<void> {
  const started = performance.now();
  const { steps } = await execute(api, {});
  expect(
    steps.every((step) => step.state === 'cached'),
    'the second run was not answered from the cache',
  );
  tell.fact(
    `Run again: from the cache in ${seconds(started)}: ${steps.map((step) => `${step.name ?? step.step}: ${step.reason}`).join('; ')}`,
  );
}

async function sweep(project: Project, tell: Teller): Promise<void> {
  tell.now('twelve small runs over a grid');
  await runProgram(project, ['sweep.ts']);
  tell.fact('12 small runs tracked');
}

/** Version 3 passes the floor and is refused by what compares it with the champion and with its trainer. */
async function refuseThird(api: Api, tell: Teller, version: number): Promise<void> {
  let refusal: unknown;
  await beginRollout(api, tell, { version }).catch((error: unknown) => {
    refusal = error;
  });
  expect(
    refusal instanceof Refusal && refusal.code === 'rollouts/gates-not-passed',
    `version ${version} was not refused by its gates`,
  );
  const { tests } = await gatesOf(api, version);
  const outcomeOf = (start: string) => tests.find((test) => test.test.startsWith(start))?.verdict.outcome;
  expect(outcomeOf('auc at least') === 'pass', 'the floor of the AUC did not let version 3 pass');
  for (const start of ['auc not worse', 'log_loss not worse', 'answers equal']) {
    expect(outcomeOf(start) === 'fail', `version 3 was not refused by "${start}…"`);
  }
  const refusedBy = tests.filter((test) => test.verdict.outcome === 'fail');
  tell.fact(
    `Version ${version} passes the floor of the AUC and is refused by ${refusedBy.length} tests: ${refusedBy.map((test) => test.test).join('; ')}`,
  );
}

/** A version that its gates keep out has no rollout. */
type Retrained = { readonly version: number; readonly end?: RolloutEnd };

/** Waits for drift; while Rondo trains, the flights wait too, so that half a year does not fly by meanwhile. */
async function retrainOnDrift(api: Api, tell: Teller, replay: Replay): Promise<Retrained> {
  replay.resume();
  const from = 0;
  const opened = await awaitEvent(api, replay, 'monitoring.alert-opened', from);
  expect(opened, 'no drift alert was opened');
  tell.fact(`Alert: ${String(opened?.data.title ?? opened?.reason ?? 'drift')}`);
  const started = await awaitEvent(api, replay, 'lifecycle.retraining-started', from);
  expect(started, 'the alert started no retraining');
  await replay.pause();
  tell.now('the pipeline trains on logged predictions with their labels');
  const next = await nextEvent(api, ['rollouts.started', 'lifecycle.retraining-ended'], started?.position ?? 0);
  replay.resume();
  if (next.type === 'rollouts.started') {
    const version = Number(next.data.version);
    tell.fact(`Retraining: version ${version} passed its gates`);
    return { version, end: await endOf(api, tell, next.subject.split('/')[1] ?? '') };
  }
  const { version } = (next.data.version ?? {}) as { readonly version?: number }; // as the server logs it
  if (version === undefined) throw new Error(`the retraining ended without a version: ${next.reason}`);
  tell.fact(`Retraining: ${next.reason}`);
  return { version };
}

/** The first event of a type, or undefined when the flights have ended without it. */
async function awaitEvent(api: Api, replay: Replay, type: string, after: number): Promise<LoggedEvent | undefined> {
  for (;;) {
    const ended = replay.latest()?.kind === 'done';
    const [event] = await api.eventsAfter(after, [type]);
    if (event || ended) return event;
    await pause(100);
  }
}

async function nextEvent(api: Api, types: readonly string[], after: number): Promise<LoggedEvent> {
  for (;;) {
    const [event] = await api.eventsAfter(after, types);
    if (event) return event;
    await pause(200);
  }
}
