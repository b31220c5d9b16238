/** What a request says about itself beside the model's inputs: whom it is about, when it happened, and what joins its label. */
import type { Endpoint } from './endpoint.ts';
import { maxAheadMs, parseEventTime } from './event-time.ts';
import { bad, type InferRequest, isObject } from './open-inference.ts';
import { rowId } from './prediction-id.ts';

export type RequestRow = {
  readonly id: string;
  readonly key: string;
  readonly unit: string;
  readonly eventTime: number;
};

/** Read before the variant is known, and so before the request can be checked against a signature. */
export function unitOf(body: unknown, name: string): string {
  const inputs = isObject(body) ? body['inputs'] : undefined;
  const tensor: unknown = Array.isArray(inputs)
    ? inputs.find((one: unknown) => isObject(one) && one['name'] === name)
    : undefined;
  if (!isObject(tensor) || !Array.isArray(tensor['data']))
    throw bad(`input '${name}', which names the unit, is missing`);
  const values = tensor['data'].flat(2);
  const unit: unknown = values[0];
  if (typeof unit !== 'string' && typeof unit !== 'number' && typeof unit !== 'boolean') {
    throw bad(`input '${name}', which names the unit, holds no value`);
  }
  if (values.some((value) => value !== unit)) {
    throw bad(`the rows have different units in '${name}'; one request is one unit`);
  }
  return String(unit);
}

export function rowsOf(
  { rows, extras }: InferRequest,
  { endpoint, id, unit, at }: { endpoint: Endpoint; id: string; unit: string; at: number },
): readonly RequestRow[] {
  const found: RequestRow[] = [];
  for (let row = 0; row < rows; row++) {
    const own = rowId(id, row, rows);
    const key = extras.key?.[row];
    let eventTime = at;
    if (endpoint.time !== undefined) {
      const time = parseEventTime(extras.time?.[row]);
      if (time === undefined) {
        throw bad(`input '${endpoint.time}' holds no time for row ${row}: milliseconds since 1970 or ISO 8601 text`);
      }
      if (time > at + maxAheadMs) throw bad(`the time of row ${row} in '${endpoint.time}' lies more than a day ahead`);
      eventTime = time;
    }
    // Without a key of its own a row is joined to its label by its id.
    found.push({ id: own, key: key === undefined || key === null ? own : String(key), unit, eventTime });
  }
  return found;
}
