/** Where an MLflow keeps its things: a server, a database, a folder. Each is read page by page, so that its size plays no part. */
import type {
  ExperimentRecord,
  LoggedModelRecord,
  ModelRecord,
  PointsRecord,
  RunRecord,
  VersionRecord,
} from './mlflow-record.ts';

/** Records come with the locations that the source gives them; `import-mlflow.ts` says what they are here. */
export interface MlflowSource extends AsyncDisposable {
  /** For messages and the log: without a password. */
  readonly address: string;
  /** Whether its histories and files come slowly, so that what is here already is not read a second time. */
  readonly isSlow: boolean;
  experiments(): AsyncIterable<readonly ExperimentRecord[]>;
  runs(): AsyncIterable<readonly RunRecord[]>;
  /**
   * All points of some runs, each once, in parts of at most `partSize`.
   * @param runs a page of `runs`
   */
  points(runs: readonly RunRecord[]): AsyncIterable<PointsRecord>;
  /** For a slow one: the digest of the latest points of a run of the page that was read last. */
  latest?(runId: string): string | undefined;
  loggedModels(): AsyncIterable<readonly LoggedModelRecord[]>;
  models(): AsyncIterable<readonly ModelRecord[]>;
  /** The versions of some models; of those that were deleted the number, where the source still knows it. */
  versions(models: readonly ModelRecord[]): AsyncIterable<readonly VersionRecord[]>;
  artifacts(owner: ArtifactOwner): Promise<ArtifactListing>;
  /** What it holds that Rondo has no place for, with its number: traces, webhooks. */
  leftOut(): Promise<LeftOut>;
}

export type LeftOut = Readonly<Record<string, number>>;

/** `location` as the source has it. */
export type ArtifactOwner = {
  readonly kind: 'run' | 'logged-model';
  readonly id: string;
  readonly experimentId: string;
  readonly location: string;
};

export type ArtifactListing =
  | { readonly kind: 'files'; readonly files: AsyncIterable<SourceFile> }
  /** In a store that clients reach by themselves, as they did before. */
  | { readonly kind: 'stays' }
  | { readonly kind: 'unreachable'; readonly reason: string };

export type SourceFile = {
  /** Below the owner's location. */
  readonly path: string;
  readonly size: number;
  open(signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
};

/** Points in one part of `points`. */
export const partSize = 5000;
/** Records in one page. */
export const pageSize = 200;
