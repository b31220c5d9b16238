/** Models, their versions, and the grounds on which a version may go live. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { get } from './api.ts';
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
  readonly aliases: readonly string[];
  readonly runId?: string;
};

export type Version = VersionSummary & {
  readonly model: string;
  readonly source: string;
  readonly description?: string;
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
  readonly versions: readonly VersionSummary[];
};

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
  useQuery({ queryKey: ['models', name], queryFn: ({ signal }) => get<Model>(path(name), {}, signal) });

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
