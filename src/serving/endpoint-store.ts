/** Endpoints in the database. */
import type { Db } from '../storage/database.ts';
import type { Endpoint } from './endpoint.ts';
import { noTraffic, type Traffic } from './traffic.ts';

export type EndpointTables = {
  endpoints: {
    name: string;
    project: string;
    settings: string;
    generation: number;
    traffic: string;
    created_at: number;
    updated_at: number;
  };
};

export type StoredEndpoint = {
  readonly endpoint: Endpoint;
  readonly traffic: Traffic;
  readonly createdAt: number;
  readonly updatedAt: number;
};

export const endpointStore = (database: Db) => {
  const db = database.withTables<EndpointTables>();
  return {
    async find(name: string): Promise<StoredEndpoint | undefined> {
      const row = await db.selectFrom('endpoints').selectAll().where('name', '=', name).executeTakeFirst();
      return row && toEndpoint(row);
    },

    async list(): Promise<readonly StoredEndpoint[]> {
      return (await db.selectFrom('endpoints').selectAll().orderBy('name').execute()).map(toEndpoint);
    },

    /** Adds an endpoint, or changes its settings; its traffic stays. */
    async save(endpoint: Endpoint, at: number): Promise<void> {
      const { name, project, ...rest } = endpoint;
      const settings = JSON.stringify(rest);
      await db
        .insertInto('endpoints')
        .values({
          ...{ name, project, settings, created_at: at, updated_at: at },
          ...{ generation: noTraffic.generation, traffic: '{}' },
        })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ settings, project, updated_at: at }))
        .execute();
    },

    /** @returns whether the traffic was still the generation before; if not, nothing was changed */
    async setTraffic(name: string, { generation, ...traffic }: Traffic, at: number): Promise<boolean> {
      const changed = await db
        .updateTable('endpoints')
        .set({ generation, traffic: JSON.stringify(traffic), updated_at: at })
        .where('name', '=', name)
        .where('generation', '=', generation - 1)
        .returning('name')
        .execute();
      return changed.length === 1;
    },
  };
};

export type EndpointStore = ReturnType<typeof endpointStore>;

const toEndpoint = (row: EndpointTables['endpoints']): StoredEndpoint => ({
  // Both texts are written above, by this store only.
  endpoint: {
    name: row.name,
    project: row.project,
    ...(JSON.parse(row.settings) as Omit<Endpoint, 'name' | 'project'>),
  },
  traffic: { generation: Number(row.generation), ...(JSON.parse(row.traffic) as Omit<Traffic, 'generation'>) },
  createdAt: Number(row.created_at),
  updatedAt: Number(row.updated_at),
});
