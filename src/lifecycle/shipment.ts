/** Shipping: a version is tested by its gates, then rolled out; one operation from the wish to the start of the rollout. */
import type { ErrorCode } from '../errors.ts';
import type { GateReport } from '../gates/gate.ts';
import type { Job, JobError } from '../jobs/job.ts';
import type { Force } from '../rollouts/start-rollout.ts';
import type { Outcome } from '../statistics/verdict.ts';

export const shipKind = 'lifecycle.ship';

/** The input of the operation. */
export type Shipment = {
  readonly project: string;
  readonly endpoint: string;
  readonly model: string;
  readonly version: number;
  readonly force?: Force;
  readonly reason?: string;
  /** A person is asked, whatever the project says. */
  readonly consent?: boolean;
};

/** Whether the people have agreed who must. */
export type ConsentState =
  | { readonly kind: 'given' }
  | { readonly kind: 'waiting'; readonly note: string }
  | { readonly kind: 'missing'; readonly error: ErrorCode };

export type ShipDecision =
  | { readonly kind: 'wait' }
  /** `gates` absent: the project has none. */
  | { readonly kind: 'roll-out'; readonly gates: { readonly outcome: Outcome; readonly reason: string } }
  | { readonly kind: 'fail'; readonly error: JobError };

/** What happens next, from the gates' job and its report. @param gates absent where the project has no gates */
export function decideShipment(gates: Job | undefined): ShipDecision {
  if (!gates) return { kind: 'roll-out', gates: { outcome: 'pass', reason: 'the project has no gates' } };
  switch (gates.state) {
    case 'queued':
    case 'running':
      return { kind: 'wait' };
    case 'failed':
    case 'cancelled':
      return { kind: 'fail', error: gates.error ?? { message: `The gates were ${gates.state}.` } };
    case 'done': {
      const report = gates.result as GateReport; // what the kind `gates.run` answers with
      return { kind: 'roll-out', gates: { outcome: report.outcome, reason: sayReport(report) } };
    }
  }
}

/** The tests that keep a version back, in a sentence; all of them where none does. */
export function sayReport({ tests, outcome }: Pick<GateReport, 'tests' | 'outcome'>): string {
  const against = tests.filter(
    ({ verdict }) => verdict.outcome === 'fail' || (outcome === 'inconclusive' && verdict.outcome === 'inconclusive'),
  );
  if (outcome === 'pass' || against.length === 0) return `${tests.length} gates pass`;
  return against.map(({ test, verdict }) => `${test}: ${verdict.reason}`).join('; ');
}
