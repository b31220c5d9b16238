import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformError } from '../errors.ts';
import { sequenceEvents } from '../events/event-sequencer-worker.ts';
import { eventStore, readEvents } from '../events/event-store.ts';
import type { Endpoint } from '../serving/endpoint.ts';
import type { LogRecord } from '../serving/prediction.ts';
import { seededRandom } from '../statistics/seeded-random.ts';
import type { Database } from '../storage/database.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { alertStore } from './alert-store.ts';
import { monitorStore, type StoredWindow } from './monitor-store.ts';
import { driftView } from './monitor-view.ts';
import { startMonitorWorker } from './monitor-worker.ts';
import { monitorPlan } from './monitors-config.ts';
import { answerAlert } from './raise-alert.ts';
import { profileColumn, type ReferenceProfile } from './reference-profile.ts';

const dayMs = 86_400_000;
const perDay = 200;
const endpoint: Endpoint = {
  name: 'flights',
  project: 'flights',
  task: 'binary',
  key: 'id',
  time: 'date',
  latencyMs: 100,
  log: 'durable',
};
const plan = monitorPlan({
  drift: { window: '7d', every: '1d', persist: 3, features: 'all' },
  quality: { metric: 'auc', atLeast: 0.6, window: '7d', maturity: '1d' },
  fairness: { metric: 'demographic_parity_difference', by: 'side', threshold: 0.5, atMost: 0.2 },
  service: { availability: '97%', latency: { p99: '100ms' } },
});

eachDatabase((name, open) => {
  test(`${name}: drift opens one alert after three windows, and the next version's own training data resolves it`, async () => {
    await using database = await open();
    const log = logOf({ days: 30, shiftFrom: 15, shift: 1.5, switchAt: 25 });
    await watch(database, log);
    const alerts = await alertStore(database.read).list({ limit: 10 });
    assert.equal(alerts.length, 1);
    const [alert] = alerts;
    assert.equal(alert?.monitor, 'drift');
    assert.equal(alert?.state, 'resolved');
    assert.match(alert?.title ?? '', /^1 of 1 features moved: x is higher than in training$/);
    assert.match(alert?.resolution ?? '', /version 2 serves now/);
    const windows = await monitorStore(database.read).windows('flights', 'drift', { limit: 100 });
    const over = windows.filter((one) => stateOf(one) === 'over').map((one) => one.end / dayMs);
    assert.equal((alert?.openedClock ?? 0) / dayMs, (over[0] ?? 0) + 2);
    assert.ok(windows.filter(({ version }) => version.version === 2).every((one) => stateOf(one) === 'calm'));
    const view = driftView(windows);
    assert.equal(view.features[0]?.cells.length, view.windows.length);

    if (database.dialect === 'postgres') await sequenceEvents(database);
    const events = await readEvents(database.read, {
      types: ['monitoring.alert-opened', 'monitoring.alert-resolved'],
      limit: 10,
    });
    assert.deepEqual(
      events.map(({ type }) => type),
      ['monitoring.alert-opened', 'monitoring.alert-resolved'],
    );
    assert.ok(JSON.stringify(events[0]?.data.evidence).includes('Kolmogorov'));
  });

  test(`${name}: a quiet endpoint raises nothing, and its quality, fairness and service pass`, async () => {
    await using database = await open();
    await watch(database, logOf({ days: 20 }));
    assert.deepEqual(await alertStore(database.read).list({ limit: 10 }), []);
    for (const monitor of ['quality', 'fairness', 'service'] as const) {
      const windows = await monitorStore(database.read).windows('flights', monitor, { limit: 100 });
      assert.ok(windows.length >= 10, monitor);
      for (const { result } of windows) {
        if (result.monitor === 'quality') {
          assert.equal(result.verdict.outcome, 'pass');
          assert.ok(result.coverage > 0.95);
        } else if (result.monitor === 'fairness') assert.equal(result.verdict.outcome, 'pass');
        else if (result.monitor === 'service') assert.equal(result.availability?.outcome, 'pass');
      }
    }
  });

  test(`${name}: answers that become random and fail are alerts of quality and service`, async () => {
    await using database = await open();
    await watch(database, logOf({ days: 24, randomFrom: 8, failFrom: 12 }));
    const alerts = await alertStore(database.read).list({ limit: 10 });
    assert.deepEqual(alerts.map(({ monitor }) => monitor).sort(), ['quality', 'service']);
    assert.ok(alerts.every(({ state, severity }) => state === 'open' && severity === 'page'));
  });

  test(`${name}: stopped and started anywhere, it judges the same windows the same way`, async () => {
    await using whole = await open();
    await using parts = await open();
    const log = logOf({ days: 22, shiftFrom: 12, shift: 1.5, switchAt: 18 });
    await watch(whole, log);
    for (const share of [0.2, 0.45, 0.7, 0.9, 1]) await watch(parts, log.slice(0, Math.floor(log.length * share)));
    for (const monitor of ['drift', 'quality', 'service'] as const) {
      const [a, b] = await Promise.all(
        [whole, parts].map((database) => monitorStore(database.read).windows('flights', monitor, { limit: 100 })),
      );
      assert.deepEqual(b, a, monitor);
    }
  });

  test(`${name}: a person acknowledges and resolves an alert once`, async () => {
    await using database = await open();
    await watch(database, logOf({ days: 20, shiftFrom: 8, shift: 2 }));
    const [alert] = await alertStore(database.read).list({ open: true, limit: 10 });
    assert.ok(alert);
    const answer = (how: 'acknowledge' | 'resolve') =>
      database.write((tx) =>
        answerAlert(
          { alerts: alertStore(tx), events: eventStore(tx), now: () => 1, newId: () => 'x' },
          { id: alert.id, answer: how, actor: 'user:ada', reason: 'known', clock: 1 },
        ),
      );
    assert.equal((await answer('acknowledge')).acknowledgedBy, 'user:ada');
    assert.equal((await answer('resolve')).resolution, 'known');
    await assert.rejects(
      answer('resolve'),
      (error) => error instanceof PlatformError && error.code === 'monitoring/alert-resolved',
    );
  });
});

