/** From the log of events to what webhooks tell. */
import type { Json, LoggedEvent } from '../events/event.ts';
import type { WebhookEvent, WebhookPayload } from './webhook-event.ts';

type Tags = Readonly<Record<string, string>>;

type Origin = { readonly tags: Tags; readonly description: string };

/** What the registry knows of a model or a prompt, for what the log has no room for. */
export type RegistryFacts = {
  readonly model: (name: string) => Promise<Origin | undefined>;
  readonly version: (name: string, version: number) => Promise<Origin | undefined>;
};

export type WebhookMessage = { readonly event: WebhookEvent; readonly data: WebhookPayload['data'] };

type Told = WebhookMessage | undefined;
type Translate = (event: LoggedEvent, facts: RegistryFacts) => Promise<Told> | Told;

/** @returns undefined for what no webhook tells */
export async function messageOf(event: LoggedEvent, facts: RegistryFacts): Promise<Told> {
  return translations[event.type]?.(event, facts);
}

const modelCreated =
  (told: 'registered_model.created' | 'prompt.created'): Translate =>
  async ({ subject, data }, facts) => {
    const name = afterSlash(subject);
    const origin = loggedOrigin(data) ?? (await facts.model(name));
    return { event: told, data: { name, tags: shown(origin?.tags), description: origin?.description ?? '' } };
  };

const ofExperiment =
  (told: WebhookEvent): Translate =>
  ({ subject, data, ...rest }) => ({
    event: told,
    data: { experiment_id: afterSlash(subject), name: data.name ?? '', ...whoAndWhere(rest) },
  });

const ofRun =
  (told: WebhookEvent): Translate =>
  ({ subject, data: { experiment, name, ...data }, ...rest }) => ({
    event: told,
    data: {
      ...{ run_id: afterSlash(subject), experiment_id: experiment ?? '', run_name: name ?? '' },
      ...data,
      ...whoAndWhere(rest),
    },
  });

const ofRollout =
  (told: WebhookEvent): Translate =>
  ({ subject, data, reason, ...rest }) => ({
    event: told,
    data: {
      rollout_id: afterSlash(subject),
      ...{ endpoint: data.endpoint ?? '', model: data.model ?? '', version: String(data.version) },
      champion: typeof data.champion === 'number' ? String(data.champion) : null,
      ...(typeof data.share === 'number' && { share: data.share }),
      reason: reason ?? null,
      ...whoAndWhere(rest),
    },
  });

const ofAlert =
  (told: WebhookEvent): Translate =>
  ({ subject, data: { endpoint, monitor, model, version, severity, state, title, items }, reason, ...rest }) => ({
    event: told,
    data: {
      alert_id: afterSlash(subject),
      ...{ endpoint: endpoint ?? '', model: model ?? '', version: String(version), monitor: monitor ?? '' },
      ...{ severity: severity ?? '', state: state ?? '', title: title ?? '', items: items ?? [] },
      reason: reason ?? null,
      ...whoAndWhere(rest),
    },
  });

const ofApproval =
  (told: WebhookEvent): Translate =>
  ({ subject, data: { endpoint, model, version, people }, reason, ...rest }) => ({
    event: told,
    data: {
      approval_id: afterSlash(subject),
      ...{ endpoint: endpoint ?? '', model: model ?? '', version: String(version) },
      ...(people !== undefined && { people }),
      reason: reason ?? null,
      ...whoAndWhere(rest),
    },
  });

