/** Registers a version of a model, and waits until the server has it. */
import { setTimeout as wait } from 'node:timers/promises';
import { textIn } from './answer.ts';
import type { LoggedModel } from './log-model.ts';
import { RequestError, type Rest } from './rest-client.ts';

export type VersionToRegister = {
  readonly name: string;
  /** What `logModel` gave. */
  readonly model: LoggedModel;
  readonly runId?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly description?: string;
};
export type RegisteredVersion = { readonly name: string; readonly version: number };

const patienceMs = 300_000;
const lookEveryMs = 500;

export async function registerModel(
  rest: Rest,
  { name, model, runId, tags = {}, description }: VersionToRegister,
): Promise<RegisteredVersion> {
  await createIfMissing(rest, name);
  const before = await latest(rest, name, model);
  const content = {
    name,
    source: model.uri,
    model_id: model.id,
    ...(runId !== undefined && { run_id: runId }),
    ...(description !== undefined && { description }),
    tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
  };
  const findDone = async () => {
    const found = await latest(rest, name, model);
    return found?.version === before?.version ? undefined : { model_version: found };
  };
  const answer = await rest.call('POST', 'model-versions/create', content, { findDone });
  const version = textIn(answer, 'model_version', 'version');
  const givenUpAt = Date.now() + patienceMs;
  for (let now = answer; ; now = await rest.call('GET', 'model-versions/get', { name, version })) {
    const status = textIn(now, 'model_version', 'status');
    if (status === 'READY') return { name, version: Number(version) };
    if (status === 'FAILED_REGISTRATION' || Date.now() > givenUpAt) {
      throw new Error(`version ${version} of ${name} was not registered: it is ${status}`);
    }
    await wait(lookEveryMs);
  }
}

/** The newest version that was made of this logged model. */
async function latest(rest: Rest, name: string, model: LoggedModel): Promise<{ readonly version: string } | undefined> {
  const answer = (await rest.call('GET', 'model-versions/search', {
    filter: `source_path = '${model.uri}'`,
    order_by: 'version_number DESC',
  })) as { model_versions?: readonly { version: string; name: string }[] }; // MLflow's, which textIn reads
  return answer.model_versions?.find((version) => version.name === name);
}

async function createIfMissing(rest: Rest, name: string): Promise<void> {
  try {
    await rest.call('POST', 'registered-models/create', { name });
  } catch (error) {
    if (error instanceof RequestError && error.code === 'RESOURCE_ALREADY_EXISTS') return;
    throw error;
  }
}
