/** Where artifacts lie in MLflow, and where they lie in Rondo afterwards. */

export type Place =
  /** Behind MLflow's own server: a key below its artifacts. */
  | { readonly kind: 'proxied'; readonly key: string }
  | { readonly kind: 'local'; readonly path: string }
  /** s3, gs, dbfs and others, which clients reach without a server. */
  | { readonly kind: 'elsewhere' };

const route = '/api/2.0/mlflow-artifacts/artifacts';

/** @param location of an experiment, run or model  @throws never: what is no URI is a path */
export function placeOf(location: string): Place {
  const match = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/.exec(location);
  const scheme = match?.[1]?.toLowerCase();
  const rest = match?.[2] ?? '';
  if (scheme === undefined) return { kind: 'local', path: location };
  const path = rest.replace(/^\/\/[^/]*/, '').split(/[?#]/, 1)[0] ?? '';
  switch (scheme) {
    case 'file':
      return { kind: 'local', path: decoded(rest.startsWith('//') ? rest.replace(/^\/\/[^/]*/, '') : rest) };
    case 'mlflow-artifacts':
      return { kind: 'proxied', key: tidy(path) };
    case 'http':
    case 'https': {
      const at = path.indexOf(route);
      return at < 0 ? { kind: 'elsewhere' } : { kind: 'proxied', key: tidy(path.slice(at + route.length)) };
    }
    default:
      return { kind: 'elsewhere' };
  }
}

/**
 * A location as it is in Rondo. What an MLflow server kept keeps its key; what lay in folders gets the key that a server would
 * have given it; what lies in a store of its own stays.
 * @param usual the key below Rondo's artifacts, for a location in a folder
 */
export function placeHere(location: string, usual: string): string {
  const place = placeOf(location);
  switch (place.kind) {
    case 'proxied':
      return `mlflow-artifacts:/${place.key}`;
    case 'local':
      return `mlflow-artifacts:/${usual}`;
    case 'elsewhere':
      return location;
  }
}

export const usualKey = {
  experiment: (id: string): string => id,
  run: (experiment: string, id: string): string => `${experiment}/${id}/artifacts`,
  loggedModel: (experiment: string, id: string): string => `${experiment}/models/${id}/artifacts`,
};

/** A folder of the source and what it is called here. */
export type Moved = { readonly from: string; readonly to: string };

/** A version's source: where it lies below something that moved, its place there. */
export function movedSource(source: string, moved: readonly Moved[]): string {
  const place = placeOf(source);
  if (place.kind === 'proxied') return `mlflow-artifacts:/${place.key}`;
  if (place.kind === 'elsewhere') return source; // also models:/ and runs:/
  const path = tidy(place.path);
  const within = moved
    .map(({ from, to }) => ({ to, folder: tidy(placePath(from)) }))
    .filter(({ folder }) => path === folder || path.startsWith(`${folder}/`))
    .toSorted((a, b) => b.folder.length - a.folder.length)[0];
  return within ? `${within.to}${path.slice(within.folder.length)}` : source;
}

const placePath = (location: string): string => {
  const place = placeOf(location);
  return place.kind === 'local' ? place.path : location;
};

const tidy = (path: string): string =>
  path
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/');

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % stands for itself
  }
}
