/** What waits for people's consent, and giving it, over HTTP. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { PlatformError } from '../errors.ts';
import { eventStore } from '../events/event-store.ts';
import { itemsOf, list, maybe, time } from '../http/view.ts';
import { outcomes } from '../statistics/verdict.ts';
import { announce } from '../storage/announcements.ts';
import type { Database } from '../storage/database.ts';
import { type Approval, approvalState, approvalStates, sayWaiting } from './approval.ts';
import { approvalStore, consentTopic } from './approval-store.ts';
import { giveConsent } from './ask-approval.ts';

export type ApprovalRoutesDeps = { readonly database: Database; readonly now: () => number };

const tags = ['governance'];
const byId = Type.Object({ id: Type.String({ minLength: 1, maxLength: 100 }) });
const approvalView = Type.Object(
  {
    id: Type.String(),
    operation: Type.String({ description: 'The shipment that asked' }),
    project: Type.String(),
    endpoint: Type.String(),
    model: Type.String(),
    version: Type.Integer(),
    binding: Type.String({ description: 'Digest of everything that the consent is about' }),
    policy: Type.Object({
      people: Type.Integer({ description: 'So many different people must agree' }),
      notAuthor: Type.Boolean({ description: 'Neither who registered the version nor who asked to ship it counts' }),
    }),
    requester: Type.String(),
    author: Type.String({ description: 'Who registered the version' }),
    gates: Type.Object({ outcome: Type.Enum([...outcomes]), reason: Type.String() }),
    reason: maybe(Type.String({ description: 'Of whoever asked' })),
    askedAt: time(),
    expiresAt: time('When it is too late'),
    consents: list(
      Type.Object({
        person: Type.String(),
        decision: Type.Enum(['grant', 'refuse']),
        reason: maybe(Type.String()),
        at: time(),
      }),
      { description: 'In the order in which they were given' },
    ),
    closed: maybe(
      Type.Enum(['used', 'refused', 'expired'], {
        description: '`used`: its rollout has begun; the next one asks anew',
      }),
    ),
    state: Type.Enum([...approvalStates]),
    says: maybe(Type.String({ description: 'What is still missing; only while it is open' })),
  },
  { title: 'Approval' },
);

export const approvalRoutes =
  ({ database, now }: ApprovalRoutesDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const view = (approval: Approval) => {
      const state = approvalState(approval, now());
      return { ...approval, state, ...(state === 'open' && { says: sayWaiting(approval) }) };
    };

    app.get(
      '/api/v1/approvals',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'List what waits for consent, or waited for it, newest first',
          querystring: Type.Object({
            project: Type.Optional(Type.String({ maxLength: 100 })),
            open: Type.Optional(Type.Boolean({ description: 'Only what waits' })),
            limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
          }),
          response: { 200: itemsOf(approvalView) },
        },
      },
      async ({ query }) => {
        const found = (await approvalStore(database.read).list(query)).map(view);
        return { items: query.open ? found.filter(({ state }) => state === 'open') : found };
      },
    );

    app.get(
      '/api/v1/approvals/:id',
      {
        config: { permission: 'read' },
        schema: { tags, summary: 'Show one approval', params: byId, response: { 200: approvalView } },
      },
      async ({ params: { id } }) => {
        const found = await approvalStore(database.read).find(id);
        if (!found) throw new PlatformError('governance/approval-not-found', id);
        return view(found);
      },
    );

    for (const decision of ['grant', 'refuse'] as const) {
      app.post(
        `/api/v1/approvals/:id/${decision}`,
        {
          config: { permission: 'deploy' },
          schema: {
            tags,
            summary: decision === 'grant' ? 'Agree to a change' : 'Refuse a change: it does not happen',
            params: byId,
            body: Type.Object(
              { reason: Type.Optional(Type.String({ maxLength: 2000 })) },
              { additionalProperties: false },
            ),
            response: { 200: approvalView },
          },
        },
        async ({ params: { id }, body: { reason }, actor }) =>
          view(
            await database.write((tx) => {
              announce(tx, consentTopic);
              const deps = { approvals: approvalStore(tx), events: eventStore(tx), now };
              return giveConsent(deps, { id, actor, decision, reason });
            }),
          ),
      );
    }
  };
