import { textIn } from './answer.ts';
import { RequestError, type Rest } from './rest-client.ts';

/** @returns the id of the experiment of this name, made when there is none */
export async function findOrCreateExperiment(rest: Rest, name: string): Promise<string> {
  const found = await findExperiment(rest, name);
  if (found !== undefined) return found;
  try {
    return textIn(await rest.call('POST', 'experiments/create', { name }), 'experiment_id');
  } catch (error) {
    // Somebody else made it in between, or this request did and its answer got lost.
    const taken = error instanceof RequestError && error.code === 'RESOURCE_ALREADY_EXISTS';
    const theirs = taken ? await findExperiment(rest, name) : undefined;
    if (theirs === undefined) throw error;
    return theirs;
  }
}

/** @returns its id, or undefined when there is none of this name */
export async function findExperiment(rest: Rest, name: string): Promise<string | undefined> {
  try {
    const answer = await rest.call('GET', 'experiments/get-by-name', { experiment_name: name });
    return textIn(answer, 'experiment', 'experiment_id');
  } catch (error) {
    if (error instanceof RequestError && error.code === 'RESOURCE_DOES_NOT_EXIST') return undefined;
    throw error;
  }
}
