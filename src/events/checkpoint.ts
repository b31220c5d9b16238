/** C2SP checkpoints (https://c2sp.org/tlog-checkpoint): the size and root of the log at one moment. */
import type { Hash } from './merkle-tree.ts';

export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Hash };

export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

/** Undefined when the text is not a checkpoint; extension lines after the root are allowed. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [, origin, digits, encoded] = text.match(/^([^\n]+)\n(0|[1-9][0-9]*)\n([A-Za-z0-9+/]{43}=)\n/) ?? [];
  const size = Number(digits);
  if (origin === undefined || encoded === undefined || !Number.isSafeInteger(size)) return undefined;
  return { origin, size, root: Buffer.from(encoded, 'base64') };
}
