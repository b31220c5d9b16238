/** What an endpoint's traffic is while a rollout is in a state. */
import { sameVersion, type Traffic } from '../serving/traffic.ts';
import { isOver, liveOf, type Rollout } from './rollout.ts';

/** @returns the traffic that belongs to the rollout's state, made from the present one; the present one if it fits already */
export function trafficFor(rollout: Rollout, present: Traffic): Traffic {
  const { rollout: running, ...rest } = present;
  const live = liveOf(rollout.state);
  if (live) {
    const share = live.kind === 'step' ? (rollout.plan.steps[live.step]?.share ?? 0) : 0;
    const stage = live.kind === 'shadow' ? 'shadow' : 'canary';
    if (running?.id === rollout.id && running.stage === stage && running.share === share) return present;
    return { ...rest, rollout: { id: rollout.id, salt: rollout.salt, challenger: rollout.challenger, stage, share } };
  }
  switch (rollout.state.kind) {
    case 'promoting':
    case 'promoted':
      if (running?.id !== rollout.id && sameVersion(present.champion, rollout.challenger)) return present;
      return {
        generation: present.generation,
        champion: rollout.challenger,
        ...(present.champion && { previous: present.champion }),
      };
    default:
      return running?.id === rollout.id ? rest : present;
  }
}

/**
 * Whether somebody else has taken the traffic away since this rollout last set it.
 *
 * A move is written down before its traffic is set, with the generation that it will have. After a crash in between the traffic's
 * generation is still lower: then nothing else has changed, and the traffic may be set.
 */
export function supersededBy(rollout: Rollout, present: Traffic): string | undefined {
  const { state, id, challenger, generation } = rollout;
  if (isOver(state) || present.rollout?.id === id) return undefined;
  if (state.kind === 'promoting' && sameVersion(present.champion, challenger)) return undefined;
  // Before it has any traffic of its own, the generation is the one that it found.
  if (state.kind === 'preparing' ? present.generation <= generation : present.generation < generation) return undefined;
  return present.rollout ? `rollout ${present.rollout.id} took its place` : 'the traffic was changed by hand';
}
