/** What a version's files are, and whether loading them can run somebody's code. Pure. */
import type { Version } from './models.ts';

export type ModelFormat = {
  readonly name: string;
  readonly mark: 'pass' | 'warn' | 'undecided';
  readonly says: string;
};

const unsafe: readonly (readonly [RegExp, string])[] = [
  [/\.(pkl|pickle|joblib|cloudpickle)$/i, 'pickle'],
  [/\.skops$/i, 'skops'],
  [/\.(pt|pth)$/i, 'PyTorch'],
  [/\.(h5|keras)$/i, 'Keras'],
];

export function formatOf({ sealed }: Pick<Version, 'sealed'>): ModelFormat {
  if (!sealed) return { name: 'not sealed', mark: 'undecided', says: 'not sealed yet' };
  if (sealed.onnxDigest) return { name: 'ONNX', mark: 'pass', says: 'ONNX, nothing executable' };
  const found = unsafeFormat(sealed.files.map(({ path }) => path));
  return found ?? { name: 'other files', mark: 'undecided', says: 'no format that can be served' };
}

export function unsafeFormat(paths: readonly string[]): ModelFormat | undefined {
  const found = unsafe.find(([pattern]) => paths.some((path) => pattern.test(path)));
  return found && { name: found[1], mark: 'warn', says: `${found[1]}: whoever loads it runs what is in it` };
}

export const sizeOf = ({ sealed }: Pick<Version, 'sealed'>): number | undefined =>
  sealed?.files.reduce((sum, file) => sum + file.size, 0);
