/** The columns the model is given, computed the same way for training and for a live request. */
import type { RecentDelays } from './recent-delays.ts';

export const featureNames = [
  'hour',
  'weekday',
  'distance',
  'origin',
  'destination',
  'recent_origin',
  'recent_destination',
] as const;

/** One flight at its departure. Airports are codes of `Flights.airports`, minutes count from 1970 on the clock of the origin. */
export type Flight = {
  readonly minute: number;
  readonly distance: number;
  readonly origin: number;
  readonly destination: number;
  readonly late: boolean;
};

export type Features = {
  readonly hour: number;
  readonly weekday: number;
  readonly recentOrigin: number;
  readonly recentDestination: number;
};

const minutesADay = 1440;
export const dayOf = (minute: number): number => Math.floor(minute / minutesADay);

/** What is known when the flight leaves; its own outcome counts for later ones only after its landing. Call it in order of departure. */
export function featuresAtDeparture(recent: RecentDelays, flight: Flight): Features {
  const { minute, origin, destination } = flight;
  recent.advance(minute);
  const features = {
    hour: (minute % minutesADay) / 60,
    // 1970-01-01 was a Thursday; Monday is 1.
    weekday: ((dayOf(minute) + 3) % 7) + 1,
    recentOrigin: recent.share(origin),
    recentDestination: recent.share(destination),
  };
  recent.depart(flight);
  return features;
}
