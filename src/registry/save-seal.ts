import type { EventStore } from '../events/event-store.ts';
import { isServable, type ModelVersion, type SealedVersion, statusAfterSeal, versionSubject } from './model-version.ts';
import { requireVersion } from './register-version.ts';
import type { VersionStore } from './version-store.ts';

type Deps = { readonly versions: VersionStore; readonly events: EventStore; readonly now: () => number };

/** Saves a seal with its event. A servable version keeps the seal it has: its bytes are what was tested and shipped. */
export async function saveSeal(
  { versions, events, now }: Deps,
  input: { readonly model: string; readonly version: number; readonly sealed: SealedVersion; readonly actor: string },
): Promise<ModelVersion> {
  const { model, version, sealed, actor } = input;
  const before = await requireVersion(versions, model, version);
  if (isServable(before)) return before;
  const at = now();
  await versions.update(model, version, { sealed, ...statusAfterSeal(sealed) }, at);
  await events.append({
    type: 'registry.version-sealed',
    project: before.project,
    subject: versionSubject(model, version),
    actor,
    at,
    data: {
      model,
      version,
      ...(sealed.onnxDigest === undefined ? {} : { onnxDigest: sealed.onnxDigest }),
      files: sealed.files.length,
      status: statusAfterSeal(sealed).status,
      servable: isServable({ sealed }),
      findings: sealed.findings.map(({ code, severity }) => ({ code, severity })),
    },
  });
  return requireVersion(versions, model, version);
}
