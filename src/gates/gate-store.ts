/** Gate reports in the database. */
import type { Db } from '../storage/database.ts';
import type { GateReport } from './gate.ts';

export type GateTables = {
  gate_reports: {
    id: string;
    project: string;
    model: string;
    version: number;
    outcome: string;
    report: string;
    decided_at: number;
  };
};

export const gateStore = (database: Db) => {
  const db = database.withTables<GateTables>();
  return {
    async insert(report: GateReport): Promise<void> {
      await db
        .insertInto('gate_reports')
        .values({
          id: report.id,
          project: report.project,
          model: report.model,
          version: report.version,
          outcome: report.outcome,
          report: JSON.stringify(report),
          decided_at: report.decidedAt,
        })
        .execute();
    },

    async latest(model: string, version: number): Promise<GateReport | undefined> {
      const row = await db
        .selectFrom('gate_reports')
        .select('report')
        .where('model', '=', model)
        .where('version', '=', version)
        .orderBy('decided_at', 'desc')
        .orderBy('id', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row && (JSON.parse(row.report) as GateReport); // written by `insert` only
    },
  };
};

export type GateStore = ReturnType<typeof gateStore>;
