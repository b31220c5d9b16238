/** Page sizes and views as MLflow's requests name them. */
import type { Int64 } from '../storage/int64.ts';
import type { Lifecycle } from '../tracking/experiment.ts';
import { pageToken } from '../tracking/page-token.ts';
import { invalidRequest, refuse } from './message.ts';

export const viewTypes = { ACTIVE_ONLY: 1, DELETED_ONLY: 2, ALL: 3 } as const;

export const lifecyclesOf = (view: keyof typeof viewTypes | undefined): readonly Lifecycle[] =>
  view === 'ALL' ? ['active', 'deleted'] : view === 'DELETED_ONLY' ? ['deleted'] : ['active'];

/** How a refusal of a page size is worded; upstream's services differ. */
export type SizeRefusals = {
  readonly tooLarge: (size: number, most: number) => never;
  readonly notPositive: (size: number) => string;
};

const must = (size: number, what: string) =>
  `Invalid value ${size} for parameter 'max_results' supplied. It must be ${what}`;

export const ofRuns: SizeRefusals = {
  tooLarge: (size) => refuse(size, 'max_results'),
  notPositive: (size) => must(size, 'a positive integer'),
};
export const ofExperiments: SizeRefusals = {
  ...ofRuns,
  tooLarge: (size, most) => {
    throw invalidRequest(must(size, `at most ${most}`));
  },
};
export const ofRegistry: SizeRefusals = {
  tooLarge: (size) => refuse(String(size), 'max_results'),
  notPositive: (size) => `Invalid value for max_results. It must be a positive integer, but got ${size}`,
};

/** @throws PlatformError when the size is not positive or above `most` */
export function pageSize(
  asked: Int64 | undefined,
  { most, usual, refusals }: { readonly most: number; readonly usual: number; readonly refusals: SizeRefusals },
): number {
  const size = Number(asked ?? usual);
  if (size > most) refusals.tooLarge(size, most);
  if (size < 1) throw invalidRequest(refusals.notPositive(size));
  return size;
}

export const nextToken = (more: boolean, offset: number, size: number): { readonly next_page_token?: string } =>
  more ? { next_page_token: pageToken(offset + size) } : {};
