/** Which alert, clock or amount of labels starts the pipeline again: a decision with its reason, each time. */
import type { Json } from '../events/event.ts';
import type { Alert } from '../monitoring/alert.ts';
import { sayDuration } from '../rollouts/quantity.ts';
import type { VersionRef } from '../serving/traffic.ts';
import type { RetrainPlan } from './retrain-config.ts';

export type Retraining = {
  readonly id: string;
  readonly project: string;
  readonly endpoint: string;
  readonly trigger: string;
  readonly state: RetrainingState;
  readonly startedAt: number;
  /** The endpoint's clock. */
  readonly startedClock: number;
  readonly ship: 'auto' | 'approve';
  readonly because: string;
  /** The pipeline's execution, what came out of it, and the operation that ships it. */
  readonly execution?: string;
  readonly version?: VersionRef;
  readonly shipment?: string;
  readonly outcome?: string;
};

export const retrainingStates = ['training', 'shipping', 'ended', 'skipped'] as const;
export type RetrainingState = (typeof retrainingStates)[number];

export type RetrainSituation = {
  readonly plan: RetrainPlan;
  /** The endpoint's clock. */
  readonly clock: number;
  readonly openAlerts: readonly Alert[];
  /** New labels since the last training began. */
  readonly newLabels: number;
  /** Cron lines of the plan that have come due since. */
  readonly due: readonly string[];
  readonly last: Pick<Retraining, 'startedClock' | 'state'> | undefined;
  readonly rolloutRunning: boolean;
};

export type RetrainDecision =
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'start';
      readonly trigger: string;
      readonly because: string;
      readonly evidence: { readonly [key: string]: Json };
    }
  /** A trigger holds, and something keeps it from starting; told once. */
  | { readonly kind: 'skip'; readonly trigger: string; readonly because: string };

export function decideRetraining(situation: RetrainSituation): RetrainDecision {
  const { plan, clock, last, rolloutRunning } = situation;
  const cause = causeOf(situation);
  if (!cause) return { kind: 'nothing' };
  const skip = (because: string): RetrainDecision => ({ kind: 'skip', trigger: cause.trigger, because });
  if (last?.state === 'training' || last?.state === 'shipping') return { kind: 'nothing' };
  if (rolloutRunning) return skip('a rollout is under way: its version comes first');
  const since = last === undefined ? Number.POSITIVE_INFINITY : clock - last.startedClock;
  if (since < plan.cooldownMs)
    return skip(
      `the last one began ${sayDuration(Math.max(since, 0))} ago, the cooldown is ${sayDuration(plan.cooldownMs)}`,
    );
  return { kind: 'start', ...cause };
}

type Cause = {
  readonly trigger: string;
  readonly because: string;
  readonly evidence: { readonly [key: string]: Json };
};

function causeOf({ plan, openAlerts, newLabels, due }: RetrainSituation): Cause | undefined {
  for (const trigger of plan.when) {
    switch (trigger.kind) {
      case 'drift': {
        const alert = openAlerts.find(({ monitor, items }) => monitor === 'drift' && items.length >= trigger.features);
        if (alert) return ofAlert(alert);
        break;
      }
      case 'quality': {
        const alert = openAlerts.find(({ monitor }) => monitor === 'quality');
        if (alert) return ofAlert(alert);
        break;
      }
      case 'schedule':
        if (due.includes(trigger.cron)) {
          return {
            trigger: `schedule ${trigger.cron}`,
            because: `the schedule ${trigger.cron} has come due`,
            evidence: { cron: trigger.cron },
          };
        }
        break;
      case 'labels':
        if (newLabels >= trigger.count) {
          const because = `${newLabels.toLocaleString('en-US')} new labels, ${trigger.count.toLocaleString('en-US')} were asked for`;
          return { trigger: `labels ${trigger.count}`, because, evidence: { newLabels } };
        }
        break;
    }
  }
  return undefined;
}

const ofAlert = (alert: Alert): Cause => ({
  trigger: `alert ${alert.id}`,
  because: alert.title,
  evidence: {
    alert: alert.id,
    monitor: alert.monitor,
    title: alert.title,
    since: alert.openedClock,
    items: alert.items.map((item) => ({ ...item })),
  },
});