async function watch(database: Database, log: readonly LogRecord[]): Promise<void> {
  let ids = 0;
  const errors: unknown[] = [];
  let read = 0;
  await using worker = startMonitorWorker({
    database,
    endpoints: async () => [endpoint],
    planFor: async () => plan,
    profileOf: async ({ version }) => profileOf(version),
    readLog: async (_, { after, limit }) => {
      const page = log.slice(after, after + limit);
      read = after + page.length;
      return page;
    },
    logSignal: { onAppend: () => ({ [Symbol.dispose]: () => {} }) },
    now: () => 0,
    newId: () => `a${++ids}-${log.length}`,
    onError: (error) => errors.push(error),
  });
  for (let quiet = 0; quiet < 3; ) {
    const before = read;
    worker.wake();
    await sleep(40);
    quiet = read === log.length && before === read ? quiet + 1 : 0;
    assert.deepEqual(errors, []);
  }
}

function profileOf(version: number): ReferenceProfile {
  const random = seededRandom(version);
  const days = Array.from({ length: 40 * 300 }, (_, i) => Math.floor(i / 300) * dayMs);
  const values = days.map(() => random.normal() + (version === 2 ? 1.5 : 0));
  return { rows: days.length, features: { x: profileColumn(values, days) } };
}

type Script = {
  days: number;
  shiftFrom?: number;
  shift?: number;
  switchAt?: number;
  randomFrom?: number;
  failFrom?: number;
};

function logOf({
  days,
  shiftFrom = 99,
  shift = 0,
  switchAt = 99,
  randomFrom = 99,
  failFrom = 99,
}: Script): readonly LogRecord[] {
  const random = seededRandom(7);
  const log: LogRecord[] = [];
  const due: { key: string; value: number; at: number }[] = [];
  for (let i = 0; i < days * perDay; i++) {
    const eventTime = 100 * dayMs + Math.floor((i / perDay) * dayMs);
    const day = Math.floor(i / perDay);
    const common = () => ({ seq: log.length + 1, endpoint: 'flights', at: eventTime, eventTime });
    const x = random.normal() + (day >= shiftFrom ? shift : 0);
    const chance = 1 / (1 + Math.exp(-x));
    const failed = day >= failFrom && random.chance(0.1);
    const score = day >= randomFrom ? random.uniform() : chance;
    log.push({
      ...common(),
      kind: 'prediction',
      id: `p${i}`,
      key: `k${i}`,
      unit: `p${i}`,
      generation: day >= switchAt ? 2 : 1,
      role: 'champion',
      model: 'delay',
      version: day >= switchAt ? 2 : 1,
      outcome: failed ? 'error' : 'ok',
      latencyMs: 3,
      inputs: { x, side: i % 2 === 0 ? 'east' : 'west', id: `k${i}`, date: eventTime },
      outputs: {},
      ...(!failed && { score }),
    });
    due.push({ key: `k${i}`, value: random.chance(chance) ? 1 : 0, at: eventTime + dayMs / 4 });
    while (due[0] && due[0].at <= eventTime) {
      const { key, value } = due.shift()!; // just seen
      log.push({ ...common(), kind: 'label', key, value });
    }
  }
  return log;
}

const stateOf = ({ result }: StoredWindow) => (result.monitor === 'drift' ? result.features[0]?.state : undefined);
