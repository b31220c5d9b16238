/** Which versions an endpoint serves, and to whom. */
import { hash } from 'node:crypto';
import type { Role } from './prediction.ts';

export type VersionRef = { readonly model: string; readonly version: number };

export type Traffic = {
  /** Grows by one with every change; a prediction names the one it was made under. */
  readonly generation: number;
  readonly champion?: VersionRef;
  /** The champion before this one, kept warm: where a rollback goes. */
  readonly previous?: VersionRef;
  readonly rollout?: RolloutTraffic;
};

export type RolloutTraffic = {
  readonly id: string;
  /** Decides with the unit who is in which cohort; a new one per rollout, so that nobody is always the first to suffer. */
  readonly salt: string;
  readonly challenger: VersionRef;
  readonly stage: 'shadow' | 'canary';
  /** The canary's share of the units, 0 to 1; without meaning in stage shadow. */
  readonly share: number;
};

export const noTraffic: Traffic = { generation: 0 };

/** Who answers a unit, and who scores the same request afterwards. */
export type Assignment = {
  readonly role: Role;
  readonly serve: VersionRef;
  readonly mirror?: { readonly role: Role; readonly version: VersionRef };
};

/** @returns undefined while the endpoint has no champion */
export function assign(traffic: Traffic, unit: string): Assignment | undefined {
  const { champion, rollout } = traffic;
  if (!champion) return undefined;
  if (!rollout) return { role: 'champion', serve: champion };
  const { challenger, share, stage } = rollout;
  if (stage === 'shadow') {
    return { role: 'champion', serve: champion, mirror: { role: 'shadow', version: challenger } };
  }
  switch (cohortOf(positionOf(rollout.salt, unit), share)) {
    case 'canary':
      return { role: 'challenger', serve: challenger, mirror: { role: 'control', version: champion } };
    case 'control':
      return { role: 'control', serve: champion, mirror: { role: 'challenger', version: challenger } };
    case 'rest':
      return { role: 'champion', serve: champion };
  }
}

export type Cohort = 'canary' | 'control' | 'rest';

/**
 * The canary is [0, w), the control cohort [0.5, 0.5 + min(w, 0.5)): as large as the canary up to a half, what is left beyond.
 * Raising the share only adds units to either, up to a half; nobody ever leaves the canary.
 */
export function cohortOf(position: number, share: number): Cohort {
  if (position < share) return 'canary';
  return position >= 0.5 && position < 0.5 + Math.min(share, 0.5) ? 'control' : 'rest';
}

/** Where a unit stands between 0 and 1: the first 8 bytes of sha256(`salt:unit`) over 2^64, so that any client can recompute it. */
export function positionOf(salt: string, unit: string): number {
  const digest = hash('sha256', `${salt}:${unit}`, 'buffer');
  // Above 2^53 the sum would round, up to 1 in the worst case: keep the 53 bits that a double has.
  return (digest.readUInt32BE(0) * 2 ** 21 + (digest.readUInt32BE(4) >>> 11)) / 2 ** 53;
}

export function sameVersion(a: VersionRef | undefined, b: VersionRef | undefined): boolean {
  return a?.model === b?.model && a?.version === b?.version;
}

export const versionKey = ({ model, version }: VersionRef): string => `${model}@${version}`;

/** Every version the traffic needs loaded: what serves, what is compared, and what a rollback returns to. */
export function versionsOf(traffic: Traffic): readonly VersionRef[] {
  const all = [traffic.champion, traffic.rollout?.challenger, traffic.previous].filter((one) => one !== undefined);
  return [...new Map(all.map((ref) => [versionKey(ref), ref])).values()];
}

/** A change of traffic, before it has a generation. */
export type NewTraffic = Omit<Traffic, 'generation'>;

/** Whether the same versions serve, back and challenge; a generation is no part of it. */
export function sameTraffic(a: NewTraffic | undefined, b: NewTraffic | undefined): boolean {
  return (
    sameVersion(a?.champion, b?.champion) &&
    sameVersion(a?.previous, b?.previous) &&
    a?.rollout?.id === b?.rollout?.id &&
    a?.rollout?.stage === b?.rollout?.stage &&
    a?.rollout?.share === b?.rollout?.share
  );
}

/**
 * The way back: while a rollout runs, out of it, and otherwise to the version before. The two change places, so that going back from
 * going back is possible. @returns undefined when there is nothing to go back to
 */
export function rolledBack({ champion, previous, rollout }: Traffic): NewTraffic | undefined {
  if (!champion) return undefined;
  if (rollout) return { champion, ...(previous && { previous }) };
  return previous && { champion: previous, previous: champion };
}
