/** Whether callers got what they were promised: answers, and in time. */
import { wilsonInterval } from '../statistics/proportion.ts';
import type { Verdict } from '../statistics/verdict.ts';
import { boundVerdict } from './bound-verdict.ts';
import type { ServicePlan } from './monitors-config.ts';
import type { TrafficDay } from './traffic-days.ts';

export type ServiceResult = { readonly availability?: Verdict; readonly latency?: Verdict };

const level = 0.95;

export function judgeService(days: readonly TrafficDay[], { availability, latency }: ServicePlan): ServiceResult {
  const rows = days.reduce((sum, one) => sum + one.rows, 0);
  const errors = days.reduce((sum, one) => sum + one.errors, 0);
  const slow = days.reduce((sum, one) => sum + one.slow, 0);
  const answered = rows - errors;
  return {
    ...(availability !== undefined && {
      availability: shareVerdict('availability', { successes: answered, trials: rows }, availability, 'at least'),
    }),
    ...(latency && {
      latency: shareVerdict(
        `answers above ${latency.belowMs} ms`,
        { successes: slow, trials: answered },
        1 - latency.quantile,
        'at most',
      ),
    }),
  };
}

function shareVerdict(
  name: string,
  share: { readonly successes: number; readonly trials: number },
  limit: number,
  wants: 'at least' | 'at most',
): Verdict {
  const method = 'Wilson, 95 %';
  const n = share.trials;
  if (n === 0) return { outcome: 'inconclusive', reason: `${name}: no requests`, n, method, threshold: limit };
  return boundVerdict({
    name,
    value: share.successes / n,
    ...wilsonInterval(share, { level }),
    n,
    method,
    limit,
    wants,
    say: sayShare,
  });
}

/** Four digits, since 99.99 % and 99.9 % are different promises. */
const sayShare = (share: number) => `${Number((share * 100).toPrecision(4))} %`;
