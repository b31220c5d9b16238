/** Quantities as rondo.yaml writes them: `14d`, `100ms`, `1%`. The patterns check them, the functions read what was checked. */
import { Type } from 'typebox';

/** @param about what it is, for the people who write it */
export const duration = (about: string) =>
  Type.String({
    pattern: String.raw`^\d+(\.\d+)?(ms|s|m|h|d|w)$`,
    title: 'a duration: a number and one of ms, s, m, h, d, w, such as 14d or 100ms',
    description: about,
  });

export const percent = (about: string) =>
  Type.String({
    pattern: String.raw`^\d+(\.\d+)?%$`,
    title: 'a percentage, such as 1% or 99.9%',
    description: about,
  });

const unitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

export const dayMs = unitsMs.d;

/** @returns milliseconds  @throws RangeError */
export function durationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(text);
  if (!match) throw new RangeError(`"${text}" is not a duration such as 14d or 100ms`);
  return Number(match[1]) * unitsMs[match[2] as keyof typeof unitsMs]; // the pattern allows no other unit
}

/** @returns 0.01 for `1%`  @throws RangeError */
export function shareOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)%$/.exec(text);
  if (!match) throw new RangeError(`"${text}" is not a percentage such as 1%`);
  return Number(match[1]) / 100;
}

/** `14 d`, `3 h`, `250 ms`: the greatest unit that leaves at least one. */
export function sayDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms >= unitsMs[unit]) return `${Number((ms / unitsMs[unit]).toFixed(1))} ${unit === 'm' ? 'min' : unit}`;
  }
  return `${Math.round(ms)} ms`;
}

/** `0.5 %`: as many digits as it takes. */
export const sayPercent = (share: number, digits = 2): string => `${Number((share * 100).toFixed(digits))} %`;
