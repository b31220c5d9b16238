/** Paths of artifacts as clients send them, and folders as MLflow lists them. */
import type { ArtifactPlace } from '../storage/artifact-places.ts';
import { invalidRequest } from './message.ts';

/** What follows in an address is the path of an artifact. */
export const artifactAddress = /\/+mlflow-artifacts\/+(?:artifacts|presigned|mpu\/+\w+)\//;

/** @throws PlatformError for paths that lead elsewhere  */
export function checkArtifactPath(path: string): void {
  const outside =
    path.split('/').includes('..') || path.startsWith('/') || path.includes('\\') || /^[A-Za-z]:/.test(path);
  if (outside || path.includes('\u0000')) throw invalidRequest('Invalid path');
}

/** Without empty and `.` segments: clients join paths carelessly. */
export const tidyPath = (path: string): string =>
  path
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/');

export type FileView = { readonly path: string; readonly is_dir: boolean; readonly file_size?: number };

/** What lies in a folder of a run's or model's artifacts, with paths relative to where these begin. */
export async function listFolder({ root, key }: ArtifactPlace, folder: string): Promise<readonly FileView[]> {
  const start = key === '' ? 0 : key.length + 1;
  const entries = await root.list(tidyPath(`${key}/${folder}`));
  return entries.map(({ path, size, isFolder }) => ({
    path: path.slice(start),
    is_dir: isFolder,
    ...(isFolder ? {} : { file_size: size }),
  }));
}

/** The type of a file by its name: what runs in a browser goes out as text. */
export function contentTypeOf(name: string): string {
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  if (textTypes.has(extension) || textNames.has(name)) return 'text/plain; charset=utf-8';
  return types[extension] ?? 'application/octet-stream';
}

const textNames = new Set(['MLmodel', 'MLproject']);
const textTypes = new Set(
  'txt log err cfg conf cnf ini properties prop hparams yaml yml xml json js py py3 csv tsv md rst jsonnet html'.split(
    ' ',
  ),
);
const types: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  svg: 'image/svg+xml',
  pdf: 'application/pdf',
  zip: 'application/zip',
};

/** RFC 6266: the name in ASCII, and exactly beside it when it has other letters. */
export function attachment(name: string): string {
  const ascii = name.normalize('NFKD').replace(/[^\x20-\x7e]/g, '') || 'download';
  const quoted = /^[\w!#$%&'*+.^`|~-]+$/.test(ascii) ? ascii : `"${ascii.replace(/["\\]/g, '\\$&')}"`;
  const plain = `attachment; filename=${quoted}`;
  if (ascii === name) return plain;
  const exact = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `${plain}; filename*=UTF-8''${exact}`;
}
