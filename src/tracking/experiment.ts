/** Experiments: a name for runs that are compared with each other. */
import { PlatformError } from '../errors.ts';
import { lengthOf, type Tag, validateLength } from './names.ts';

export type Lifecycle = 'active' | 'deleted';

export type Experiment = {
  /** A decimal number as text, as MLflow writes it. */
  readonly id: string;
  readonly name: string;
  readonly project: string;
  readonly artifactLocation: string;
  readonly lifecycle: Lifecycle;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly tags: readonly Tag[];
};

/** The experiment of runs that name none; it exists from the first start. */
export const defaultExperiment = { id: '0', name: 'Default' } as const;

export function validateExperimentName(name: string): void {
  if (name === '') throw new PlatformError('tracking/invalid', 'name', { message: "Invalid experiment name: ''" });
  validateLength('name', 500, name);
}

/** MLflow's page keeps views in tags, and not more of them than this. */
const maxViews = 50;
const isView = ({ key }: Tag): boolean => key.startsWith('mlflow.customView.view');

/** @param id of an experiment that is there already */
export function refuseMoreViews(tags: readonly Tag[], added: readonly Tag[], id?: string): void {
  const known = new Set(tags.filter(isView).map(({ key }) => key));
  const more = added.filter((tag) => isView(tag) && !known.has(tag.key));
  if (more.length === 0 || known.size + more.length <= maxViews) return;
  const message =
    `Unable to create another custom view${id === undefined ? '' : ` for experiment ${id}`}; the maximum number of custom views per ` +
    `experiment is ${maxViews}. Delete an existing custom view before creating a new one.`;
  throw new PlatformError('tracking/invalid', 'tags', { message });
}

export function validateArtifactLocation(location: string): void {
  const [path = '', ...query] = location.split('?');
  const isPlain = /^(?:https?:|s?ftp:|[^:]*$)/i.test(path); // where RFC 3986 gives the last segment parameters
  if (/#./.test(location) || (isPlain && /;[^/]+$/.test(path))) {
    const message = "'artifact_location' URL can't include fragments or params.";
    throw new PlatformError('tracking/invalid', 'artifact_location', { message });
  }
  if (/(?:\.|%2e){2}/i.test(query.join('?'))) {
    throw new PlatformError('tracking/invalid', 'artifact_location', { message: 'Invalid query string' });
  }
  if (location.startsWith('runs:')) {
    const message = `Artifact location cannot be a runs:/ URI. Given: '${location}'`;
    throw new PlatformError('tracking/invalid', 'artifact_location', { message });
  }
  if (lengthOf(location) > 2048) {
    const message =
      'Invalid artifact path length. The length of the artifact path cannot be greater than 2048 characters.';
    throw new PlatformError('tracking/invalid', 'artifact_location', { message });
  }
}

/** @throws PlatformError `tracking/invalid` when `id` is not a whole number of 64 bits */
export function parseExperimentId(id: string): bigint {
  const number = /^\s*[+-]?\d+\s*$/.test(id) ? BigInt(id) : undefined;
  if (number === undefined || BigInt.asIntN(64, number) !== number) {
    const message = `Invalid experiment ID '${id}'. Experiment ID must be a valid integer.`;
    throw new PlatformError('tracking/invalid', 'experiment_id', { message });
  }
  return number;
}

export function requireActiveExperiment(experiment: Experiment): void {
  if (experiment.lifecycle === 'active') return;
  const message = `The experiment ${experiment.id} must be in the 'active' state. Current state is ${experiment.lifecycle}.`;
  throw new PlatformError('tracking/not-active', `experiment/${experiment.id}`, { message, hint: 'Restore it first.' });
}

export const experimentNotFound = (id: string): PlatformError => new PlatformError('tracking/experiment-not-found', id);

/** Where an experiment's artifacts lie when nobody says otherwise. */
export const defaultArtifactLocation = (root: string, experimentId: string): string =>
  `${root.replace(/\/+$/, '')}/${experimentId}`;

/** A relative path or `file:` URI is meant from the working directory; anything else is what it is. */
export function absoluteLocation(location: string, workingDirectory: string): string {
  const [, scheme = '', relative = ''] = /^(file:)?(?![A-Za-z][\w+.-]*:|\/)(.+)$/.exec(location) ?? [];
  if (relative === '') return location;
  const folder = workingDirectory.replace(/\/+$/, '');
  const segments = relative.split('/').filter((segment) => segment !== '' && segment !== '.');
  return [scheme === '' ? folder : `file://${folder}`, ...segments].join('/');
}

/** Appends path segments to a location, before its query if it has one. */
export function appendToLocation(location: string, ...segments: readonly string[]): string {
  const [path = '', ...query] = location.split('?');
  const joined = [path.replace(/\/+$/, ''), ...segments].join('/');
  return query.length === 0 ? joined : `${joined}?${query.join('?')}`;
}
