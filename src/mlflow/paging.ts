/** Page sizes and views as MLflow's requests name them. */
import type { Int64 } from '../storage/int64.ts';
import type { Lifecycle } from '../tracking/experiment.ts';
import { pageToken } from '../tracking/page-token.ts';
import { invalidRequest, refuse } from './message.ts';

export const viewTypes = { ACTIVE_ONLY: 1, DELETED_ONLY: 2, ALL: 3 } as const;

export const lifecyclesOf = (view: keyof typeof viewTypes | undefined): readonly Lifecycle[] =>
  view === 'ALL' ? ['active', 'deleted'] : view === 'DELETED_ONLY' ? ['deleted'] : ['active'];

/** @throws PlatformError when the size is not positive or above `most` */
export function pageSize(
  asked: Int64 | undefined,
  { most, usual }: { readonly most: number; readonly usual: number },
): number {
  const size = Number(asked ?? usual);
  if (size > most) refuse(size, 'max_results');
  if (size < 1) {
    throw invalidRequest(`Invalid value ${size} for parameter 'max_results' supplied. It must be a positive integer`);
  }
  return size;
}

export const nextToken = (more: boolean, offset: number, size: number): { readonly next_page_token?: string } =>
  more ? { next_page_token: pageToken(offset + size) } : {};
