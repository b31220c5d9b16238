/** The evidence as an event carries it: numbers to four digits, no plots. */
import type { Json } from '../events/event.ts';
import type { Findings, GuardrailFinding } from './findings.ts';

export function evidenceJson(findings: Findings): { readonly [key: string]: Json } {
  return {
    requests: findings.requests,
    logSeq: findings.seq,
    arms: findings.arms,
    shadow: findings.shadow,
    split: { p: round(findings.split.p), units: findings.split.units },
    guardrails: findings.guardrails.map(guardrailJson),
  };
}

function guardrailJson(one: GuardrailFinding): Json {
  return {
    name: one.name,
    outcome: one.verdict.outcome,
    reason: one.verdict.reason,
    method: one.verdict.method,
    value: round(one.value),
    atWorst: round(one.atWorst),
    margin: one.margin,
    n: one.n,
  };
}

/** JSON has no infinity; a bound that is none is left out as null. */
const round = (x: number | undefined): number | null =>
  x === undefined || !Number.isFinite(x) ? null : Number(x.toPrecision(4));
