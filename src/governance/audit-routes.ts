/** The log over HTTP: what happened, whether it is still what was written, and the proof for one entry. */
import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { PlatformError } from '../errors.ts';
import { parseCheckpoint } from '../events/checkpoint.ts';
import { checkpointStore } from '../events/checkpoint-store.ts';
import type { LoggedEvent } from '../events/event.ts';
import { lastPosition, readEvents } from '../events/event-store.ts';
import { auditLog } from '../events/log-audit-store.ts';
import { entryHash } from '../events/log-entry.ts';
import type { LogProofs } from '../events/log-proof-store.ts';
import type { LogVerification } from '../events/verify-log.ts';
import { textOf } from '../http/view.ts';
import type { Database } from '../storage/database.ts';

export type AuditRoutesDeps = {
  readonly database: Database;
  readonly proofs: LogProofs;
  /** Folders with checkpoint files and verifier keys. */
  readonly checkpointFolders: readonly string[];
  readonly now: () => number;
};

const eventView = Type.Object({
  position: Type.Integer(),
  type: Type.String(),
  project: Type.String(),
  subject: Type.String(),
  actor: Type.String(),
  at: Type.Integer(),
  endpointTime: Type.Optional(Type.Number()),
  reason: Type.Optional(Type.String()),
  data: Type.Record(Type.String(), Type.Unknown()),
});

const verificationView = Type.Object({
  size: Type.Integer(),
  at: Type.Integer(),
  checkpoints: Type.Integer(),
  root: Type.Optional(Type.String()),
  bad: Type.Optional(Type.Object({ position: Type.Integer(), kind: Type.String(), why: Type.String() })),
});

const checkpointsShown = 100;
const exportPage = 500;

export const auditRoutes =
  ({ database, proofs, checkpointFolders, now }: AuditRoutesDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    let verified: ReturnType<typeof verificationOf> | undefined;

    app.get(
      '/api/v1/events',
      {
        config: { permission: 'read' },
        schema: {
          tags: ['events'],
          summary: 'Read the log; the cursor is a position',
          querystring: Type.Object({
            order: Type.Enum(['oldest', 'newest'], { default: 'oldest' }),
            limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
            after: Type.Optional(Type.Integer({ minimum: 0 })),
            types: Type.Optional(Type.String({ maxLength: 1000, description: 'Several, with commas between.' })),
            subject: Type.Optional(Type.String({ maxLength: 500 })),
            project: Type.Optional(Type.String({ maxLength: 200 })),
          }),
          response: { 200: Type.Object({ items: Type.Array(eventView), next: Type.Optional(Type.Integer()) }) },
        },
      },
      async ({ query: { types, ...query } }) => {
        const items = await readEvents(database.read, { ...query, types: types?.split(',') });
        const last = items.length === query.limit ? items.at(-1)?.position : undefined;
        return { items: [...items], ...(last !== undefined && { next: last }) };
      },
    );

    app.get(
      '/api/v1/audit',
      {
        config: { permission: 'read' },
        schema: {
          tags: ['events'],
          summary: 'How long the log is, what was signed, and what the last verification found',
          response: {
            200: Type.Object({
              size: Type.Integer(),
              verified: Type.Optional(verificationView),
              checkpoints: Type.Array(Type.Object({ size: Type.Integer(), root: Type.String(), at: Type.Integer() })),
            }),
          },
        },
      },
      async () => {
        const checkpoints = await checkpointStore(database.read).newest(checkpointsShown);
        return {
          size: await lastPosition(database.read),
          ...(verified && { verified }),
          checkpoints: checkpoints.map(({ size, note, at }) => ({ size, at, root: hex(parseCheckpoint(note)?.root) })),
        };
      },
    );

    app.post(
      '/api/v1/audit/verify',
      {
        config: { permission: 'read' },
        preValidation: async (request) => {
          request.body ??= {};
        },
        schema: {
          tags: ['events'],
          summary:
            'Recompute the log from its entries, and compare it with what was signed and with what was kept elsewhere',
          body: Type.Object(
            {
              checkpoints: Type.Optional(
                Type.Array(Type.Object({ source: Type.String({ maxLength: 1000 }), note: Type.String() }), {
                  maxItems: 10_000,
                }),
              ),
              verifierKeys: Type.Optional(Type.Array(Type.String({ maxLength: 10_000 }), { maxItems: 100 })),
            },
            { additionalProperties: false },
          ),
          response: { 200: verificationView },
        },
      },
      async ({ body: { checkpoints: kept = [], verifierKeys = [] } }) => {
        const size = await lastPosition(database.read);
        const found = await auditLog({ database, folders: checkpointFolders, kept, verifierKeys });
        verified = verificationOf(found, size, now());
        return verified;
      },
    );

    app.get(
      '/api/v1/audit/entries/:position/proof',
      {
        config: { permission: 'read' },
        schema: {
          tags: ['events'],
          summary: 'That one entry is in the log of the newest checkpoint (RFC 6962 inclusion proof)',
          params: Type.Object({ position: Type.Integer({ minimum: 1 }) }),
          response: {
            200: Type.Object({
              position: Type.Integer(),
              leaf: Type.String(),
              size: Type.Integer(),
              root: Type.String(),
              hashes: Type.Array(Type.String()),
              checkpoint: Type.String(),
            }),
          },
        },
      },
      async ({ params: { position } }) => {
        const [entry] = await readEvents(database.read, { after: position - 1, limit: 1 });
        const [checkpoint] = await checkpointStore(database.read).newest(1);
        if (entry?.position !== position) throw new PlatformError('events/no-entry', String(position));
        if (!checkpoint || checkpoint.size < position) {
          throw new PlatformError('governance/not-signed-yet', String(position), {
            hint: 'a checkpoint follows within a second',
          });
        }
        const hashes = await proofs.inclusion(position, checkpoint.size);
        return {
          position,
          leaf: hex(entryHash(entry)),
          size: checkpoint.size,
          root: hex(parseCheckpoint(checkpoint.note)?.root),
          hashes: hashes.map(hex),
          checkpoint: checkpoint.note,
        };
      },
    );

    app.get(
      '/api/v1/audit/export',
      {
        config: { permission: 'read' },
        schema: {
          tags: ['events'],
          summary: 'The whole log, one JSON object a line',
          response: { 200: textOf('application/x-ndjson', 'Events as `GET /api/v1/events` has them, oldest first') },
        },
      },
      ({ method }, reply) =>
        reply
          .type('application/x-ndjson')
          .header('content-disposition', 'attachment; filename="rondo-audit.ndjson"')
          .send(Readable.from(method === 'HEAD' ? [] : lines(database))), // nobody would read them
    );
  };

async function* lines(database: Database): AsyncGenerator<string> {
  for (let after = 0; ; ) {
    const events: readonly LoggedEvent[] = await readEvents(database.read, { after, limit: exportPage });
    for (const event of events) yield `${JSON.stringify(event)}\n`;
    const last = events.at(-1);
    if (!last) return;
    after = last.position;
  }
}

function verificationOf(found: LogVerification, size: number, at: number) {
  if (found.ok) return { size: found.size, at, checkpoints: found.checkpoints, root: hex(found.root) };
  const { position, kind, says } = found.problem;
  return { size, at, checkpoints: 0, bad: { position, kind, why: says } };
}

const hex = (hash: Uint8Array | undefined): string => (hash ? Buffer.from(hash).toString('hex') : '');
