/** One message on its way to one receiver, and what becomes of it after an attempt. */

/** Where messages go: to a webhook, or to a place that a project's `alerts:` name. */
export type Target =
  | { readonly kind: 'webhook'; readonly webhook: string }
  | {
      readonly kind: 'slack' | 'pagerduty' | 'address';
      readonly project: string;
      /** As rondo.yaml has it: an address or key, or `$NAME` of the variable that holds it. */
      readonly value: string;
    };

/** Messages to one target about one subject leave in their order. */
export const targetKey = (target: Target): string =>
  target.kind === 'webhook'
    ? `webhook/${target.webhook}`
    : `${target.kind}/${JSON.stringify([target.project, target.value])}`;

export type Attempt = {
  readonly at: number;
  readonly ms: number;
  /** Of the answer; absent when there was none. */
  readonly status?: number;
  /** The beginning of the answer. */
  readonly answer?: string;
  readonly problem?: string;
};

export const deliveryStates = ['waiting', 'delivered', 'failed'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

export type Delivery = {
  readonly id: string;
  /** Grows with the order of the log. */
  readonly seq: number;
  readonly target: Target;
  /** `entity.action`. */
  readonly event: string;
  /** What it is about, as the log names it: `run/ab12…`. */
  readonly subject: string;
  readonly body: string;
  readonly state: DeliveryState;
  /** Attempts that count: a redelivery begins again. */
  readonly tries: number;
  readonly dueAt: number;
  readonly createdAt: number;
  readonly endedAt?: number;
  /** The last ones, oldest first. */
  readonly attempts: readonly Attempt[];
};

/** What came of sending. */
export type Outcome =
  | { readonly kind: 'answered'; readonly status: number; readonly body: string; readonly retryAfterMs?: number }
  /** No answer: no connection, no end in time. */
  | { readonly kind: 'unreachable'; readonly problem: string }
  /** Not sent, and trying again does not help. */
  | { readonly kind: 'refused'; readonly problem: string };

export type Judgement =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'again'; readonly afterMs: number; readonly problem: string }
  /** `gone`: the receiver says that it wants no more. */
  | { readonly kind: 'failed'; readonly problem: string; readonly gone: boolean };

/** With the waits between them, twelve attempts take some six hours. */
export const mostTries = 12;
const firstWaitMs = 1_000;
const longestWaitMs = 3_600_000;

/**
 * @param tries how many there were, with this one
 * @param random uniform in [0, 1): receivers that come back are not met by everybody at once
 */
export function judge(outcome: Outcome, { tries, random }: { tries: number; random: () => number }): Judgement {
  if (outcome.kind === 'answered' && outcome.status >= 200 && outcome.status < 300) return { kind: 'delivered' };
  const problem = sayProblem(outcome);
  const gone = outcome.kind === 'answered' && outcome.status === 410;
  if (!mayHelp(outcome) || tries >= mostTries) return { kind: 'failed', problem, gone };
  const asked = outcome.kind === 'answered' ? (outcome.retryAfterMs ?? 0) : 0;
  return { kind: 'again', afterMs: Math.min(longestWaitMs, Math.max(waitMs(tries, random), asked)), problem };
}

/** Four times as long each time, up to an hour; between half of it and all. */
export const waitMs = (failures: number, random: () => number): number =>
  Math.round(Math.min(longestWaitMs, firstWaitMs * 4 ** Math.max(0, failures - 1)) * (0.5 + random() / 2));

export function sayProblem(outcome: Outcome): string {
  if (outcome.kind !== 'answered') return outcome.problem;
  if (outcome.status >= 300 && outcome.status < 400) return `it answered ${outcome.status}; redirects are not followed`;
  return `it answered ${outcome.status}`;
}

/** The receiver is not there, overloaded or broken: that passes. Another 4xx is about the message. */
function mayHelp(outcome: Outcome): boolean {
  if (outcome.kind === 'unreachable') return true;
  return outcome.kind === 'answered' && (outcome.status >= 500 || outcome.status === 408 || outcome.status === 429);
}

/** Seconds or a date, as HTTP has it. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** How the webhook itself is after an attempt: it rests while it fails, and is paused when that lasts. */
export type Health = {
  readonly failures: number;
  readonly failingSince?: number;
  readonly restUntil: number;
  /** Why it is paused now. */
  readonly pausedBecause?: string;
};

export function healthAfter(
  before: Pick<Health, 'failures' | 'failingSince'>,
  judgement: Judgement,
  { at, random }: { readonly at: number; readonly random: () => number },
): Health {
  if (judgement.kind === 'delivered') return { failures: 0, restUntil: 0 };
  const failures = before.failures + 1;
  const failingSince = before.failingSince ?? at;
  const failing = { failures, failingSince, restUntil: at + waitMs(failures, random) };
  if (judgement.kind === 'failed' && judgement.gone) {
    return { ...failing, pausedBecause: 'it answered 410: it is gone for good' };
  }
  if (failures < mostTries) return failing;
  return {
    ...failing,
    pausedBecause: `${failures} attempts in a row failed over ${sayTime(at - failingSince)}, the last because ${judgement.problem}`,
  };
}

function sayTime(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  return minutes < 120 ? `${minutes} minutes` : `${Math.round(minutes / 60)} hours`;
}
