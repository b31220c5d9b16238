/** `rondo/client`: log runs, models and versions from TypeScript, to Rondo or to any MLflow server. The words are MLflow's. */
import { type ConnectOptions, connectionOf } from './connect-options.ts';
import type { RunOptions } from './create-run.ts';
import { findOrCreateExperiment } from './experiment.ts';
import { sendLeftBehind } from './left-metrics.ts';
import { getMetricHistory, getRun, type MetricPoint, type RunSearch, type StoredRun, searchRuns } from './read-runs.ts';
import { type RegisteredVersion, registerModel, type VersionToRegister } from './register-model.ts';
import { restClient } from './rest-client.ts';
import { endingOf, type Run, startRun } from './run.ts';

export type { LoggedModel, ModelToLog, Signature, TensorSignature } from './log-model.ts';
export { RequestError, UnavailableError } from './rest-client.ts';
export type { Dataset, RunStatus } from './run.ts';
export type {
  ConnectOptions,
  MetricPoint,
  RegisteredVersion,
  Run,
  RunOptions,
  RunSearch,
  StoredRun,
  VersionToRegister,
};

export interface Client {
  /** Runs started from now on belong to the experiment of this name, which is made when it is not there. @returns its id */
  setExperiment(name: string): Promise<string>;
  /** Starts a run, or continues the one of `runId`. It goes on until its `end`, or the end of the program. */
  startRun(options?: RunOptions): Promise<Run>;
  /** The run ends with `work`: as failed when that throws. @returns what `work` returns */
  startRun<T>(options: RunOptions, work: (run: Run) => Promise<T>): Promise<T>;
  /** A logged model becomes a version of a registered one, which is made when it is not there. */
  registerModel(version: VersionToRegister): Promise<RegisteredVersion>;
  /** An alias names one version of a model; it leaves the one it named before. */
  setRegisteredModelAlias(name: string, alias: string, version: number): Promise<void>;
  getRun(runId: string): Promise<StoredRun>;
  /** All that the filter finds, page by page as they are asked for. */
  searchRuns(search: RunSearch): AsyncGenerator<StoredRun>;
  /** Every point, in order of time and step. */
  getMetricHistory(runId: string, key: string): Promise<readonly MetricPoint[]>;
}

/**
 * Nothing is sent before the first call. Requests that fail because the server restarts or is busy are repeated for ten minutes.
 * @throws TypeError when the address is none
 */
export function connect(options: ConnectOptions = {}): Client {
  const { spoolFolder, ...server } = connectionOf(options, process.env);
  const rest = restClient(server);
  let experimentId: string | undefined; // of setExperiment
  let hasLookedForLeft = false;

  async function start(run: RunOptions = {}): Promise<Run> {
    if (!hasLookedForLeft) void sendLeftBehind(rest, spoolFolder);
    hasLookedForLeft = true;
    const name = run.experimentName ?? process.env['MLFLOW_EXPERIMENT_NAME'] ?? 'Default';
    return startRun({ rest, spoolFolder }, run, async () =>
      run.experimentName === undefined && experimentId !== undefined
        ? experimentId
        : findOrCreateExperiment(rest, name),
    );
  }

  return {
    async setExperiment(name) {
      experimentId = await findOrCreateExperiment(rest, name);
      return experimentId;
    },
    async startRun<T>(options?: RunOptions, work?: (run: Run) => Promise<T>) {
      const run = await start(options);
      return work === undefined ? (run as T & Run) : endingOf(run, work); // which of the two, the overloads say
    },
    registerModel: (version) => registerModel(rest, version),
    async setRegisteredModelAlias(name, alias, version) {
      await rest.call('POST', 'registered-models/alias', { name, alias, version: String(version) });
    },
    getRun: (runId) => getRun(rest, runId),
    searchRuns: (search) => searchRuns(rest, search),
    getMetricHistory: (runId, key) => getMetricHistory(rest, runId, key),
  };
}
