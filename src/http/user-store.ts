/** Users and their tokens: rows <-> types. */
import { announce } from '../storage/announcements.ts';
import { isPostgres } from '../storage/column-types.ts';
import type { Db } from '../storage/database.ts';
import type { Role } from './permission.ts';

export type User = {
  readonly name: string;
  readonly role: Role;
  readonly createdAt: number;
  readonly hasPassword: boolean;
};

export type AccessToken = {
  readonly id: string;
  readonly user: string;
  readonly label: string;
  readonly role: Role;
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly lastUsedAt?: number;
};

type UserRow = { name: string; role: string; password_hash: string | null; created_at: number };
type TokenRow = {
  id: string;
  user_name: string;
  label: string;
  role: string;
  digest: string;
  created_at: number;
  expires_at: number | null;
  last_used_at: number | null;
};
export type AccessTables = { users: UserRow; tokens: TokenRow };

/** Said after a commit that changed who may do what: whoever remembers a sign-in forgets it. */
export const accessTopic = 'http/access';

export type UserStore = ReturnType<typeof userStore>;

export const userStore = (tx: Db) => {
  const db = tx.withTables<AccessTables>();

  return {
    async list(): Promise<readonly User[]> {
      return (await db.selectFrom('users').selectAll().orderBy('name').execute()).map(toUser);
    },

    async find(name: string): Promise<User | undefined> {
      const row = await db.selectFrom('users').selectAll().where('name', '=', name).executeTakeFirst();
      return row && toUser(row);
    },

    async passwordHash(name: string): Promise<string | undefined> {
      const row = await db.selectFrom('users').select('password_hash').where('name', '=', name).executeTakeFirst();
      return row?.password_hash ?? undefined;
    },

    /** Answers false when the name is taken. */
    async insert(user: Omit<User, 'hasPassword'>, passwordHash: string | undefined): Promise<boolean> {
      const rows = await db
        .insertInto('users')
        .values({ name: user.name, role: user.role, password_hash: passwordHash ?? null, created_at: user.createdAt })
        .onConflict((conflict) => conflict.doNothing())
        .returning('name')
        .execute();
      announce(tx, accessTopic);
      return rows.length === 1;
    },

    async delete(name: string): Promise<void> {
      await db.deleteFrom('tokens').where('user_name', '=', name).execute();
      await db.deleteFrom('users').where('name', '=', name).execute();
      announce(tx, accessTopic);
    },

    async administrators(): Promise<readonly string[]> {
      const query = db.selectFrom('users').select('name').where('role', '=', 'admin').orderBy('name');
      return (await query.execute()).map(({ name }) => name);
    },

    /** Until the transaction ends nobody else removes one, so that two cannot remove each other. SQLite has one writer anyway. */
    async lockAdministrators(): Promise<void> {
      if (isPostgres(tx)) await db.selectFrom('users').select('name').where('role', '=', 'admin').forUpdate().execute();
    },

    async insertToken(token: AccessToken, digest: string): Promise<void> {
      await db
        .insertInto('tokens')
        .values({
          id: token.id,
          user_name: token.user,
          label: token.label,
          role: token.role,
          digest,
          created_at: token.createdAt,
          expires_at: token.expiresAt ?? null,
          last_used_at: null,
        })
        .execute();
    },

    async tokensOf(user: string | undefined): Promise<readonly AccessToken[]> {
      let query = db.selectFrom('tokens').selectAll();
      if (user !== undefined) query = query.where('user_name', '=', user);
      return (await query.orderBy('created_at').orderBy('id').execute()).map(toToken);
    },

    async findToken(id: string): Promise<AccessToken | undefined> {
      const row = await db.selectFrom('tokens').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toToken(row);
    },

    async findByDigest(digest: string): Promise<{ token: AccessToken; userRole: Role } | undefined> {
      const row = await db
        .selectFrom('tokens')
        .innerJoin('users', 'users.name', 'tokens.user_name')
        .selectAll('tokens')
        .select('users.role as user_role')
        .where('digest', '=', digest)
        .executeTakeFirst();
      return row && { token: toToken(row), userRole: row.user_role as Role }; // written by `insert` only
    },

    async touchToken(id: string, at: number): Promise<void> {
      await db.updateTable('tokens').set({ last_used_at: at }).where('id', '=', id).execute();
    },

    async deleteToken(id: string): Promise<void> {
      await db.deleteFrom('tokens').where('id', '=', id).execute();
      announce(tx, accessTopic);
    },
  };
};

function toUser(row: UserRow): User {
  return {
    name: row.name,
    role: row.role as Role, // written by `insert` only
    createdAt: row.created_at,
    hasPassword: row.password_hash !== null,
  };
}

function toToken(row: TokenRow): AccessToken {
  return {
    id: row.id,
    user: row.user_name,
    label: row.label,
    role: row.role as Role, // written by `insertToken` only
    createdAt: row.created_at,
    ...(row.expires_at !== null && { expiresAt: row.expires_at }),
    ...(row.last_used_at !== null && { lastUsedAt: row.last_used_at }),
  };
}
