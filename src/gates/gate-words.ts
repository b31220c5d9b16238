/** Tests and numbers as a person reads them. */
import type { GateTest, Grouping } from './gates-config.ts';

export function inWords(test: GateTest): string {
  switch (test.kind) {
    case 'data':
      return `data checks: at least ${say(100 * test.atLeast)} % passed`;
    case 'floor':
      return `${test.metric} at least ${say(test.atLeast)}${slicesIn(test.by)}`;
    case 'ceiling':
      return `${test.metric} at most ${say(test.atMost)}${slicesIn(test.by)}`;
    case 'paired':
      return `${test.metric} not worse than champion by more than ${say(test.margin)}${slicesIn(test.by)}`;
    case 'fairness':
      return `${test.metric} by ${test.by.column} at most ${say(test.atMost)}`;
    case 'latency':
      return `latency p${say(100 * test.quantile)} below ${say(test.belowMs)} ms at batch ${test.batch}`;
    case 'parity':
      return `answers equal the trainer’s to ${say(test.tolerance)}`;
  }
}

const slicesIn = (by: Grouping | undefined) => (by ? ` in every ${by.column}` : '');

/** Four significant digits. */
export const say = (x: number): string => String(Number(x.toPrecision(4)));