const translations: Readonly<Record<string, Translate>> = {
  'registry.model-created': modelCreated('registered_model.created'),
  'registry.prompt-created': modelCreated('prompt.created'),
  'registry.version-registered': async (event, facts) => {
    const { name, version } = versionOf(event);
    const { tags = {}, description } = loggedOrigin(event.data) ?? (await facts.version(name, Number(version))) ?? {};
    if (await isPrompt(name, facts)) {
      const template = tags[promptText] ?? null;
      return {
        event: 'prompt_version.created',
        data: { name, version, template, tags: shown(tags), description: description || null },
      };
    }
    const { source = '', run = null } = event.data;
    return {
      event: 'model_version.created',
      data: { name, version, source, run_id: run, tags, description: description || null },
    };
  },
  // MLflow tells of the tags of prompts, not of those of models.
  'registry.model-tag-set': async (event, facts) => {
    const name = afterSlash(event.subject);
    if (!(await isPrompt(name, facts))) return undefined;
    return { event: 'prompt_tag.set', data: { name, ...wholeTag(event, (await facts.model(name))?.tags) } };
  },
  'registry.model-tag-deleted': async (event, facts) => {
    const name = afterSlash(event.subject);
    if (!(await isPrompt(name, facts))) return undefined;
    return { event: 'prompt_tag.deleted', data: { name, key: event.data.key ?? '' } };
  },
  'registry.version-tag-set': async (event, facts) => ({
    event: await ofKind(event, facts, 'model_version_tag.set', 'prompt_version_tag.set'),
    data: { ...versionOf(event), ...wholeTag(event, await tagsOfVersion(event, facts)) },
  }),
  'registry.version-tag-deleted': async (event, facts) => ({
    event: await ofKind(event, facts, 'model_version_tag.deleted', 'prompt_version_tag.deleted'),
    data: { ...versionOf(event), key: event.data.key ?? '' },
  }),
  'registry.alias-set': async (event, facts) => {
    const { name, version } = versionOf(event);
    return {
      event: await ofKind(event, facts, 'model_version_alias.created', 'prompt_alias.created'),
      data: { name, alias: event.data.alias ?? '', version },
    };
  },
  'registry.alias-deleted': async (event, facts) => ({
    event: await ofKind(event, facts, 'model_version_alias.deleted', 'prompt_alias.deleted'),
    data: { name: versionOf(event).name, alias: event.data.alias ?? '' },
  }),
  'registry.stage-set': (event) => ({
    event: 'model_version_stage.set',
    data: {
      ...versionOf(event),
      ...{ stage: event.data.stage ?? '', from: event.data.from ?? '' },
      archived: Array.isArray(event.data.archived) ? event.data.archived.map(String) : [],
    },
  }),
  'tracking.experiment-created': ofExperiment('experiment.created'),
  'tracking.experiment-deleted': ofExperiment('experiment.deleted'),
  'tracking.experiment-restored': ofExperiment('experiment.restored'),
  'tracking.run-started': ofRun('run.created'),
  'tracking.run-ended': ofRun('run.ended'),
  'tracking.run-deleted': ofRun('run.deleted'),
  'tracking.run-restored': ofRun('run.restored'),
  'rollouts.started': ofRollout('rollout.started'),
  'rollouts.step-entered': ofRollout('rollout.step_entered'),
  'rollouts.paused': ofRollout('rollout.paused'),
  'rollouts.resumed': ofRollout('rollout.resumed'),
  'rollouts.promoted': ofRollout('rollout.promoted'),
  'rollouts.rolled-back': ofRollout('rollout.rolled_back'),
  'rollouts.aborted': ofRollout('rollout.aborted'),
  'rollouts.superseded': ofRollout('rollout.superseded'),
  'monitoring.alert-opened': ofAlert('alert.opened'),
  'monitoring.alert-changed': ofAlert('alert.changed'),
  'monitoring.alert-acknowledged': ofAlert('alert.acknowledged'),
  'monitoring.alert-resolved': ofAlert('alert.resolved'),
  'governance.approval-asked': ofApproval('approval.asked'),
  'governance.approval-granted': ofApproval('approval.granted'),
  'governance.approval-refused': ofApproval('approval.refused'),
  'governance.approval-expired': ofApproval('approval.expired'),
};

/** The types of the log that some webhook event stands for. */
export const toldTypes: readonly string[] = Object.keys(translations);

async function ofKind(
  event: LoggedEvent,
  facts: RegistryFacts,
  ofModel: WebhookEvent,
  ofPrompt: WebhookEvent,
): Promise<WebhookEvent> {
  return (await isPrompt(versionOf(event).name, facts)) ? ofPrompt : ofModel;
}

const isPromptTag = 'mlflow.prompt.is_prompt';
const promptText = 'mlflow.prompt.text';
const promptTags = new Set([isPromptTag, promptText, '_mlflow_prompt_type']);

async function isPrompt(name: string, facts: RegistryFacts): Promise<boolean> {
  return (await facts.model(name))?.tags[isPromptTag]?.toLowerCase() === 'true';
}

/** As it was when it was made. @returns undefined where that did not fit into the log */
function loggedOrigin({ tags, description }: LoggedEvent['data']): Origin | undefined {
  if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) return undefined;
  const values = Object.entries(tags).map(([key, value]): [string, string] => [key, String(value)]);
  return { tags: Object.fromEntries(values), description: String(description ?? '') };
}

/** Without the tags by which prompts are known. */
const shown = (tags: Tags = {}): Tags =>
  Object.fromEntries(Object.entries(tags).filter(([key]) => !promptTags.has(key)));

async function tagsOfVersion(event: LoggedEvent, facts: RegistryFacts): Promise<Tags | undefined> {
  const { name, version } = versionOf(event);
  return (await facts.version(name, Number(version)))?.tags;
}

/** The log has the beginning of a long value only; the rest stands in the registry as long as nobody has changed it. */
function wholeTag({ data }: LoggedEvent, tags: Tags = {}): { readonly key: string; readonly value: string } {
  const [key, logged] = [String(data.key), String(data.value)];
  const kept = tags[key];
  return { key, value: logged.length >= 5_000 && kept?.startsWith(logged) ? kept : logged };
}

const versionOf = ({ data }: LoggedEvent) => ({ name: String(data.model), version: String(data.version) });
const whoAndWhere = ({ project, actor }: { project: string; actor: string }): { [key: string]: Json } => ({
  project,
  actor,
});

/** `model/flight-delay` -> `flight-delay`. Names of models have no slash. */
const afterSlash = (subject: string): string => subject.slice(subject.indexOf('/') + 1);
