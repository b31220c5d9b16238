/** What an alert says: what happened, to what, and in which direction. */
import type { Json } from '../events/event.ts';
import type { AlertItem, MonitorKind } from './alert.ts';
import type { FeatureDrift, Moved } from './drift.ts';
import type { JudgedWindow } from './judge-windows.ts';

export function itemsOf({ result }: JudgedWindow, firing: readonly string[]): readonly AlertItem[] {
  switch (result.monitor) {
    case 'drift':
      return firing.map((name): AlertItem => {
        const one = result.features.find(({ feature }) => feature === name);
        if (!one) return { name, says: name };
        return {
          name,
          ...(one.value !== undefined && { value: round(one.value), threshold: round(one.threshold) }),
          ...(one.ratio !== undefined && { ratio: round(one.ratio) }),
          says: sayDrift(one),
        };
      });
    case 'quality':
    case 'fairness':
      return firing.map((name) => ({ name, ...numbersOf(result.verdict), says: result.verdict.reason }));
    case 'service':
      return firing.flatMap((name) => {
        const verdict = name === 'availability' || name === 'latency' ? result[name] : undefined;
        return verdict ? [{ name, ...numbersOf(verdict), says: verdict.reason }] : [];
      });
  }
}

export function titleOf({ result }: JudgedWindow, firing: readonly string[]): string {
  switch (result.monitor) {
    case 'drift': {
      const moved = firing
        .map((name) => result.features.find(({ feature }) => feature === name))
        .filter((one) => one !== undefined);
      const ways = new Map<string, string[]>();
      for (const one of moved) {
        const way = wayOf(one);
        ways.set(way, [...(ways.get(way) ?? []), one.feature]);
      }
      const said = [...ways].map(([way, names]) => `${list(names)} ${names.length === 1 ? 'is' : 'are'} ${way}`);
      return `${firing.length} of ${result.features.length} features moved: ${said.join('; ')} than in training`;
    }
    case 'quality':
    case 'fairness':
      return result.verdict.reason;
    case 'service':
      return firing
        .flatMap((name) => (name === 'availability' || name === 'latency' ? [result[name]?.reason] : []))
        .filter((one) => one !== undefined)
        .join('; ');
  }
}

export function evidenceOf({ start, end, rows, result }: JudgedWindow): { readonly [key: string]: Json } {
  const window = { start, end, rows };
  if (result.monitor !== 'drift') return { window, result: plain(result) };
  const features = result.features.map(
    ({ feature, state, method, value, threshold, ratio, n, p, because, moved, noise }) => ({
      ...{ feature, state, method, n, because },
      ...{
        value: rounded(value),
        threshold: rounded(threshold),
        ratio: rounded(ratio),
        p: rounded(p),
        noise: rounded(noise),
      },
      moved: moved ? plain(moved) : null,
    }),
  );
  return { window, features };
}

export const severityOf = (monitor: MonitorKind): 'page' | 'ticket' =>
  monitor === 'quality' || monitor === 'service' ? 'page' : 'ticket';

function sayDrift({ feature, value, threshold, moved, method, n, missing, because }: FeatureDrift): string {
  const distance =
    value === undefined
      ? 'no values'
      : `${method} distance ${round(value)}, threshold ${round(threshold)} (${because}), ${n} rows`;
  const lost =
    missing && missing.current - missing.reference > 0.05 ? `; ${Math.round(missing.current * 100)} % missing` : '';
  return `${feature} ${moved ? sayMoved(moved) : 'moved'}: ${distance}${lost}`;
}

function sayMoved(moved: Moved): string {
  if ('category' in moved)
    return `has ${moved.kind} ${moved.category}, ${round(moved.to)} after ${round(moved.from)} of all`;
  return `is ${moved.kind}, median ${round(moved.to)} after ${round(moved.from)}`;
}

function wayOf({ moved, missing, state }: FeatureDrift): string {
  if (missing && missing.current - missing.reference > 0.05) return 'more often missing';
  if (!moved) return state === 'over' ? 'different' : 'less different';
  return 'category' in moved ? 'mixed differently' : moved.kind;
}

const list = (names: readonly string[]) =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

const round = (x: number) => Number(x.toPrecision(3));
const rounded = (x: number | undefined) => (x === undefined || !Number.isFinite(x) ? null : round(x));

const numbersOf = ({ value, threshold }: { readonly value?: number; readonly threshold?: number }) => ({
  ...(value !== undefined && { value: round(value) }),
  ...(threshold !== undefined && { threshold: round(threshold) }),
});

/** Results are plain data; JSON leaves out what is absent. */
const plain = (value: unknown): Json => JSON.parse(JSON.stringify(value));
