/** How an endpoint does, in a line for each monitor: what is wrong first, then what nobody knows, then what is well. */
import { count, day, fixed, percent, tidy } from '../format.ts';
import type { Mark } from '../parts/verdict.tsx';
import type { Endpoint } from './endpoints.ts';
import type { Monitors } from './monitors.ts';
import { decimalsOf, sayMetric } from './runs.ts';
import type { Verdict } from './verdict.ts';

export type HealthLine = { readonly name: string; readonly mark: Mark; readonly says: string; readonly why: string };

export function healthOf(endpoint: Endpoint, monitors: Monitors | undefined): readonly HealthLine[] {
  const lines = [
    ...(monitors ? [driftLine(monitors), qualityLine(monitors), fairnessLine(monitors)] : []),
    servingLine(endpoint, monitors),
  ];
  const order: readonly Mark[] = ['fail', 'warn', 'undecided', 'pass'];
  return lines.filter((line) => line !== undefined).toSorted((a, b) => order.indexOf(a.mark) - order.indexOf(b.mark));
}

export function driftLine({ drift, plan }: Monitors): HealthLine | undefined {
  if (!plan.drift) return undefined;
  const name = 'Drift';
  const judged = drift.features.filter(({ state }) => state === 'calm' || state === 'over');
  if (judged.length === 0) {
    return { name, mark: 'undecided', says: 'undecided', why: whyNoDrift(drift, plan.drift.minRows) };
  }
  const moved = judged.filter(({ state }) => state === 'over');
  if (moved.length === 0) return { name, mark: 'pass', says: 'calm', why: `none of ${judged.length} moved` };
  const since = Math.min(...moved.map(({ sinceEnd }) => sinceEnd ?? Number.POSITIVE_INFINITY));
  return {
    name,
    mark: 'fail',
    says: `${moved.length} of ${judged.length} moved`,
    why: Number.isFinite(since) ? `since ${day(since)}` : '',
  };
}

function whyNoDrift({ windows, features }: Monitors['drift'], minRows: number): string {
  const rows = windows.at(-1)?.rows;
  if (rows === undefined) return 'no whole window yet';
  if (rows < minRows) return `${count(rows)} rows, ${count(minRows)} are needed`;
  return features.length === 0 ? 'no training profile' : (features[0]?.because ?? 'no values');
}

export function qualityLine({ quality, plan }: Monitors): HealthLine | undefined {
  if (!plan.quality) return undefined;
  const last = quality.at(-1);
  const metric = sayMetric(plan.quality.metric);
  const limit = plan.quality.atLeast ?? plan.quality.atMost;
  return verdictLine('Quality', last?.verdict, (value) => ({
    says: `${metric} ${fixed(value, decimalsOf(plan.quality?.metric ?? '') - 1)}`,
    why: limit === undefined ? '' : `${plan.quality?.atLeast === undefined ? 'at most' : 'at least'} ${limit}`,
  }));
}

export function fairnessLine({ fairness, plan }: Monitors): HealthLine | undefined {
  if (!plan.fairness) return undefined;
  return verdictLine('Fairness', fairness.at(-1)?.verdict, (value) => ({
    says: `gap ${fixed(value, 3)}`,
    why: `at most ${plan.fairness?.atMost}`,
  }));
}

export function servingLine({ requests = 0, errors = 0 }: Endpoint, monitors: Monitors | undefined): HealthLine {
  const last = monitors?.service.at(-1);
  const verdicts = [last?.availability, last?.latency].filter((one) => one !== undefined);
  const bad =
    verdicts.find(({ outcome }) => outcome === 'fail') ?? verdicts.find(({ outcome }) => outcome === 'inconclusive');
  if (bad) {
    const isSlow = bad === last?.latency;
    return bad.outcome === 'fail' && bad.value !== undefined
      ? {
          name: 'Serving',
          mark: 'fail',
          says: `${percent(bad.value, 2)} ${isSlow ? 'too slow' : 'answered'}`,
          why: `${isSlow ? 'at most' : 'at least'} ${percent(bad.threshold ?? 0, 1)}`,
        }
      : {
          name: 'Serving',
          mark: bad.outcome === 'fail' ? 'fail' : 'undecided',
          says: 'undecided',
          why: bad.value === undefined ? tidy(bad.reason) : `after ${count(bad.n)} requests`,
        };
  }
  const share = last?.availability?.value;
  if (share !== undefined)
    return {
      name: 'Serving',
      mark: 'pass',
      says: `${percent(share, share === 1 ? 0 : 2)} answered`,
      why: last?.availability?.threshold === undefined ? '' : `at least ${percent(last.availability.threshold, 1)}`,
    };
  if (requests === 0) return { name: 'Serving', mark: 'undecided', says: 'undecided', why: 'no request in 5 min' };
  const failed = `${count(errors)} of ${count(requests)} failed`;
  return errors === 0
    ? { name: 'Serving', mark: 'pass', says: 'all answered', why: failed }
    : { name: 'Serving', mark: 'warn', says: failed, why: 'in 5 min' };
}

function verdictLine(
  name: string,
  verdict: Verdict | undefined,
  say: (value: number) => { says: string; why: string },
): HealthLine {
  if (!verdict) return { name, mark: 'undecided', says: 'undecided', why: 'no whole window yet' };
  if (verdict.value === undefined) return { name, mark: 'undecided', says: 'undecided', why: verdict.reason };
  const { says, why } = say(verdict.value);
  const mark: Mark = verdict.outcome === 'inconclusive' ? 'undecided' : verdict.outcome;
  return mark === 'undecided'
    ? { name, mark, says: 'undecided', why: [says, why].filter(Boolean).join(', ') }
    : { name, mark, says, why };
}
