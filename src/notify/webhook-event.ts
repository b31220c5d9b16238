/** What webhooks tell of. The names of the registry's events are MLflow's; those of runs, experiments, rollouts and alerts continue them. */
import type { Json } from '../events/event.ts';

/** What MLflow's clients can name, with the order in which they number the entities. */
export const mlflowActions = {
  registered_model: ['created'],
  model_version: ['created'],
  model_version_tag: ['set', 'deleted'],
  model_version_alias: ['created', 'deleted'],
  prompt: ['created'],
  prompt_version: ['created'],
  prompt_tag: ['set', 'deleted'],
  prompt_version_tag: ['set', 'deleted'],
  prompt_alias: ['created', 'deleted'],
  // Of MLflow's gateway: it may be named, and nothing here ever happens to one.
  budget_policy: ['exceeded'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

const ownActions = {
  model_version_stage: ['set'],
  experiment: ['created', 'deleted', 'restored'],
  run: ['created', 'ended', 'deleted', 'restored'],
  rollout: ['started', 'step_entered', 'paused', 'resumed', 'promoted', 'rolled_back', 'aborted', 'superseded'],
  alert: ['opened', 'changed', 'acknowledged', 'resolved'],
  approval: ['asked', 'granted', 'refused', 'expired'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

type NamesOf<T extends Readonly<Record<string, readonly string[]>>> = {
  [K in keyof T & string]: `${K}.${T[K][number]}`;
}[keyof T & string];

/** `entity.action`. */
export type MlflowEvent = NamesOf<typeof mlflowActions>;
export type WebhookEvent = MlflowEvent | NamesOf<typeof ownActions>;

const namesOf = (actions: Readonly<Record<string, readonly string[]>>): readonly string[] =>
  Object.entries(actions).flatMap(([entity, ways]) => ways.map((action) => `${entity}.${action}`));

export const mlflowEvents = namesOf(mlflowActions) as readonly MlflowEvent[]; // the names of the table above
export const webhookEvents = [...mlflowEvents, ...namesOf(ownActions)] as readonly WebhookEvent[]; // likewise

export const isMlflowEvent = (event: WebhookEvent): event is MlflowEvent =>
  (mlflowEvents as readonly string[]).includes(event);

/** The body of a webhook, before it is text. */
export type WebhookPayload = {
  readonly entity: string;
  readonly action: string;
  /** When it happened, as Python writes it. */
  readonly timestamp: string;
  readonly data: { readonly [key: string]: Json };
};

export function webhookPayload(event: WebhookEvent, at: number, data: WebhookPayload['data']): WebhookPayload {
  const [entity = '', action = ''] = event.split('.');
  return { entity, action, timestamp: new Date(at).toISOString().replace('Z', '000+00:00'), data };
}

/** What a test of a webhook sends: MLflow's own examples, and the like for our events. */
export function exampleData(event: WebhookEvent): WebhookPayload['data'] {
  const model = { name: 'example_model' };
  const prompt = { name: 'example_prompt' };
  const version = { version: '1' };
  const tag = { key: 'example_key', value: 'example_value' };
  const alias = { alias: 'example_alias' };
  const tags = { example_key: 'example_value' };
  const run = { run_id: 'abcd1234abcd5678', experiment_id: '1', run_name: 'example_run' };
  const rollout = { rollout_id: '1234abcd1234abcd', endpoint: 'example_endpoint', model: 'example_model', ...version };
  const alert = {
    ...{ alert_id: '5678abcd5678abcd', endpoint: 'example_endpoint', model: 'example_model', ...version },
    ...{ monitor: 'quality', severity: 'page', title: 'auc 0.58 is below 0.62' },
  };
  switch (event) {
    case 'registered_model.created':
      return { ...model, tags, description: 'An example registered model' };
    case 'model_version.created':
      return {
        ...{ ...model, ...version, source: 'models:/123', run_id: 'abcd1234abcd5678', tags },
        description: 'An example model version',
      };
    case 'model_version_tag.set':
      return { ...model, ...version, ...tag };
    case 'model_version_tag.deleted':
      return { ...model, ...version, key: tag.key };
    case 'model_version_alias.created':
      return { ...model, ...alias, ...version };
    case 'model_version_alias.deleted':
      return { ...model, ...alias };
    case 'model_version_stage.set':
      return { ...model, ...version, stage: 'Production', from: 'Staging', archived: ['2'] };
    case 'prompt.created':
      return { ...prompt, tags, description: 'An example prompt' };
    case 'prompt_version.created':
      return { ...prompt, ...version, template: 'Hello {{name}}!', tags, description: 'An example prompt version' };
    case 'prompt_tag.set':
      return { ...prompt, ...tag };
    case 'prompt_tag.deleted':
      return { ...prompt, key: tag.key };
    case 'prompt_version_tag.set':
      return { ...prompt, ...version, ...tag };
    case 'prompt_version_tag.deleted':
      return { ...prompt, ...version, key: tag.key };
    case 'prompt_alias.created':
      return { ...prompt, ...alias, ...version };
    case 'prompt_alias.deleted':
      return { ...prompt, ...alias };
    case 'budget_policy.exceeded':
      return {
        ...{ budget_policy_id: 'bp-abc123', budget_unit: 'USD', budget_amount: 100, current_spend: 105.5 },
        ...{ duration_unit: 'MONTHS', duration_value: 1, target_scope: 'ENDPOINT', workspace: 'default' },
        ...{ target_value: 'ep-abc123', window_start: 1_704_067_200_000 },
      };
    case 'experiment.created':
    case 'experiment.deleted':
    case 'experiment.restored':
      return { experiment_id: '1', name: 'example_experiment' };
    case 'run.created':
    case 'run.deleted':
    case 'run.restored':
      return run;
    case 'run.ended':
      return { ...run, status: 'FINISHED', params: 2, tags: 3, metrics: 1, points: 100 };
    case 'rollout.started':
      return { ...rollout, champion: '2', reason: null };
    case 'rollout.step_entered':
    case 'rollout.paused':
    case 'rollout.resumed':
    case 'rollout.promoted':
    case 'rollout.rolled_back':
    case 'rollout.aborted':
    case 'rollout.superseded':
      return { ...rollout, champion: '2', reason: 'an example' };
    case 'alert.opened':
    case 'alert.changed':
    case 'alert.acknowledged':
      return { ...alert, state: event === 'alert.acknowledged' ? 'acknowledged' : 'open', reason: alert.title };
    case 'approval.asked':
    case 'approval.granted':
    case 'approval.refused':
    case 'approval.expired':
      return {
        ...{ approval_id: '9abcdef01234', endpoint: 'example_endpoint', model: 'example_model', ...version },
        ...{ people: event === 'approval.granted' ? ['ann'] : 1, reason: 'an example' },
      };
    case 'alert.resolved':
      return { ...alert, state: 'resolved', reason: 'below its threshold again' };
  }
}
