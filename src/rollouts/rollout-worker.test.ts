import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { PlatformError } from '../errors.ts';
import { sequenceEvents } from '../events/event-sequencer-worker.ts';
import { readEvents } from '../events/event-store.ts';
import type { LogRecord } from '../serving/prediction.ts';
import { assign, type Traffic } from '../serving/traffic.ts';
import type { Database } from '../storage/database.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { isOver, type Rollout } from './rollout.ts';
import { rolloutPlan } from './rollout-config.ts';
import { challenger, champion } from './rollout-simulation.ts';
import { rolloutStore } from './rollout-store.ts';
import { detailOf } from './rollout-view.ts';
import { type RolloutServing, startRolloutWorker } from './rollout-worker.ts';

const plan = rolloutPlan({
  shadow: { requests: 30 },
  steps: [
    { to: '10%', min: 5 },
    { to: '50%', min: 50 },
  ],
  guardrails: [{ errors: { margin: '20%' } }],
});
const endpoint = { name: 'flights', project: 'flights', task: 'binary', latencyMs: 100, log: 'durable' } as const;
const passed = { outcome: 'pass', reason: '7 of 7' } as const;

eachDatabase((name, open) => {
  test(`${name}: a sound version goes from shadow to all traffic, and every step is an event with its evidence`, async () => {
    await using database = await open();
    const world = new Endpoint();
    await using worker = work(database, world);
    const { id } = await worker.start({ endpoint, challenger, plan, gates: passed, actor: 'user:ada' });
    const end = await world.drive(database, id, { failing: () => false });
    assert.equal(end.state.kind, 'promoted');
    assert.deepEqual(world.traffic.champion, challenger);
    assert.deepEqual(world.traffic.previous, champion);
    assert.equal(world.traffic.rollout, undefined);
    if (database.dialect === 'postgres') await sequenceEvents(database);
    const events = await readEvents(database.read, { subject: `rollout/${id}`, limit: 100 });
    assert.deepEqual(
      events.map(({ type, data }) => `${type} ${data.to ?? ''}`.trim()).filter((one) => !/held|proved/.test(one)),
      [
        'rollouts.started',
        'rollouts.step-entered shadow',
        'rollouts.step-entered 10 %',
        'rollouts.step-entered 50 %',
        'rollouts.promotion-decided promoting',
        'rollouts.promoted promoted',
      ],
    );
    const view = detailOf(end, await rolloutStore(database.read).lastLook(id), events);
    assert.deepEqual(
      view.steps.map((step) => step.progress),
      ['done', 'done', 'done', 'now'],
    );
    assert.match(view.headline, /is live/);
  });

  test(`${name}: a failing version is taken out, and the old one answers everybody`, async () => {
    await using database = await open();
    const world = new Endpoint();
    await using worker = work(database, world);
    const force = { gates: true, from: 0.5 };
    await assert.rejects(
      worker.start({ endpoint, challenger, plan, gates: undefined, force, actor: 'user:ada' }),
      isCode('rollouts/reason-missing'),
    );
    const { id } = await worker.start({
      endpoint,
      challenger,
      plan,
      gates: undefined,
      force,
      reason: 'a drill',
      actor: 'user:ada',
    });
    const end = await world.drive(database, id, { failing: (version) => version === 2 });
    assert.equal(end.state.kind, 'rolled-back');
    assert.deepEqual(world.traffic, { generation: world.traffic.generation, champion });
    assert.ok(world.answersOf(2) < 100, `${world.answersOf(2)} answers`);
  });

  test(`${name}: a restart in the middle decides the same and exposes nobody anew`, async () => {
    await using database = await open();
    const world = new Endpoint();
    let id = '';
    {
      await using worker = work(database, world);
      ({ id } = await worker.start({ endpoint, challenger, plan, gates: passed, actor: 'user:ada' }));
      await world.drive(database, id, { failing: () => false, until: (rollout) => rollout.state.kind === 'step' });
    }
    const generation = world.traffic.generation;
    await using _again = work(database, world);
    const end = await world.drive(database, id, { failing: () => false });
    assert.equal(end.state.kind, 'promoted');
    assert.deepEqual(
      world.generations,
      world.generations.toSorted((a, b) => a - b),
    );
    assert.ok(generation <= world.traffic.generation);
  });

  test(`${name}: a crash between a move and its traffic is made good`, async () => {
    await using database = await open();
    const world = new Endpoint();
    world.dropNextSet = true;
    await using worker = work(database, world);
    const { id } = await worker.start({ endpoint, challenger, plan, gates: passed, actor: 'user:ada' });
    assert.equal((await world.drive(database, id, { failing: () => false })).state.kind, 'promoted');
  });

  test(`${name}: without passing gates, or beside another rollout, it does not start`, async () => {
    await using database = await open();
    const world = new Endpoint();
    await using worker = work(database, world);
    const start = { endpoint, challenger, plan, actor: 'user:ada' };
    const failed = { outcome: 'fail', reason: 'auc .5, at least .6' } as const;
    await assert.rejects(worker.start({ ...start, gates: failed }), isCode('rollouts/gates-not-passed'));
    await assert.rejects(
      worker.start({ ...start, gates: passed, challenger: champion }),
      isCode('rollouts/already-live'),
    );
    await worker.start({ ...start, gates: passed });
    await assert.rejects(worker.start({ ...start, gates: passed }), isCode('rollouts/already-running'));
  });

  test(`${name}: a person pauses, resumes, and promotes with a reason`, async () => {
    await using database = await open();
    const world = new Endpoint();
    await using worker = work(database, world);
    const { id } = await worker.start({ endpoint, challenger, plan, gates: passed, actor: 'user:ada' });
    await world.drive(database, id, { failing: () => false, until: (rollout) => rollout.state.kind === 'shadow' });
    assert.equal((await worker.command(id, { kind: 'pause', reason: 'lunch' }, 'user:ada')).state.kind, 'paused');
    await assert.rejects(
      worker.command(id, { kind: 'pause', reason: '' }, 'user:ada'),
      isCode('rollouts/not-possible'),
    );
    assert.equal((await worker.command(id, { kind: 'resume', reason: '' }, 'user:ada')).state.kind, 'shadow');
    await assert.rejects(
      worker.command(id, { kind: 'promote', reason: ' ' }, 'user:ada'),
      isCode('rollouts/reason-missing'),
    );
    await worker.command(id, { kind: 'promote', reason: 'trust me' }, 'user:ada');
    assert.equal((await world.drive(database, id, { failing: () => false })).state.kind, 'promoted');
    await assert.rejects(
      worker.command(id, { kind: 'abort', reason: 'late' }, 'user:ada'),
      isCode('rollouts/not-possible'),
    );
  });

  test(`${name}: an abort takes the version out before it is written down`, async () => {
    await using database = await open();
    const world = new Endpoint();
    await using worker = work(database, world);
    const { id } = await worker.start({ endpoint, challenger, plan, gates: passed, actor: 'user:ada' });
    await world.drive(database, id, { failing: () => false, until: (rollout) => rollout.state.kind === 'step' });
    assert.equal(
      (await worker.command(id, { kind: 'abort', reason: 'wrong model' }, 'user:ada')).state.kind,
      'aborted',
    );
    assert.equal(world.traffic.rollout, undefined);
  });

  test(`${name}: a rollout that began before the first prediction goes on in the endpoint’s own time`, async () => {
    await using database = await open();
    const world = new Endpoint();
    const own = world.endpointNow;
    // Nothing was asked yet, so the wall clock stands in for the endpoint's.
    world.endpointNow = async () => (world.log.length === 0 ? 1_800_000_000_000 : own());
    await using worker = work(database, world);
    const { id } = await worker.start({ endpoint, challenger, plan, gates: passed, actor: 'user:ada' });
    const inShadow = await world.drive(database, id, {
      failing: () => false,
      until: ({ state, stateSince }) => state.kind === 'shadow' && stateSince < 1_000_000,
    });
    assert.ok(inShadow.startedClock < 1_000_000);
    const look = await rolloutStore(database.read).lastLook(id);
    assert.ok(look === undefined || look.clock < 1_000_000);
    assert.equal((await world.drive(database, id, { failing: () => false })).state.kind, 'promoted');
  });

  test(`${name}: the first version of an endpoint goes live at once`, async () => {
    await using database = await open();
    const world = new Endpoint();
    world.traffic = { generation: 0 };
    await using worker = work(database, world);
    const { id } = await worker.start({ endpoint, challenger: champion, plan, gates: passed, actor: 'user:ada' });
    const end = await world.drive(database, id, { failing: () => false });
    assert.equal(end.state.kind, 'promoted');
    assert.deepEqual(world.traffic, { generation: 1, champion });
  });
});

