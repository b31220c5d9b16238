/** Finds what a version's source refers to: the run or logged model it came from, and where the files lie. */
import { requireLoggedModel } from '../tracking/change-logged-model.ts';
import { requireRun } from '../tracking/change-run.ts';
import { absoluteLocation } from '../tracking/experiment.ts';
import type { LoggedModelStore } from '../tracking/logged-model-store.ts';
import type { RunStore } from '../tracking/run-store.ts';
import { versionByAlias } from './change-version.ts';
import { invalid } from './model-name.ts';
import { badSource, checkSource, parseSource } from './model-source.ts';
import type { ModelStore } from './model-store.ts';
import type { ModelVersion } from './model-version.ts';
import { isPrompt } from './prompt.ts';
import { requireModel } from './register-model.ts';
import { requireVersion } from './register-version.ts';
import type { VersionStore } from './version-store.ts';

export type ResolveDeps = {
  readonly models: ModelStore;
  readonly versions: VersionStore;
  readonly runs: RunStore;
  readonly loggedModels: LoggedModelStore;
};

export type ResolvedSource = {
  readonly source: string;
  readonly storageLocation: string;
  readonly runId: string | undefined;
  readonly loggedModelId: string | undefined;
};

/** @throws PlatformError `registry/invalid` when the source lies outside of what it names */
export async function resolveSource(
  deps: ResolveDeps,
  input: {
    readonly source: string;
    readonly runId?: string | undefined;
    readonly loggedModelId?: string | undefined;
    readonly workingDirectory?: string;
  },
): Promise<ResolvedSource> {
  const { runs, loggedModels } = deps;
  const origin = await originOf(deps, input.source);
  const runId = input.runId ?? origin?.runId;
  const loggedModelId = input.loggedModelId ?? origin?.loggedModelId;
  if (origin && (runId ?? '') !== (origin.runId ?? '')) throw mismatch(input.source);
  if (origin && (loggedModelId ?? '') !== (origin.loggedModelId ?? '')) throw mismatch(input.source);
  const source = origin ? `models:/${origin.model}/${origin.version}` : input.source;

  const model = loggedModelId ? await loggedModels.find(loggedModelId) : undefined;
  const run = runId && !loggedModelId ? await runs.find(runId) : undefined;
  checkSource(source, {
    named: loggedModelId ? 'model_id' : 'run_id',
    id: loggedModelId || runId,
    location: loggedModelId ? model?.artifactLocation : run?.artifactUri,
    workingDirectory: input.workingDirectory,
  });
  const named = parseSource(source);
  if (named.kind === 'logged-model') {
    const logged = await requireLoggedModel(loggedModels, named.id);
    return { source, storageLocation: logged.artifactLocation, runId: runId || logged.sourceRunId, loggedModelId };
  }
  const located = input.workingDirectory === undefined ? source : absoluteLocation(source, input.workingDirectory);
  const storageLocation = origin?.storageLocation ?? located;
  return { source, storageLocation, runId: runId || model?.sourceRunId, loggedModelId };
}

/** The registered version that a `models:/` URI names, if it names one. */
async function originOf(deps: ResolveDeps, source: string): Promise<ModelVersion | undefined> {
  const named = parseSource(source);
  if (named.kind !== 'version' && named.kind !== 'alias' && named.kind !== 'stage') return undefined;
  const model = await requireModel(deps.models, named.model);
  if (isPrompt(model.tags)) {
    throw invalid(
      'source',
      `Invalid model version source: '${source}'. Prompt versions cannot be used as model version sources.`,
    );
  }
  if (named.kind === 'version') return requireVersion(deps.versions, named.model, named.version);
  if (named.kind === 'alias') return versionByAlias(deps, named.model, named.alias);
  const latest = await deps.versions.latestPerStage([named.model]);
  const stage = named.stage?.toLowerCase();
  const found = latest.filter((version) => stage === undefined || version.stage.toLowerCase() === stage);
  const newest = found.toSorted((a, b) => b.version - a.version)[0];
  if (!newest) throw badSource(source, 'model_id');
  return newest;
}

/** The folders of this server's artifacts where the files of a version may lie, most likely first. */
export async function locationsOf(
  { runs, loggedModels }: Pick<ResolveDeps, 'runs' | 'loggedModels'>,
  version: Pick<ModelVersion, 'storageLocation' | 'loggedModelId'>,
): Promise<readonly string[]> {
  const named = parseSource(version.storageLocation);
  if (named.kind === 'run') {
    const run = await requireRun(runs, named.runId);
    const logged = await loggedModels.listByRun(named.runId);
    const byName = logged.filter(({ name }) => name === named.path).map(({ artifactLocation }) => artifactLocation);
    return [...byName, `${run.artifactUri}/${named.path}`];
  }
  if (named.kind === 'logged-model') {
    return [(await requireLoggedModel(loggedModels, named.id)).artifactLocation];
  }
  return [version.storageLocation];
}

const mismatch = (source: string) =>
  invalid(
    'source',
    `Invalid model version source: '${source}'. The run_id and model_id request parameters must match the referenced model version.`,
  );
