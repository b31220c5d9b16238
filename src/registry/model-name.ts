/** What models and aliases may be called, with the messages that MLflow's clients print. */
import { PlatformError } from '../errors.ts';
import { validateKey, validateLength } from '../tracking/names.ts';

export const invalid = (subject: string, message: string): PlatformError =>
  new PlatformError('registry/invalid', subject, { message });

export function validateModelName(name: string, path = 'name'): void {
  if (name.trim() === '') throw invalid(path, `Missing value for required parameter '${path}'.`);
  if (/[/:]/.test(name)) {
    throw invalid(path, `Invalid model name '${name}'. Names cannot contain '/' or ':'.`);
  }
  // Without slashes, these are the only names that mean another path.
  if (name === '.' || name.startsWith('..')) {
    const why =
      'Names may be treated as files in certain cases, and must not resolve to other names when treated as such.';
    throw invalid(
      path,
      `Invalid value ${JSON.stringify(name)} for parameter 'name' supplied: ${why} This name would resolve to '${name}'`,
    );
  }
}

export function validateAlias(alias: string): void {
  if (alias === '') throw invalid('alias', 'Registered model alias name cannot be empty.');
  if (!/^[\p{L}\p{N}_-]*$/u.test(alias)) {
    throw invalid(
      'alias',
      `Invalid alias name: '${alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-).`,
    );
  }
  validateLength('Registered model alias name', 255, alias);
}

/** Names that would be taken for a version in `models:/name@…`. */
export function refuseReservedAlias(alias: string): void {
  if (alias.toLowerCase() === 'latest') {
    throw invalid('alias', "'latest' alias name (case insensitive) is reserved.");
  }
  if (/^v\d+$/i.test(alias)) throw invalid('alias', `Version alias name '${alias}' is reserved.`);
}

/** A version's number. @throws PlatformError `registry/invalid` when `text` is none */
export function parseVersion(text: string): number {
  if (/^\s*[+-]?\d{1,15}\s*$/.test(text)) return Number(text);
  throw invalid('version', `Parameter 'version' must be an integer, got '${text}'.`);
}

export const maxRegistryTagLength = 100_000;

export function validateRegistryTag({ key, value }: { readonly key: string; readonly value: string }): void {
  validateKey(key, () => 'key');
  validateLength('key', 250, key);
  validateLength('value', maxRegistryTagLength, value);
}
