/** Which places a location of artifacts means to this server: only those below roots that its operator named. */
import { PlatformError } from '../errors.ts';
import type { ArtifactRoot } from './artifact-root.ts';

export type ArtifactPlace = { readonly root: ArtifactRoot; readonly key: string };

export type ArtifactPlaces = {
  /** What `mlflow-artifacts:/` is. */
  readonly proxied: ArtifactRoot;
  /** Each once. */
  readonly roots: readonly ArtifactRoot[];
  /** @returns undefined for a location that only clients can reach */
  find(location: string): ArtifactPlace | undefined;
};

/** @throws PlatformError storage/foreign-location */
export function requirePlace(places: ArtifactPlaces, location: string): ArtifactPlace {
  const place = places.find(location);
  if (!place) throw new PlatformError('storage/foreign-location', location);
  return place;
}

/** A root that clients reach themselves as well: `s3://bucket/prefix`, a folder of this machine. */
export type NamedRoot = { readonly uri: string; readonly root: ArtifactRoot };

export function artifactPlaces(proxied: ArtifactRoot, named: readonly NamedRoot[] = []): ArtifactPlaces {
  const others = named.map(({ uri, root }) => ({ root, at: storeOf(uri) }));
  return {
    proxied,
    roots: [...new Set([proxied, ...named.map(({ root }) => root)])],
    find: (location) => {
      const key = proxiedKeyOf(location);
      if (key !== undefined) return { root: proxied, key };
      const { store, segments } = storeOf(location);
      const found = others.find(
        ({ at }) => at.store === store && at.segments.every((segment, index) => segments[index] === segment),
      );
      return found && { root: found.root, key: segments.slice(found.at.segments.length).join('/') };
    },
  };
}

/** The key of an artifact behind this server's proxy, from `mlflow-artifacts:/…` or the URL of the proxy. */
export function proxiedKeyOf(location: string): string | undefined {
  const { scheme, path } = partsOf(location);
  if (scheme === 'mlflow-artifacts') return segmentsOf(path).join('/');
  const route = '/api/2.0/mlflow-artifacts/artifacts';
  const at = `${path}/`.indexOf(`${route}/`);
  const isProxy = (scheme === 'http' || scheme === 'https') && at >= 0;
  return isProxy ? segmentsOf(path.slice(at + route.length)).join('/') : undefined;
}

export type LocationParts = { readonly scheme: string; readonly authority: string; readonly path: string };

/** What a URI or a path is made of; the path is as it was written. */
export function partsOf(uri: string): LocationParts {
  const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)/.exec(uri);
  return {
    scheme: match?.[1]?.toLowerCase() ?? '',
    authority: match?.[2]?.toLowerCase() ?? '',
    path: match?.[3] ?? '',
  };
}

/** The folder of this machine that `file:///…` or a plain path means; undefined for anything else. */
export function localFolderOf(uri: string): string | undefined {
  const { scheme, authority, path } = partsOf(uri);
  if (scheme === '') return uri;
  return scheme === 'file' && (authority === '' || authority === 'localhost') ? decoded(path) : undefined;
}

/** A path and a `file:` URI of it are one; `..` stays what it is, and no root's keys have it. */
function storeOf(uri: string): { readonly store: string; readonly segments: readonly string[] } {
  const folder = localFolderOf(uri);
  if (folder !== undefined) return { store: 'file', segments: segmentsOf(folder) };
  const { scheme, authority, path } = partsOf(uri);
  return { store: `${scheme}://${authority}`, segments: segmentsOf(path) };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // a lone % stands for itself
  }
}

const segmentsOf = (path: string): readonly string[] => path.split('/').filter((segment) => segment !== '');
