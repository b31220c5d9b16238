/** People's consent to a change in production: who may give it, and when there is enough of it. */
import type { Outcome } from '../statistics/verdict.ts';

/** What a project asks for before a version is rolled out. */
export type ApprovalPolicy = {
  /** So many different people must agree. */
  readonly people: number;
  /** Neither who registered the version nor who asked to ship it counts. */
  readonly notAuthor: boolean;
};

/** One change, asked about once. It is bound to exactly what was shown: another digest, plan or policy is another question. */
export type ApprovalRequest = {
  readonly id: string;
  /** The shipment that asked. */
  readonly operation: string;
  readonly project: string;
  readonly endpoint: string;
  readonly model: string;
  readonly version: number;
  /** Digest of everything that the consent is about (`bindingOf`). */
  readonly binding: string;
  readonly policy: ApprovalPolicy;
  readonly requester: string;
  /** Who registered the version. */
  readonly author: string;
  readonly gates: { readonly outcome: Outcome; readonly reason: string };
  readonly reason?: string;
  readonly askedAt: number;
  readonly expiresAt: number;
};

export type Consent = {
  /** As `personOf` names them. */
  readonly person: string;
  readonly decision: 'grant' | 'refuse';
  readonly reason?: string;
  readonly at: number;
};

export type Approval = ApprovalRequest & {
  /** In the order in which they were given. */
  readonly consents: readonly Consent[];
  /** `used`: its rollout has begun; the next one asks anew. */
  readonly closed?: 'used' | 'refused' | 'expired';
};

export const approvalStates = ['open', 'granted', 'refused', 'expired', 'used'] as const;
export type ApprovalState = (typeof approvalStates)[number];

/** One refusal is enough; a consent that is not used in time is none. */
export function approvalState({ policy, consents, expiresAt, closed }: Approval, now: number): ApprovalState {
  if (closed) return closed;
  if (consents.some(({ decision }) => decision === 'refuse')) return 'refused';
  if (now >= expiresAt) return 'expired';
  return consents.length >= policy.people ? 'granted' : 'open';
}

/** Who stands behind an actor: the owner of a token counts once, however many they have. Behind a rule stands nobody. */
export function personOf(actor: string): string | undefined {
  const [, kind, name] = /^(user|token|rule):([^/]+)/.exec(actor) ?? [];
  return kind === 'rule' ? undefined : (name ?? actor);
}

/** Why this actor's word does not count, if it does not. */
export function whyNotConsent(
  { policy, author, requester }: Pick<ApprovalRequest, 'policy' | 'author' | 'requester'>,
  actor: string,
): 'not-a-person' | 'own-change' | undefined {
  const person = personOf(actor);
  if (person === undefined) return 'not-a-person';
  if (policy.notAuthor && (person === personOf(author) || person === personOf(requester))) return 'own-change';
  return undefined;
}

/** What is still missing, for whoever waits. */
export function sayWaiting({ id, policy, consents }: Approval): string {
  const missing = policy.people - consents.length;
  const people = missing === 1 ? 'one person' : `${missing} people`;
  return `waits for the consent of ${people}: rondo approvals grant ${id}`;
}
