/** A registered model, its versions and aliases: the types everything after training works with. */
import { PlatformError } from '../errors.ts';
import type { Finding } from '../onnx/finding.ts';
import type { TensorSpec } from '../onnx/inspect-onnx.ts';

export const stages = ['None', 'Staging', 'Production', 'Archived'] as const;
/** MLflow's stages, as its clients type them in. A version's phase (`phase.ts`) is something else: it is derived. */
export type Stage = (typeof stages)[number];

export const versionStatuses = ['PENDING_REGISTRATION', 'FAILED_REGISTRATION', 'READY'] as const;
export type VersionStatus = (typeof versionStatuses)[number];

export type Tag = { readonly key: string; readonly value: string };

export type VersionFile = { readonly path: string; readonly digest: string; readonly size: number };

/** Which datasets, code and environment a version came from. */
export type Lineage = {
  readonly datasets: readonly { readonly name: string; readonly version: string; readonly context: string }[];
  /** The commit of the project folder. */
  readonly code?: string;
  /** Digest or name of the environment that trained it. */
  readonly environment?: string;
  readonly seed?: number;
  /** The pipeline execution that made it. */
  readonly execution?: string;
};

/** The bytes of a version, fixed: what was digested and inspected is what is served. */
export type SealedVersion = {
  /** Digest of the ONNX file; absent when the version holds none and cannot be shipped. */
  readonly onnxDigest?: string;
  readonly files: readonly VersionFile[];
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly findings: readonly Finding[];
  readonly sealedAt: number;
};

export type ModelVersion = {
  readonly model: string;
  readonly version: number;
  readonly project: string;
  /** What the client named: `models:/m-…`, `runs:/…/model`, `mlflow-artifacts:/…`, `s3://…`. */
  readonly source: string;
  /** Where the files lie, with `models:/` and `runs:/` resolved at registration. */
  readonly storageLocation: string;
  readonly runId?: string;
  readonly runLink?: string;
  readonly loggedModelId?: string;
  readonly userId?: string;
  readonly description?: string;
  readonly stage: Stage;
  readonly status: VersionStatus;
  readonly statusMessage?: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly tags: readonly Tag[];
  readonly aliases: readonly string[];
  readonly lineage: Lineage;
  readonly sealed?: SealedVersion;
  /** Blobs that gates and monitors need with the version: reference profile, gate rows, expected outputs. */
  readonly profileDigest?: string;
  readonly gateDataDigest?: string;
  readonly parityDigest?: string;
};

export type RegisteredModel = {
  readonly name: string;
  readonly project: string;
  readonly description?: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly tags: readonly Tag[];
  readonly aliases: readonly { readonly alias: string; readonly version: number }[];
};

/** Whether nothing that the seal found keeps the version from serving. */
export const isServable = ({ sealed }: Pick<ModelVersion, 'sealed'>): boolean =>
  sealed?.onnxDigest !== undefined && !sealed.findings.some(({ severity }) => severity === 'refuse');

/** ONNX that this server cannot run and others can: it is registered, and not served. */
const runsElsewhere: ReadonlySet<string> = new Set([
  'onnx/ir-version',
  'onnx/non-tensor-input',
  'onnx/opset',
  'onnx/unknown-domain',
  'onnx/unsupported-type',
]);

/** What a seal makes of a registration: an ONNX file that is broken, hostile or gives no tensors has failed, with the reason. */
export function statusAfterSeal({ findings }: SealedVersion): { status: VersionStatus; statusMessage: string } {
  const bad = findings.find(
    ({ code, severity }) => severity === 'refuse' && code.startsWith('onnx/') && !runsElsewhere.has(code),
  );
  if (!bad) return { status: 'READY', statusMessage: '' };
  const fix = bad.fix === undefined ? '' : ` Fix: ${bad.fix}`;
  return { status: 'FAILED_REGISTRATION', statusMessage: `${bad.message}${fix}` };
}

/** The version, sealed and without anything that keeps it from serving. @throws PlatformError registry/not-servable with the reason */
export function requireServable(version: ModelVersion): ModelVersion {
  if (isServable(version)) return version;
  const refusal = version.sealed?.findings.find(({ severity }) => severity === 'refuse');
  const reason = refusal
    ? [refusal.message, refusal.fix].filter((text) => text !== undefined).join(' Fix: ')
    : undefined;
  throw new PlatformError('registry/not-servable', `${version.model}@${version.version}`, {
    hint: reason ?? 'log the model as ONNX',
  });
}

/** A tag as its event tells it: the text of a prompt is a tag too, and longer than an event may be. */
export const loggedTag = ({ key, value }: Tag): Tag => ({ key, value: value.slice(0, 5_000).toWellFormed() });

const maxLoggedBytes = 40_000;

/**
 * What is told of a new model or version besides its name: its tags and its description as they were then, because whoever reads the
 * event reads it later. Where they do not fit into one event, as the text of a long prompt, they stay in the registry only.
 */
export function loggedOrigin({
  tags,
  description,
}: {
  readonly tags: readonly Tag[];
  readonly description?: string | undefined;
}): LoggedOrigin | Record<string, never> {
  const origin = {
    tags: Object.fromEntries(tags.map(({ key, value }) => [key, value.toWellFormed()])),
    description: (description ?? '').toWellFormed(),
  };
  return Buffer.byteLength(JSON.stringify(origin)) <= maxLoggedBytes ? origin : {};
}

type LoggedOrigin = { readonly tags: Readonly<Record<string, string>>; readonly description: string };

/** The subject of a version's events. */
export const versionSubject = (model: string, version: number): string => `model/${model}/${version}`;

/** The stage a client meant, in any case. @returns undefined when there is no such stage */
export const stageNamed = (text: string): Stage | undefined =>
  stages.find((stage) => stage.toLowerCase() === text.toLowerCase());
