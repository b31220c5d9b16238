/** `rondo ship` over HTTP. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { PlatformError } from '../errors.ts';
import { operationStarted } from '../http/view.ts';
import { requireVersion } from '../registry/register-version.ts';
import { versionStore } from '../registry/version-store.ts';
import { shareOf } from '../rollouts/quantity.ts';
import { rolloutPlan } from '../rollouts/rollout-config.ts';
import { forceBody } from '../rollouts/rollout-routes.ts';
import { rolloutStore } from '../rollouts/rollout-store.ts';
import { requireNoneRunning, requirePossible } from '../rollouts/start-rollout.ts';
import { endpointStore } from '../serving/endpoint-store.ts';
import { noTraffic } from '../serving/traffic.ts';
import type { Database } from '../storage/database.ts';
import type { ReadCurrentProject } from './current-project-adapter.ts';
import type { ShipWorker } from './ship-worker.ts';

export type ShipRoutesDeps = {
  readonly database: Database;
  readonly readProject: ReadCurrentProject;
  readonly shipments: ShipWorker;
};

export const shipRoutes =
  ({ database, readProject, shipments }: ShipRoutesDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '/api/v1/projects/:project/ship',
      {
        config: { permission: 'deploy' },
        schema: {
          tags: ['rollouts'],
          summary: 'Test a version by its gates and roll it out; without a version, the newest one',
          params: Type.Object({ project: Type.String() }),
          body: Type.Object(
            {
              model: Type.Optional(Type.String({ description: 'Refused where the project ships another one' })),
              version: Type.Optional(Type.Integer({ minimum: 1 })),
              force: Type.Optional(forceBody),
              reason: Type.Optional(Type.String({ maxLength: 2000 })),
            },
            { additionalProperties: false },
          ),
          response: {
            202: Type.Object({ ...operationStarted.properties, model: Type.String(), version: Type.Integer() }),
          },
        },
      },
      async (request, reply) => {
        const { name, config } = await readProject(request.params.project);
        if (!config.endpoint || !config.model) {
          throw new PlatformError('lifecycle/no-endpoint', name, {
            hint: 'write `model:` and `endpoint:` into rondo.yaml',
          });
        }
        const model = config.model.name;
        const { model: wanted = model, force: wishes, reason } = request.body;
        if (wanted !== model)
          throw new PlatformError('lifecycle/other-model', wanted, { hint: `\`model:\` of ${name} is ${model}` });
        const versions = versionStore(database.read);
        const version = request.body.version ?? (await versions.list(model))[0]?.version;
        if (version === undefined) throw new PlatformError('lifecycle/nothing-to-ship', model);
        await requireVersion(versions, model, version);
        const force = wishes && {
          gates: wishes.gates,
          shadow: wishes.shadow,
          ...(wishes.from !== undefined && { from: shareOf(wishes.from) }),
        };
        const endpoint = config.endpoint.name;
        const stored = await endpointStore(database.read).find(endpoint);
        requirePossible({
          ...{ challenger: { model, version }, plan: rolloutPlan(config.rollout), force, reason },
          traffic: stored?.traffic ?? noTraffic,
        });
        requireNoneRunning(await rolloutStore(database.read).running(), endpoint);
        const operation = await shipments.request(
          {
            ...{ project: name, endpoint, model, version },
            ...(force && { force }),
            ...(reason !== undefined && { reason }),
          },
          { actor: request.actor, gates: config.gates !== undefined },
        );
        return reply.code(202).send({ operation, model, version });
      },
    );
  };
