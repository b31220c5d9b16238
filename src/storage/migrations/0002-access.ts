/** Who may use the server, and the tokens of their programs. */
import { columnTypes } from '../column-types.ts';
import type { Db } from '../database.ts';

export async function up(db: Db): Promise<void> {
  const { text, int64 } = columnTypes(db);
  await db.schema
    .createTable('users')
    .addColumn('name', text, (column) => column.primaryKey())
    .addColumn('role', text, (column) => column.notNull())
    // NULL: signs in with tokens only.
    .addColumn('password_hash', text)
    .addColumn('created_at', int64, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('tokens')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('user_name', text, (column) => column.notNull().references('users.name').onDelete('cascade'))
    .addColumn('label', text, (column) => column.notNull())
    .addColumn('role', text, (column) => column.notNull())
    .addColumn('digest', text, (column) => column.notNull().unique())
    .addColumn('created_at', int64, (column) => column.notNull())
    .addColumn('expires_at', int64)
    .addColumn('last_used_at', int64)
    .execute();
  await db.schema.createIndex('tokens_of_user').on('tokens').columns(['user_name', 'created_at']).execute();
}
