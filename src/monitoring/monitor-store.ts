/** Judged windows, and how far each endpoint was judged: rows <-> types. */

import type { VersionRef } from '../serving/traffic.ts';
import type { Db } from '../storage/database.ts';
import type { Firing, MonitorKind } from './alert.ts';
import type { JudgedWindow } from './judge-windows.ts';

export type MonitorTables = {
  monitor_windows: {
    endpoint: string;
    monitor: string;
    window_end: number;
    model: string;
    version: number;
    judged: string;
  };
  monitor_states: { endpoint: string; state: string };
};

export type StoredWindow = JudgedWindow & { readonly version: VersionRef };

/** All that is needed to go on after a restart; the rest is in the log. */
export type MonitorState = {
  readonly version?: VersionRef;
  readonly generation: number;
  /** The log is read again after this. */
  readonly restartSeq: number;
  /** First day of the log that was seen: a window that begins before is not whole. */
  readonly firstDay?: number;
  /** End of the last judged window by monitor. */
  readonly judged: Readonly<Partial<Record<MonitorKind, number>>>;
  readonly firing: Readonly<Partial<Record<MonitorKind, Readonly<Record<string, Firing>>>>>;
};

export const noMonitorState: MonitorState = { generation: -1, restartSeq: 0, judged: {}, firing: {} };

export const monitorStore = (db: Db) => {
  const tables = db.withTables<MonitorTables>();
  return {
    state: async (endpoint: string): Promise<MonitorState> => {
      const row = await tables
        .selectFrom('monitor_states')
        .select('state')
        .where('endpoint', '=', endpoint)
        .executeTakeFirst();
      return row ? JSON.parse(row.state) : noMonitorState;
    },

    saveState: async (endpoint: string, state: MonitorState): Promise<void> => {
      const text = JSON.stringify(state);
      await tables
        .insertInto('monitor_states')
        .values({ endpoint, state: text })
        .onConflict((conflict) => conflict.column('endpoint').doUpdateSet({ state: text }))
        .execute();
    },

    saveWindow: async (endpoint: string, { version, ...judged }: StoredWindow): Promise<void> => {
      const row = { model: version.model, version: version.version, judged: JSON.stringify(judged) };
      await tables
        .insertInto('monitor_windows')
        .values({ endpoint, monitor: judged.result.monitor, window_end: judged.end, ...row })
        .onConflict((conflict) => conflict.columns(['endpoint', 'monitor', 'window_end']).doUpdateSet(row))
        .execute();
    },

    /** Oldest first; the newest `limit` of them. */
    windows: async (
      endpoint: string,
      monitor: MonitorKind,
      { from, limit }: { readonly from?: number | undefined; readonly limit: number },
    ): Promise<readonly StoredWindow[]> => {
      let select = tables
        .selectFrom('monitor_windows')
        .selectAll()
        .where('endpoint', '=', endpoint)
        .where('monitor', '=', monitor);
      if (from !== undefined) select = select.where('window_end', '>', from);
      const rows = await select.orderBy('window_end', 'desc').limit(limit).execute();
      return rows.reverse().map(({ model, version, judged }) => ({
        ...(JSON.parse(judged) as JudgedWindow),
        version: { model, version: Number(version) },
      }));
    },
  };
};
