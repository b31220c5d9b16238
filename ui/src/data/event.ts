/** Events of the log, and how each reads as a sentence. */
import { useQuery } from '@tanstack/react-query';
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

type EventQuery = { limit: number; order?: 'newest' | 'oldest'; types?: string; project?: string; subject?: string; after?: number };

export const useEvents = (query: EventQuery) =>
  useQuery({
    queryKey: ['events', query],
    queryFn: ({ signal }) => get<{ items: LoggedEvent[]; next?: string }>('/api/v1/events', query, signal),
    placeholderData: (before) => before,
  });

/** Who acted, as people say it. */
export function whoActed(actor: string): string {
  const [kind = actor, name] = actor.split(':');
  if (kind === 'rule') return name === 'rollouts' ? 'rollout rule' : name === 'retrain' ? 'policy' : (name ?? 'rule');
  return name ?? kind;
}

/** What happened, in a few words: subject first. */
export function whatHappened(event: LoggedEvent): string {
  const { data } = event;
  const version = data['version'] === undefined ? '' : ` v${data['version']}`;
  const endpoint = text(data['endpoint']) || last(event.subject);
  const words: Record<string, string> = {
    'registry.version-registered': `${text(data['model']) || last(event.subject)}${version} registered`,
    'gates.decided': `${text(data['model']) || 'Candidate'}${version}: gates ${text(data['outcome'])}`,
    'rollouts.started': `${endpoint}${version}: rollout started`,
    'rollouts.step-entered': `${endpoint}${version} to ${stepName(data)}`,
    'rollouts.held': `${endpoint}${version} holds`,
    'rollouts.promoted': `${endpoint}${version} at 100 %`,
    'rollouts.rolled-back': `${endpoint}${version} rolled back`,
    'rollouts.aborted': `${endpoint}${version} aborted`,
    'rollouts.paused': `${endpoint}${version} paused`,
    'rollouts.resumed': `${endpoint}${version} goes on`,
    'serving.traffic-set': `Traffic of ${endpoint} set`,
    'monitoring.alert-opened': text(data['title']) || `Alert opened on ${endpoint}`,
    'monitoring.alert-resolved': `Alert resolved on ${endpoint}`,
    'lifecycle.retraining-started': `Retraining started for ${endpoint}`,
    'lifecycle.retraining-ended': `Retraining ended for ${endpoint}`,
    'datasets.version-added': `${text(data['dataset']) || last(event.subject)}@${text(data['version'])} added`,
    'datasets.version-refused': `${text(data['dataset']) || last(event.subject)}: refused by its checks`,
    'pipelines.execution-started': 'Pipeline started',
    'pipelines.execution-finished': `Pipeline ${text(data['outcome']) || text(data['state']) || 'finished'}`,
    'tracking.run-started': `Run ${text(data['name']) || last(event.subject).slice(0, 8)} started`,
    'tracking.run-ended': `Run ${text(data['name']) || last(event.subject).slice(0, 8)} ended`,
  };
  return words[event.type] ?? `${event.type.replace('.', ': ').replaceAll('-', ' ')} (${event.subject})`;
}

const text = (value: unknown): string => (value === undefined || value === null ? '' : String(value));
const last = (subject: string): string => subject.split('/').slice(1).join('/') || subject;

function stepName(data: Readonly<Record<string, unknown>>): string {
  const share = data['share'];
  if (typeof share === 'number' && share > 0) return `${Math.round(share * 1000) / 10} %`;
  return text(data['step']) || 'shadow';
}
