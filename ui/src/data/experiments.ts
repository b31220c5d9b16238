/** Experiments as their list shows them, and what may be done to them. */
import { useQuery } from '@tanstack/react-query';
import { get, post, send } from './api.ts';

export type ListedExperiment = {
  readonly id: string;
  readonly name: string;
  readonly project: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly runs: number;
  readonly lastRunAt?: number;
};

const most = 1000;

/** Where something happened last first. */
export const useExperimentList = ({ deleted }: { readonly deleted: boolean }) =>
  useQuery({
    queryKey: ['runs', 'experiments', 'list', deleted],
    queryFn: ({ signal }) =>
      get<{ items: readonly ListedExperiment[]; next?: string }>(
        '/api/v1/experiments',
        { limit: most, deleted },
        signal,
      ),
    placeholderData: (before) => before,
  });

export const createExperiment = (name: string) => post<ListedExperiment>('/api/v1/experiments', { name });

const path = (id: string) => `/api/v1/experiments/${encodeURIComponent(id)}`;

/** @param change.tags `null` removes */
export const changeExperiment = (
  id: string,
  change: { readonly name?: string; readonly tags?: Readonly<Record<string, string | null>> },
) => send('PATCH', path(id), change);

export const deleteExperiment = (id: string) => send('DELETE', path(id));
