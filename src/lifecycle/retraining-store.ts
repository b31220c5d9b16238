/** What the loop has started: rows <-> types. */
import type { Db } from '../storage/database.ts';
import type { Retraining } from './retraining.ts';

type RetrainingTables = {
  retrainings: {
    id: string;
    project: string;
    endpoint: string;
    trigger: string;
    state: string;
    started_at: number;
    started_clock: number;
    detail: string;
  };
};

export const retrainingStore = (db: Db) => {
  const tables = db.withTables<RetrainingTables>();
  return {
    /** @returns false when one with this id is there already */
    insert: async (retraining: Retraining): Promise<boolean> => {
      const row = await tables
        .insertInto('retrainings')
        .values({ id: retraining.id, ...columnsOf(retraining) })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .returning('id')
        .executeTakeFirst();
      return row !== undefined;
    },
    replace: async (retraining: Retraining): Promise<void> => {
      await tables.updateTable('retrainings').set(columnsOf(retraining)).where('id', '=', retraining.id).execute();
    },
    /** The last one that was really started. */
    last: async (endpoint: string): Promise<Retraining | undefined> => {
      const row = await tables
        .selectFrom('retrainings')
        .select('detail')
        .where('endpoint', '=', endpoint)
        .where('state', '!=', 'skipped')
        .orderBy('started_clock', 'desc')
        .orderBy('started_at', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row && JSON.parse(row.detail);
    },
    /** Newest first. */
    list: async (endpoint: string, limit: number): Promise<readonly Retraining[]> => {
      const rows = await tables
        .selectFrom('retrainings')
        .select('detail')
        .where('endpoint', '=', endpoint)
        .orderBy('started_at', 'desc')
        .limit(limit)
        .execute();
      return rows.map(({ detail }) => JSON.parse(detail));
    },
  };
};

const columnsOf = (retraining: Retraining) => ({
  project: retraining.project,
  endpoint: retraining.endpoint,
  trigger: retraining.trigger,
  state: retraining.state,
  started_at: retraining.startedAt,
  started_clock: retraining.startedClock,
  detail: JSON.stringify(retraining),
});
