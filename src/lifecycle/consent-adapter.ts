/** Whether people have to agree before a version is rolled out, and whether they have. */
import { PlatformError } from '../errors.ts';
import type { Json } from '../events/event.ts';
import { eventStore, readEvents } from '../events/event-store.ts';
import { type ApprovalPolicy, approvalState, sayWaiting } from '../governance/approval.ts';
import { approvalStore } from '../governance/approval-store.ts';
import { askApproval, bindingOf, useApproval } from '../governance/ask-approval.ts';
import { versionSubject } from '../registry/model-version.ts';
import { versionStore } from '../registry/version-store.ts';
import type { Rollout } from '../rollouts/rollout.ts';
import type { RolloutWorker } from '../rollouts/rollout-worker.ts';
import type { RolloutStart } from '../rollouts/start-rollout.ts';
import type { Database } from '../storage/database.ts';
import type { ReadCurrentProject } from './current-project-adapter.ts';
import type { ProjectConfig } from './project-schema.ts';
import type { ConsentState, Shipment } from './shipment.ts';

export type ConsentDeps = {
  readonly database: Database;
  readonly readProject: ReadCurrentProject;
  readonly now: () => number;
  readonly newId: () => string;
};

export type AskedBy = {
  /** The shipment's. */
  readonly operation: string;
  readonly gates: NonNullable<RolloutStart['gates']>;
  readonly actor: string;
};

type Change = Pick<Shipment, 'project' | 'endpoint' | 'model' | 'version' | 'consent'>;

/** Asks where nobody was asked yet. */
export async function consentTo(
  deps: ConsentDeps,
  shipment: Shipment,
  { operation, gates, actor }: AskedBy,
): Promise<ConsentState> {
  const { database, now, newId } = deps;
  const change = await changeOf(deps, shipment);
  if (!change) return { kind: 'given' };
  const { project, endpoint, model, version, reason } = shipment;
  const registered = { types: ['registry.version-registered'], subject: versionSubject(model, version), limit: 1 };
  const [event] = await readEvents(database.read, registered);
  const question = {
    ...{
      operation,
      project,
      endpoint,
      model,
      version,
      ...change,
      gates,
      requester: actor,
      author: event?.actor ?? actor,
    },
    ...(reason !== undefined && { reason }),
  };
  const { approval, state } = await database.write((tx) =>
    askApproval({ approvals: approvalStore(tx), events: eventStore(tx), now, newId }, question),
  );
  switch (state) {
    case 'open':
      return { kind: 'waiting', note: sayWaiting(approval) };
    case 'granted':
      return { kind: 'given' };
    case 'refused':
    case 'used':
    case 'expired':
      return {
        kind: 'missing',
        error: notGiven[state],
      };
  }
}

const notGiven = {
  refused: 'governance/approval-refused',
  used: 'governance/approval-missing',
  expired: 'governance/approval-expired',
} as const;

/**
 * Begins a rollout to which the people have agreed who must, and spends their consent. Every rollout begins here, shipped or not.
 * @throws PlatformError governance/approval-missing
 */
export async function startConsented(
  deps: ConsentDeps,
  rollouts: Pick<RolloutWorker, 'start'>,
  input: Parameters<RolloutWorker['start']>[0] & { readonly consent?: boolean },
): Promise<Rollout> {
  const { database, now } = deps;
  const { consent, ...start } = input;
  const { endpoint, challenger } = start;
  const { project, name } = endpoint;
  const change = await changeOf(deps, { project, endpoint: name, ...challenger, ...(consent && { consent }) });
  const live = change && (await approvalStore(database.read).findLive(change.binding));
  if (change && (!live || approvalState(live, now()) !== 'granted')) {
    throw new PlatformError('governance/approval-missing', `${challenger.model}@${challenger.version}`);
  }
  const rollout = await rollouts.start(start);
  if (change) await database.write((tx) => useApproval({ approvals: approvalStore(tx) }, change.binding));
  return rollout;
}

async function changeOf(
  { database, readProject }: ConsentDeps,
  { project, endpoint, model, version, consent = false }: Change,
): Promise<{ readonly binding: string; readonly policy: ApprovalPolicy } | undefined> {
  const config = await configOf(readProject, project);
  const policy = policyOf(config?.approvals, consent);
  if (!policy) return undefined;
  const onnxDigest = (await versionStore(database.read).find(model, version))?.sealed?.onnxDigest ?? '';
  // As JSON: what a plan leaves out is left out of the digest.
  const plan = JSON.parse(JSON.stringify(config?.rollout ?? null)) as Json;
  return { policy, binding: bindingOf({ endpoint, model, version, onnxDigest, plan, policy }) };
}

/** An endpoint may live without a linked project; then nobody has to be asked. */
async function configOf(readProject: ReadCurrentProject, project: string): Promise<ProjectConfig | undefined> {
  try {
    return (await readProject(project)).config;
  } catch (error) {
    if (error instanceof PlatformError && error.code === 'lifecycle/project-not-found') return undefined;
    throw error;
  }
}

/** @param ask at least one person, whatever the project says */
function policyOf(approvals: ProjectConfig['approvals'], ask: boolean): ApprovalPolicy | undefined {
  if (!approvals) return ask ? { people: 1, notAuthor: false } : undefined;
  const { people, not = [] } = approvals.production;
  return { people, notAuthor: not.includes('author') };
}
