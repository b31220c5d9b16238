/** Verdicts as text, and as exit codes. */
import { table } from './table.ts';

export type Outcome = 'pass' | 'fail' | 'inconclusive';
export type VerdictView = {
  readonly outcome: Outcome;
  readonly reason?: string;
  readonly value?: number | null;
  readonly threshold?: number | null;
  readonly n?: number;
};
export type NamedVerdict = {
  readonly name: string;
  readonly verdict: VerdictView;
  /** In place of the outcome. */
  readonly says?: string;
};

/** 3 for no, 5 for "not enough evidence", unless that is allowed. */
export function exitOfOutcome(outcome: Outcome, { allowUndecided = false } = {}): number {
  if (outcome === 'fail') return 3;
  return outcome === 'inconclusive' && !allowUndecided ? 5 : 0;
}

export function verdictTable(verdicts: readonly NamedVerdict[]): string {
  return table(verdicts, [
    { title: 'test', cell: ({ name }) => name },
    { title: 'verdict', cell: ({ verdict, says = verdict.outcome }) => says },
    { title: 'value', cell: ({ verdict }) => short(verdict.value), align: 'right' },
    { title: 'limit', cell: ({ verdict }) => short(verdict.threshold), align: 'right' },
    { title: 'n', cell: ({ verdict }) => (verdict.n === undefined ? '' : String(verdict.n)), align: 'right' },
    { title: 'because', cell: ({ verdict }) => verdict.reason ?? '' },
  ]);
}

export function short(value: number | null | undefined): string {
  return typeof value === 'number' ? String(Number(value.toPrecision(4))) : '';
}
