/** What the evidence says at one moment: all that `decide` looks at, and what the page shows. */
import type { Verdict } from '../statistics/verdict.ts';
import type { SeriesPoint } from './series.ts';

export type Findings = {
  readonly loaded: Loaded;
  /** Why the traffic no longer belongs to this rollout. */
  readonly supersededBy?: string;
  /** Load failure, crash, an answer that is no number: no statistics needed. */
  readonly hardFailure?: string;
  /** Requests that both versions have scored in the shadow, and how many of them each failed on. */
  readonly shadow: { readonly requests: number; readonly failures: number; readonly championFailures: number };
  /** Requests of this rollout in all, whoever answered. */
  readonly requests: number;
  readonly arms: { readonly challenger: Arm; readonly control: Arm; readonly champion: Arm };
  /** Requests in each arm since the step began. */
  readonly stepArms: { readonly challenger: number; readonly control: number };
  readonly guardrails: readonly GuardrailFinding[];
  readonly split: { readonly p: number; readonly units: number };
  /** The last record of the log that is in it. */
  readonly seq: number;
};

export type Loaded =
  | { readonly kind: 'pending' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly problem: string };

export type Arm = { readonly requests: number; readonly errors: number };

export const words = ['better', 'no worse', 'worse', 'undecided'] as const;
export type Word = (typeof words)[number];

export type GuardrailFinding = {
  readonly index: number;
  readonly name: string;
  readonly unit: 'share' | 'loss';
  /** Challenger minus champion; above 0 is worse. Absent before there is anything to compare. */
  readonly value?: number;
  readonly challenger?: number;
  readonly champion?: number;
  /** Where the difference may be at worst, on what counts as proof. */
  readonly atWorst?: number;
  readonly margin: number;
  /** Requests in the smaller arm, or labelled pairs. */
  readonly n: number;
  /** Pairs whose labels came but are too young to prove anything. */
  readonly maturing?: number;
  readonly proven: boolean;
  readonly broken?: { readonly because: string; readonly seq: number; readonly eventTime: number };
  readonly word: Word;
  readonly verdict: Verdict;
  readonly says: { readonly value: string; readonly atWorst: string; readonly margin: string };
  readonly series: readonly SeriesPoint[];
};
