/** What was deleted: its way back, and its end. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { get, post, send } from './api.ts';

export const trashKinds = ['experiment', 'run', 'logged-model', 'model', 'version'] as const;
export type TrashKind = (typeof trashKinds)[number];

export type TrashItem = {
  readonly kind: TrashKind;
  readonly id: string;
  readonly name: string;
  readonly project: string;
  readonly deletedAt: number;
  /** How many runs go with an experiment, or versions with a model. */
  readonly holds?: number;
};

export const useTrash = (kind: TrashKind | undefined) =>
  useInfiniteQuery({
    queryKey: ['runs', 'trash', kind],
    queryFn: ({ signal, pageParam }) =>
      get<{ items: TrashItem[]; next?: string }>('/api/v1/trash', { kind, limit: 100, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next,
  });

const path = (kind: TrashKind, id: string) => `/api/v1/trash/${kind}/${encodeURIComponent(id)}`;

export async function restoreFromTrash(kind: TrashKind, ids: readonly string[]): Promise<void> {
  for (const id of ids) await post(`${path(kind, id)}/restore`);
}

export const purgeFromTrash = (kind: TrashKind, id: string): Promise<unknown> => send('DELETE', path(kind, id));
