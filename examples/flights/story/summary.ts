/** The sum of the story, from the server's records: what was served, what each version came to, and the five measures. */
import { endpoint, expect, type Teller } from './basics.ts';
import type { ReplayReport } from './programs.ts';
import { gatesOf, type RolloutEnd, type Verdict } from './rollouts.ts';
import type { Api } from './server-api.ts';

export type Summary = {
  readonly predictions: number;
  readonly failed: number;
  readonly labels: number;
  readonly rollouts: readonly RolloutEnd[];
  readonly gates: readonly GateSummary[];
  readonly alerts: readonly AlertSummary[];
  readonly measures: Measures;
  readonly audit: { readonly size: number };
};

export type GateSummary = {
  readonly version: number;
  readonly outcome: string;
  readonly tests: readonly { readonly test: string; readonly outcome: string; readonly value?: number }[];
};

export type AlertSummary = {
  readonly monitor: string;
  readonly title: string;
  readonly items: readonly string[];
  /** Last day of the window that opened it, `2001-05-01`. */
  readonly windowEnds: string;
};

export type Measures = {
  /** Weekly AUC as served, oldest first. */
  readonly quality: readonly {
    readonly weekEnds: string;
    readonly value: number;
    readonly lower: number;
    readonly upper: number;
  }[];
  readonly availability: { readonly answered: number; readonly failed: number };
  readonly deployments: number;
  readonly caught: number;
  readonly timeToProductionMs: readonly { readonly version: string; readonly total: number }[];
  readonly rollbackMs: readonly number[];
};

const dayMs = 86_400_000;

export async function sumUp(
  api: Api,
  tell: Teller,
  report: ReplayReport,
  { rollouts, retrained }: { readonly rollouts: readonly RolloutEnd[]; readonly retrained: number },
): Promise<Summary> {
  expect(report.failed === 0, `${report.failed} requests failed`);
  const audit = await api.post<{ size: number; bad?: { why: string } }>('/api/v1/audit/verify');
  expect(!audit.bad, `the log does not verify: ${audit.bad?.why}`);
  const summary: Summary = {
    predictions: report.requests,
    failed: report.failed,
    labels: report.labels,
    rollouts,
    gates: await Promise.all(
      [...new Set([...rollouts.map(({ version }) => version), retrained])].map((version) => gateSummary(api, version)),
    ),
    alerts: await alertsOpened(api),
    measures: await measuresOf(api, report),
    audit: { size: audit.size },
  };
  for (const line of linesOf(summary)) tell.fact(line);
  return summary;
}

async function gateSummary(api: Api, version: number): Promise<GateSummary> {
  const { outcome, tests } = await gatesOf(api, version);
  return {
    version,
    outcome,
    tests: tests.map(({ test, verdict }) => ({
      test,
      outcome: verdict.outcome,
      ...(verdict.value !== undefined && { value: verdict.value }),
    })),
  };
}

async function alertsOpened(api: Api): Promise<readonly AlertSummary[]> {
  const { items } = await api.get<{
    items: readonly { monitor: string; title: string; items: readonly { name: string }[]; openedClock: number }[];
  }>('/api/v1/alerts');
  return items.map(({ monitor, title, items: parts, openedClock }) => ({
    monitor,
    title,
    items: parts.map(({ name }) => name).sort(),
    windowEnds: day(openedClock - 1),
  }));
}

type Delivery = {
  readonly changes: number;
  readonly caught: number;
  readonly timeToProduction: { readonly each: readonly { readonly version: string; readonly total: number }[] };
  readonly rollbacks: readonly { readonly rollback: number }[];
  readonly endpoints: readonly {
    readonly endpoint: string;
    readonly quality: readonly (Verdict & { readonly end: number })[];
  }[];
};

async function measuresOf(api: Api, report: ReplayReport): Promise<Measures> {
  const delivery = await api.get<Delivery>('/api/v1/delivery');
  const windows = delivery.endpoints.find((one) => one.endpoint === endpoint)?.quality ?? [];
  return {
    // The windows slide by a day: every seventh is a week of its own.
    quality: windows
      .filter((_, index) => index % 7 === 0)
      .flatMap(({ end, value, lower, upper }) =>
        value === undefined || lower === undefined || upper === undefined
          ? []
          : [{ weekEnds: day(end - 1), value, lower, upper }],
      ),
    availability: { answered: report.requests - report.failed, failed: report.failed },
    deployments: delivery.changes,
    caught: delivery.caught,
    timeToProductionMs: delivery.timeToProduction.each.map(({ version, total }) => ({ version, total })),
    rollbackMs: delivery.rollbacks.map(({ rollback }) => rollback),
  };
}

function linesOf({ predictions, failed, labels, rollouts, gates, measures, audit }: Summary): readonly string[] {
  const { quality, deployments, caught, timeToProductionMs, rollbackMs } = measures;
  const [first, last] = [quality[0], quality.at(-1)];
  return [
    `${count(predictions)} predictions and ${count(labels)} labels, ${failed} failed requests`,
    ...rollouts.map(rolloutLine),
    ...gates.filter(({ version }) => !rollouts.some((one) => one.version === version)).map(keptOutLine),
    `Quality: weekly AUC ${first?.value.toFixed(3)} in the first week, ${last?.value.toFixed(3)} [${last?.lower.toFixed(3)}, ${last?.upper.toFixed(3)}] in the last`,
    `Availability: ${failed === 0 ? '100 %' : `${(100 * (1 - failed / predictions)).toFixed(3)} %`} of ${count(predictions)} requests`,
    `Deployments: ${deployments}, and ${caught} caught before`,
    `Time to production: ${timeToProductionMs.map(({ version, total }) => `${version} ${(total / 1000).toFixed(1)} s`).join(', ')}`,
    `Rollback: ${rollbackMs.map((ms) => `${ms} ms`).join(', ')} from the decision to the last bad answer`,
    `Audit log: ${audit.size} entries verified`,
  ];
}

function keptOutLine({ version, tests }: GateSummary): string {
  const unproved = tests.filter(({ outcome }) => outcome !== 'pass').map(({ test, outcome }) => `${test}: ${outcome}`);
  return `version ${version} kept out by its gates, the champion stays: ${unproved.join('; ')}`;
}

function rolloutLine({ version, state, because, challengerAnswers, endedClock, logLoss }: RolloutEnd): string {
  // It had nothing to be compared with.
  if (logLoss?.value === undefined) return `version ${version} ${state}`;
  // The rule that ends a rollout early is another than the interval that proves "no worse".
  const found =
    state === 'rolled-back'
      ? `${because}, ${challengerAnswers} bad answers`
      : `log loss ${signed(logLoss.value)}${intervalText(logLoss)}: ${logLoss.word}`;
  return `version ${version} ${state} on ${day(endedClock)}, ${found}`;
}

const intervalText = ({ lower, upper }: { readonly lower?: number; readonly upper?: number }) =>
  lower === undefined || upper === undefined ? '' : ` [${signed(lower)}, ${signed(upper)}]`;

const count = (value: number) => value.toLocaleString('en-US');
const signed = (value: number) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;
const day = (ms: number) => new Date(Math.floor(ms / dayMs) * dayMs).toISOString().slice(0, 10);
