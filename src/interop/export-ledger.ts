/** What became of what in an export. */
import type { Tag } from '../tracking/names.ts';

/** Durable line by line: what it says has happened, even when the export is broken off. */
export interface ExportLedger {
  /** Whether an earlier export wrote into it. */
  readonly isResumed: boolean;
  find(kind: LedgerKind, from: string): string | undefined;
  add(kind: LedgerKind, from: string, to: string): Promise<void>;
}

/** `…-data`: all that belongs to it is there too. */
export type LedgerKind = 'experiment' | 'run' | 'run-data' | 'logged-model' | 'logged-model-data';

/** On each thing there: its id here. */
export const originTag = 'rondo.exported_from';
export const parentTag = 'mlflow.parentRunId';

/** Its tags there. @param from its id here, which takes the place of one of an export before */
export const tagsThere = (tags: readonly Tag[], from: string): readonly Tag[] => [
  ...tags.filter(({ key }) => key !== originTag),
  { key: originTag, value: from },
];

/** A version's source with the ids that it has there. */
export const sourceThere = (source: string, mapped: (kind: LedgerKind, from: string) => string): string =>
  source
    .replace(/^(models:\/)(m-[0-9a-zA-Z]+)$/, (_, scheme: string, id: string) => scheme + mapped('logged-model', id))
    .replace(/^(runs:\/)([0-9a-zA-Z_-]+)/, (_, scheme: string, id: string) => scheme + mapped('run', id));
