/** An estimate with its interval against a limit: it passes or fails only when the whole interval does. */
import type { Verdict } from '../statistics/verdict.ts';

export type Bounded = {
  readonly name: string;
  readonly value: number;
  readonly lower: number;
  readonly upper: number;
  readonly n: number;
  readonly method: string;
  /** Absent: it is only shown. */
  readonly limit: number | undefined;
  readonly wants: 'at least' | 'at most';
  /** How a number of it is said. */
  readonly say?: (x: number) => string;
};

export function boundVerdict(bounded: Bounded): Verdict {
  const { name, value, lower, upper, n, method, limit, wants, say = round } = bounded;
  const said = `${name} ${say(value)} [${say(lower)}, ${say(upper)}] on ${n} rows`;
  const base = { value, lower, upper, n, method };
  if (limit === undefined) return { ...base, outcome: 'inconclusive', reason: `${said}; no limit is set` };
  const [clear, broken] = wants === 'at least' ? [lower >= limit, upper < limit] : [upper <= limit, lower > limit];
  const outcome = clear ? 'pass' : broken ? 'fail' : 'inconclusive';
  return { ...base, outcome, threshold: limit, reason: `${said}, ${wants} ${say(limit)}` };
}

const round = (x: number) => `${Number(x.toPrecision(3))}`;
