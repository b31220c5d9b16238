/** What is worth an entry in the log although nothing moves: a guardrail was proved, or a step waits for something else now. */
import type { Findings } from './findings.ts';
import type { Decision, Rollout, Told } from './rollout.ts';

export type News = { readonly type: 'rollouts.guardrail-proved' | 'rollouts.held'; readonly says: string };

export function newsOf(
  rollout: Rollout,
  findings: Findings,
  decision: Decision,
): { readonly news: readonly News[]; readonly told: Told } {
  const { told } = rollout;
  const proved = findings.guardrails.filter((one) => one.proven && !told.proved.includes(one.index));
  const news: News[] = proved.map((one) => ({
    type: 'rollouts.guardrail-proved',
    says: `${one.name}: ${one.word}, at worst ${one.says.atWorst}, margin ${one.says.margin}`,
  }));
  const nowProved = [...told.proved, ...proved.map((one) => one.index)];
  if (decision.kind !== 'hold' || decision.conditions[0]?.met !== true) {
    return { news, told: { ...told, proved: nowProved } };
  }
  // The sample is there: what is still open is news, once per step and cause.
  const waitsFor = decision.conditions
    .filter((one) => !one.met)
    .map((one) => one.says)
    .join('; ');
  if (waitsFor !== told.waitsFor) news.push({ type: 'rollouts.held', says: decision.because });
  return { news, told: { proved: nowProved, waitsFor } };
}
