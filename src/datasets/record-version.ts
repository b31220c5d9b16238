import type { EventStore } from '../events/event-store.ts';
import { type AddOutcome, type CheckResult, refusals, type Scan } from './dataset.ts';
import type { DatasetStore } from './dataset-store.ts';

/** What the worker found and stored. Without `tree` it stored nothing, because checks failed. */
export type AddedFiles = {
  readonly project: string;
  readonly name: string;
  readonly source: string;
  readonly scan: Scan;
  readonly tree?: { readonly root: string; readonly files: number; readonly bytes: number; readonly newBytes: number };
};

type Deps = { readonly datasets: DatasetStore; readonly events: EventStore; readonly now: () => number };

/** The log keeps a few of the rows that broke a check; the operation's result has them all. */
const samplesInEvent = 5;

/** Makes a version of what was added, recognises one that is already there, or writes down why it was refused. */
export async function recordVersion(
  { datasets, events, now }: Deps,
  { project, name, source, scan, tree }: AddedFiles,
  actor: string,
): Promise<AddOutcome> {
  const key = { project, name };
  const at = now();
  const { checks } = scan;
  if (!tree) {
    await events.append({
      type: 'datasets.version-refused',
      project,
      subject: `dataset/${name}`,
      actor,
      at,
      reason: refusals(checks)
        .map(({ verdict }) => verdict.reason)
        .join(' '),
      data: { source, rows: scan.profile?.rows ?? null, failing: refusals(checks).map(asEvidence) },
    });
    return { outcome: 'refused', checks };
  }

  // Before the look for the same data: it locks the dataset, and two who add the same data at once must see each other.
  const number = await datasets.takeNumber(key, at);
  const same = await datasets.findByRoot(key, tree.root);
  if (same) {
    await datasets.giveNumberBack(key);
    await datasets.setChecks(key, same.version, checks);
    return { outcome: 'unchanged', version: same.version, root: same.root, newBytes: 0, checks };
  }
  await datasets.insertVersion({
    ...key,
    ...tree,
    version: number,
    source,
    ...(scan.profile && { rows: scan.profile.rows, profile: scan.profile }),
    columns: scan.columns,
    checks,
    actor,
    createdAt: at,
  });
  const count = (outcome: string) => checks.filter(({ verdict }) => verdict.outcome === outcome).length;
  await events.append({
    type: 'datasets.version-added',
    project,
    subject: `dataset/${name}/${number}`,
    actor,
    at,
    data: {
      version: number,
      source,
      ...tree,
      rows: scan.profile?.rows ?? null,
      checks: { pass: count('pass'), fail: count('fail'), inconclusive: count('inconclusive') },
      warnings: checks.filter(({ verdict }) => verdict.outcome === 'fail').map(asEvidence),
    },
  });
  return { outcome: 'added', version: number, root: tree.root, newBytes: tree.newBytes, checks };
}

function asEvidence({ name, verdict, failing, share, samples }: CheckResult) {
  return {
    name,
    reason: verdict.reason,
    failing,
    share,
    samples: samples.slice(0, samplesInEvent).map(({ row, file, value }) => ({
      row,
      ...(file !== undefined && { file }),
      value: typeof value === 'string' ? value.slice(0, 200) : value,
    })),
  };
}
