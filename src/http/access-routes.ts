import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { PlatformError } from '../errors.ts';
import { eventStore } from '../events/event-store.ts';
import type { Database, Db } from '../storage/database.ts';
import { type Asker, addUser, makeToken, removeUser, revokeToken } from './manage-access.ts';
import { hashPassword } from './password.ts';
import { roles } from './permission.ts';
import { userStore } from './user-store.ts';
import { done } from './view.ts';

const name = Type.String({ pattern: '^[a-z0-9][a-z0-9._@-]{0,63}$' });
const role = Type.Enum([...roles]);
const userView = Type.Object({ name: Type.String(), role, createdAt: Type.Integer(), hasPassword: Type.Boolean() });
const tokenView = Type.Object({
  id: Type.String(),
  user: Type.String(),
  label: Type.String(),
  role,
  createdAt: Type.Integer(),
  expiresAt: Type.Optional(Type.Integer()),
  lastUsedAt: Type.Optional(Type.Integer()),
});

export const accessRoutes =
  (deps: {
    readonly database: Database;
    readonly now: () => number;
    readonly newId: () => string;
  }): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { database, now, newId } = deps;
    const admin = { config: { permission: 'admin' } } as const;
    const stores = (tx: Db) => ({ users: userStore(tx), events: eventStore(tx), now, newId });

    app.get(
      '/api/v1/me',
      {
        config: { permission: 'read' },
        schema: {
          tags: ['access'],
          summary: 'Who I am, and what I may do',
          response: { 200: Type.Object({ actor: Type.String(), role }) },
        },
      },
      async (request) => askerOf(request),
    );

    app.get(
      '/api/v1/users',
      {
        ...admin,
        schema: {
          tags: ['access'],
          summary: 'List users',
          response: { 200: Type.Object({ items: Type.Array(userView) }) },
        },
      },
      async () => ({ items: [...(await userStore(database.read).list())] }),
    );

    app.post(
      '/api/v1/users',
      {
        ...admin,
        schema: {
          tags: ['access'],
          summary: 'Add a user; without a password it signs in with tokens only',
          body: Type.Object(
            { name, role, password: Type.Optional(Type.String({ maxLength: 1000 })) },
            { additionalProperties: false },
          ),
          response: { 201: userView },
        },
      },
      async (request, reply) => {
        const { password, ...user } = request.body;
        // Hashing is slow, so it is done before the transaction.
        const passwordHash = password === undefined ? undefined : await hashPassword(password, user.name);
        const added = await database.write((tx) => addUser(stores(tx), { ...user, passwordHash }, askerOf(request)));
        return reply.code(201).send(added);
      },
    );

    app.delete(
      '/api/v1/users/:name',
      {
        ...admin,
        schema: {
          tags: ['access'],
          summary: 'Remove a user and its tokens',
          params: Type.Object({ name }),
          response: { 204: done },
        },
      },
      async (request, reply) => {
        await database.write((tx) => removeUser(stores(tx), request.params.name, askerOf(request)));
        return reply.code(204).send();
      },
    );

    app.get(
      '/api/v1/tokens',
      {
        ...admin,
        schema: {
          tags: ['access'],
          summary: 'List tokens, never the secrets themselves',
          querystring: Type.Object({ user: Type.Optional(name) }),
          response: { 200: Type.Object({ items: Type.Array(tokenView) }) },
        },
      },
      async ({ query }) => ({ items: [...(await userStore(database.read).tokensOf(query.user))] }),
    );

    app.post(
      '/api/v1/tokens',
      {
        ...admin,
        schema: {
          tags: ['access'],
          summary: 'Make a token; it is shown in this answer and never again',
          body: Type.Object(
            {
              user: name,
              label: Type.String({ pattern: '^[\\w .-]{1,64}$' }),
              role: Type.Optional(role),
              days: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650, default: 90 })),
            },
            { additionalProperties: false },
          ),
          response: { 201: Type.Object({ ...tokenView.properties, token: Type.String() }) },
        },
      },
      async (request, reply) => {
        const { user, label, role: wanted, days } = request.body;
        const { token, made } = await database.write((tx) =>
          makeToken(stores(tx), { user, label, role: wanted, days }, askerOf(request)),
        );
        return reply
          .code(201)
          .header('cache-control', 'no-store')
          .send({ ...made, token });
      },
    );

    app.delete(
      '/api/v1/tokens/:id',
      {
        ...admin,
        schema: {
          tags: ['access'],
          summary: 'Revoke a token',
          params: Type.Object({ id: Type.String({ maxLength: 64 }) }),
          response: { 204: done },
        },
      },
      async (request, reply) => {
        await database.write((tx) => revokeToken(stores(tx), request.params.id, askerOf(request)));
        return reply.code(204).send();
      },
    );
  };

function askerOf({ actor, role }: FastifyRequest): Asker {
  if (role === undefined) throw new PlatformError('http/unauthenticated', 'manage access'); // the permission hook gives everybody a role
  return { actor, role };
}
