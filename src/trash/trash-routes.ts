/** The trash over HTTP: what was deleted, its way back, and its end. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { PlatformError } from '../errors.ts';
import { done, maybe, operationStarted, pageOf, time } from '../http/view.ts';
import { notInTrash, restoreItem } from './change-item.ts';
import { changeStores, type PurgeDeps, purgeNow, servingEndpoint } from './purge-adapter.ts';
import type { PurgeWorker } from './purge-worker.ts';
import { positionOf, type TrashItem, type TrashKind, type TrashPosition, trashKinds } from './trash.ts';
import { trashStore } from './trash-store.ts';

type Deps = Pick<PurgeDeps, 'database' | 'artifacts' | 'served' | 'now'> & { readonly worker: PurgeWorker };

const tags = ['trash'];
const Kind = Type.Union(trashKinds.map((kind) => Type.Literal(kind)));
const ofItem = Type.Object({ kind: Kind, id: Type.String({ minLength: 1, description: 'As the list tells it' }) });
const itemView = Type.Object(
  {
    kind: Type.Enum([...trashKinds]),
    id: Type.String({ description: 'Unique within its kind' }),
    name: Type.String(),
    project: Type.String(),
    deletedAt: time(),
    experimentId: maybe(Type.String({ description: 'Of a run or a logged model' })),
    holds: maybe(Type.Integer({ description: 'How many runs go with an experiment, or versions with a model' })),
  },
  { title: 'TrashItem' },
);
const dayMs = 86_400_000;

export const trashRoutes =
  ({ database, artifacts, served, now, worker }: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    async function requireItem({ kind, id }: Static<typeof ofItem>): Promise<TrashItem> {
      const item = await trashStore(database.read).find(kind, id);
      if (!item) throw notInTrash(kind, id);
      return item;
    }

    app.get(
      '/api/v1/trash',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'List what was deleted, newest first',
          querystring: Type.Object({
            kind: Type.Optional(Kind),
            limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
            cursor: Type.Optional(Type.String()),
          }),
          response: { 200: pageOf(itemView) },
        },
      },
      async ({ query: { kind, limit, cursor } }) => {
        const found = await trashStore(database.read).list({
          ...(kind !== undefined && { kinds: [kind] }),
          from: cursor === undefined ? undefined : readCursor(cursor),
          limit: limit + 1,
        });
        const items = found.slice(0, limit);
        const last = items.at(-1);
        return { items, ...(found.length > limit && last && { next: cursorOf(positionOf(last)) }) };
      },
    );

    app.post(
      '/api/v1/trash/:kind/:id/restore',
      {
        config: { permission: 'write' },
        schema: {
          tags,
          summary: 'Bring something back, with all that was deleted with it',
          params: ofItem,
          response: { 200: itemView },
        },
      },
      async ({ params, actor }) => {
        const item = await requireItem(params);
        await database.write((tx) => restoreItem(changeStores(tx, now), item, actor));
        return item;
      },
    );

    app.delete(
      '/api/v1/trash/:kind/:id',
      {
        config: { permission: 'admin' },
        schema: {
          tags,
          summary: 'Delete something for good, with its artifacts; its bytes are free after the next collection',
          params: ofItem,
          response: { 204: done },
        },
      },
      async ({ params, actor }, reply) => {
        const item = await requireItem(params);
        const endpoint = await servingEndpoint({ database, served }, item);
        if (endpoint !== undefined) {
          const hint = `Roll another version out on ${endpoint} first.`;
          throw new PlatformError('trash/in-use', `${item.kind} ${item.name}`, { hint });
        }
        await purgeNow({ database, artifacts, now }, item, actor);
        return reply.code(204).send();
      },
    );

    app.post(
      '/api/v1/trash/collect',
      {
        config: { permission: 'admin' },
        schema: {
          tags,
          summary: 'Delete for good what has been in the trash long enough, and the bytes that nothing needs any more',
          body: Type.Object(
            {
              olderThanMs: Type.Integer({ minimum: 0, default: 30 * dayMs, description: 'Since the deletion' }),
              dryRun: Type.Boolean({ default: false, description: 'Only tell what would go' }),
            },
            { additionalProperties: false },
          ),
          response: { 202: operationStarted },
        },
      },
      async ({ body, actor }, reply) => reply.code(202).send({ operation: await worker.collect(body, actor) }),
    );
  };

const cursorOf = ({ at, kind, id }: TrashPosition): string => `${at}:${kind}:${id}`;

function readCursor(cursor: string): TrashPosition {
  const [, at, kind, id = ''] = /^(\d{1,15}):([a-z-]+):(.+)$/s.exec(cursor) ?? [];
  const known = trashKinds.find((one): one is TrashKind => one === kind);
  const isWhole = known !== 'experiment' || /^\d{1,18}$/.test(id);
  if (at !== undefined && known && isWhole) return { at: Number(at), kind: known, id };
  throw new PlatformError('http/bad-request', 'cursor', { hint: 'Take the one that the page before gave.' });
}
