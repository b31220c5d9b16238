import type { Db } from '../storage/database.ts';
import { lockName } from '../storage/lock-name.ts';
import type { Execution, ExecutionState, Findings, StepExecution, StepState } from './execution.ts';

export type ExecutionTables = {
  executions: {
    id: string;
    project: string;
    number: number;
    operation: string;
    state: string;
    actor: string;
    plan: string;
    findings: string | null;
    error: string | null;
    created_at: number;
    ended_at: number | null;
  };
  execution_steps: {
    execution: string;
    step: string;
    position: number;
    project: string;
    number: number;
    state: string;
    reason: string | null;
    cache_key: string | null;
    facts: string | null;
    outputs: string | null;
    model: string | null;
    run_id: string | null;
    error: string | null;
    started_at: number | null;
    ended_at: number | null;
  };
};

/** A step's last success, with the number of its execution. */
export type PastStep = { readonly number: number; readonly execution: string; readonly step: StepExecution };

export const executionStore = (db: Db) => {
  const tables = db.withTables<ExecutionTables>();
  const succeeded = (project: string, step: string) =>
    tables
      .selectFrom('execution_steps')
      .selectAll()
      .where('project', '=', project)
      .where('step', '=', step)
      .where('state', 'in', ['done', 'cached'] satisfies StepState[])
      .orderBy('number', 'desc')
      .limit(1);

  return {
    /** For whoever numbers or queues a project's executions. */
    async lockProject(project: string): Promise<void> {
      await lockName(db, `executions/${project}`);
    },

    /** The execution whose turn it is: the one that is in the folder, or else the one that has waited longest. */
    async first(project: string): Promise<{ readonly id: string; readonly state: ExecutionState } | undefined> {
      const rows = await tables
        .selectFrom('executions')
        .select(['id', 'state', 'number'])
        .where('project', '=', project)
        .where('state', 'in', ['queued', 'planning', 'running'] satisfies ExecutionState[])
        .orderBy('number')
        .execute();
      const row = rows.find(({ state }) => state !== 'queued') ?? rows[0];
      return row && { id: row.id, state: row.state as ExecutionState }; // written by this store only
    },

    /** The number that comes next, under the project's lock. */
    async nextNumber(project: string): Promise<number> {
      const row = await tables
        .selectFrom('executions')
        .select((is) => is.fn.max('number').as('last'))
        .where('project', '=', project)
        .executeTakeFirst();
      return (row?.last ?? 0) + 1;
    },

    async insert(execution: Execution): Promise<void> {
      const { id, project, number } = execution;
      await tables
        .insertInto('executions')
        .values({
          id,
          project,
          number,
          operation: execution.operation,
          state: execution.state,
          actor: execution.actor,
          plan: JSON.stringify(execution.plan),
          findings: null,
          error: null,
          created_at: execution.createdAt,
          ended_at: null,
        })
        .execute();
      if (execution.plan.steps.length === 0) return;
      await tables
        .insertInto('execution_steps')
        .values(
          execution.plan.steps.map(({ name }, position) => ({
            execution: id,
            step: name,
            position,
            project,
            number,
            state: 'waiting',
            reason: null,
            cache_key: null,
            facts: null,
            outputs: null,
            model: null,
            run_id: null,
            error: null,
            started_at: null,
            ended_at: null,
          })),
        )
        .execute();
    },

    /** For whoever decides on what it reads: two steps that end at once must see each other. */
    async lock(id: string): Promise<void> {
      await tables
        .updateTable('executions')
        .set((is) => ({ number: is.ref('number') }))
        .where('id', '=', id)
        .execute();
    },

    async find(id: string): Promise<Execution | undefined> {
      const row = await tables.selectFrom('executions').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toExecution(row);
    },

    /** Newest first. @param before only executions with a lower number */
    async list(project: string, page: { limit: number; before?: number }): Promise<readonly Execution[]> {
      let query = tables.selectFrom('executions').selectAll().where('project', '=', project);
      if (page.before !== undefined) query = query.where('number', '<', page.before);
      const rows = await query.orderBy('number', 'desc').limit(page.limit).execute();
      return rows.map(toExecution);
    },

    async steps(execution: string): Promise<readonly StepExecution[]> {
      const rows = await tables
        .selectFrom('execution_steps')
        .selectAll()
        .where('execution', '=', execution)
        .orderBy('position')
        .execute();
      return rows.map(toStep);
    },

    async update(
      id: string,
      change: { state?: ExecutionState; findings?: Findings; error?: string; endedAt?: number },
    ): Promise<void> {
      await tables
        .updateTable('executions')
        .set({
          ...(change.state !== undefined && { state: change.state }),
          ...(change.findings !== undefined && { findings: JSON.stringify(change.findings) }),
          ...(change.error !== undefined && { error: change.error }),
          ...(change.endedAt !== undefined && { ended_at: change.endedAt }),
        })
        .where('id', '=', id)
        .execute();
    },

    async updateStep(execution: string, step: string, change: Partial<Omit<StepExecution, 'step'>>): Promise<void> {
      const { state, reason, key, facts, outputs, model, runId, error, startedAt, endedAt } = change;
      await tables
        .updateTable('execution_steps')
        .set({
          ...(state !== undefined && { state }),
          ...(reason !== undefined && { reason }),
          ...(key !== undefined && { cache_key: key }),
          ...(facts !== undefined && { facts: JSON.stringify(facts) }),
          ...(outputs !== undefined && { outputs: JSON.stringify(outputs) }),
          ...(model !== undefined && { model: JSON.stringify(model) }),
          ...(runId !== undefined && { run_id: runId }),
          ...(error !== undefined && { error }),
          ...(startedAt !== undefined && { started_at: startedAt }),
          ...(endedAt !== undefined && { ended_at: endedAt }),
        })
        .where('execution', '=', execution)
        .where('step', '=', step)
        .execute();
    },

    /** The newest success of a step, whatever it read: what an explanation compares with. */
    async lastSuccess(project: string, step: string): Promise<PastStep | undefined> {
      const row = await succeeded(project, step).executeTakeFirst();
      return row && { number: row.number, execution: row.execution, step: toStep(row) };
    },

    /** The newest success that read exactly this. */
    async cached(project: string, step: string, key: string): Promise<PastStep | undefined> {
      const row = await succeeded(project, step).where('cache_key', '=', key).executeTakeFirst();
      return row && { number: row.number, execution: row.execution, step: toStep(row) };
    },

    /** Steps whose model waits to become a version, of all executions. */
    async registering(): Promise<readonly { readonly execution: string; readonly step: string }[]> {
      return tables
        .selectFrom('execution_steps')
        .select(['execution', 'step'])
        .where('state', '=', 'registering')
        .execute();
    },
  };
};
export type ExecutionStore = ReturnType<typeof executionStore>;

function toExecution(row: ExecutionTables['executions']): Execution {
  return {
    id: row.id,
    project: row.project,
    number: row.number,
    operation: row.operation,
    state: row.state as ExecutionState, // written by this store only
    actor: row.actor,
    plan: JSON.parse(row.plan),
    ...(row.findings !== null && { findings: JSON.parse(row.findings) }),
    ...(row.error !== null && { error: row.error }),
    createdAt: row.created_at,
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
  };
}

function toStep(row: ExecutionTables['execution_steps']): StepExecution {
  return {
    step: row.step,
    state: row.state as StepState, // written by this store only
    ...(row.reason !== null && { reason: row.reason }),
    ...(row.cache_key !== null && { key: row.cache_key }),
    ...(row.facts !== null && { facts: JSON.parse(row.facts) }),
    ...(row.outputs !== null && { outputs: JSON.parse(row.outputs) }),
    ...(row.model !== null && { model: JSON.parse(row.model) }),
    ...(row.run_id !== null && { runId: row.run_id }),
    ...(row.error !== null && { error: row.error }),
    ...(row.started_at !== null && { startedAt: row.started_at }),
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
  };
}
