/** What the worker process does for gates, and what the server does before and after. */
import { datasetStore } from '../datasets/dataset-store.ts';
import { eventStore } from '../events/event-store.ts';
import type { JobContext, JobHandlers } from '../jobs/job.ts';
import type { JobKind } from '../jobs/start-jobs.ts';
import type { ModelVersion } from '../registry/model-version.ts';
import type { VersionRef } from '../serving/traffic.ts';
import { versionKey } from '../serving/traffic.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { Db } from '../storage/database.ts';
import type { TestReport } from './gate.ts';
import { gateStore } from './gate-store.ts';
import type { MeasureInput } from './measure-candidate-adapter.ts';
import { type FindGateRules, type GateAssignment, type GateRequest, prepareGates, recordGates } from './run-gates.ts';
import type { ScoredModel } from './score-rows-adapter.ts';

/** Handlers for `runWorker`. */
export function gateHandlers(): JobHandlers {
  return {
    'gates.run': async (input: MeasureInput, context: JobContext): Promise<Measured> => {
      // Here and not above: the server imports this file for its kinds, and must not load a second runtime.
      const { measureCandidate } = await import('./measure-candidate-adapter.ts');
      return {
        ...(input.champion && { against: versionOf(input.champion) }),
        ...(input.dataDigest !== undefined && { dataDigest: input.dataDigest }),
        tests: await measureCandidate(input, context),
      };
    },
  };
}

type Measured = { readonly against?: VersionRef; readonly dataDigest?: string; readonly tests: readonly TestReport[] };

export type GateDeps = {
  readonly read: Db;
  readonly blobs: Pick<BlobStore, 'path'>;
  readonly seal: (ref: VersionRef) => Promise<ModelVersion>;
  readonly rulesOf: FindGateRules;
  readonly now: () => number;
};

/** Kinds for `startJobs`. The operation's result is the `GateReport`. */
export function gateKinds({ read, blobs, seal, rulesOf, now }: GateDeps): Readonly<Record<string, JobKind>> {
  return {
    'gates.run': {
      prepare: async (job) => {
        const dataChecksOf = (version: ModelVersion) => dataChecks(read, version);
        const request = job.input as GateRequest; // made by requestGates
        // A version is judged by the rules of whoever ships it, not of a project that its own tags name.
        const ownRules: FindGateRules = (version) => rulesOf({ ...version, project: job.project ?? version.project });
        return filesOf(blobs, await prepareGates({ seal, rulesOf: ownRules, dataChecksOf }, request));
      },
      apply: async (tx, job, output) => {
        const { model, version } = job.input as GateRequest; // made by requestGates
        return recordGates(
          { gates: gateStore(tx), events: eventStore(tx), now },
          { id: job.id, project: job.project ?? '', model, version, actor: job.actor, ...(output as Measured) }, // of the handler above
        );
      },
    },
  };
}

function filesOf(blobs: Pick<BlobStore, 'path'>, assignment: GateAssignment): MeasureInput {
  const { plan, task, target, candidate, champion, dataChecks: checks } = assignment;
  const { gateDataDigest, parityDigest } = candidate;
  return {
    plan,
    task,
    target,
    candidate: scoredModel(blobs, candidate),
    ...(champion && { champion: scoredModel(blobs, champion) }),
    ...(gateDataDigest !== undefined && { rows: blobs.path(gateDataDigest), dataDigest: gateDataDigest }),
    ...(parityDigest !== undefined && { parity: blobs.path(parityDigest) }),
    ...(checks && { dataChecks: checks }),
  };
}

function scoredModel(blobs: Pick<BlobStore, 'path'>, version: ModelVersion): ScoredModel {
  const { sealed } = version;
  return {
    model: version.model,
    version: version.version,
    name: versionKey(version),
    path: blobs.path(sealed?.onnxDigest ?? ''), // prepareGates lets only sealed ONNX versions through
    inputs: sealed?.inputs ?? [],
    outputs: sealed?.outputs ?? [],
  };
}

const versionOf = ({ model, version }: ScoredModel): VersionRef => ({ model, version });

/** Of every dataset version that the model was trained on. */
async function dataChecks(read: Db, { project, lineage }: ModelVersion): Promise<GateAssignment['dataChecks']> {
  const datasets = datasetStore(read);
  const results = [];
  for (const { name, version } of lineage.datasets) {
    const key = { project, name };
    const found = /^\d{1,9}$/.test(version)
      ? await datasets.findVersion(key, Number(version))
      : await datasets.findByRoot(key, version);
    results.push(...(found?.checks ?? []));
  }
  if (results.length === 0) return undefined;
  // A check with nothing to look at has not passed and not failed.
  const judged = results.filter(({ verdict }) => verdict.outcome !== 'inconclusive');
  const failing = judged.filter(({ verdict }) => verdict.outcome === 'fail');
  return { passed: judged.length - failing.length, total: judged.length, failing: failing.map(({ name }) => name) };
}
