/** Features that repeat with the calendar: a window that is not whole cycles of them always looks drifted. */
import { dayMs } from '../rollouts/quantity.ts';

const cycles: readonly (readonly [RegExp, number])[] = [
  [/(^|_)(hour|minute|second|time_?of_?day)(_|$)/i, dayMs],
  [/(^|_)(week_?day|day_?of_?week|dow)(_|$)/i, 7 * dayMs],
  [/(^|_)(day_?of_?month|dom)(_|$)/i, 31 * dayMs],
  [/(^|_)(month|quarter|season|week_?of_?year|day_?of_?year|doy)(_|$)/i, 365 * dayMs],
];

/** @returns milliseconds, or undefined for a feature whose name says nothing about the calendar */
export function cycleOf(feature: string): number | undefined {
  // camelCase is read like snake_case.
  const name = feature.replace(/([a-z])([A-Z])/g, '$1_$2');
  return cycles.find(([pattern]) => pattern.test(name))?.[1];
}
