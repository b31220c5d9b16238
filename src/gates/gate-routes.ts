import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { PlatformError } from '../errors.ts';
import { operationStarted } from '../http/view.ts';
import { jobStore } from '../jobs/job-store.ts';
import { submitJob } from '../jobs/submit-job.ts';
import { versionStore } from '../registry/version-store.ts';
import { versionKey } from '../serving/traffic.ts';
import { outcomes } from '../statistics/verdict.ts';
import type { Database } from '../storage/database.ts';
import type { GateReport } from './gate.ts';
import { gateStore } from './gate-store.ts';
import { requestGates } from './run-gates.ts';

const outcome = Type.Enum([...outcomes]);
const number = Type.Optional(Type.Number());
const ref = Type.Object({ model: Type.String(), version: Type.Integer({ minimum: 1 }) });
const params = Type.Object({ model: Type.String({ minLength: 1 }), version: Type.Integer({ minimum: 1 }) });

const testView = Type.Object({
  kind: Type.String(),
  test: Type.String(),
  applies: Type.Boolean(),
  onInconclusive: Type.Enum(['block', 'pass']),
  verdict: Type.Object({
    outcome,
    reason: Type.String(),
    value: number,
    lower: number,
    upper: number,
    threshold: number,
    n: Type.Number(),
    window: Type.Optional(Type.String()),
    method: Type.String(),
  }),
  slices: Type.Optional(
    Type.Array(
      Type.Object({
        slice: Type.String(),
        rows: Type.Number(),
        outcome: Type.Enum([...outcomes, 'small']),
        value: number,
        lower: number,
        upper: number,
      }),
    ),
  ),
});

const reportView = Type.Object({
  id: Type.String(),
  project: Type.String(),
  model: Type.String(),
  version: Type.Integer(),
  against: Type.Optional(ref),
  outcome,
  tests: Type.Array(testView),
  dataDigest: Type.Optional(Type.String()),
  actor: Type.String(),
  decidedAt: Type.Number(),
});

export type GateRoutesDeps = {
  readonly database: Database;
  readonly now: () => number;
  readonly newId: () => string;
};

/** Testing a version and reading what came out. */
export const gateRoutes =
  ({ database, now, newId }: GateRoutesDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '/api/v1/models/:model/versions/:version/gates',
      {
        config: { permission: 'write' },
        schema: {
          tags: ['gates'],
          summary: 'Test a version against the gates of its project',
          params,
          // Without a body the framework gives null.
          body: Type.Union([
            Type.Object(
              { against: Type.Optional(ref) },
              { additionalProperties: false, description: '`against`: another version than the one that serves.' },
            ),
            Type.Null(),
          ]),
          response: { 202: operationStarted },
        },
      },
      async ({ params: version, body, actor }, reply) => {
        const operation = await database.write((tx) =>
          requestGates(
            {
              versions: versionStore(tx),
              submit: (job) => submitJob({ jobs: jobStore(tx), now, newId }, job),
            },
            { ...version, ...(body?.against && { against: body.against }), actor },
          ),
        );
        return reply.code(202).send({ operation });
      },
    );

    app.get(
      '/api/v1/models/:model/versions/:version/gates',
      {
        config: { permission: 'read' },
        schema: {
          tags: ['gates'],
          summary: 'The latest report on a version',
          params,
          response: { 200: reportView },
        },
      },
      async ({ params: { model, version } }) => {
        const report = await gateStore(database.read).latest(model, version);
        if (report) return viewReport(report);
        if (!(await versionStore(database.read).find(model, version))) {
          throw new PlatformError('registry/version-not-found', versionKey({ model, version }));
        }
        throw new PlatformError('gates/no-report', versionKey({ model, version }), {
          hint: `POST /api/v1/models/${model}/versions/${version}/gates`,
        });
      },
    );
  };

/** The report as it is; the schema's lists are only not marked as read-only. */
function viewReport(report: GateReport): Static<typeof reportView> {
  const tests = report.tests.map(({ slices, ...test }) => ({ ...test, ...(slices && { slices: [...slices] }) }));
  return { ...report, tests };
}
