import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Role } from '../http/permission.ts';
import { openTestServer } from '../http/test-server.ts';
import { openSecretBox } from '../notify/secret-box-adapter.ts';
import { webhookRoutes } from '../notify/webhook-routes.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { mlflowWebhookRoutes } from './webhooks-routes.ts';

const path = '/api/2.0/mlflow/webhooks';
const url = 'https://example.com/hook';

type Seen = { readonly webhook_id: string; readonly status: string; readonly events: readonly { entity: string }[] };

eachDatabase((name, open) => {
  test(`${name}: MLflow's clients see and change only the events that they know`, async () => {
    await using database = await open();
    let role: Role = 'admin';
    await using server = await openTestServer({ authenticate: () => ({ actor: 'user:ada', role }) });
    const deps = {
      ...{ database, now: () => 5, newUuid: () => randomUUID() },
      secrets: await openSecretBox(join(database.folder, 'webhooks')),
      policy: { schemes: ['https'], allowPrivateAddresses: false },
      deliveries: { test: async () => ({ kind: 'unreachable', problem: 'it refuses the connection' }) as const },
    };
    await server.register(webhookRoutes(deps));
    await server.register(mlflowWebhookRoutes(deps));
    const call = async (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', address: string, payload?: object) => {
      const answer = await server.inject({ method, url: address, ...(payload && { payload }) });
      return { status: answer.statusCode, body: JSON.parse(answer.body || '{}') };
    };
    const own = (words: object) => call('POST', '/api/v1/webhooks', { name: 'h', url, ...words });
    await own({ events: ['run.ended'] });
    const { body } = await own({ events: ['run.ended', 'prompt.created'], secret: 'hidden' });
    const listed: readonly Seen[] = (await call('GET', path)).body.webhooks;
    assert.deepEqual(
      listed.map(({ webhook_id, events }) => [webhook_id, events]),
      [[body.id, [{ entity: 'PROMPT', action: 'CREATED' }]]],
    );
    assert.ok(!JSON.stringify(listed).includes('hidden'));
    const events = [{ entity: 'MODEL_VERSION', action: 'CREATED' }];
    const changed = await call('PATCH', `${path}/${body.id}`, { events, status: 'DISABLED' });
    assert.deepEqual([changed.body.webhook.status, changed.body.webhook.events], ['DISABLED', events]);
    const whole = (await call('GET', `/api/v1/webhooks/${body.id}`)).body;
    assert.deepEqual(
      [whole.state, whole.signed, whole.events],
      ['disabled', true, ['model_version.created', 'run.ended']],
    );
    const tried = (await call('POST', `${path}/${body.id}/test`, {})).body.result;
    assert.deepEqual(tried, { success: false, error_message: 'Failed to test webhook: it refuses the connection' });

    role = 'deployer';
    for (const [method, address] of [
      ['GET', path],
      ['POST', path],
      ['GET', `${path}/${body.id}`],
      ['DELETE', `${path}/${body.id}`],
      ['POST', `${path}/${body.id}/test`],
      ['GET', '/api/v1/webhooks'],
      ['GET', '/api/v1/webhooks/deliveries'],
    ] as const) {
      assert.equal((await call(method, address)).status, 403, `${method} ${address}`);
    }
  });
});
