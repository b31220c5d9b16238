/** Approvals in the database: rows <-> types. */
import type { Db } from '../storage/database.ts';
import type { Approval, ApprovalRequest, Consent } from './approval.ts';

type ApprovalTables = {
  approvals: {
    id: string;
    project: string;
    operation: string;
    live: string | null;
    asked_at: number;
    request: string;
    closed: NonNullable<Approval['closed']> | null;
  };
  approval_consents: {
    approval_id: string;
    person: string;
    decision: Consent['decision'];
    reason: string | null;
    at: number;
  };
};

/** Announced when a consent is given. */
export const consentTopic = 'governance.consent';

export type ApprovalStore = ReturnType<typeof approvalStore>;

export const approvalStore = (db: Db) => {
  const tables = db.withTables<ApprovalTables>();

  async function withConsents(rows: readonly ApprovalTables['approvals'][]): Promise<readonly Approval[]> {
    if (rows.length === 0) return [];
    const ids = rows.map(({ id }) => id);
    const consents = await tables
      .selectFrom('approval_consents')
      .selectAll()
      .where('approval_id', 'in', ids)
      .orderBy('at')
      .orderBy('person')
      .execute();
    const byApproval = Map.groupBy(consents, ({ approval_id }) => approval_id);
    return rows.map((row) => ({
      ...(JSON.parse(row.request) as ApprovalRequest), // written by `insert` only
      consents: (byApproval.get(row.id) ?? []).map(({ person, decision, reason, at }) => ({
        ...{ person, decision, at: Number(at) },
        ...(reason !== null && { reason }),
      })),
      ...(row.closed !== null && { closed: row.closed }),
    }));
  }

  return {
    find: async (id: string): Promise<Approval | undefined> => {
      const rows = await tables.selectFrom('approvals').selectAll().where('id', '=', id).execute();
      return (await withConsents(rows))[0];
    },
    /** The one that may still let this change happen. */
    findLive: async (binding: string): Promise<Approval | undefined> => {
      const rows = await tables.selectFrom('approvals').selectAll().where('live', '=', binding).execute();
      return (await withConsents(rows))[0];
    },
    /** What this shipment has asked, if it still asks the same. */
    findAsked: async (operation: string, binding: string): Promise<Approval | undefined> => {
      const rows = await tables
        .selectFrom('approvals')
        .selectAll()
        .where('operation', '=', operation)
        .orderBy('asked_at', 'desc')
        .limit(1)
        .execute();
      const [found] = await withConsents(rows);
      return found?.binding === binding ? found : undefined;
    },
    /** Takes the row, so that consents come one after another. */
    lock: async (id: string): Promise<void> => {
      await tables
        .updateTable('approvals')
        .set(({ ref }) => ({ live: ref('live') }))
        .where('id', '=', id)
        .execute();
    },
    /** @returns false when the same change is asked about already */
    insert: async (request: ApprovalRequest): Promise<boolean> => {
      const { id, project, operation, binding, askedAt } = request;
      const row = await tables
        .insertInto('approvals')
        .values({
          id,
          project,
          operation,
          live: binding,
          asked_at: askedAt,
          request: JSON.stringify(request),
          closed: null,
        })
        .onConflict((conflict) => conflict.column('live').doNothing())
        .returning('id')
        .executeTakeFirst();
      return row !== undefined;
    },
    /** In place of what this person has said before. */
    putConsent: async (id: string, { person, decision, reason, at }: Consent): Promise<void> => {
      await tables
        .insertInto('approval_consents')
        .values({ approval_id: id, person, decision, reason: reason ?? null, at })
        .onConflict((conflict) =>
          conflict.columns(['approval_id', 'person']).doUpdateSet({ decision, reason: reason ?? null, at }),
        )
        .execute();
    },
    close: async (id: string, closed: NonNullable<Approval['closed']>): Promise<boolean> => {
      const row = await tables
        .updateTable('approvals')
        .set({ live: null, closed })
        .where('id', '=', id)
        .where('live', 'is not', null)
        .returning('id')
        .executeTakeFirst();
      return row !== undefined;
    },
    /** Newest first. */
    list: async (query: {
      readonly project?: string | undefined;
      readonly open?: boolean | undefined;
      readonly limit: number;
    }): Promise<readonly Approval[]> => {
      let select = tables.selectFrom('approvals').selectAll();
      if (query.project !== undefined) select = select.where('project', '=', query.project);
      if (query.open) select = select.where('live', 'is not', null);
      return withConsents(await select.orderBy('asked_at', 'desc').orderBy('id', 'desc').limit(query.limit).execute());
    },
  };
};
