/** Models, their versions, and the grounds on which a version may go live. */
import { useQuery } from '@tanstack/react-query';
import { get } from './api.ts';
import type { Verdict } from './verdict.ts';

export type VersionSummary = {
  readonly version: number;
  readonly createdAt: number;
  readonly phase: string;
  readonly aliases: readonly string[];
  readonly runId?: string;
};

export type Model = { readonly name: string; readonly project: string; readonly description?: string; readonly versions: readonly VersionSummary[] };

export type TensorSpec = { readonly name: string; readonly datatype: string; readonly shape: readonly number[] };
export type Finding = { readonly code: string; readonly severity: 'refuse' | 'warn' | 'note'; readonly message: string; readonly fix?: string };

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

export type GateTest = {
  readonly name: string;
  readonly note?: string;
  readonly verdict: Verdict;
  readonly slices?: readonly { readonly name: string; readonly verdict: Verdict }[];
};
export type GateReport = {
  readonly outcome: Verdict['outcome'];
  readonly against?: { readonly model: string; readonly version: number };
  readonly tests: readonly GateTest[];
  readonly at: number;
};

const path = (model: string, version?: number | string) => `/api/v1/models/${encodeURIComponent(model)}${version === undefined ? '' : `/versions/${version}`}`;

export const useModels = () =>
  useQuery({ queryKey: ['models', 'list'], queryFn: ({ signal }) => get<{ items: Model[] }>('/api/v1/models', {}, signal) });

export const useModel = (name: string) =>
  useQuery({ queryKey: ['models', name], queryFn: ({ signal }) => get<Model>(path(name), {}, signal) });

export const useVersion = (model: string | undefined, version: number | undefined) =>
  useQuery({
    queryKey: ['version', model, version],
    enabled: model !== undefined && version !== undefined,
    queryFn: ({ signal }) => get<Version>(path(model ?? '', version), {}, signal),
  });

export const useGates = (model: string, version: number) =>
  useQuery({
    queryKey: ['version', model, version, 'gates'],
    queryFn: ({ signal }) => get<GateReport>(`${path(model, version)}/gates`, {}, signal),
    retry: false,
  });
