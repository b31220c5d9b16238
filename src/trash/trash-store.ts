/** The trash of all kinds as one list, and the queue of what is on its way out for good. */
import type { DeletedModel, RegistryTrashStore } from '../registry/registry-trash-store.ts';
import { registryTrashStore } from '../registry/registry-trash-store.ts';
import { announce } from '../storage/announcements.ts';
import type { Db } from '../storage/database.ts';
import { parseExperimentId } from '../tracking/experiment.ts';
import {
  type DeletedExperiment,
  type DeletedItem,
  type TrackingTrashStore,
  type TrashPage,
  trackingTrashStore,
} from '../tracking/tracking-trash-store.ts';
import { mergeTrash, type TrashItem, type TrashKind, type TrashPosition, trashKinds, versionOfId } from './trash.ts';

export const trashStore = (db: Db) => {
  const tracking = trackingTrashStore(db);
  const registry = registryTrashStore(db);
  return {
    tracking,
    registry,

    /** @param from the newest moment that is listed, or the item before the first one */
    async list(page: {
      readonly kinds?: readonly TrashKind[] | undefined;
      readonly from?: number | TrashPosition | undefined;
      readonly limit: number;
    }): Promise<readonly TrashItem[]> {
      const lists = await Promise.all(
        (page.kinds ?? trashKinds).map((kind) => listOf(tracking, registry)[kind](pageOf(kind, page))),
      );
      return mergeTrash(lists, page.limit);
    },

    /** How many were deleted after this moment. */
    count: async ({ after }: { readonly after: number }): Promise<number> =>
      (await tracking.count(after)) + (await registry.count(after)),

    async find(kind: TrashKind, id: string): Promise<TrashItem | undefined> {
      switch (kind) {
        case 'experiment': {
          const found = /^\d+$/.test(id) ? await tracking.findExperiment(String(parseExperimentId(id))) : undefined;
          return found && experimentItem(found);
        }
        case 'run': {
          const found = await tracking.findRun(id);
          return found && itemOf(kind, found);
        }
        case 'logged-model': {
          const found = await tracking.findLoggedModel(id);
          return found && itemOf(kind, found);
        }
        case 'model': {
          const found = await registry.findModel(id);
          return found && modelItem(found);
        }
        case 'version': {
          const ref = versionOfId(id);
          const found = ref && (await registry.findVersion(ref.model, ref.version));
          return found && { kind, id, name: id, project: found.project, deletedAt: found.deletedAt };
        }
      }
    },
  };
};

export type TrashStore = ReturnType<typeof trashStore>;

const listOf = (
  tracking: TrackingTrashStore,
  registry: RegistryTrashStore,
): Record<TrashKind, (page: TrashPage) => Promise<readonly TrashItem[]>> => ({
  experiment: async (page) => (await tracking.experiments(page)).map(experimentItem),
  run: async (page) => (await tracking.runs(page)).map((one) => itemOf('run', one)),
  'logged-model': async (page) => (await tracking.loggedModels(page)).map((one) => itemOf('logged-model', one)),
  model: async (page) => (await registry.models(page)).map(modelItem),
  version: async (page) =>
    (await registry.versions(page)).map(({ model, version, project, deletedAt }) => {
      const id = `${model}@${version}`;
      return { kind: 'version', id, name: id, project, deletedAt };
    }),
});

const experimentItem = ({ runs, ...one }: DeletedExperiment): TrashItem => ({
  kind: 'experiment',
  ...one,
  holds: runs,
});
const modelItem = ({ versions, ...one }: DeletedModel): TrashItem => ({ kind: 'model', ...one, holds: versions });
const itemOf = (kind: 'run' | 'logged-model', { id, name, project, experimentId, deletedAt }: DeletedItem) => ({
  ...{ kind, id, name, project, deletedAt, experimentId },
});

function pageOf(
  kind: TrashKind,
  { from, limit }: { readonly from?: number | TrashPosition | undefined; readonly limit: number },
): TrashPage {
  if (from === undefined) return { limit };
  if (typeof from === 'number') return { limit, before: { at: from, ties: 'all' } };
  if (kind === from.kind) return { limit, before: { at: from.at, ties: { below: from.id } } };
  return { limit, before: { at: from.at, ties: kind < from.kind ? 'all' : 'none' } };
}

/** Said after the commit that put something into the queue of purges. */
export const purgedTopic = 'trash/purged';

/** Something that nobody sees any more, and whose rows and files still have to go. */
export type Purge = {
  readonly kind: 'experiment' | 'run' | 'logged-model' | 'version';
  readonly id: string;
  readonly location?: string;
};

type PurgeTables = { purges: { kind: Purge['kind']; id: string; location: string | null; started_at: number } };

export const purgeStore = (database: Db) => {
  const db = database.withTables<PurgeTables>();
  return {
    async add(purges: readonly Purge[], at: number): Promise<void> {
      if (purges.length === 0) return;
      await db
        .insertInto('purges')
        .values(purges.map(({ kind, id, location = null }) => ({ kind, id, location, started_at: at })))
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      announce(database, purgedTopic);
    },

    async next(): Promise<Purge | undefined> {
      const row = await db.selectFrom('purges').selectAll().orderBy('started_at').limit(1).executeTakeFirst();
      return row && { kind: row.kind, id: row.id, ...(row.location !== null && { location: row.location }) };
    },

    async count(): Promise<number> {
      const query = db.selectFrom('purges').select(({ fn }) => fn.countAll<number>().as('n'));
      return Number((await query.executeTakeFirstOrThrow()).n);
    },

    async done({ kind, id }: Purge): Promise<void> {
      await db.deleteFrom('purges').where('kind', '=', kind).where('id', '=', id).execute();
    },
  };
};

export type PurgeStore = ReturnType<typeof purgeStore>;
