/** Tells people of alerts, of rollouts that were rolled back and of what waits for their consent, where the project's `alerts:` say. */
import { randomUUID } from 'node:crypto';
import { PlatformError } from '../errors.ts';
import type { LoggedEvent } from '../events/event.ts';
import { followEvents } from '../events/event-consumer-worker.ts';
import type { Target } from '../notify/delivery.ts';
import { deliveryStore } from '../notify/delivery-store.ts';
import { addressBody, type Notice, noticedTypes, noticeOf, pagerDutyBody, slackBody } from '../notify/notice.ts';
import type { Database, Db } from '../storage/database.ts';
import { parseProject } from './project-file.ts';
import type { ProjectConfig } from './project-schema.ts';
import { projectStore } from './project-store.ts';

export type NotifyOptions = {
  readonly database: Database;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
};

type Place = NonNullable<ProjectConfig['alerts']>[number];

export function startNotifyWorker({ database, now, onError }: NotifyOptions): AsyncDisposable {
  return followEvents({ database, name: 'lifecycle/alerts', types: noticedTypes, onError }, async (event, tx) => {
    const notice = noticeOf(event);
    if (!notice) return;
    for (const place of await placesOf(tx, event.project)) {
      if (!wants(place, notice)) continue;
      const { target, body } = await letterFor(place, notice, event);
      await deliveryStore(tx).insert({
        ...{ id: randomUUID(), target, body, project: event.project, subject: event.subject, createdAt: now() },
        event: nameOf(event.type),
      });
    }
  });

  /** As the file was when it was last read and valid: here nothing but the database is waited for. */
  async function placesOf(tx: Db, project: string): Promise<readonly Place[]> {
    const linked = await projectStore(tx).find(project);
    if (!linked) return [];
    try {
      return parseProject(linked.file).config.alerts ?? [];
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error;
      onError(error); // a file that an earlier release took: this alert is not told, the next ones may be
      return [];
    }
  }
}

/** `monitoring.alert-opened` -> `alert.opened`, as webhooks name it. */
const nameOf = (type: string): string =>
  type
    .replace(/^rollouts\./, 'rollout.')
    .replace(/^(?:monitoring|governance)\.(\w+)-/, '$1.')
    .replaceAll('-', '_');

const wants = ({ on = 'all' }: Place, { severity }: Notice): boolean => on === 'all' || on === severity;

async function letterFor(
  place: Place,
  notice: Notice,
  { project, ...event }: LoggedEvent,
): Promise<{ readonly target: Target; readonly body: string }> {
  if ('slack' in place) return { target: { kind: 'slack', project, value: place.slack }, body: slackBody(notice) };
  if ('pagerduty' in place) {
    return { target: { kind: 'pagerduty', project, value: place.pagerduty }, body: pagerDutyBody(notice) };
  }
  return {
    target: { kind: 'address', project, value: place.webhook },
    body: await addressBody({ project, ...event }),
  };
}
