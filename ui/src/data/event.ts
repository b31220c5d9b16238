/** Events of the log, and how each reads as a sentence. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { percent, tidy } from '../format.ts';
import { get } from './api.ts';

export type LoggedEvent = {
  readonly position: number;
  readonly type: string;
  readonly project: string;
  readonly subject: string;
  readonly actor: string;
  readonly at: number;
  readonly endpointTime?: number;
  readonly reason?: string;
  readonly data: Readonly<Record<string, unknown>>;
};

type EventQuery = { limit: number; order?: 'newest' | 'oldest'; types?: string; project?: string; subject?: string };

export const useEvents = (query: EventQuery) =>
  useQuery({
    queryKey: ['events', query],
    queryFn: ({ signal }) => get<{ items: LoggedEvent[] }>('/api/v1/events', query, signal),
    placeholderData: (before) => before,
  });

/** The whole log from its end, a page after the other. */
export const useEventPages = (limit: number) =>
  useInfiniteQuery({
    queryKey: ['events', 'pages', limit],
    queryFn: ({ signal, pageParam }) =>
      get<{ items: LoggedEvent[]; next?: number }>(
        '/api/v1/events',
        { limit, order: 'newest', after: pageParam },
        signal,
      ),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: ({ next }) => next,
  });

/** What a person wants to hear about without having asked. */
export const newsTypes = [
  'rollouts.started',
  'rollouts.step-entered',
  'rollouts.guardrail-proved',
  'rollouts.held',
  'rollouts.paused',
  'rollouts.resumed',
  'rollouts.promoted',
  'rollouts.rolled-back',
  'rollouts.aborted',
  'rollouts.superseded',
  'registry.version-registered',
  'gates.decided',
  'monitoring.alert-opened',
  'monitoring.alert-changed',
  'monitoring.alert-resolved',
  'governance.approval-asked',
  'governance.approval-granted',
  'governance.approval-refused',
  'lifecycle.retraining-started',
  'lifecycle.retraining-ended',
  'datasets.version-added',
  'datasets.version-refused',
].join(',');

/** Who acted, as people say it. */
export function whoActed(actor: string): string {
  const [kind = actor, name] = actor.split(':');
  if (kind !== 'rule') return name ?? kind;
  return (
    { rollouts: 'rollout rule', monitoring: 'monitor', retrain: 'policy', registry: 'registry' }[name ?? ''] ??
    name?.replaceAll('-', ' ') ??
    'rule'
  );
}

export type Told = { /** What it happened to, set in bold. */ readonly about: string; readonly says: string };

/** What happened, in a few words. */
export function whatHappened(event: Pick<LoggedEvent, 'type' | 'subject' | 'data' | 'reason'>): Told {
  const { data, type } = event;
  const version = data['version'] === undefined ? '' : ` v${text(data['version'])}`;
  const served = `${text(data['endpoint'])}${version}`;
  const [, name = event.subject, number] = event.subject.split('/');
  const model = `${name}${number ? ` v${number}` : ''}`;
  switch (type) {
    case 'registry.model-created':
      return { about: name, says: 'registered' };
    case 'registry.version-registered':
      return { about: model, says: 'registered' };
    case 'registry.version-sealed':
      return {
        about: model,
        says: data['servable'] === false ? 'sealed: it cannot be served' : 'sealed: these bytes are what serves',
      };
    case 'registry.alias-set':
      return { about: model, says: `is now ${text(data['alias'])}` };
    case 'registry.alias-deleted':
      return { about: model, says: `is ${text(data['alias'])} no more` };
    case 'registry.stage-set':
      return { about: model, says: `moved to ${text(data['stage'])}` };
    case 'registry.model-tag-set':
    case 'registry.version-tag-set':
      return { about: model, says: `tagged ${text(data['key'])}` };
    case 'registry.model-tag-deleted':
    case 'registry.version-tag-deleted':
      return { about: model, says: `lost its tag ${text(data['key'])}` };
    case 'gates.decided':
      return {
        about: model,
        says: `${gatesSay(data['tests'])}${data['outcome'] === 'inconclusive' ? ', undecided' : ''}`,
      };
    case 'rollouts.started':
      return { about: served, says: data['forced'] ? 'forced past its gates, reason recorded' : 'starts its rollout' };
    case 'rollouts.step-entered':
      return { about: served, says: stepOf(data) };
    case 'rollouts.guardrail-proved':
      // `errors: no worse, at worst …`
      return {
        about: served,
        says: tidied(event.reason?.split(',', 1)[0]?.replace(':', '')) ?? 'has a guardrail proved',
      };
    case 'rollouts.held':
      return { about: served, says: `holds at ${text(data['at'])}` };
    case 'rollouts.paused':
      return { about: served, says: 'paused' };
    case 'rollouts.resumed':
      return { about: served, says: `goes on at ${text(data['to'])}` };
    case 'rollouts.promotion-decided':
      return { about: served, says: 'has earned all traffic' };
    case 'rollouts.promoted':
      return { about: served, says: 'at 100 %' };
    case 'rollouts.rolled-back':
      return { about: served, says: 'rolled back' };
    case 'rollouts.aborted':
      return { about: served, says: 'aborted' };
    case 'rollouts.superseded':
      return { about: served, says: 'superseded' };
    case 'serving.traffic-set':
      return { about: text(data['endpoint']), says: `traffic set: ${trafficSays(data)}` };
    case 'serving.endpoint-changed':
      return { about: text(data['endpoint']), says: data['added'] ? 'is a new endpoint' : 'has new settings' };
    case 'monitoring.alert-opened':
      return { about: text(data['endpoint']), says: `alert: ${tidy(text(data['title']))}` };
    case 'monitoring.alert-changed':
      return { about: text(data['endpoint']), says: `alert goes on: ${tidy(text(data['title']))}` };
    case 'monitoring.alert-acknowledged':
      return { about: text(data['endpoint']), says: 'alert acknowledged' };
    case 'monitoring.alert-resolved':
      return { about: text(data['endpoint']), says: `${text(data['monitor'])} alert resolved` };
    case 'governance.approval-asked':
      return { about: served, says: 'waits for consent' };
    case 'governance.consent-given':
      return { about: served, says: 'has the consent of one person' };
    case 'governance.approval-granted':
      return { about: served, says: 'may be rolled out' };
    case 'governance.approval-refused':
      return { about: served, says: 'refused by a person' };
    case 'governance.approval-expired':
      return { about: served, says: 'found nobody to agree in time' };
    case 'lifecycle.retraining-started':
      return { about: text(data['endpoint']), says: 'retraining started' };
    case 'lifecycle.retraining-skipped':
      return { about: text(data['endpoint']), says: 'no retraining this time' };
    case 'lifecycle.retraining-ended':
      return { about: text(data['endpoint']), says: 'retraining ended' };
    case 'lifecycle.project-linked':
      return { about: name, says: 'linked' };
    case 'lifecycle.project-changed':
      return { about: name, says: 'has a changed rondo.yaml' };
    case 'datasets.version-added':
      return { about: `${name}@${number ?? text(data['version'])}`, says: 'added' };
    case 'datasets.version-refused':
      return { about: name, says: 'refused by its checks' };
    case 'pipelines.execution-started':
      return { about: `Pipeline run ${text(data['number'])}`, says: 'started' };
    case 'pipelines.execution-finished':
      return { about: `Pipeline run ${text(data['number'])}`, says: text(data['state']) };
    case 'tracking.run-started':
      return { about: text(data['name']) || name.slice(0, 8), says: 'run started' };
    case 'tracking.run-ended':
      return { about: `Run ${name.slice(0, 8)}`, says: text(data['status']).toLowerCase() || 'ended' };
    case 'registry.model-renamed':
      return { about: text(data['from']) || name, says: `is now called ${text(data['to']) || name}` };
    case 'tracking.experiment-created':
      return { about: text(data['name']) || `Experiment ${name}`, says: 'created' };
    default:
      return { about: subjectOf(event), says: verbOf(type) };
  }
}

