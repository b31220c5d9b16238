/** An alias that a project names in `rollout.alias`: whoever moves it proposes a version, and it is shipped like any other. */
import type { LoggedEvent } from '../events/event.ts';
import { eventCursorStore } from '../events/event-cursor-store.ts';
import { startEventLoop } from '../events/event-loop-worker.ts';
import { lastPosition, readEvents } from '../events/event-store.ts';
import { versionStore } from '../registry/version-store.ts';
import type { VersionRef } from '../serving/traffic.ts';
import type { Database, Db } from '../storage/database.ts';
import type { CurrentProject } from './current-project-adapter.ts';
import type { ShipWorker } from './ship-worker.ts';
import { type AliasMove, shipmentOfMove } from './shipment-of-alias.ts';

export type ShipAliasDeps = {
  readonly database: Database;
  /** All linked projects whose file can be read. */
  readonly projects: () => Promise<readonly CurrentProject[]>;
  readonly championOf: (endpoint: string) => Promise<VersionRef | undefined>;
  readonly shipments: Pick<ShipWorker, 'request'>;
  readonly onError: (error: unknown) => void;
};

const consumer = 'lifecycle/ship-alias';

/** Moves from before the first start are nobody's wish to ship. */
export async function startShipAlias(deps: ShipAliasDeps): Promise<AsyncDisposable> {
  const { database, onError } = deps;
  await database.write(async (tx) => eventCursorStore(tx).begin(consumer, await lastPosition(tx)));
  return startEventLoop({
    ...{ database, onError },
    pass: async (signal) => {
      const after = await eventCursorStore(database.read).find(consumer);
      const events = await readEvents(database.read, { after, limit: 20, types: ['registry.alias-set'] });
      for (const event of events) {
        if (signal.aborted) return false;
        await handle(deps, event);
      }
      return events.length > 0;
    },
  });
}

/** The wish to ship and the cursor are one transaction: a move is shipped once, also after a crash. */
async function handle(deps: ShipAliasDeps, { position, actor, data }: LoggedEvent): Promise<void> {
  const { database, shipments } = deps;
  const done = (tx: Db) => eventCursorStore(tx).set(consumer, position);
  const { model, alias, version, from } = data;
  const move: AliasMove = {
    ...{ model: String(model), alias: String(alias), version: Number(version) },
    ...(typeof from === 'number' && { from }),
  };
  // Moved on meanwhile: that move has an event of its own.
  const named = await versionStore(database.read).findByAlias(move.model, move.alias);
  const projects = named?.version === move.version ? await deps.projects() : [];
  for (const { config } of projects) {
    const champion = config.endpoint && (await deps.championOf(config.endpoint.name));
    const shipment = shipmentOfMove(move, config, champion);
    if (shipment) await shipments.request(shipment, { actor, gates: config.gates !== undefined, also: done });
  }
  await database.write(done);
}
