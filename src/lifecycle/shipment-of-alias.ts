import type { VersionRef } from '../serving/traffic.ts';
import type { ProjectConfig } from './project-schema.ts';
import type { Shipment } from './shipment.ts';

/** `from` absent: the alias is new. */
export type AliasMove = VersionRef & { readonly alias: string; readonly from?: number };

/** What a project ships when an alias was moved. @returns undefined when it is another alias, or moves nothing */
export function shipmentOfMove(
  { model, version, alias, from }: AliasMove,
  { project, model: own, endpoint, rollout }: ProjectConfig,
  champion: VersionRef | undefined,
): Shipment | undefined {
  if (!endpoint || own?.name !== model || rollout?.alias !== alias) return undefined;
  const serves = champion?.model === model && champion.version === version;
  if (from === version || serves) return undefined;
  return { project, endpoint: endpoint.name, model, version, reason: `@${alias} was moved to version ${version}` };
}
