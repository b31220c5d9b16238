/** An artifact root over the blob store: keys are rows of a manifest, never paths. */
import { type Expression, type RawBuilder, sql } from 'kysely';
import { PlatformError } from '../errors.ts';
import { checkKey, checkPrefix } from './artifact-key.ts';
import type { ArtifactEntry, ArtifactRoot } from './artifact-root.ts';
import type { BlobStore } from './blob-store.ts';
import type { Database, Db } from './database.ts';
import { lockName } from './lock-name.ts';

type ArtifactTables = { artifacts: { key: string; digest: string; size: number } };

export function blobArtifactRoot({
  database,
  blobs,
}: {
  readonly database: Database;
  readonly blobs: BlobStore;
}): ArtifactRoot {
  return {
    put: async (key, body, options) => {
      checkKey(key);
      const { digest, size } = await blobs.put(body, options); // slow, so before the transaction
      await database.write(async (tx) => {
        await lockName(tx, `artifacts of ${key.split('/')[0]}`); // or two callers make a file and a folder of one name
        await refuseTaken(tx, key);
        await tx
          .withTables<ArtifactTables>()
          .insertInto('artifacts')
          .values({ key, digest, size })
          .onConflict((conflict) => conflict.column('key').doUpdateSet({ digest, size }))
          .execute();
      });
      return { size, digest };
    },
    open: async (key, range) => {
      checkKey(key);
      const row = await database.read
        .withTables<ArtifactTables>()
        .selectFrom('artifacts')
        .select(['digest', 'size'])
        .where('key', '=', key)
        .executeTakeFirst();
      if (!row) return undefined;
      const body = await blobs.open(row.digest, range);
      if (!body) throw new PlatformError('storage/blob-changed', key);
      return { body, ...row };
    },
    list: (prefix) => list(database, prefix),
    delete: async (key) => {
      checkKey(key);
      await database.write(async (tx) => {
        const artifacts = tx.withTables<ArtifactTables>();
        await artifacts
          .deleteFrom('artifacts')
          .where((e) => e.or([e('key', '=', key), below(e.ref('key'), key)]))
          .execute();
      });
    },
  };
}

/** Which of these blobs are an artifact's. */
export async function digestsOfArtifacts(db: Db, digests: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (let at = 0; at < digests.length; at += 1000) {
    const rows = await db
      .withTables<ArtifactTables>()
      .selectFrom('artifacts')
      .select('digest')
      .distinct()
      .where('digest', 'in', digests.slice(at, at + 1000))
      .execute();
    for (const { digest } of rows) found.push(digest);
  }
  return found;
}

async function list(database: Database, prefix: string): Promise<ArtifactEntry[]> {
  checkPrefix(prefix);
  const start = prefix === '' ? '' : `${prefix}/`;
  const find = sql.raw(database.dialect === 'postgres' ? 'strpos' : 'instr');
  const from = [...start].length + 1; // both databases count code points
  const { rows } = await sql<{ name: string; size: number; isFolder: number }>`
    select name, max(size) as "size", max(is_folder) as "isFolder" from (
      select
        case when slash = 0 then rest else substr(rest, 1, slash - 1) end as name,
        case when slash = 0 then size else 0 end as size,
        case when slash = 0 then 0 else 1 end as is_folder
      from (
        select rest, ${find}(rest, '/') as slash, size from (
          select substr(key, ${sql.lit(from)}) as rest, size from artifacts where ${prefix === '' ? sql`true` : below(sql.ref('key'), prefix)}
        ) as rests
      ) as slashes
    ) as entries group by name order by name`.execute(database.read);
  return rows.map(({ name, size, isFolder }) => ({ path: `${start}${name}`, size, isFolder: isFolder === 1 }));
}

/** As on a file system, a name is a file or a folder. */
async function refuseTaken(tx: Db, key: string): Promise<void> {
  const segments = key.split('/');
  const folders = segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/'));
  const taken = await tx
    .withTables<ArtifactTables>()
    .selectFrom('artifacts')
    .select('key')
    .where((e) => e.or([below(e.ref('key'), key), ...(folders.length > 0 ? [e('key', 'in', folders)] : [])]))
    .limit(1)
    .executeTakeFirst();
  if (taken) throw new PlatformError('storage/key-taken', key);
}

/** Keys below a folder are a range of the index, because '0' follows '/'. */
function below(key: Expression<string>, folder: string): RawBuilder<boolean> {
  return sql<boolean>`(${key} > ${`${folder}/`} and ${key} < ${`${folder}0`})`;
}
