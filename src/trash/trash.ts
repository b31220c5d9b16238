/** What was deleted and can be brought back, until it is purged. */
import { defaultExperiment } from '../tracking/experiment.ts';

export const trashKinds = ['experiment', 'run', 'logged-model', 'model', 'version'] as const;
export type TrashKind = (typeof trashKinds)[number];

export type TrashItem = {
  readonly kind: TrashKind;
  /** Unique within its kind. A version's is `name@3`; a model's is its own, because its name may have been given again. */
  readonly id: string;
  readonly name: string;
  readonly project: string;
  readonly deletedAt: number;
  /** Of a run or a logged model. */
  readonly experimentId?: string;
  /** How many runs go with an experiment, or versions with a model. */
  readonly holds?: number;
};

/** Clients know it by its number, which is never given again. */
export const isDefaultExperiment = ({ kind, id }: Pick<TrashItem, 'kind' | 'id'>): boolean =>
  kind === 'experiment' && id === defaultExperiment.id;

/** Where the list goes on: after this item. */
export type TrashPosition = { readonly at: number; readonly kind: TrashKind; readonly id: string };

/** Newest first; of one moment by kind, last in the alphabet first. `sort` is stable: within a kind the order stays. */
export function mergeTrash(lists: readonly (readonly TrashItem[])[], limit: number): readonly TrashItem[] {
  return lists
    .flat()
    .toSorted((a, b) => b.deletedAt - a.deletedAt || (a.kind < b.kind ? 1 : a.kind > b.kind ? -1 : 0))
    .slice(0, limit);
}

export const positionOf = ({ deletedAt, kind, id }: TrashItem): TrashPosition => ({ at: deletedAt, kind, id });

/** @returns undefined for what is no version */
export function versionOfId(id: string): { readonly model: string; readonly version: number } | undefined {
  const match = /^(.+)@([1-9]\d{0,8})$/.exec(id);
  return match?.[1] === undefined ? undefined : { model: match[1], version: Number(match[2]) };
}
