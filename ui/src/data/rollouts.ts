/** Rollouts as the pages read them. */
import { useQuery } from '@tanstack/react-query';
import { get } from './api.ts';
import type { VersionRef } from './endpoints.ts';
import type { LoggedEvent } from './event.ts';
import type { Verdict } from './verdict.ts';

export type RolloutState =
  | 'preparing'
  | 'shadow'
  | 'step'
  | 'paused'
  | 'promoting'
  | 'promoted'
  | 'rolled-back'
  | 'aborted'
  | 'superseded';

export type RolloutSummary = {
  readonly id: string;
  readonly endpoint: string;
  readonly champion?: VersionRef;
  readonly challenger: VersionRef;
  readonly state: RolloutState;
  /** The state in words: `25 %`, `paused at 5 %`. */
  readonly says: string;
  /** 0 to 1. */
  readonly share: number;
  readonly startedAt: number;
  /** The endpoint's clock, as the others that end so. */
  readonly startedClock: number;
  readonly startedBy: string;
  readonly stateSince: number;
  readonly endedAt?: number;
  readonly endedClock?: number;
  readonly forced?: { readonly reason: string };
};

export type SeriesPoint = {
  readonly requests: number;
  readonly eventTime: number;
  readonly value: number;
  readonly lower: number;
  readonly upper: number;
};

export type Guardrail = {
  readonly index: number;
  readonly name: string;
  readonly unit: 'share' | 'loss';
  readonly word: 'better' | 'no worse' | 'worse' | 'undecided';
  readonly verdict: Verdict;
  readonly margin: number;
  /** Challenger minus champion; above 0 is worse. */
  readonly value?: number;
  readonly challenger?: number;
  readonly champion?: number;
  readonly atWorst?: number;
  readonly n: number;
  readonly maturing?: number;
  readonly proven: boolean;
  readonly broken?: { readonly because: string; readonly eventTime: number };
  readonly says: { readonly value: string; readonly atWorst: string; readonly margin: string };
  readonly series: readonly SeriesPoint[];
};

export type StepView = {
  readonly name: string;
  readonly progress: 'done' | 'now' | 'ahead';
  readonly share?: number;
  /** Requests in each arm, or in the shadow. */
  readonly needs?: number;
  readonly enteredClock?: number;
  readonly because?: string;
};

export type Condition = { readonly says: string; readonly value: string; readonly met: boolean };
type Arm = { readonly requests: number; readonly errors: number };

export type RolloutView = RolloutSummary & {
  readonly plan: {
    readonly alpha: number;
    readonly undecidedAfterMs: number;
    readonly onInconclusive: 'pause' | 'promote' | 'rollback';
  };
  readonly because: string;
  readonly conditions: readonly Condition[];
  readonly undecided?: { readonly at: number; readonly action: 'pause' | 'promote' | 'rollback' };
  readonly steps: readonly StepView[];
  readonly guardrails: readonly Guardrail[];
  readonly traffic: {
    readonly requests: number;
    readonly arms?: { readonly challenger: Arm; readonly control: Arm; readonly champion: Arm };
    /** Requests in each arm since the step began. */
    readonly stepArms?: { readonly challenger: number; readonly control: number };
    readonly shadow?: { readonly requests: number; readonly failures: number };
    readonly split?: { readonly p: number; readonly units: number };
  };
  /** The endpoint's clock at the last look. */
  readonly clock: number;
  /** Newest first. */
  readonly decisions: readonly Pick<
    LoggedEvent,
    'position' | 'type' | 'at' | 'endpointTime' | 'actor' | 'reason' | 'data'
  >[];
};

/** What a step had to earn, as the decision about it noted; none where nothing was asked for. */
export function conditionsOf({ data }: Pick<LoggedEvent, 'data'>): readonly Condition[] {
  const { conditions } = data;
  return Array.isArray(conditions) ? (conditions as readonly Condition[]) : []; // as the server wrote them
}

export const useRollouts = () =>
  useQuery({
    queryKey: ['rollouts'],
    queryFn: ({ signal }) => get<{ items: RolloutSummary[] }>('/api/v1/rollouts', { limit: 100 }, signal),
  });

/** Looked at again every 1.5 s while it runs: evidence grows without events. */
export const useRollout = (id: string | undefined) =>
  useQuery({
    queryKey: ['rollout', id],
    enabled: id !== undefined,
    queryFn: ({ signal }) => get<RolloutView>(`/api/v1/rollouts/${encodeURIComponent(id ?? '')}`, {}, signal),
    refetchInterval: ({ state }) => (state.data && isOver(state.data.state) ? false : 1500),
  });

export const isOver = (state: RolloutState): boolean =>
  state === 'promoted' || state === 'rolled-back' || state === 'aborted' || state === 'superseded';

/** Where it is, as a page says it: `at 25 %`, `in shadow`. */
export function sayPlace({ state, says }: Pick<RolloutSummary, 'state' | 'says'>): string {
  switch (state) {
    case 'preparing':
      return 'being loaded';
    case 'shadow':
      return 'in shadow';
    case 'step':
      return `at ${says}`;
    case 'paused':
      return says.replace('paused at shadow', 'paused in shadow');
    case 'promoting':
      return 'taking over';
    case 'promoted':
      return 'at 100 %';
    case 'rolled-back':
      return 'rolled back';
    case 'aborted':
    case 'superseded':
      return state;
  }
}
