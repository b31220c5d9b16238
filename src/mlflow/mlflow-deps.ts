import type { ModelVersion } from '../registry/model-version.ts';
import type { ArtifactPlaces } from '../storage/artifact-places.ts';
import type { Database } from '../storage/database.ts';

/** What MLflow's face is built over. */
export type MlflowDeps = {
  readonly database: Database;
  readonly artifacts: ArtifactPlaces;
  /** The start of a new experiment's artifact location: `mlflow-artifacts:/`, or a folder or bucket that clients reach themselves. */
  readonly artifactRoot: string;
  /** Looks at a version that was just registered; the answer may be that it failed. */
  readonly onRegistered: (version: ModelVersion) => Promise<ModelVersion>;
  /** What the source of a new version must match. */
  readonly sourcePattern?: RegExp | undefined;
  readonly now: () => number;
  /** 32 hexadecimal digits. */
  readonly newId: () => string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
};
