/** The rows of a table of flights as the model is given them. */
import { featuresAtDeparture } from './features.ts';
import type { Flights } from './read-flights.ts';
import { recentDelays } from './recent-delays.ts';
import type { ModelRow } from './row-table.ts';

/** Every flight passes through the history once, in order of departure; the sampled ones are looked up afterwards. */
export function modelRows(flights: Flights): (row: number) => ModelRow {
  const recent = recentDelays(flights.airports.length);
  const hour = new Float32Array(flights.length);
  const weekday = new Uint8Array(flights.length);
  const recentOrigin = new Float32Array(flights.length);
  const recentDestination = new Float32Array(flights.length);
  for (let row = 0; row < flights.length; row++) {
    const features = featuresAtDeparture(recent, flightAt(flights, row));
    hour[row] = features.hour;
    weekday[row] = features.weekday;
    recentOrigin[row] = features.recentOrigin;
    recentDestination[row] = features.recentDestination;
  }
  return (row) => ({
    flightId: flights.id[row] ?? 0,
    minute: flights.minute[row] ?? 0,
    hour: hour[row] ?? 0,
    weekday: weekday[row] ?? 0,
    distance: flights.distance[row] ?? 0,
    origin: flights.airports[flights.origin[row] ?? 0] ?? '',
    destination: flights.airports[flights.destination[row] ?? 0] ?? '',
    recentOrigin: recentOrigin[row] ?? 0,
    recentDestination: recentDestination[row] ?? 0,
    late: flights.late[row] ?? 0,
    delay: flights.delay[row],
  });
}

export const flightAt = (flights: Flights, row: number) => ({
  minute: flights.minute[row] ?? 0,
  distance: flights.distance[row] ?? 0,
  origin: flights.origin[row] ?? 0,
  destination: flights.destination[row] ?? 0,
  late: flights.late[row] === 1,
});
