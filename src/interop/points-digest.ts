/** A digest over metric points in any order, so that neither side has to sort a million of them. */
import type { PointsSummary, WireDouble, WireInt64 } from './mlflow-record.ts';

/**
 * Each point is mixed into 128 bits, and these are added up: the same points give the same sum in whatever order they come. It
 * finds what was lost, doubled or changed on the way; it does not resist somebody who builds points to deceive it.
 */
export class PointsDigest {
  readonly #sum = new Uint32Array(4);
  readonly #numbers = new Float64Array(3);
  readonly #words = new Uint32Array(this.#numbers.buffer);
  readonly #keys = new Set<string>();
  #points = 0;

  /** @param steps of the points of one metric, with `timestamps` and `values` beside them */
  add(key: string, steps: readonly WireInt64[], timestamps: readonly WireInt64[], values: readonly WireDouble[]): void {
    if (steps.length === 0) return;
    this.#keys.add(key);
    this.#points += steps.length;
    const seed = hashText(key, 0x9e3779b9);
    for (let at = 0; at < steps.length; at += 1) {
      const value = values[at];
      this.#numbers[0] = numberOf(steps[at]);
      this.#numbers[1] = numberOf(timestamps[at]);
      this.#numbers[2] = value === 'NaN' || value === undefined ? Number.NaN : value + 0; // −0 is 0: SQLite keeps no sign of it
      // A double holds no more than 53 bits: what it loses of a longer integer comes in as text.
      this.#mix(exactness(steps[at], seed) ^ exactness(timestamps[at], 0));
    }
  }

  get summary(): PointsSummary {
    const hex = [...this.#sum].map((word) => word.toString(16).padStart(8, '0')).join('');
    return { metrics: this.#keys.size, points: this.#points, digest: hex };
  }

  #mix(seed: number): void {
    const words = this.#words;
    for (let lane = 0; lane < 4; lane += 1) {
      let hash = seed ^ Math.imul(lane + 1, 0x85ebca6b);
      for (let at = 0; at < 6; at += 1) {
        hash = Math.imul(hash ^ (words[at] ?? 0), 0xcc9e2d51);
        hash = Math.imul(hash ^ (hash >>> 15), 0x1b873593);
        hash ^= hash >>> 13;
      }
      hash = Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35);
      this.#sum[lane] = (this.#sum[lane] ?? 0) + (hash ^ (hash >>> 16));
    }
  }
}

const numberOf = (value: WireInt64 | undefined): number => (typeof value === 'number' ? value : Number(value ?? 0));

const exactness = (value: WireInt64 | undefined, seed: number): number =>
  typeof value === 'string' ? hashText(value, seed ^ 0x5bd1e995) : seed;

/** FNV-1a over UTF-16 units. */
function hashText(text: string, seed: number): number {
  let hash = seed ^ 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}
