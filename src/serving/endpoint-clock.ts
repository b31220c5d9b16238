/** The only source of an endpoint's time: windows, label maturity and cooldowns run on it. */
import type { Endpoint } from './endpoint.ts';

export type EndpointClock = (endpoint: Pick<Endpoint, 'name' | 'time'>) => number;

/**
 * With `time:` the greatest event time logged, which never goes back; so a replay of half a year in two minutes takes the decisions
 * of half a year. Without it, or before the first prediction, the wall clock.
 */
export const endpointClock =
  (deps: { readonly watermark: (endpoint: string) => number | undefined; readonly now: () => number }): EndpointClock =>
  ({ name, time }) =>
    time === undefined ? deps.now() : (deps.watermark(name) ?? deps.now());
