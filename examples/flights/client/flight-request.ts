/** One flight as a request: every input the model has, and beside them what names the flight and its time. */
import type { Features } from '../features/features.ts';

export type RequestedFlight = Features & {
  readonly id: number;
  readonly minute: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
};

/** Written by hand and not by JSON.stringify: the shapes never change, and thousands are sent a second. */
export function inferBody(flight: RequestedFlight): string {
  const { id, minute, hour, weekday, distance, origin, destination, recentOrigin, recentDestination } = flight;
  const date = new Date(minute * 60_000).toISOString();
  return (
    `{"inputs":[{"name":"flight_id","datatype":"INT64","shape":[1],"data":[${id}]},` +
    `{"name":"date","datatype":"BYTES","shape":[1],"data":["${date}"]},` +
    `${float('hour', hour)},${float('weekday', weekday)},${float('distance', distance)},` +
    `${text('origin', origin)},${text('destination', destination)},` +
    `${float('recent_origin', recentOrigin)},${float('recent_destination', recentDestination)}]}`
  );
}

const float = (name: string, value: number) => `{"name":"${name}","datatype":"FP32","shape":[1,1],"data":[${value}]}`;
const text = (name: string, value: string) =>
  `{"name":"${name}","datatype":"BYTES","shape":[1,1],"data":[${JSON.stringify(value)}]}`;
