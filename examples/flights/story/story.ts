/**
 * The story of the flights model, from its data to its fourth version. It is told to a server that knows nothing of it: every step
 * asks the server's own records whether it really happened, and nothing decides an outcome but the data.
 */
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Project, type Replay, type ReplayReport, runProgram, startReplay } from './programs.ts';
import { type Api, type LoggedEvent, Refusal, serverApi } from './server-api.ts';

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

/** How a chapter is shown while it happens. */
export type Teller = {
  chapter(title: string): void;
  /** What goes on now; replaced by the next. */
  now(text: string): void;
  /** What happened; it stays. */
  fact(text: string): void;
};

export type Summary = {
  readonly predictions: number;
  readonly failed: number;
  readonly labels: number;
  readonly rollouts: readonly RolloutEnd[];
  readonly delivery: unknown;
  readonly audit: { readonly size: number };
};

export type RolloutEnd = {
  readonly version: number;
  readonly state: string;
  readonly because: string;
  readonly requests: number;
  readonly challengerAnswers: number;
  readonly startedClock: number;
  readonly endedClock: number;
  readonly rollbackMs?: number;
  readonly logLoss?: {
    readonly value?: number;
    readonly lower?: number;
    readonly upper?: number;
    readonly word: string;
  };
};

/** A part of the story did not happen as the data say it must. */
export class StoryFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StoryFailed';
  }
}

const endpoint = 'flights';
const model = 'flight-delay';
const secondVersion = { trees: 150, leaves: 63, depth: 8, learning_rate: 0.1 };

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
  ends.push(await rollOut(api, tell, replay, { version: second }));
  expect(ends.at(-1)?.state === 'promoted', `version ${second} was not promoted`);

  tell.chapter('A bad version 3 is refused, then forced, and caught');
  await replay.pause();
  const third = await runPipeline(api, tell, { ...secondVersion, recent_unit: thirdVersion });
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
  if (retrained) ends.push(retrained);

  tell.chapter('The rest of the half year, and the sum');
  const report = await replay.finish();
  return summarise(api, tell, report, ends);
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

type Shipment = {
  readonly version: number;
  readonly force?: { readonly gates?: boolean; readonly shadow?: boolean; readonly from?: string };
  readonly reason?: string;
};

/** Gates, then the start of the rollout. @returns the rollout's id */
async function beginRollout(api: Api, tell: Teller, shipment: Shipment): Promise<string> {
  tell.now(`the gates of version ${shipment.version}`);
  const { operation } = await api.post<{ operation: string }>(`/api/v1/projects/${endpoint}/ship`, shipment);
  const { rollout } = await api.operation<{ rollout: string }>(operation);
  return rollout;
}

async function ship(api: Api, tell: Teller, shipment: Shipment): Promise<RolloutEnd> {
  const id = await beginRollout(api, tell, shipment);
  tell.fact(await sayGates(api, shipment.version));
  return endOf(api, tell, id);
}

/** A rollout while the traffic goes on. */
async function rollOut(api: Api, tell: Teller, replay: Replay, shipment: Shipment): Promise<RolloutEnd> {
  const id = await beginRollout(api, tell, shipment);
  if (!shipment.force) tell.fact(await sayGates(api, shipment.version));
  replay.resume();
  return endOf(api, tell, id);
}

type Verdict = {
  readonly outcome: string;
  readonly reason: string;
  readonly value?: number;
  readonly lower?: number;
  readonly upper?: number;
};
type Gates = {
  readonly outcome: string;
  readonly tests: readonly {
    readonly kind: string;
    readonly test: string;
    readonly applies: boolean;
    readonly verdict: Verdict;
  }[];
};

const gatesOf = (api: Api, version: number) => api.get<Gates>(`/api/v1/models/${model}/versions/${version}/gates`);

