/** Testing a version: from the wish to the report. */
import { PlatformError } from '../errors.ts';
import type { NewEvent } from '../events/event.ts';
import type { Job, NewJob } from '../jobs/job.ts';
import { type ModelVersion, requireServable, versionSubject } from '../registry/model-version.ts';
import type { VersionStore } from '../registry/version-store.ts';
import type { Task } from '../serving/endpoint.ts';
import { sameVersion, type VersionRef, versionKey } from '../serving/traffic.ts';
import { type GateReport, obstacles, overallOutcome, type TestReport } from './gate.ts';
import type { GateEvidence } from './gate-evidence.ts';
import type { GateStore } from './gate-store.ts';
import { type GatesConfig, gatePlan } from './gates-config.ts';

/** What a project's file says about its gates, and whom it serves now. */
export type GateRules = {
  readonly gates: GatesConfig;
  readonly task: Task;
  /** The column with the truth. */
  readonly target: string;
  readonly champion?: VersionRef;
};

/** Supplied by `app.ts` from lifecycle. @returns undefined when the version's project has no gates */
export type FindGateRules = (version: ModelVersion) => Promise<GateRules | undefined>;

/** The input of the durable job `gates.run`. */
export type GateRequest = VersionRef & { readonly against?: VersionRef };

/** Puts the work into the queue. @returns the operation's id  @throws PlatformError registry/version-not-found */
export async function requestGates(
  { versions, submit }: RequestDeps,
  { actor, ...request }: GateRequest & { readonly actor: string },
): Promise<string> {
  const version = await versions.find(request.model, request.version);
  if (!version) throw new PlatformError('registry/version-not-found', versionKey(request));
  const job = await submit({ kind: 'gates.run', input: request, actor, project: version.project });
  return job.id;
}

export type RequestDeps = {
  readonly versions: Pick<VersionStore, 'find'>;
  /** Puts a job into the queue in the same transaction. */
  readonly submit: (job: NewJob) => Promise<Job>;
};

/** What the worker has to measure, with digests in place of files. */
export type GateAssignment = {
  readonly plan: ReturnType<typeof gatePlan>;
  readonly task: Task;
  readonly target: string;
  readonly candidate: ModelVersion;
  readonly champion?: ModelVersion;
  readonly dataChecks?: NonNullable<GateEvidence['dataChecks']>;
};

export type PrepareDeps = {
  /** Fixes a version's bytes where that has not happened yet. */
  readonly seal: (ref: VersionRef) => Promise<ModelVersion>;
  readonly rulesOf: FindGateRules;
  /** The checks on the data a version was trained on. */
  readonly dataChecksOf: (version: ModelVersion) => Promise<GateAssignment['dataChecks']>;
};

/** @throws PlatformError gates/no-gates, registry/not-servable */
export async function prepareGates(
  { seal, rulesOf, dataChecksOf }: PrepareDeps,
  request: GateRequest,
): Promise<GateAssignment> {
  const candidate = requireServable(await seal(request));
  const rules = await rulesOf(candidate);
  if (!rules) {
    throw new PlatformError('gates/no-gates', versionKey(request), { hint: 'write a `gates:` block into rondo.yaml' });
  }
  const against = request.against ?? rules.champion;
  // A version is not compared with itself: that would always pass.
  const champion = against && !sameVersion(against, request) ? requireServable(await seal(against)) : undefined;
  const dataChecks = await dataChecksOf(candidate);
  return {
    plan: gatePlan(rules.gates),
    task: rules.task,
    target: rules.target,
    candidate,
    ...(champion && { champion }),
    ...(dataChecks && { dataChecks }),
  };
}

export type RecordDeps = {
  readonly gates: Pick<GateStore, 'insert'>;
  readonly events: { append(event: NewEvent): Promise<void> };
  readonly now: () => number;
};

/** Writes the report down and tells of it, with the evidence: one event is enough to understand the decision later. */
export async function recordGates(
  { gates, events, now }: RecordDeps,
  found: Omit<GateReport, 'outcome' | 'decidedAt'>,
): Promise<GateReport> {
  const report: GateReport = { ...found, outcome: overallOutcome(found.tests), decidedAt: now() };
  await gates.insert(report);
  await events.append({
    type: 'gates.decided',
    project: report.project,
    subject: versionSubject(report.model, report.version),
    actor: report.actor,
    at: report.decidedAt,
    reason: reasonOf(report),
    data: {
      report: report.id,
      outcome: report.outcome,
      ...(report.against && { against: versionKey(report.against) }),
      ...(report.dataDigest !== undefined && { dataDigest: report.dataDigest }),
      tests: report.tests.map(evidenceOf),
    },
  });
  return report;
}

function reasonOf({ outcome, tests }: GateReport): string {
  if (outcome === 'pass') return `passed ${tests.filter(({ applies }) => applies).length} tests`;
  return obstacles(tests)
    .slice(0, 3)
    .map(({ test, verdict }) => `${test}: ${verdict.reason}`)
    .join('; ');
}

/** Without the slices, which may be thousands; the report has them. */
function evidenceOf({ test, applies, onInconclusive, verdict }: TestReport) {
  const { outcome, reason, value, lower, upper, threshold, n, method } = verdict;
  const numbers = Object.fromEntries(
    Object.entries({ value, lower, upper, threshold }).filter(
      (entry): entry is [string, number] => entry[1] !== undefined,
    ),
  );
  return { test, outcome, reason, n, method, applies, onInconclusive, ...numbers };
}
