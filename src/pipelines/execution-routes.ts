import { open } from 'node:fs/promises';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { DataConfig } from '../datasets/data-config.ts';
import { PlatformError } from '../errors.ts';
import { pageOf } from '../http/view.ts';
import type { Database } from '../storage/database.ts';
import type { LogLine } from './command-adapter.ts';
import type { Execution, StepExecution } from './execution.ts';
import { executionStore } from './execution-store.ts';
import { executionInListView, executionView, logView } from './execution-view.ts';
import { planPipeline } from './pipeline.ts';
import { ParamValue, type PipelineConfig } from './pipeline-config.ts';
import { executionDeps, logFile } from './pipeline-worker.ts';
import { startExecution } from './start-execution.ts';

/** A linked project: only its own folder's commands ever run. Supplied by lifecycle. @throws when there is no such project */
export type ReadProjectPipeline = (project: string) => Promise<{
  readonly folder: string;
  readonly pipeline?: PipelineConfig;
  readonly data: DataConfig;
  /** The name of the model that `model:` steps make versions of. */
  readonly model?: string;
}>;

export type ExecutionRequest = {
  readonly project: string;
  readonly actor: string;
  readonly steps?: readonly string[];
  readonly params?: Readonly<Record<string, string | number | boolean>>;
  readonly force?: boolean;
};

type Deps = {
  readonly database: Database;
  readonly readProject: ReadProjectPipeline;
  readonly logFolder: string;
  readonly now: () => number;
  readonly newId: () => string;
};

/** Starts an execution of a project's pipeline: what the route does, and lifecycle when it retrains. */
export async function requestExecution(deps: Deps, request: ExecutionRequest): Promise<Execution> {
  const { database, readProject } = deps;
  const { project, actor, steps, params, force = false } = request;
  const { folder, pipeline, data, model } = await readProject(project);
  if (!pipeline || Object.keys(pipeline).length === 0) throw new PlatformError('pipelines/no-pipeline', project);
  const wanted = { ...(steps && { steps }), ...(params && { params }) };
  const planned = planPipeline(pipeline, Object.keys(data), wanted);
  const read = new Set(planned.flatMap(({ datasets }) => datasets));
  const plan = {
    folder,
    steps: planned,
    datasets: Object.entries(data)
      .filter(([name]) => read.has(name))
      .map(([name, { source, checks = [] }]) => ({ name, source, checks })),
    ...(model !== undefined && { model }),
    force,
    request: wanted,
  };
  return database.write((tx) => startExecution(executionDeps(tx, deps), { project, actor, plan }));
}

const tags = ['pipelines'];
const byId = Type.Object({ id: Type.String() });
/** Of the log, in one answer. */
const pageBytes = 256 * 1024;

export const executionRoutes =
  (deps: Deps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const store = executionStore(deps.database.read);

    app.post(
      '/api/v1/projects/:project/executions',
      {
        config: { permission: 'write' },
        schema: {
          tags,
          summary: 'Run the pipeline; steps whose inputs did not change are answered from the cache',
          params: Type.Object({ project: Type.String() }),
          body: Type.Object(
            {
              steps: Type.Optional(Type.Array(Type.String(), { minItems: 1 })),
              params: Type.Optional(Type.Record(Type.String(), ParamValue)),
              force: Type.Optional(Type.Boolean()),
            },
            { additionalProperties: false },
          ),
          response: {
            202: Type.Object({ operation: Type.String(), execution: Type.String(), number: Type.Integer() }),
          },
        },
      },
      async ({ params: { project }, body, actor }, reply) => {
        const { id, operation, number } = await requestExecution(deps, { project, actor, ...body });
        return reply.code(202).send({ operation, execution: id, number });
      },
    );

    app.get(
      '/api/v1/projects/:project/executions',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'List executions, newest first',
          params: Type.Object({ project: Type.String() }),
          querystring: Type.Object({
            limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
            cursor: Type.Optional(Type.Integer({ minimum: 1 })),
          }),
          response: { 200: pageOf(executionInListView) },
        },
      },
      async ({ params: { project }, query: { limit, cursor } }) => {
        const found = await store.list(project, { limit: limit + 1, ...(cursor !== undefined && { before: cursor }) });
        const items = found.slice(0, limit);
        const last = items.at(-1);
        const views = items.map(({ plan, findings: _findings, ...rest }) => ({
          ...rest,
          request: plan.request,
          steps: plan.steps.map(({ name }) => name),
        }));
        return { items: views, ...(found.length > limit && last && { next: String(last.number) }) };
      },
    );

    app.get(
      '/api/v1/executions/:id',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'One execution with its steps: states, reasons, times and outputs',
          params: byId,
          response: { 200: executionView },
        },
      },
      async ({ params: { id } }) => {
        const execution = await find(id);
        return viewExecution(execution, await store.steps(id));
      },
    );

    app.get(
      '/api/v1/executions/:id/log',
      {
        config: { permission: 'read' },
        schema: {
          tags,
          summary: 'What the commands have said so far; `next` is where to go on reading',
          params: byId,
          querystring: Type.Object({
            after: Type.Integer({ minimum: 0, default: 0 }),
            step: Type.Optional(Type.String()),
          }),
          response: { 200: logView },
        },
      },
      async ({ params: { id }, query: { after, step } }) => {
        const execution = await find(id);
        const page = await readLog(logFile(deps.logFolder, execution.id), after);
        return { items: page.lines.filter((line) => step === undefined || line.step === step), next: page.next };
      },
    );

    async function find(id: string): Promise<Execution> {
      const execution = await store.find(id);
      if (!execution) throw new PlatformError('pipelines/not-found', id);
      return execution;
    }
  };

function viewExecution({ plan, findings, ...execution }: Execution, steps: readonly StepExecution[]) {
  return {
    ...execution,
    request: plan.request,
    force: plan.force,
    ...(findings && { datasets: findings.datasets, environment: findings.environment }),
    steps: steps.map(({ step, facts, ...rest }) => {
      const planned = plan.steps.find(({ name }) => name === step);
      return {
        name: step,
        ...rest,
        command: planned?.argv ?? [],
        reads: [...(planned?.steps ?? []), ...(planned?.datasets ?? []), ...(planned?.files ?? [])],
        writes: planned?.writes ?? [],
        params: planned?.params ?? {},
        ...(planned?.seed !== undefined && { seed: planned.seed }),
        ...(facts && { files: facts.files, programs: facts.environment }),
      };
    }),
  };
}

/** Whole lines from a byte offset on. A log that is not there yet is an empty one. */
async function readLog(path: string, after: number): Promise<{ lines: readonly LogLine[]; next: number }> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return { lines: [], next: after };
  await using closing = file;
  const { buffer, bytesRead } = await closing.read(Buffer.allocUnsafe(pageBytes), 0, pageBytes, after);
  const end = buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1;
  const lines = buffer.toString('utf8', 0, end).split('\n').filter(Boolean);
  return { lines: lines.map((line) => JSON.parse(line)), next: after + end };
}
