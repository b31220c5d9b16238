/** Sends metrics so that one that the server refuses does not take the others along: it takes a batch whole or not at all. */

import { isRefusal, type RequestError, type Rest } from './rest-client.ts';
import type { WireMetric } from './wire-metric.ts';

export type Refusal = { readonly metric: WireMetric; readonly error: RequestError };

/** So many in a row, and the rest of the batch is not tried one by one: the server refuses the run, not a metric. */
const mostRefusalsInARow = 40;

/** @returns what the server will never take. @throws what may pass: nobody answers, or does not know this user (now) */
export async function sendMetrics(
  rest: Rest,
  runId: string,
  batch: readonly WireMetric[],
): Promise<readonly Refusal[]> {
  let refusalsInARow = 0;
  const send = async (metrics: readonly WireMetric[]): Promise<readonly Refusal[]> => {
    try {
      await rest.call('POST', 'runs/log-batch', { run_id: runId, metrics }, { isBackground: true });
      refusalsInARow = 0;
      return [];
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refusalsInARow += 1;
      const half = Math.ceil(metrics.length / 2);
      if (metrics.length === 1 || error.status === 404 || refusalsInARow > mostRefusalsInARow) {
        return metrics.map((metric) => ({ metric, error }));
      }
      return [...(await send(metrics.slice(0, half))), ...(await send(metrics.slice(half)))];
    }
  };
  return send(batch);
}
