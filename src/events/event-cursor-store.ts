/** How far each consumer of the log has read. */
import { isPostgres } from '../storage/column-types.ts';
import type { Db } from '../storage/database.ts';

type CursorTables = { event_cursors: { name: string; position: number } };

export const eventCursorStore = (db: Db) => {
  const cursors = db.withTables<CursorTables>();
  return {
    /** 0 for a consumer that has read nothing. */
    find: async (name: string): Promise<number> => {
      const row = await cursors
        .selectFrom('event_cursors')
        .select('position')
        .where('name', '=', name)
        .executeTakeFirst();
      return row?.position ?? 0;
    },
    /** Keeps other processes away from this cursor until the commit. */
    lock: async (name: string): Promise<number> => {
      await cursors
        .insertInto('event_cursors')
        .values({ name, position: 0 })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      let select = cursors.selectFrom('event_cursors').select('position').where('name', '=', name);
      if (isPostgres(db)) select = select.forUpdate();
      return (await select.executeTakeFirstOrThrow()).position;
    },
    /** Where a consumer begins that has not read anything yet. */
    begin: async (name: string, position: number): Promise<void> => {
      await cursors
        .insertInto('event_cursors')
        .values({ name, position })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
    set: async (name: string, position: number): Promise<void> => {
      await cursors
        .insertInto('event_cursors')
        .values({ name, position })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ position }))
        .execute();
    },
  };
};