const verbs: Readonly<Record<string, string>> = {
  deleted: 'moved to the trash',
  restored: 'brought back from the trash',
  purged: 'deleted for good',
};

/** `tracking.run-deleted` is about a run, which was moved to the trash. */
function verbOf(type: string): string {
  const words = (type.split('.')[1] ?? type).split('-');
  const verb = words.at(-1) ?? type;
  return verbs[verb] ?? verb;
}

/** `webhook/12` reads "Webhook 12"; a model or a run by its name. */
function subjectOf({ subject, data }: Pick<LoggedEvent, 'subject' | 'data'>): string {
  const [kind = '', name = '', version] = subject.split('/');
  if (kind === 'model') return version ? `${name} v${version}` : name;
  return `${kind.charAt(0).toUpperCase()}${kind.slice(1)} ${text(data['name']) || name.slice(0, 12)}`.trim();
}

const tidied = (says: string | undefined) => says && tidy(says).replace(/^(?!AUC)./, (letter) => letter.toLowerCase());

export const sentenceOf = (event: Pick<LoggedEvent, 'type' | 'subject' | 'data' | 'reason'>): string => {
  const { about, says } = whatHappened(event);
  return `${about} ${says}`;
};

const text = (value: unknown): string => (value === undefined || value === null ? '' : String(value));

function stepOf(data: LoggedEvent['data']): string {
  const share = data['share'];
  return typeof share === 'number' && share > 0 ? `to ${percent(share)}` : `to ${text(data['to']) || 'shadow'}`;
}

/** `passed 6 of 8 gates`; a test that does not apply is not counted. */
function gatesSay(tests: unknown): string {
  const all = (Array.isArray(tests) ? tests : []) as { outcome?: string; onInconclusive?: string; applies?: boolean }[]; // as gates writes them
  const counted = all.filter((test) => test.applies !== false);
  const passed = counted.filter(
    (test) => test.outcome === 'pass' || (test.outcome === 'inconclusive' && test.onInconclusive === 'pass'),
  );
  return `passed ${passed.length} of ${counted.length} gates`;
}

function trafficSays({ champion, rollout }: LoggedEvent['data']): string {
  const version = (ref: unknown): string | undefined =>
    typeof ref === 'object' && ref !== null && 'version' in ref ? `v${text(ref.version)}` : undefined;
  const tried =
    typeof rollout === 'object' && rollout !== null
      ? (rollout as { challenger?: unknown; share?: unknown; stage?: unknown })
      : undefined; // serving's own shape
  const live = version(champion) ?? 'nothing';
  if (!tried) return `${live} has it all`;
  return tried.stage === 'shadow'
    ? `${live}, ${version(tried.challenger)} in shadow`
    : `${live}, ${version(tried.challenger)} at ${percent(Number(tried.share))}`;
}
