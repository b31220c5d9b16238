/** Models, their versions, and the grounds on which a version may go live. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { get, send } from './api.ts';
import type { VersionRef } from './endpoints.ts';
import type { Verdict } from './verdict.ts';

export type TensorSpec = { readonly name: string; readonly datatype: string; readonly shape: readonly number[] };
export type Finding = {
  readonly code: string;
  readonly severity: 'refuse' | 'warn' | 'note';
  readonly message: string;
  readonly fix?: string;
};

export type VersionSummary = {
  readonly version: number;
  readonly createdAt: number;
  readonly phase: string;
  /** MLflow's, `None` until somebody sets one. */
  readonly stage: Stage;
  readonly aliases: readonly string[];
  readonly runId?: string;
};

export const stages = ['None', 'Staging', 'Production', 'Archived'] as const;
export type Stage = (typeof stages)[number];
export type Tag = { readonly key: string; readonly value: string };

/** Tags of MLflow's clients and of ours are not for people. */
export const ownTags = (tags: readonly Tag[]): readonly Tag[] =>
  tags.filter(({ key }) => !/^(mlflow|rondo)\./.test(key));

export type Version = VersionSummary & {
  readonly model: string;
  readonly source: string;
  readonly description?: string;
  readonly tags: readonly Tag[];
  readonly status: 'PENDING_REGISTRATION' | 'FAILED_REGISTRATION' | 'READY';
  readonly statusMessage?: string;
  readonly lineage: {
    readonly datasets: readonly { readonly name: string; readonly version: string; readonly context: string }[];
    readonly code?: string;
    readonly environment?: string;
    readonly seed?: number;
    readonly execution?: string;
  };
  readonly sealed?: {
    readonly onnxDigest?: string;
    readonly files: readonly { readonly path: string; readonly digest: string; readonly size: number }[];
    readonly inputs: readonly TensorSpec[];
    readonly outputs: readonly TensorSpec[];
    readonly findings: readonly Finding[];
  };
};

export type Model = {
  readonly name: string;
  readonly project: string;
  readonly description?: string;
  readonly tags: readonly Tag[];
  readonly aliases: readonly { readonly alias: string; readonly version: number }[];
  readonly versions: readonly VersionSummary[];
};

/** A model on its own, with all that is known of its versions. */
export type ModelDetails = Omit<Model, 'versions'> & { readonly versions: readonly Version[] };

/** Who moved which label when; `to` absent where nobody has it any more. */
export type LabelMove = {
  readonly position: number;
  readonly at: number;
  readonly actor: string;
  readonly because?: 'deleted' | 'restored';
} & (
  | { readonly kind: 'alias'; readonly alias: string; readonly from?: number; readonly to?: number }
  | { readonly kind: 'stage'; readonly version: number; readonly from?: string; readonly to?: string }
);

export type GateTest = {
  readonly kind: string;
  /** The test in words. */
  readonly test: string;
  readonly verdict: Verdict;
  readonly onInconclusive: 'block' | 'pass';
  /** False for a comparison where nothing serves yet. */
  readonly applies: boolean;
  readonly slices?: readonly Slice[];
};
export type Slice = {
  readonly slice: string;
  readonly rows: number;
  readonly outcome: Verdict['outcome'] | 'small';
  readonly value?: number;
  readonly lower?: number;
  readonly upper?: number;
};
export type GateReport = {
  readonly outcome: Verdict['outcome'];
  readonly against?: VersionRef;
  readonly tests: readonly GateTest[];
  readonly decidedAt: number;
  readonly actor: string;
};

const path = (model: string, version?: number | string) =>
  `/api/v1/models/${encodeURIComponent(model)}${version === undefined ? '' : `/versions/${version}`}`;

/** Every model with its versions. */
export const useModels = () =>
  useQuery({
    queryKey: ['models'],
    queryFn: ({ signal }) => get<{ items: Model[] }>('/api/v1/models', { limit: 1000 }, signal),
  });

export const useModel = (name: string) =>
  useQuery({ queryKey: ['models', name], queryFn: ({ signal }) => get<ModelDetails>(path(name), {}, signal) });

/** The newest moves of its aliases and stages. */
export const useLabelHistory = (name: string) =>
  useQuery({
    queryKey: ['models', name, 'history'],
    queryFn: ({ signal }) => get<{ moves: LabelMove[] }>(`${path(name)}/history`, { limit: 50 }, signal),
  });

/** What is written on a model or a version; a tag that is null goes. */
export type Writing = {
  readonly description?: string;
  readonly stage?: Stage;
  readonly tags?: Readonly<Record<string, string | null>>;
};

type Change =
  | { readonly kind: 'write'; readonly version?: number; readonly body: Writing }
  | { readonly kind: 'alias'; readonly alias: string; readonly version: number | undefined };

export function useChangeModel(model: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (change: Change) => {
      if (change.kind === 'write') return send('PATCH', path(model, change.version), change.body);
      const alias = `${path(model)}/aliases/${encodeURIComponent(change.alias)}`;
      return change.version === undefined ? send('DELETE', alias) : send('PUT', alias, { version: change.version });
    },
    onSettled: () => Promise.all([['models'], ['version']].map((queryKey) => queries.invalidateQueries({ queryKey }))),
  });
}

export const useVersion = (ref: VersionRef | undefined) =>
  useQuery({
    queryKey: ['version', ref?.model, ref?.version],
    enabled: ref !== undefined,
    queryFn: ({ signal }) => get<Version>(path(ref?.model ?? '', ref?.version), {}, signal),
  });

/** The newest gate report; null when its gates have not run. */
export const useGates = (ref: VersionRef | undefined) =>
  useQuery({
    queryKey: ['version', ref?.model, ref?.version, 'gates'],
    enabled: ref !== undefined,
    queryFn: async ({ signal }) => {
      // The log knows whether there is a report; asking for one that is not there is an error.
      const decided = { subject: `model/${ref?.model}/${ref?.version}`, types: 'gates.decided', limit: 1 };
      const { items } = await get<{ items: unknown[] }>('/api/v1/events', decided, signal);
      return items.length === 0 ? null : get<GateReport>(`${path(ref?.model ?? '', ref?.version)}/gates`, {}, signal);
    },
  });

export type Became = VersionRef & { readonly phase: string };

/** Which versions each run became. */
export function useVersionsByRun(): ReadonlyMap<string, readonly Became[]> {
  const models = useModels().data?.items;
  return useMemo(() => {
    const versions = (models ?? []).flatMap(({ name, versions }) =>
      versions.map((version) => ({ ...version, model: name })),
    );
    return Map.groupBy(
      versions.filter(({ runId }) => runId !== undefined),
      ({ runId }) => runId ?? '',
    );
  }, [models]);
}

/** How the version counts to the gates: an undecided one may be allowed to pass. */
export function countsAs({ verdict, onInconclusive, applies }: GateTest): Verdict['outcome'] | 'not needed' {
  if (!applies) return 'not needed';
  return verdict.outcome === 'inconclusive' && onInconclusive === 'pass' ? 'pass' : verdict.outcome;
}
