import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { PlatformError } from '../errors.ts';
import { eventStore, readEvents } from '../events/event-store.ts';
import type { Database } from '../storage/database.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { accessRoutes } from './access-routes.ts';
import { removeUser } from './manage-access.ts';
import { requireAdministrator } from './require-administrator.ts';
import { openSignIn } from './sign-in.ts';
import { openTestServer } from './test-server.ts';
import { userStore } from './user-store.ts';

const quiet = { warn: () => {} };
const code = (expected: string) => (error: unknown) => error instanceof PlatformError && error.code === expected;

/** A server that signs in against `database`, with one route per permission and the routes of access. */
async function openServer(database: Database, { loopback = true, now = Date.now } = {}) {
  const authenticate = await openSignIn({
    database,
    now,
    log: quiet,
    loopback,
    localToken: 'the-token-of-server.json',
  });
  const app = await openTestServer({ authenticate });
  await app.register(accessRoutes({ database, now, newId: randomUUID }));
  for (const permission of ['read', 'write', 'deploy', 'admin'] as const) {
    app.post(`/api/v1/try/${permission}`, { config: { permission } }, async (request) => ({ actor: request.actor }));
  }
  return app;
}

const basic = (name: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
});
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

eachDatabase((name, open) => {
  test(`${name}: on loopback without an administrator everybody is the owner`, async () => {
    await using database = await open();
    await using app = await openServer(database);
    const answer = await app.inject({ method: 'POST', url: '/api/v1/try/admin' });
    assert.deepEqual(answer.json(), { actor: 'owner' });
  });

  test(`${name}: as soon as there is an administrator, nobody is let in without credentials`, async () => {
    await using database = await open();
    await using app = await openServer(database);
    const add = { name: 'ada', role: 'admin', password: 'correct horse' };
    assert.equal((await app.inject({ method: 'POST', url: '/api/v1/users', payload: add })).statusCode, 201);

    const answer = await app.inject({ method: 'POST', url: '/api/v1/try/read' });
    assert.equal(answer.statusCode, 401);
    assert.equal(answer.json().code, 'http/unauthenticated');
    assert.match(String(answer.headers['www-authenticate']), /^Basic/);
    const signedIn = await app.inject({
      method: 'POST',
      url: '/api/v1/try/admin',
      headers: basic('ada', 'correct horse'),
    });
    assert.deepEqual(signedIn.json(), { actor: 'user:ada' });
    const local = await app.inject({
      method: 'POST',
      url: '/api/v1/try/admin',
      headers: bearer('the-token-of-server.json'),
    });
    assert.deepEqual(local.json(), { actor: 'owner' });
  });

  test(`${name}: a role may do what its permissions say and no more`, async () => {
    await using database = await open();
    await using app = await openServer(database, { loopback: false });
    await requireAdministrator({ database, host: '0.0.0.0', adminPassword: 'correct horse', now: Date.now });
    const headers = basic('admin', 'correct horse');
    const allowed: Record<string, string[]> = {};
    for (const role of ['viewer', 'editor', 'deployer', 'admin']) {
      await app.inject({ method: 'POST', url: '/api/v1/users', headers, payload: { name: `a-${role}`, role } });
      const made = await app.inject({
        method: 'POST',
        url: '/api/v1/tokens',
        headers,
        payload: { user: `a-${role}`, label: 'ci' },
      });
      assert.equal(made.statusCode, 201, made.body);
      allowed[role] = [];
      for (const permission of ['read', 'write', 'deploy', 'admin']) {
        const answer = await app.inject({
          method: 'POST',
          url: `/api/v1/try/${permission}`,
          headers: bearer(made.json().token),
        });
        if (answer.statusCode === 200) allowed[role].push(permission);
        else assert.equal(answer.json().code, 'http/forbidden');
      }
    }
    assert.deepEqual(allowed, {
      viewer: ['read'],
      editor: ['read', 'write'],
      deployer: ['read', 'write', 'deploy'],
      admin: ['read', 'write', 'deploy', 'admin'],
    });
  });

  test(`${name}: a token works until it is revoked or expires, and also as a password`, async () => {
    await using database = await open();
    let time = 1_000_000;
    await using app = await openServer(database, { now: () => time });
    await app.inject({ method: 'POST', url: '/api/v1/users', payload: { name: 'ada', role: 'admin' } });
    const local = bearer('the-token-of-server.json');
    const make = async (label: string, days: number) =>
      (
        await app.inject({
          method: 'POST',
          url: '/api/v1/tokens',
          headers: local,
          payload: { user: 'ada', label, days },
        })
      ).json();
    const ci = await make('ci', 1);
    const lab = await make('lab', 2);
    const call = async (headers: Record<string, string>) =>
      (await app.inject({ method: 'POST', url: '/api/v1/try/read', headers })).statusCode;

    assert.equal(await call(bearer(ci.token)), 200);
    assert.equal(await call(basic('whoever', ci.token)), 200);
    const changed = `${ci.token.slice(0, -1)}${ci.token.endsWith('A') ? 'B' : 'A'}`;
    assert.equal(await call(bearer(changed)), 401);
    assert.equal(
      (await app.inject({ method: 'DELETE', url: `/api/v1/tokens/${lab.id}`, headers: local })).statusCode,
      204,
    );
    assert.equal(await call(bearer(lab.token)), 401);
    time += 86_400_001;
    assert.equal(await call(bearer(ci.token)), 401);
  });

  test(`${name}: the secret of a token is nowhere in the database`, async () => {
    await using database = await open();
    await using app = await openServer(database);
    await app.inject({
      method: 'POST',
      url: '/api/v1/users',
      payload: { name: 'ada', role: 'editor', password: 'correct horse' },
    });
    const made = await app.inject({ method: 'POST', url: '/api/v1/tokens', payload: { user: 'ada', label: 'ci' } });
    assert.match(made.json().token, /^rdo_[\w-]{49}$/);
    const listed = await app.inject({ url: '/api/v1/tokens' });
    assert.ok(!listed.body.includes(made.json().token));
    const stored = JSON.stringify([
      await userStore(database.read).tokensOf('ada'),
      await userStore(database.read).passwordHash('ada'),
    ]);
    assert.ok(!stored.includes('correct horse') && !stored.includes(made.json().token));
    assert.match((await userStore(database.read).passwordHash('ada')) ?? '', /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });

  test(`${name}: nobody gives away more than they may do, and every change is an event`, async () => {
    await using database = await open();
    await using app = await openServer(database);
    await app.inject({ method: 'POST', url: '/api/v1/users', payload: { name: 'bob', role: 'viewer' } });
    const beyond = await app.inject({
      method: 'POST',
      url: '/api/v1/tokens',
      payload: { user: 'bob', label: 'x', role: 'deployer' },
    });
    assert.equal(beyond.json().code, 'http/beyond-role');
    await app.inject({ method: 'POST', url: '/api/v1/tokens', payload: { user: 'bob', label: 'x' } });
    await app.inject({ method: 'DELETE', url: '/api/v1/users/bob' });
    const types = await allEventTypes(database);
    assert.deepEqual(types, ['access.user-added', 'access.token-made', 'access.user-removed']);
  });

  test(`${name}: two administrators cannot remove each other at the same time`, async () => {
    await using database = await open();
    await using app = await openServer(database);
    const by = { actor: 'owner', role: 'admin' } as const;
    for (const user of ['ada', 'bob', 'eve']) {
      const headers = bearer('the-token-of-server.json');
      const role = user === 'eve' ? 'viewer' : 'admin';
      await app.inject({ method: 'POST', url: '/api/v1/users', headers, payload: { name: user, role } });
    }
    const remove = (user: string) =>
      database.write((tx) => removeUser({ users: userStore(tx), events: eventStore(tx), now: Date.now }, user, by));
    const results = await Promise.allSettled([remove('ada'), remove('bob')]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    assert.equal((await userStore(database.read).administrators()).length, 1);
  });

  test(`${name}: an address beyond loopback needs an administrator`, async () => {
    await using database = await open();
    const start = (host: string, adminPassword?: string) =>
      requireAdministrator({ database, host, adminPassword, now: Date.now });
    for (const host of ['127.0.0.1', '::1', 'localhost', '127.8.9.1']) await start(host);
    for (const host of ['0.0.0.0', '::', '10.0.0.7', 'example.org']) {
      await assert.rejects(start(host), code('http/no-administrator'));
    }
    await start('0.0.0.0', 'correct horse');
    await start('0.0.0.0');
  });
});

eachDatabase((name, open) => {
  if (name !== 'sqlite') return;
  test('after ten wrong passwords an address has to wait, right or wrong', async () => {
    await using database = await open();
    let time = 1_000_000;
    await using app = await openServer(database, { now: () => time });
    await app.inject({
      method: 'POST',
      url: '/api/v1/users',
      payload: { name: 'ada', role: 'admin', password: 'correct horse' },
    });
    const call = (password: string) =>
      app.inject({ method: 'POST', url: '/api/v1/try/read', headers: basic('ada', password) });
    for (let attempt = 0; attempt < 10; attempt += 1) assert.equal((await call(`wrong ${attempt}`)).statusCode, 401);
    const blocked = await call('correct horse');
    assert.equal(blocked.statusCode, 429);
    assert.equal(blocked.headers['retry-after'], '300');
    time += 5 * 60_000;
    assert.equal((await call('correct horse')).statusCode, 200);
  });

  test('an unknown name and a wrong password get the same answer', async () => {
    await using database = await open();
    await using app = await openServer(database);
    await app.inject({
      method: 'POST',
      url: '/api/v1/users',
      payload: { name: 'ada', role: 'admin', password: 'correct horse' },
    });
    const detail = async (user: string) =>
      (await app.inject({ method: 'POST', url: '/api/v1/try/read', headers: basic(user, 'wrong') })).json().detail;
    assert.equal(await detail('ada'), await detail('nobody'));
  });
});

/** On PostgreSQL an event has its position only when the sequencer was there, which these tests do not start. */
async function allEventTypes(database: Database): Promise<string[]> {
  if (database.dialect === 'sqlite') return (await readEvents(database.read, { limit: 100 })).map(({ type }) => type);
  await delay(0);
  const rows = await database.read
    .withTables<{ events: { type: string; arrival: number } }>()
    .selectFrom('events')
    .select('type')
    .orderBy('arrival')
    .execute();
  return rows.map(({ type }) => type);
}
