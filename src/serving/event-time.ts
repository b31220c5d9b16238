/** Event time as clients write it. */
import type { RawValues } from './tensor.ts';

/** A time ahead of the wall clock by more than this is a mistake, and would stop the endpoint's clock until then. */
export const maxAheadMs = 86_400_000;

/** @returns milliseconds since 1970; undefined for what is no time. Numbers are milliseconds; text without a zone is UTC. */
export function parseEventTime(value: RawValues[number] | undefined): number | undefined {
  if (typeof value === 'bigint') return parseEventTime(Number(value));
  const time =
    typeof value === 'number' ? Math.round(value) : typeof value === 'string' ? parseText(value) : Number.NaN;
  return Math.abs(time) <= 8.64e15 ? time : undefined; // what a Date can hold; false for NaN
}

function parseText(text: string): number {
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)\s?(Z|[+-]\d\d:?\d\d)?)?$/i.exec(text);
  if (!match) return Number.NaN;
  const [, date, clock = '00:00', zone = 'Z'] = match;
  return Date.parse(`${date}T${clock}${zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2')}`);
}
