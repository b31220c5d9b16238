/** Chance that a seed repeats: mulberry32, enough for choosing what to ask. */
export type Random = {
  /** @returns 0 … count - 1 */
  below(count: number): number;
  pick<T>(items: readonly T[]): T;
};

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const below = (count: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * count);
  };
  return {
    below,
    pick: <T>(items: readonly T[]): T => items[below(items.length)]!, // no caller has an empty list
  };
}
