/** Rollouts as the pages read them. */
import { useQuery } from '@tanstack/react-query';
import { get } from './api.ts';
import type { VersionRef } from './endpoints.ts';
import type { Verdict } from './verdict.ts';

export type Phase = 'preparing' | 'shadow' | 'step' | 'paused' | 'promoting' | 'promoted' | 'rolled-back' | 'aborted' | 'superseded';

export type RolloutSummary = {
  readonly id: string;
  readonly endpoint: string;
  readonly champion?: VersionRef;
  readonly challenger: VersionRef;
  readonly phase: Phase;
  /** 0 to 1. */
  readonly share: number;
  readonly startedClock: number;
  readonly startedAt: number;
  readonly endedClock?: number;
  readonly endedAt?: number;
  readonly because?: string;
  readonly forced?: { readonly reason: string };
};

export type SeriesPoint = { readonly requests: number; readonly eventTime: number; readonly value: number; readonly lower: number | null; readonly upper: number | null };

export type Guardrail = {
  readonly name: string;
  readonly unit: 'share' | 'loss';
  readonly word: 'better' | 'no worse' | 'worse' | 'undecided';
  readonly verdict: Verdict;
  readonly margin: number;
  readonly challenger?: number;
  readonly champion?: number;
  readonly atWorst?: number;
  readonly n: number;
  readonly broken?: { readonly because: string; readonly eventTime: number };
  readonly series: readonly SeriesPoint[];
};

export type StepView = {
  readonly label: string;
  readonly share: number;
  readonly state: 'past' | 'now' | 'next' | 'broken';
  readonly enteredClock?: number;
  readonly leftClock?: number;
  readonly note: string;
};

export type RolloutView = RolloutSummary & {
  readonly clock: number;
  readonly requests: number;
  readonly steps: readonly StepView[];
  readonly guardrails: readonly Guardrail[];
  readonly arms: { readonly challenger: number; readonly control: number; readonly champion: number };
  readonly split: { readonly p: number; readonly units: number };
  readonly why: { readonly title: string; readonly text: string; readonly conditions: readonly { readonly says: string; readonly value: string; readonly met: boolean }[] };
  readonly decisions: readonly { readonly at: number; readonly clock?: number; readonly text: string; readonly actor: string }[];
};

export const useRollouts = () =>
  useQuery({ queryKey: ['rollouts'], queryFn: ({ signal }) => get<{ items: RolloutSummary[] }>('/api/v1/rollouts', {}, signal) });

export const useRollout = (id: string, { live }: { live: boolean }) =>
  useQuery({
    queryKey: ['rollout', id],
    queryFn: ({ signal }) => get<RolloutView>(`/api/v1/rollouts/${encodeURIComponent(id)}`, {}, signal),
    refetchInterval: live ? 1500 : false,
    placeholderData: (before) => before,
  });

export const isOver = (phase: Phase): boolean => phase === 'promoted' || phase === 'rolled-back' || phase === 'aborted' || phase === 'superseded';
