/** What an airport's latest landed flights say about the next one. Training and the live client run this same code. */

/** Flights that are remembered for each airport. */
const remembered = 30;
/** A landing takes no part in the clock's minutes: distances divided by 7.5 miles a minute give fifteenths of a minute. */
const ticksPerMinute = 15;
/** Past the longest possible flight, 210 minutes and 6,600 miles; a power of two so that a mask replaces the division. */
const horizon = 1 << 14;
const longest = 6_600;

/** A flight is late when it arrives more than 15 minutes after its time. */
export const isLate = (delay: number): boolean => delay > 15;

/**
 * When a flight counts as landed, in fifteenths of a minute. Half an hour on the ground, 450 miles an hour, and three hours because the clocks of
 * the two airports may differ by that much: later than needed for most, so that nothing is known before it happened.
 */
export const landingTick = (minute: number, distance: number): number =>
  (minute + 210) * ticksPerMinute + 2 * Math.min(Math.max(Math.round(distance), 0), longest);

export interface RecentDelays {
  /** Counts every flight that landed strictly before this minute. Minutes never go back. */
  advance(minute: number): void;
  /** Share later than 15 minutes among the last 30 landed flights that touched the airport, at either end. */
  share(airport: number): number;
  /** A flight has left; it counts once it has landed. */
  depart(flight: { minute: number; distance: number; origin: number; destination: number; late: boolean }): void;
}

/** Airports are small numbers given out by the caller. */
export function recentDelays(airports: number): RecentDelays {
  const late = new Uint8Array(airports * remembered);
  const next = new Uint8Array(airports);
  const count = new Uint8Array(airports);
  const lateCount = new Uint8Array(airports);
  let landed = 0;
  let landedLate = 0;

  // A calendar of the coming hours: each tick holds a chain of flights, in the order in which they left.
  const first = new Int32Array(horizon).fill(-1);
  const last = new Int32Array(horizon).fill(-1);
  let capacity = 1 << 12;
  let chain = new Int32Array(capacity);
  let from = new Int32Array(capacity);
  let to = new Int32Array(capacity);
  let outcome = new Uint8Array(capacity);
  let used = 0;
  let free = -1;
  let tick = Number.NaN;

  const touch = (airport: number, isLateFlight: number) => {
    const slot = airport * remembered + (next[airport] ?? 0);
    if (count[airport] === remembered) lateCount[airport] = (lateCount[airport] ?? 0) - (late[slot] ?? 0);
    else count[airport] = (count[airport] ?? 0) + 1;
    late[slot] = isLateFlight;
    lateCount[airport] = (lateCount[airport] ?? 0) + isLateFlight;
    next[airport] = ((next[airport] ?? 0) + 1) % remembered;
  };

  return {
    advance(minute) {
      const now = minute * ticksPerMinute;
      if (Number.isNaN(tick)) tick = now;
      // Nothing waits longer than the horizon: one round of the calendar empties it, however long the pause was.
      drain(Math.min(now, tick + horizon));
      tick = Math.max(tick, now);
    },
    share(airport) {
      const seen = count[airport] ?? 0;
      // An airport nobody has landed at yet: the share of all airports, never a hole that the model was not trained on.
      if (seen === 0) return landed === 0 ? 0 : landedLate / landed;
      return (lateCount[airport] ?? 0) / seen;
    },
    depart({ minute, distance, origin, destination, late: isLateFlight }) {
      const flight = take();
      from[flight] = origin;
      to[flight] = destination;
      outcome[flight] = isLateFlight ? 1 : 0;
      chain[flight] = -1;
      const slot = landingTick(minute, distance) & (horizon - 1);
      const before = last[slot] ?? -1;
      if (before < 0) first[slot] = flight;
      else chain[before] = flight;
      last[slot] = flight;
    },
  };

  function drain(until: number): void {
    for (; tick < until; tick++) {
      const slot = tick & (horizon - 1);
      let flight = first[slot] ?? -1;
      if (flight < 0) continue;
      first[slot] = -1;
      last[slot] = -1;
      while (flight >= 0) {
        const wasLate = outcome[flight] ?? 0;
        touch(from[flight] ?? 0, wasLate);
        touch(to[flight] ?? 0, wasLate);
        landed++;
        landedLate += wasLate;
        const after = chain[flight] ?? -1;
        chain[flight] = free;
        free = flight;
        flight = after;
      }
    }
  }

  function take(): number {
    if (free >= 0) {
      const flight = free;
      free = chain[flight] ?? -1;
      return flight;
    }
    if (used === capacity) {
      capacity *= 2;
      chain = grown(chain, capacity);
      from = grown(from, capacity);
      to = grown(to, capacity);
      const more = new Uint8Array(capacity);
      more.set(outcome);
      outcome = more;
    }
    return used++;
  }
}

function grown(array: Int32Array, capacity: number): Int32Array<ArrayBuffer> {
  const more = new Int32Array(capacity);
  more.set(array);
  return more;
}
