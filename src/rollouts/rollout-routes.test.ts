import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlatformError } from '../errors.ts';
import { openTestServer } from '../http/test-server.ts';
import type { Endpoint } from '../serving/endpoint.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { rolloutPlan } from './rollout-config.ts';
import { rolloutRoutes } from './rollout-routes.ts';
import { challenger, champion, flightsConfig } from './rollout-simulation.ts';
import { startRolloutWorker } from './rollout-worker.ts';

const endpoint: Endpoint = { name: 'flights', project: 'flights', task: 'binary', latencyMs: 100, log: 'durable' };

eachDatabase((name, open) => {
  test(`${name}: a rollout is started, read, paused and aborted over HTTP`, async () => {
    await using database = await open();
    let ids = 0;
    await using rollouts = startRolloutWorker({
      database,
      serving: {
        trafficOf: async () => ({ generation: 1, champion }),
        setTraffic: async ({ traffic, after }) => ({ ...traffic, generation: after + 1 }),
        load: () => new Promise(() => {}),
        readLog: async () => [],
        logSignal: { onAppend: () => ({ [Symbol.dispose]: () => {} }) },
        lastSeq: async () => 0,
        endpointNow: async () => 5,
      },
      now: () => 1000 + ids,
      newId: () => `r${++ids}`,
      onError: (error) => {
        throw error;
      },
    });
    await using server = await openTestServer();
    await server.register(
      rolloutRoutes({
        database,
        rollouts,
        endpointOf: async (wanted) => {
          if (wanted !== 'flights') throw new PlatformError('serving/unknown-endpoint', wanted);
          return endpoint;
        },
        planFor: async () => rolloutPlan(flightsConfig),
        gatesOf: async ({ version }) => (version === 2 ? { outcome: 'pass', reason: '8 gates pass' } : undefined),
      }),
    );
    const call = async (method: 'GET' | 'POST', url: string, payload?: object) => {
      const response = await server.inject({ method, url: `/api/v1/${url}`, ...(payload && { payload }) });
      return { status: response.statusCode, body: response.json() };
    };

    assert.equal((await call('POST', 'endpoints/nowhere/rollouts', challenger)).status, 404);
    assert.equal((await call('POST', 'endpoints/flights/rollouts', { model: 'delay' })).status, 400);
    const untested = await call('POST', 'endpoints/flights/rollouts', { model: 'delay', version: 9 });
    assert.deepEqual([untested.status, untested.body.code], [409, 'rollouts/gates-not-passed']);
    const force = { gates: true, from: '7%' };
    const wrongStep = await call('POST', 'endpoints/flights/rollouts', { ...challenger, force, reason: 'a drill' });
    assert.match(wrongStep.body.fix, /1%, 5%, 25%, 50%/);

    const started = await call('POST', 'endpoints/flights/rollouts', challenger);
    assert.equal(started.status, 201);
    const { id } = started.body;
    const { body } = await call('GET', `rollouts/${id}`);
    assert.deepEqual(
      [body.state, body.steps.map((step: { name: string }) => step.name)],
      ['preparing', ['shadow', '1 %', '5 %', '25 %', '50 %', '100 %']],
    );
    assert.deepEqual(
      (await call('GET', 'rollouts?endpoint=flights&limit=1')).body.items.map((one: { id: string }) => one.id),
      [id],
    );
    assert.equal((await call('GET', 'rollouts/nothing')).status, 404);

    assert.equal((await call('POST', `rollouts/${id}/pause`)).status, 409, 'nothing to pause yet');
    assert.equal((await call('POST', `rollouts/${id}/abort`)).status, 400, 'no reason');
    assert.equal((await call('POST', `rollouts/${id}/abort`, { reason: 'wrong model' })).body.state, 'aborted');
  });
});
