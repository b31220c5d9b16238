/** Alerts in the database: rows <-> types. */
import type { Db } from '../storage/database.ts';
import type { Alert } from './alert.ts';

export type AlertTables = {
  alerts: {
    id: string;
    identity: string;
    open: string | null;
    endpoint: string;
    project: string;
    alert: string;
    opened_at: number;
  };
};

export type AlertStore = ReturnType<typeof alertStore>;

export const alertStore = (db: Db) => {
  const tables = db.withTables<AlertTables>();
  return {
    find: async (id: string): Promise<Alert | undefined> => {
      const row = await tables.selectFrom('alerts').select('alert').where('id', '=', id).executeTakeFirst();
      return row && alertOf(row);
    },
    findOpen: async (identity: string): Promise<Alert | undefined> => {
      const row = await tables.selectFrom('alerts').select('alert').where('open', '=', identity).executeTakeFirst();
      return row && alertOf(row);
    },
    insert: async (alert: Alert): Promise<void> => {
      await tables
        .insertInto('alerts')
        .values({ id: alert.id, opened_at: alert.openedAt, ...columnsOf(alert) })
        .execute();
    },
    replace: async (alert: Alert): Promise<void> => {
      await tables.updateTable('alerts').set(columnsOf(alert)).where('id', '=', alert.id).execute();
    },
    /** Newest first. */
    list: async (query: {
      readonly endpoint?: string | undefined;
      readonly project?: string | undefined;
      readonly open?: boolean | undefined;
      readonly before?: { readonly openedAt: number; readonly id: string } | undefined;
      readonly limit: number;
    }): Promise<readonly Alert[]> => {
      const { endpoint, project, open, before } = query;
      let select = tables.selectFrom('alerts').select('alert');
      if (endpoint !== undefined) select = select.where('endpoint', '=', endpoint);
      if (project !== undefined) select = select.where('project', '=', project);
      if (open !== undefined) select = select.where('open', open ? 'is not' : 'is', null);
      if (before) {
        select = select.where((where) =>
          where.or([
            where('opened_at', '<', before.openedAt),
            where.and([where('opened_at', '=', before.openedAt), where('id', '<', before.id)]),
          ]),
        );
      }
      const rows = await select.orderBy('opened_at', 'desc').orderBy('id', 'desc').limit(query.limit).execute();
      return rows.map(alertOf);
    },
  };
};

const columnsOf = (alert: Alert) => ({
  identity: alert.identity,
  open: alert.state === 'resolved' ? null : alert.identity,
  endpoint: alert.endpoint,
  project: alert.project,
  alert: JSON.stringify(alert),
});

const alertOf = (row: { alert: string }): Alert => JSON.parse(row.alert);
