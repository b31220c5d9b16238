/** Where versions have their files, when the run or the logged model that they name is about to go. */
import type { RegistryTrashStore, VersionLocation } from '../registry/registry-trash-store.ts';
import { locationsOf, type ResolveDeps } from '../registry/resolve-source.ts';
import type { ArtifactPlace, ArtifactPlaces } from '../storage/artifact-places.ts';

type Deps = Pick<ResolveDeps, 'runs' | 'loggedModels'> & {
  readonly registry: RegistryTrashStore;
  readonly artifacts: ArtifactPlaces;
};

export type Settled = { readonly row: VersionLocation['row']; readonly location: string };

/**
 * The places of versions that say `runs:/…` or `models:/m-…`: as long as what they name is there, it tells where their files are.
 * @param ids runs and logged models
 */
export async function settleLocations(deps: Deps, ids: ReadonlySet<string>): Promise<readonly Settled[]> {
  const settled: Settled[] = [];
  for (const { row, ...version } of await deps.registry.unsettledLocations()) {
    const [, id = ''] = /^(?:runs|models):\/+([^/]+)/.exec(version.storageLocation) ?? [];
    if (!ids.has(id)) continue;
    const location = await firstWithFiles(deps.artifacts, await locationsOf(deps, version));
    if (location !== undefined) settled.push({ row, location });
  }
  return settled;
}

/** The keys in a root at and below which versions have their files, of those whose location names this run or logged model. */
export async function neededKeys(
  { registry, artifacts }: Pick<Deps, 'registry' | 'artifacts'>,
  { root }: ArtifactPlace,
  id: string,
): Promise<readonly string[]> {
  const places = (await registry.locationsNaming(id)).map(({ storageLocation }) => artifacts.find(storageLocation));
  return places.flatMap((place) => (place?.root === root ? [place.key] : []));
}

async function firstWithFiles(artifacts: ArtifactPlaces, locations: readonly string[]): Promise<string | undefined> {
  for (const location of locations) {
    const place = artifacts.find(location);
    if (!place || place.key === '') continue;
    if ((await place.root.list(place.key)).length > 0 || (await place.root.open(place.key))) return location;
  }
  return undefined;
}
