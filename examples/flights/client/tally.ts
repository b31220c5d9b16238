/** What came back: counts by version and variant, failures, and how long answers took. */
import type { Answer } from './endpoint-client.ts';

export type TallyReport = {
  readonly requests: number;
  readonly failed: number;
  /** The first failures, word for word. */
  readonly failures: readonly string[];
  /** `1 champion`: 8000 */
  readonly answers: Readonly<Record<string, number>>;
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number };
};

export interface Tally {
  add(answer: Answer): void;
  report(): TallyReport;
}

const shownFailures = 5;
/** Sixteen buckets for each doubling from a microsecond to some minutes: exact to 4 %, and reporting costs the same however many answers there were. */
const perDoubling = 16;
const buckets = 28 * perDoubling;

export function tally(): Tally {
  const latencies = new Uint32Array(buckets);
  let requests = 0;
  let max = 0;
  const answers = new Map<string, number>();
  const failures: string[] = [];
  let failed = 0;
  return {
    add({ status, body, ms }) {
      requests++;
      max = Math.max(max, ms);
      latencies[bucketOf(ms)]! += 1; // bucketOf stays below the length
      if (status !== 200) {
        failed++;
        if (failures.length < shownFailures) failures.push(`${status} ${body.slice(0, 300)}`);
        return;
      }
      const name = `${between(body, '"model_version":"')} ${between(body, '"variant":"')}`;
      answers.set(name, (answers.get(name) ?? 0) + 1);
    },
    report() {
      const at = (share: number) => rounded(percentile(latencies, share * requests, max));
      return {
        requests,
        failed,
        failures,
        answers: Object.fromEntries([...answers].sort(([a], [b]) => a.localeCompare(b))),
        latencyMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: rounded(max) },
      };
    },
  };
}

function bucketOf(ms: number): number {
  return Math.min(buckets - 1, Math.max(0, Math.floor(Math.log2(Math.max(ms, 0.001) * 1000) * perDoubling)));
}

/** The upper end of the bucket in which the wanted answer lies. */
function percentile(latencies: Uint32Array, wanted: number, max: number): number {
  let seen = 0;
  for (let bucket = 0; bucket < buckets; bucket++) {
    seen += latencies[bucket] ?? 0;
    if (seen > 0 && seen >= wanted) return Math.min(max, 2 ** ((bucket + 1) / perDoubling) / 1000);
  }
  return max;
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** The text after a marker up to the next quote: parsing every answer would cost as much as sending it. */
function between(body: string, marker: string): string {
  const at = body.indexOf(marker);
  return at < 0 ? '?' : body.slice(at + marker.length, body.indexOf('"', at + marker.length));
}
