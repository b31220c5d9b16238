/** Asks for consent, takes it, and spends it: each step an event. */
import { createHash } from 'node:crypto';
import { PlatformError } from '../errors.ts';
import { canonicalJson } from '../events/canonical-json.ts';
import type { Json, NewEvent } from '../events/event.ts';
import type { EventStore } from '../events/event-store.ts';
import {
  type Approval,
  type ApprovalPolicy,
  type ApprovalRequest,
  type ApprovalState,
  approvalState,
  type Consent,
  personOf,
  whyNotConsent,
} from './approval.ts';
import type { ApprovalStore } from './approval-store.ts';

export type ApprovalDeps = {
  readonly approvals: ApprovalStore;
  readonly events: EventStore;
  readonly now: () => number;
  readonly newId: () => string;
};

/** A consent that nobody has used by then was given for another situation. */
const validMs = 7 * 86_400_000;

/** What people agree to: these bytes, on this endpoint, by this plan, under this policy. */
export function bindingOf(change: {
  readonly endpoint: string;
  readonly model: string;
  readonly version: number;
  readonly onnxDigest: string;
  readonly plan: Json;
  readonly policy: ApprovalPolicy;
}): string {
  return createHash('sha256')
    .update(canonicalJson({ ...change, policy: { ...change.policy } }))
    .digest('hex');
}

export type ApprovalQuestion = Omit<ApprovalRequest, 'id' | 'askedAt' | 'expiresAt'>;

/**
 * Where the consent to a change stands; asks for it where nobody has yet. It may be called at any time, as often as one likes: a
 * shipment asks once, and what was decided stays decided for it. To try again is to ship again.
 */
export async function askApproval(
  { approvals, events, now, newId }: ApprovalDeps,
  question: ApprovalQuestion,
): Promise<{ readonly approval: Approval; readonly state: ApprovalState }> {
  const at = now();
  const { operation, binding } = question;
  const live = (await approvals.findAsked(operation, binding)) ?? (await approvals.findLive(binding));
  if (live) {
    const state = approvalState(live, at);
    if (state === 'expired' && (await approvals.close(live.id, 'expired'))) {
      await events.append(eventOf('governance.approval-expired', live, { actor: 'rule:approvals', at }));
    }
    return { approval: live, state };
  }
  const request: ApprovalRequest = { ...question, id: newId().slice(0, 12), askedAt: at, expiresAt: at + validMs };
  if (await approvals.insert(request)) {
    const { policy, gates, reason } = request;
    await events.append(
      eventOf('governance.approval-asked', request, {
        ...{ actor: request.requester, at, reason: reason ?? gates.reason },
        data: { people: policy.people, notAuthor: policy.notAuthor, gates: gates.outcome },
      }),
    );
    return { approval: { ...request, consents: [] }, state: 'open' };
  }
  // Somebody else has asked at this moment.
  const other = await approvals.findLive(question.binding);
  if (!other) throw new PlatformError('http/conflict', `The approval of ${question.model}@${question.version}`);
  return { approval: other, state: approvalState(other, at) };
}

/**
 * A person agrees or refuses, and may change their mind until it is decided. Saying the same again changes nothing.
 * @throws PlatformError governance/approval-not-found, /approval-closed, /own-change, /not-a-person
 */
export async function giveConsent(
  { approvals, events, now }: Omit<ApprovalDeps, 'newId'>,
  input: {
    readonly id: string;
    readonly actor: string;
    readonly decision: Consent['decision'];
    readonly reason?: string | undefined;
  },
): Promise<Approval> {
  const { id, actor, decision, reason } = input;
  const at = now();
  await approvals.lock(id);
  const before = await approvals.find(id);
  if (!before) throw new PlatformError('governance/approval-not-found', id);
  const problem = whyNotConsent(before, actor);
  if (problem === 'own-change') {
    const hint = '`approvals:` of rondo.yaml asks for somebody else: `rondo users add` makes accounts.';
    throw new PlatformError('governance/own-change', actor, { hint });
  }
  if (problem === 'not-a-person')
    throw new PlatformError('governance/not-a-person', actor, { hint: 'People sign in.' });
  const person = personOf(actor) ?? actor;
  if (before.consents.some((one) => one.person === person && one.decision === decision)) return before;
  const state = approvalState(before, at);
  const isDecided = state === 'granted' && decision === 'grant';
  if (isDecided || (state !== 'open' && state !== 'granted')) {
    throw new PlatformError('governance/approval-closed', id, { hint: `It is ${state}.` });
  }
  const consent: Consent = { person, decision, at, ...(reason !== undefined && { reason }) };
  await approvals.putConsent(id, consent);
  const after = { ...before, consents: [...before.consents.filter((one) => one.person !== person), consent] };
  const why = reason === undefined ? {} : { reason };
  if (decision === 'refuse') {
    await approvals.close(id, 'refused');
    await events.append(eventOf('governance.approval-refused', before, { actor, at, ...why }));
    return { ...after, closed: 'refused' };
  }
  await events.append(eventOf('governance.consent-given', before, { actor, at, ...why }));
  if (approvalState(after, at) === 'granted') {
    const people = after.consents.map((one) => one.person);
    await events.append(eventOf('governance.approval-granted', before, { actor, at, data: { people } }));
  }
  return after;
}

/** The rollout has begun: the next one of the same version asks anew. */
export async function useApproval({ approvals }: Pick<ApprovalDeps, 'approvals'>, binding: string): Promise<void> {
  const live = await approvals.findLive(binding);
  if (live) await approvals.close(live.id, 'used');
}

function eventOf(
  type: string,
  { id, project, endpoint, model, version, binding }: ApprovalRequest,
  { data, ...given }: Pick<NewEvent, 'actor' | 'at' | 'reason'> & { readonly data?: { readonly [key: string]: Json } },
): NewEvent {
  return {
    ...{ type, project, subject: `approval/${id}` },
    ...given,
    data: { endpoint, model, version, binding, ...data },
  };
}
