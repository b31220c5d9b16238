/** What people are told when something needs them, in the form of the place where they read it. */
import type { LoggedEvent } from '../events/event.ts';
import { webhookPayload } from './webhook-event.ts';
import { messageOf } from './webhook-message.ts';

export type Notice = {
  readonly kind: 'opened' | 'resolved' | 'rolled-back' | 'asked' | 'answered';
  readonly severity: 'page' | 'ticket';
  readonly endpoint: string;
  /** `flight-delay@3`. */
  readonly model: string;
  /** One sentence without the endpoint's name. */
  readonly title: string;
  /** Why, or what else is known. */
  readonly detail: string;
  readonly project: string;
  /** Of the alert, the rollout or the approval: what belongs together. */
  readonly subject: string;
  readonly at: number;
};

export const noticedTypes = [
  'monitoring.alert-opened',
  'monitoring.alert-resolved',
  'rollouts.rolled-back',
  'governance.approval-asked',
  'governance.approval-granted',
  'governance.approval-refused',
  'governance.approval-expired',
] as const;

/** @returns undefined for an event that people are not told of */
export function noticeOf(event: LoggedEvent): Notice | undefined {
  const { data, reason = '', project, subject, at } = event;
  const model = `${data.model}@${data.version}`;
  const base = { endpoint: String(data.endpoint), model, project, subject, at };
  const severity = data.severity === 'page' ? 'page' : 'ticket';
  switch (event.type) {
    case 'monitoring.alert-opened':
      return { ...base, kind: 'opened', severity, title: String(data.title), detail: `${data.monitor} of ${model}` };
    case 'monitoring.alert-resolved':
      return {
        ...base,
        ...{ kind: 'resolved', severity, title: `Cleared: ${data.title}` },
        detail: `${data.monitor} of ${model}: ${byWhom(event.actor)}${reason}`,
      };
    case 'rollouts.rolled-back':
      return {
        ...base,
        ...{ kind: 'rolled-back', severity: 'ticket', title: `${model} was rolled back` },
        detail: `${reason}${typeof data.champion === 'number' ? `; ${data.model}@${data.champion} serves` : ''}`,
      };
    case 'governance.approval-asked': {
      const people = data.people === 1 ? 'one person' : `${data.people} people`;
      const id = subject.slice(subject.indexOf('/') + 1);
      return {
        ...base,
        ...{ kind: 'asked', severity: 'ticket', title: `${model} waits for the consent of ${people}` },
        detail: `${reason === '' ? '' : `${reason}; `}rondo approvals grant ${id}`,
      };
    }
    case 'governance.approval-granted':
    case 'governance.approval-refused':
    case 'governance.approval-expired': {
      const how = {
        'governance.approval-granted': 'may be rolled out',
        'governance.approval-refused': 'was refused',
        'governance.approval-expired': 'found nobody to agree in time',
      }[event.type];
      const detail = event.type === 'governance.approval-expired' ? model : `${byWhom(event.actor)}${reason || model}`;
      return { ...base, kind: 'answered', severity: 'ticket', title: `${model} ${how}`, detail };
    }
    default:
      return undefined;
  }
}

const byWhom = (actor: string): string => (actor.startsWith('rule:') ? '' : `${actor.replace(/^user:/, '')} says: `);

/** For Slack and what takes its messages. */
export function slackBody({ kind, severity, endpoint, title, detail, project }: Notice): string {
  const sign = {
    opened: ':red_circle:',
    resolved: ':large_green_circle:',
    'rolled-back': ':rewind:',
    asked: ':raised_hand:',
    answered: ':ballot_box_with_check:',
  }[kind];
  const urgent = kind === 'opened' && severity === 'page' ? ' (page)' : '';
  const first = `${sign} *${forSlack(endpoint)}*${urgent}: ${forSlack(title)}`;
  return JSON.stringify({ text: `${first}\n${forSlack(detail)} · project ${forSlack(project)}` });
}

/** Slack reads these three as markup. */
const forSlack = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** An event of PagerDuty's Events API 2, but for the key, which is put in when it is sent. */
export function pagerDutyBody({
  kind,
  severity,
  endpoint,
  model,
  title,
  detail,
  project,
  subject,
  at,
}: Notice): string {
  const dedup_key = `rondo/${subject}`;
  if (kind === 'resolved' || kind === 'answered') return JSON.stringify({ event_action: 'resolve', dedup_key });
  return JSON.stringify({
    event_action: 'trigger',
    dedup_key,
    payload: {
      summary: `${endpoint}: ${title}`.slice(0, 1_024).toWellFormed(),
      source: endpoint,
      severity: severity === 'page' ? 'critical' : 'warning',
      timestamp: new Date(at).toISOString(),
      ...{ component: model, group: project, custom_details: { detail } },
    },
  });
}

/** For any other address: what a webhook would be told. */
export async function addressBody(event: LoggedEvent): Promise<string> {
  const nothing = async () => undefined; // alerts and rollouts ask the registry nothing
  const message = await messageOf(event, { model: nothing, version: nothing });
  return message ? JSON.stringify(webhookPayload(message.event, event.at, message.data)) : '{}';
}
