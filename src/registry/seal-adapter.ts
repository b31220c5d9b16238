/** Seals versions whose files lie among this server's artifacts, and keeps the answer. */
import { PlatformError } from '../errors.ts';
import { eventStore } from '../events/event-store.ts';
import type { Database } from '../storage/database.ts';
import { loggedModelStore } from '../tracking/logged-model-store.ts';
import { runStore } from '../tracking/run-store.ts';
import type { ModelVersion } from './model-version.ts';
import { requireVersion } from './register-version.ts';
import { locationsOf } from './resolve-source.ts';
import { saveSeal } from './save-seal.ts';
import { onnxVersionSize, type SealDeps, sealVersion } from './seal-version.ts';
import { versionStore } from './version-store.ts';

export type SealAdapterDeps = SealDeps & { readonly database: Database };

/** A larger model is read when it is gated or shipped: nobody should wait for that to register it. */
const maxBytesAtRegistration = 256 * 1024 ** 2;

export async function sealAndSave(
  { database, ...deps }: SealAdapterDeps,
  input: { readonly model: string; readonly version: number; readonly actor: string },
): Promise<ModelVersion> {
  const version = await requireVersion(versionStore(database.read), input.model, input.version);
  const sealed = await sealVersion(deps, version, await locations(database, version));
  return database.write((tx) =>
    saveSeal({ versions: versionStore(tx), events: eventStore(tx), now: deps.now }, { ...input, sealed }),
  );
}

/**
 * What follows a registration: an ONNX model is sealed at once, so that a broken or hostile one is refused while its author looks.
 * Other formats, and files that lie elsewhere, are kept as they are.
 */
export async function sealRegistered(deps: SealAdapterDeps, version: ModelVersion): Promise<ModelVersion> {
  const { model, version: number } = version;
  try {
    const size = await onnxVersionSize(deps.artifacts, version, await locations(deps.database, version));
    if (size === undefined || size > maxBytesAtRegistration) return version;
    return await sealAndSave(deps, { model, version: number, actor: 'rule:registry' });
  } catch (error) {
    if (error instanceof PlatformError && error.code === 'registry/source-not-readable') return version;
    throw error;
  }
}

const locations = ({ read }: Database, version: ModelVersion) =>
  locationsOf({ runs: runStore(read), loggedModels: loggedModelStore(read) }, version);