/** An endpoint in memory: a log, a traffic, and requests on demand. */
class Endpoint implements RolloutServing {
  traffic: Traffic = { generation: 1, champion };
  readonly log: LogRecord[] = [];
  readonly generations: number[] = [];
  dropNextSet = false;
  readonly #signal = new EventEmitter();
  #requests = 0;

  trafficOf = async () => this.traffic;
  setTraffic: RolloutServing['setTraffic'] = async ({ after, traffic }) => {
    if (this.dropNextSet) {
      this.dropNextSet = false;
      throw new Error('the process dies here');
    }
    if (after !== this.traffic.generation) return undefined;
    this.traffic = { ...traffic, generation: after + 1 };
    this.generations.push(this.traffic.generation);
    return this.traffic;
  };
  load = async () => ({ kind: 'ready' }) as const;
  readLog: RolloutServing['readLog'] = async (_, { after, limit }) => this.log.slice(after, after + limit);
  lastSeq = async () => this.log.length;
  endpointNow = async () => this.#requests * 1000;
  logSignal = {
    onAppend: (listener: (endpoint: string, seq: number) => void) => {
      this.#signal.on('append', listener);
      return { [Symbol.dispose]: () => void this.#signal.off('append', listener) };
    },
  };

  answersOf(version: number): number {
    return this.log.filter((record) => record.kind === 'prediction' && record.version === version).length;
  }

  request(failing: (version: number) => boolean): void {
    this.#requests += 1;
    const id = `p${this.#requests}`;
    const at = this.#requests * 1000;
    const { role, serve, mirror } = assign(this.traffic, id) ?? { role: 'champion' as const, serve: champion };
    const common = () => ({ seq: this.log.length + 1, endpoint: 'flights', at, eventTime: at });
    const said = (version: number) =>
      failing(version)
        ? { outcome: 'error' as const, latencyMs: 1 }
        : { outcome: 'ok' as const, latencyMs: 1, score: 0.5 };
    const rollout = this.traffic.rollout?.id;
    const { generation } = this.traffic;
    const ofRollout = rollout === undefined ? {} : { rollout };
    this.log.push({
      ...common(),
      kind: 'prediction',
      id,
      unit: id,
      ...ofRollout,
      generation,
      role,
      ...serve,
      inputs: {},
      outputs: {},
      ...said(serve.version),
    });
    if (mirror && rollout !== undefined) {
      this.log.push({
        ...common(),
        kind: 'mirror',
        predictionId: id,
        rollout,
        role: mirror.role,
        ...mirror.version,
        ...said(mirror.version.version),
      });
    }
    this.#signal.emit('append', 'flights', this.log.length);
  }

  /** Sends requests until the rollout is over or as far as asked. */
  async drive(
    database: Database,
    id: string,
    {
      failing,
      until = (rollout) => isOver(rollout.state),
    }: { failing: (version: number) => boolean; until?: (rollout: Rollout) => boolean },
  ): Promise<Rollout> {
    for (let turn = 0; turn < 4000; turn++) {
      const rollout = await rolloutStore(database.read).find(id);
      assert.ok(rollout);
      if (until(rollout)) return rollout;
      for (let i = 0; i < 5; i++) this.request(failing);
      const timer = setTimeout(() => this.#signal.emit('tick'), 2);
      await once(this.#signal, 'tick');
      clearTimeout(timer);
    }
    return assert.fail('it never came to an end');
  }
}

function work(database: Database, serving: RolloutServing) {
  let ids = 0;
  return startRolloutWorker({
    database,
    serving,
    now: () => 1_000_000 + ids,
    newId: () => `r${++ids}`,
    onError: (error) => {
      if (!(error instanceof Error && error.message === 'the process dies here')) throw error;
    },
  });
}

const isCode = (code: string) => (error: unknown) => error instanceof PlatformError && error.code === code;
