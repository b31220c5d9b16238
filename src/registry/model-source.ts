/** Where a model version's files are said to lie, and which of these claims are believed. */
import { partsOf, proxiedKeyOf } from '../storage/artifact-places.ts';
import { absoluteLocation } from '../tracking/experiment.ts';
import { invalid } from './model-name.ts';

export type ModelSource =
  | { readonly kind: 'logged-model'; readonly id: string }
  | { readonly kind: 'version'; readonly model: string; readonly version: number }
  | { readonly kind: 'alias'; readonly model: string; readonly alias: string }
  | { readonly kind: 'stage'; readonly model: string; readonly stage: string | undefined }
  | { readonly kind: 'run'; readonly runId: string; readonly path: string }
  /** A key of this server's artifacts. */
  | { readonly kind: 'artifact'; readonly key: string }
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: 'elsewhere' };

/** @throws PlatformError `registry/invalid` for a `models:` or `runs:` URI that says nothing */
export function parseSource(source: string): ModelSource {
  const { scheme, authority, path } = partsOf(source);
  if (scheme === 'models') return modelOf(source, path);
  if (scheme === 'runs') {
    const [runId = '', ...rest] = path.replace(/^\/+/, '').split('/');
    if (runId === '' || authority !== '') throw badSource(source, 'run_id');
    return { kind: 'run', runId, path: rest.join('/').replace(/\/+$/, '') };
  }
  const key = proxiedKeyOf(source);
  if (key !== undefined) return { kind: 'artifact', key };
  if (scheme === '' || scheme === 'file') return { kind: 'local', path };
  return { kind: 'elsewhere' };
}

/**
 * Refuses a source that lies outside of what its run or logged model wrote: whoever may register versions could otherwise
 * make the server hand out any file.
 * @param owner the artifact location of the run or model that the request names
 */
export function checkSource(
  source: string,
  owner: {
    readonly named: 'run_id' | 'model_id';
    readonly id: string | undefined;
    readonly location: string | undefined;
    /** What a relative path is meant from; without it there are none. */
    readonly workingDirectory?: string | undefined;
  },
): void {
  const { scheme, authority } = partsOf(source);
  const local = scheme === '' || scheme === 'file';
  if (!local) refuseRelative(source);
  const parsed = parseSource(source);
  switch (parsed.kind) {
    case 'local': {
      if (owner.id && owner.location === undefined) throw badSource(source, owner.named);
      const root = owner.location === undefined ? undefined : parseSource(owner.location);
      const { workingDirectory } = owner;
      const path = workingDirectory === undefined ? parsed.path : absoluteLocation(parsed.path, workingDirectory);
      if (root?.kind === 'local' && isWithin(path, root.path)) return;
      throw invalid(
        'source',
        `Invalid model version source: '${source}'. To use a local path as a model version source, the ${owner.named} request ` +
          'parameter has to be specified and the local path has to be contained within the artifact directory of the run ' +
          `specified by the ${owner.named}.`,
      );
    }
    case 'run':
      if (authority === '' && owner.named === 'run_id' && parsed.runId === owner.id) return;
      throw badSource(source, owner.named);
    case 'logged-model':
      if (authority === '' && owner.named === 'model_id' && parsed.id === owner.id) return;
      throw badSource(source, 'model_id');
    case 'artifact':
      if (owner.location !== undefined && isBelow(source, owner.location)) return;
      throw badSource(source, owner.named);
    case 'version':
    case 'alias':
    case 'stage':
    case 'elsewhere':
  }
}

export const badSource = (source: string, named: 'run_id' | 'model_id') =>
  invalid(
    'source',
    `Invalid model version source: '${source}'. The ${named} request parameter must identify the resource that contains the source.`,
  );

function modelOf(source: string, path: string): ModelSource {
  const parts = path.replace(/^\/+/, '').split('/');
  const [name = '', suffix] = parts;
  if (parts.length > 2 || name.trim() === '' || suffix?.trim() === '') {
    throw invalid(
      'source',
      `Not a proper models:/ URI: ${source}. Models URIs must be of the form 'models:/model_name/suffix' or 'models:/model_name@alias'.`,
    );
  }
  if (suffix !== undefined) {
    if (/^\d+$/.test(suffix)) return { kind: 'version', model: name, version: Number(suffix) };
    return { kind: 'stage', model: name, stage: suffix.toLowerCase() === 'latest' ? undefined : suffix };
  }
  const at = name.lastIndexOf('@');
  return at > 0
    ? { kind: 'alias', model: name.slice(0, at), alias: name.slice(at + 1) }
    : { kind: 'logged-model', id: name };
}

function refuseRelative(source: string): void {
  const plain = unquoted(source);
  const path = partsOf(plain).path.replace(/\/+$/, '').replace(/\/+/g, '/');
  const dots = path.split('/').includes('.');
  if (!plain.includes('\u0000') && !plain.split('/').includes('..') && !dots) return;
  throw invalid(
    'source',
    `Invalid model version source: '${source}'. If supplying a source as an http, https, local file path, ftp, objectstore, or` +
      ' mlflow-artifacts uri, an absolute path must be provided without relative path references present. Please provide an' +
      ' absolute path.',
  );
}

/** Whether a URI is another one or lies below it, with both decoded to the end. */
function isBelow(uri: string, root: string): boolean {
  const one = partsOf(uri);
  const other = partsOf(root);
  const segments = (path: string) => path.split('/').filter(Boolean).map(unquoted);
  const inner = segments(one.path);
  const outer = segments(other.path);
  return (
    one.scheme === other.scheme &&
    one.authority === other.authority &&
    outer.length > 0 &&
    outer.every((segment, index) => inner[index] === segment)
  );
}

const isWithin = (path: string, root: string): boolean =>
  !path.split('/').includes('..') && (path === root || path.startsWith(`${root.replace(/\/+$/, '')}/`));

/** Decodes until nothing changes any more, so that no encoding of an encoding slips through. */
function unquoted(text: string): string {
  const once = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return once === text ? text : unquoted(once);
}
