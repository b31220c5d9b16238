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

export function tally(): Tally {
  const latencies: number[] = [];
  const answers = new Map<string, number>();
  const failures: string[] = [];
  let failed = 0;
  return {
    add({ status, body, ms }) {
      latencies.push(ms);
      if (status !== 200) {
        failed++;
        if (failures.length < shownFailures) failures.push(`${status} ${body.slice(0, 300)}`);
        return;
      }
      const name = `${between(body, '"model_version":"')} ${between(body, '"variant":"')}`;
      answers.set(name, (answers.get(name) ?? 0) + 1);
    },
    report() {
      const sorted = Float64Array.from(latencies).sort();
      const at = (share: number) => Math.round((sorted[Math.ceil(sorted.length * share) - 1] ?? 0) * 1000) / 1000;
      return {
        requests: latencies.length,
        failed,
        failures,
        answers: Object.fromEntries([...answers].sort(([a], [b]) => a.localeCompare(b))),
        latencyMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) },
      };
    },
  };
}

/** The text after a marker up to the next quote: parsing every answer would cost as much as sending it. */
function between(body: string, marker: string): string {
  const at = body.indexOf(marker);
  return at < 0 ? '?' : body.slice(at + marker.length, body.indexOf('"', at + marker.length));
}
