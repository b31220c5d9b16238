/** `rondo/client`: log runs, models and versions from TypeScript, to Rondo or to any MLflow server. The words are MLflow's. */
import { type RegisteredVersion, registerModel, type VersionToRegister } from './register-model.ts';
import { type RestOptions, restClient } from './rest-client.ts';
import { type Run, type RunOptions, startRun } from './run.ts';

export interface Client {
  /** Starts a run, in an experiment that is made when it is not there; `id` continues one. */
  startRun(options: RunOptions): Promise<Run>;
  /** A logged model becomes a version of a registered one, which is made when it is not there. */
  registerModel(version: VersionToRegister): Promise<RegisteredVersion>;
}

/**
 * Nothing is sent before the first call. Requests that fail because the server restarts or is busy are repeated for some minutes.
 * @throws TypeError when the address is none
 */
export function connect(options: RestOptions): Client {
  const rest = restClient(options);
  return {
    startRun: (run) => startRun(rest, run),
    registerModel: (version) => registerModel(rest, version),
  };
}
