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
  const answer = await rest.call('POST', 'model-versions/create', {
    name,
    source: model.uri,
    model_id: model.id,
    ...(runId !== undefined && { run_id: runId }),
    ...(description !== undefined && { description }),
    tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
  });
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

async function createIfMissing(rest: Rest, name: string): Promise<void> {
  try {
    await rest.call('POST', 'registered-models/create', { name });
  } catch (error) {
    if (error instanceof RequestError && error.code === 'RESOURCE_ALREADY_EXISTS') return;
    throw error;
  }
}
