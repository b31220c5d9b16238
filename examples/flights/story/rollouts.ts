/** Gates and rollouts of the story, as the server tells of them. */
import { endpoint, expect, model, pause, type Teller } from './basics.ts';
import type { Replay } from './programs.ts';
import type { Api, LoggedEvent } from './server-api.ts';

export type RolloutEnd = {
  readonly version: number;
  readonly state: string;
  readonly because: string;
  readonly requests: number;
  readonly challengerAnswers: number;
  readonly startedClock: number;
  readonly endedClock: number;
  readonly rollbackMs?: number;
  readonly logLoss?: {
    readonly value?: number;
    readonly lower?: number;
    readonly upper?: number;
    readonly word: string;
  };
};

export type Shipment = {
  readonly version: number;
  readonly force?: { readonly gates?: boolean; readonly shadow?: boolean; readonly from?: string };
  readonly reason?: string;
};

/** Gates, then the start of the rollout. @returns the rollout's id */
export async function beginRollout(api: Api, tell: Teller, shipment: Shipment): Promise<string> {
  tell.now(`the gates of version ${shipment.version}`);
  const { operation } = await api.post<{ operation: string }>(`/api/v1/projects/${endpoint}/ship`, shipment);
  const { rollout } = await api.operation<{ rollout: string }>(operation);
  return rollout;
}

export async function ship(api: Api, tell: Teller, shipment: Shipment): Promise<RolloutEnd> {
  const id = await beginRollout(api, tell, shipment);
  tell.fact(await sayGates(api, shipment.version));
  return endOf(api, tell, id);
}

/** A rollout while the traffic goes on. */
export async function rollOut(api: Api, tell: Teller, replay: Replay, shipment: Shipment): Promise<RolloutEnd> {
  const id = await beginRollout(api, tell, shipment);
  if (!shipment.force) tell.fact(await sayGates(api, shipment.version));
  replay.resume();
  return endOf(api, tell, id);
}

export type Verdict = {
  readonly outcome: string;
  readonly reason: string;
  readonly value?: number;
  readonly lower?: number;
  readonly upper?: number;
};
export type Gates = {
  readonly outcome: string;
  readonly tests: readonly {
    readonly kind: string;
    readonly test: string;
    readonly applies: boolean;
    readonly verdict: Verdict;
  }[];
};

export const gatesOf = (api: Api, version: number) =>
  api.get<Gates>(`/api/v1/models/${model}/versions/${version}/gates`);

async function sayGates(api: Api, version: number): Promise<string> {
  const { outcome, tests } = await gatesOf(api, version);
  const judged = tests.filter((test) => test.applies);
  const passed = judged.filter((test) => test.verdict.outcome === 'pass').length;
  const auc = tests.find((test) => test.test.startsWith('auc at least') && !test.test.includes(' in every '));
  return `Gates ${outcome}: ${passed} of ${judged.length} prove it${auc?.verdict.value === undefined ? '' : `, AUC ${auc.verdict.value.toFixed(3)}`}`;
}

type RolloutView = {
  readonly state: string;
  readonly says: string;
  readonly headline: string;
  readonly challenger: { readonly version: number };
  readonly startedClock: number;
  readonly endedClock?: number;
  readonly traffic: {
    readonly requests: number;
    readonly arms?: { readonly challenger: { readonly requests: number } };
  };
  readonly guardrails: readonly {
    readonly name: string;
    readonly unit: string;
    readonly value?: number;
    readonly word: string;
    readonly verdict: Verdict;
  }[];
};

const over = new Set(['promoted', 'rolled-back', 'aborted', 'superseded']);

export async function endOf(api: Api, tell: Teller, id: string): Promise<RolloutEnd> {
  let said = '';
  for (;;) {
    const view = await api.get<RolloutView>(`/api/v1/rollouts/${id}`);
    if (view.says !== said) tell.fact(`version ${view.challenger.version}: ${view.says}`);
    said = view.says;
    if (over.has(view.state)) return describeEnd(api, tell, id, view);
    expect(view.state !== 'paused', `version ${view.challenger.version} paused: ${view.headline}`);
    await pause(150);
  }
}

async function describeEnd(api: Api, tell: Teller, id: string, view: RolloutView): Promise<RolloutEnd> {
  const { items } = await api.get<{ items: readonly LoggedEvent[] }>(
    `/api/v1/events?subject=rollout/${id}&order=newest&limit=50`,
  );
  const last = items.find((event) => event.type === `rollouts.${view.state}`);
  const loss = view.guardrails.find((one) => one.unit === 'loss');
  const answers = view.traffic.arms?.challenger.requests ?? 0;
  const { decidedAt, swappedAt } = last?.data ?? {};
  const rollbackMs = typeof decidedAt === 'number' && typeof swappedAt === 'number' ? swappedAt - decidedAt : undefined;
  tell.fact(
    `version ${view.challenger.version} ${view.state} after ${view.traffic.requests.toLocaleString('en-US')} requests, ${answers.toLocaleString('en-US')} of them answered by it: ${last?.reason ?? view.headline}`,
  );
  return {
    version: view.challenger.version,
    state: view.state,
    because: last?.reason ?? '',
    requests: view.traffic.requests,
    challengerAnswers: answers,
    startedClock: view.startedClock,
    endedClock: view.endedClock ?? view.startedClock,
    ...(rollbackMs !== undefined && { rollbackMs }),
    ...(loss && { logLoss: { word: loss.word, ...pick(loss.verdict) } }),
  };
}

const pick = ({ value, lower, upper }: Verdict) => ({
  ...(value !== undefined && { value }),
  ...(lower !== undefined && { lower }),
  ...(upper !== undefined && { upper }),
});
