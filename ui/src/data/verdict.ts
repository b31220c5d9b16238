/** A judgement as the API gives it. */
export type Verdict = {
  readonly outcome: 'pass' | 'fail' | 'inconclusive';
  readonly reason: string;
  readonly value?: number;
  readonly lower?: number;
  readonly upper?: number;
  readonly threshold?: number;
  readonly n: number;
  readonly window?: string;
  readonly method: string;
};
