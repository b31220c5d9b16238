/** Rollouts in the database: rows <-> types. */
import type { Db } from '../storage/database.ts';
import type { Findings } from './findings.ts';
import { type Condition, isOver, type Rollout } from './rollout.ts';

export type RolloutTables = {
  rollouts: {
    id: string;
    endpoint: string;
    project: string;
    running: string | null;
    state: string;
    rollout: string;
    findings: string | null;
    created_at: number;
  };
};

/** What was seen at the last look, for whoever asks. */
export type Look = {
  readonly findings: Findings;
  readonly conditions: readonly Condition[];
  readonly because: string;
  /** The endpoint's clock. */
  readonly clock: number;
};

export type RolloutStore = ReturnType<typeof rolloutStore>;

export const rolloutStore = (db: Db) => {
  const tables = db.withTables<RolloutTables>();
  return {
    /** @returns false when the endpoint has a running rollout already */
    insert: async (rollout: Rollout): Promise<boolean> => {
      const row = await tables
        .insertInto('rollouts')
        .values({ ...columnsOf(rollout), id: rollout.id, findings: null, created_at: rollout.startedAt })
        .onConflict((conflict) => conflict.column('running').doNothing())
        .returning('id')
        .executeTakeFirst();
      return row !== undefined;
    },

    find: async (id: string): Promise<Rollout | undefined> => {
      const row = await tables.selectFrom('rollouts').select('rollout').where('id', '=', id).executeTakeFirst();
      return row && rolloutOf(row);
    },

    lastLook: async (id: string): Promise<Look | undefined> => {
      const row = await tables.selectFrom('rollouts').select('findings').where('id', '=', id).executeTakeFirst();
      return row?.findings ? JSON.parse(row.findings) : undefined;
    },

    running: async (): Promise<readonly Rollout[]> => {
      const rows = await tables
        .selectFrom('rollouts')
        .select('rollout')
        .where('running', 'is not', null)
        .orderBy('id')
        .execute();
      return rows.map(rolloutOf);
    },

    /** Newest first. */
    list: async (query: {
      readonly endpoint?: string | undefined;
      readonly project?: string | undefined;
      readonly before?: { readonly createdAt: number; readonly id: string } | undefined;
      readonly limit: number;
    }): Promise<readonly Rollout[]> => {
      let select = tables.selectFrom('rollouts').select('rollout');
      const { endpoint, project, before } = query;
      if (endpoint !== undefined) select = select.where('endpoint', '=', endpoint);
      if (project !== undefined) select = select.where('project', '=', project);
      if (before) {
        select = select.where((where) =>
          where.or([
            where('created_at', '<', before.createdAt),
            where.and([where('created_at', '=', before.createdAt), where('id', '<', before.id)]),
          ]),
        );
      }
      const rows = await select.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(query.limit).execute();
      return rows.map(rolloutOf);
    },

    /** Replaces what was read. @returns false when somebody else has changed it since */
    replace: async (before: Rollout, after: Rollout): Promise<boolean> => {
      const row = await tables
        .updateTable('rollouts')
        .set(columnsOf(after))
        .where('id', '=', before.id)
        .where('rollout', '=', JSON.stringify(before))
        .returning('id')
        .executeTakeFirst();
      return row !== undefined;
    },

    saveLook: async (id: string, look: Look): Promise<void> => {
      await tables
        .updateTable('rollouts')
        .set({ findings: JSON.stringify(look) })
        .where('id', '=', id)
        .execute();
    },
  };
};

const columnsOf = (rollout: Rollout) => ({
  endpoint: rollout.endpoint,
  project: rollout.project,
  running: isOver(rollout.state) ? null : rollout.endpoint,
  state: rollout.state.kind,
  rollout: JSON.stringify(rollout),
});

const rolloutOf = (row: { rollout: string }): Rollout => JSON.parse(row.rollout);