async function sayGates(api: Api, version: number): Promise<string> {
  const { outcome, tests } = await gatesOf(api, version);
  const judged = tests.filter((test) => test.applies);
  const passed = judged.filter((test) => test.verdict.outcome === 'pass').length;
  const auc = tests.find((test) => test.test.startsWith('auc at least') && !test.test.includes(' in every '));
  return `Gates ${outcome}: ${passed} of ${judged.length} prove it${auc?.verdict.value === undefined ? '' : `, AUC ${auc.verdict.value.toFixed(3)}`}`;
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

type RolloutView = {
  readonly state: string;
  readonly says: string;
  readonly headline: string;
  readonly challenger: { readonly version: number };
  readonly startedClock: number;
  readonly endedClock?: number;
  readonly traffic: {
    readonly requests: number;
    readonly arms?: { readonly challenger: { readonly requests: number } };
  };
  readonly guardrails: readonly {
    readonly name: string;
    readonly unit: string;
    readonly value?: number;
    readonly word: string;
    readonly verdict: Verdict;
  }[];
};

const over = new Set(['promoted', 'rolled-back', 'aborted', 'superseded']);

async function endOf(api: Api, tell: Teller, id: string): Promise<RolloutEnd> {
  let said = '';
  for (;;) {
    const view = await api.get<RolloutView>(`/api/v1/rollouts/${id}`);
    if (view.says !== said) tell.fact(`version ${view.challenger.version}: ${view.says}`);
    said = view.says;
    if (over.has(view.state)) return describeEnd(api, tell, id, view);
    expect(view.state !== 'paused', `version ${view.challenger.version} paused: ${view.headline}`);
    await pause(150);
  }
}

async function describeEnd(api: Api, tell: Teller, id: string, view: RolloutView): Promise<RolloutEnd> {
  const { items } = await api.get<{ items: readonly LoggedEvent[] }>(
    `/api/v1/events?subject=rollout/${id}&order=newest&limit=50`,
  );
  const last = items.find((event) => event.type === `rollouts.${view.state}`);
  const loss = view.guardrails.find((one) => one.unit === 'loss');
  const answers = view.traffic.arms?.challenger.requests ?? 0;
  const swappedAt = last?.data.swappedAt;
  const rollbackMs = typeof swappedAt === 'number' && last ? Math.max(0, last.at - swappedAt) : undefined;
  tell.fact(
    `version ${view.challenger.version} ${view.state} after ${view.traffic.requests.toLocaleString('en-US')} requests, ${answers.toLocaleString('en-US')} of them answered by it: ${last?.reason ?? view.headline}`,
  );
  return {
    version: view.challenger.version,
    state: view.state,
    because: last?.reason ?? '',
    requests: view.traffic.requests,
    challengerAnswers: answers,
    startedClock: view.startedClock,
    endedClock: view.endedClock ?? view.startedClock,
    ...(rollbackMs !== undefined && { rollbackMs }),
    ...(loss && { logLoss: { word: loss.word, ...pick(loss.verdict) } }),
  };
}

const pick = ({ value, lower, upper }: Verdict) => ({
  ...(value !== undefined && { value }),
  ...(lower !== undefined && { lower }),
  ...(upper !== undefined && { upper }),
});

/** Waits for drift; while Rondo trains, the flights wait too, so that half a year does not fly by meanwhile. */
async function retrainOnDrift(api: Api, tell: Teller, replay: Replay): Promise<RolloutEnd | undefined> {
  replay.resume();
  const from = 0;
  const opened = await awaitEvent(api, replay, 'monitoring.alert-opened', from);
  expect(opened, 'no drift alert was opened');
  tell.fact(`Alert: ${String(opened?.data.title ?? opened?.reason ?? 'drift')}`);
  const started = await awaitEvent(api, replay, 'lifecycle.retraining-started', from);
  expect(started, 'the alert started no retraining');
  await replay.pause();
  tell.now('the pipeline trains on logged predictions with their labels');
  const shipped = await nextEvent(api, ['rollouts.started', 'lifecycle.retraining-ended'], started?.position ?? 0);
  tell.fact(
    `Retraining: ${shipped.type === 'rollouts.started' ? `version ${String(shipped.data.version)} passed its gates` : (shipped.reason ?? 'ended without a rollout')}`,
  );
  replay.resume();
  return shipped.type === 'rollouts.started' ? endOf(api, tell, shipped.subject.split('/')[1] ?? '') : undefined;
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

async function summarise(
  api: Api,
  tell: Teller,
  report: ReplayReport,
  rollouts: readonly RolloutEnd[],
): Promise<Summary> {
  expect(report.failed === 0, `${report.failed} requests failed`);
  const audit = await api.post<{ size: number; bad?: { why: string } }>('/api/v1/audit/verify');
  expect(!audit.bad, `the log does not verify: ${audit.bad?.why}`);
  const delivery = await api.get<unknown>('/api/v1/delivery');
  tell.fact(
    `${report.requests.toLocaleString('en-US')} predictions, ${report.labels.toLocaleString('en-US')} labels, ${report.failed} failed requests; ${audit.size} log entries verified`,
  );
  return {
    predictions: report.requests,
    failed: report.failed,
    labels: report.labels,
    rollouts,
    delivery,
    audit: { size: audit.size },
  };
}

function expect(truth: unknown, message: string): asserts truth {
  if (!truth) throw new StoryFailed(message);
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
