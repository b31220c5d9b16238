/** Reads back what was exported, and compares it with what is here: all but what MLflow's API cannot keep. */
import { createHash } from 'node:crypto';
import { type LedgerKind, parentTag, sourceThere, tagsThere } from './export-ledger.ts';
import { canonical, differingFields, type Tally } from './import-report.ts';
import type { EntityRecord, LoggedModelRecord, PointsSummary, RunRecord, VersionRecord } from './mlflow-record.ts';
import type { ArtifactOwner, MlflowSource } from './mlflow-source.ts';
import { PointsDigest } from './points-digest.ts';
import type { Row } from './row-values.ts';

export async function compareExport(
  source: MlflowSource,
  back: MlflowSource,
  {
    mapped,
    tally,
    onProgress,
  }: {
    readonly mapped: (kind: LedgerKind, from: string) => string;
    readonly tally: Tally;
    readonly onProgress: () => void;
  },
): Promise<void> {
  const there = await readBack();
  for await (const page of source.experiments())
    for (const experiment of page) {
      const to = mapped('experiment', experiment.id);
      const tags = [...tagsThere(experiment.tags, experiment.id)];
      compare({ ...experiment, id: to, tags }, there.experiments.get(to), [
        'artifactLocation',
        'createdAt',
        'updatedAt',
      ]);
    }
  for await (const page of source.runs()) {
    const found = page.map((run) => there.runs.get(mapped('run', run.id)));
    const before = await summaries(source, page);
    const after = await summaries(
      back,
      found.filter((run) => run !== undefined),
    );
    for (const [at, run] of page.entries()) {
      onProgress();
      compare(runThere(run), found[at], ['artifactUri', 'deletedAt']);
      const [one, other] = [before.get(run.id), after.get(mapped('run', run.id))];
      tally.countPoints('source', run.id, one ?? noPoints);
      tally.countPoints('here', run.id, other ?? noPoints);
      if (one?.digest !== other?.digest) {
        tally.note('differences', `run ${run.id}: ${one?.points ?? 0} points here, ${other?.points ?? 0} there`);
      }
      const owner = { kind: 'run', id: run.id, experimentId: run.experimentId, location: run.artifactUri } as const;
      if (found[at]) await compareArtifacts(owner, { ...owner, id: found[at].id, location: found[at].artifactUri });
    }
  }
  for await (const page of source.loggedModels()) {
    for (const model of page) {
      const found = there.loggedModels.get(mapped('logged-model', model.id));
      compare(loggedModelThere(model), found, ['artifactLocation', 'createdAt', 'updatedAt']);
      const owner = {
        kind: 'logged-model',
        id: model.id,
        experimentId: model.experimentId,
        location: model.artifactLocation,
      } as const;
      if (found) await compareArtifacts(owner, { ...owner, id: found.id, location: found.artifactLocation });
    }
  }
  for await (const page of source.models()) {
    for (const model of page) {
      const tags = [...tagsThere(model.tags, model.name)];
      compare({ ...model, tags }, there.models.get(model.name), ['createdAt', 'updatedAt']);
    }
    for await (const versions of source.versions(page)) {
      for (const version of versions.filter(({ deleted }) => !deleted)) {
        compare(versionThere(version), there.versions.get(`${version.model}/${version.version}`), [
          ...['createdAt', 'updatedAt', 'userId', 'storageLocation', 'statusMessage'],
        ]);
      }
    }
  }

  function runThere(run: RunRecord): RunRecord {
    return {
      ...run,
      id: mapped('run', run.id),
      experimentId: mapped('experiment', run.experimentId),
      tags: tagsThere(run.tags, run.id).map(({ key, value }) => ({
        key,
        value: key === parentTag ? mapped('run', value) : value,
      })),
      modelInputs: run.modelInputs.map((id) => mapped('logged-model', id)),
      modelOutputs: run.modelOutputs.map(({ modelId, step }) => ({ modelId: mapped('logged-model', modelId), step })),
    };
  }

  function loggedModelThere(model: LoggedModelRecord): LoggedModelRecord {
    return {
      ...model,
      id: mapped('logged-model', model.id),
      experimentId: mapped('experiment', model.experimentId),
      ...(model.sourceRunId === undefined ? {} : { sourceRunId: mapped('run', model.sourceRunId) }),
      tags: [...tagsThere(model.tags, model.id)],
      metrics: model.metrics.map((metric) => ({ ...metric, runId: mapped('run', metric.runId) })),
    };
  }

  function versionThere(version: VersionRecord): VersionRecord {
    return {
      ...version,
      source: sourceThere(version.source, mapped),
      ...(version.runId === undefined ? {} : { runId: mapped('run', version.runId) }),
      ...(version.loggedModelId === undefined ? {} : { loggedModelId: mapped('logged-model', version.loggedModelId) }),
    };
  }

  async function readBack() {
    const all = async <T extends EntityRecord>(pages: AsyncIterable<readonly T[]>, name: (record: T) => string) => {
      const found = new Map<string, T>();
      for await (const page of pages) {
        onProgress();
        for (const record of page) found.set(name(record), record);
      }
      return found;
    };
    const models = await all(back.models(), ({ name }) => name);
    return {
      experiments: await all(back.experiments(), ({ id }) => id),
      runs: await all(back.runs(), ({ id }) => id),
      loggedModels: await all(back.loggedModels(), ({ id }) => id),
      models,
      versions: await all(back.versions([...models.values()]), ({ model, version }) => `${model}/${version}`),
    };
  }

  function compare<T extends EntityRecord>(expected: T, found: T | undefined, notKept: readonly string[]): void {
    tally.countRecord('source', expected);
    const title = `${expected.kind} ${'name' in expected ? expected.name : `${expected.model}/${expected.version}`}`;
    if (!found) {
      tally.note('differences', `${title} is missing there`);
      return;
    }
    const fields = differingFields(expected, found).filter((field) => !notKept.includes(field));
    tally.countRecord('here', fields.length === 0 ? expected : found);
    if (fields.length === 0) return;
    const [one, other] = [expected, found] as unknown as readonly Row[];
    const told = fields.map((field) => `${field}: ${short(one?.[field])} here, ${short(other?.[field])} there`);
    tally.note('differences', `${title}: ${told.join('; ')}`);
  }

  async function compareArtifacts(ours: ArtifactOwner, theirs: ArtifactOwner): Promise<void> {
    const [one, other] = [await digests(source, ours), await digests(back, theirs)];
    for (const [path, { size, digest }] of one) {
      const text = `${ours.id}/${path}`;
      tally.count('source', 'artifacts', `${text} ${digest}`);
      tally.bytes.source += size;
      const found = other.get(path);
      if (found) {
        tally.count('here', 'artifacts', `${text} ${found.digest}`);
        tally.bytes.here += found.size;
      }
      if (found?.digest !== digest)
        tally.note('differences', `the file ${path} of ${ours.kind} ${ours.id} is not the same there`);
    }
  }
}

const noPoints: PointsSummary = { metrics: 0, points: 0, digest: '' };

async function summaries(
  source: MlflowSource,
  runs: readonly RunRecord[],
): Promise<ReadonlyMap<string, PointsSummary>> {
  const found = new Map(runs.map(({ id }) => [id, new PointsDigest()]));
  for await (const { runId, key, steps, timestamps, values } of source.points(runs)) {
    found.get(runId)?.add(key, steps, timestamps, values);
  }
  return new Map([...found].map(([id, { summary }]) => [id, summary]));
}

async function digests(source: MlflowSource, owner: ArtifactOwner) {
  const found = new Map<string, { readonly size: number; readonly digest: string }>();
  const listing = await source.artifacts(owner);
  if (listing.kind !== 'files') return found;
  for await (const file of listing.files) {
    const digester = createHash('sha256');
    let size = 0;
    for await (const chunk of await file.open()) {
      digester.update(chunk);
      size += chunk.length;
    }
    found.set(file.path, { size, digest: digester.digest('hex') });
  }
  return found;
}

const short = (value: unknown): string => {
  const text = value === undefined ? 'nothing' : canonical(value);
  return text.length <= 120 ? text : `${text.slice(0, 117)}…`;
};
