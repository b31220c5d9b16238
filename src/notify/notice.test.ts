import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoggedEvent } from '../events/event.ts';
import { noticeOf, pagerDutyBody, slackBody } from './notice.ts';

const alert: LoggedEvent = {
  ...{ position: 7, type: 'monitoring.alert-opened', project: 'flights', subject: 'alert/a1', at: 1_700_000_000_000 },
  actor: 'rule:monitoring',
  reason: 'auc 0.58 is below 0.62',
  data: {
    ...{ endpoint: 'flights', monitor: 'quality', model: 'flight-delay', version: 3, severity: 'page' },
    title: 'auc 0.58 is below 0.62 <of 900 rows>',
  },
};

const said = (event: LoggedEvent): string => {
  const notice = noticeOf(event);
  assert.ok(notice);
  return JSON.parse(slackBody(notice)).text;
};

test('Slack says what happened, to what, and why', () => {
  assert.equal(
    said(alert),
    ':red_circle: *flights* (page): auc 0.58 is below 0.62 &lt;of 900 rows&gt;\nquality of flight-delay@3 · project flights',
  );
  const resolved = { ...alert, type: 'monitoring.alert-resolved', actor: 'user:ada', reason: 'a broken sensor' };
  assert.equal(
    said(resolved),
    ':large_green_circle: *flights*: Cleared: auc 0.58 is below 0.62 &lt;of 900 rows&gt;\n' +
      'quality of flight-delay@3: ada says: a broken sensor · project flights',
  );
  const rolledBack: LoggedEvent = {
    ...alert,
    ...{ type: 'rollouts.rolled-back', subject: 'rollout/r1', reason: 'log_loss is worse by more than 0.01' },
    data: { endpoint: 'flights', model: 'flight-delay', version: 4, champion: 3 },
  };
  assert.equal(
    said(rolledBack),
    ':rewind: *flights*: flight-delay@4 was rolled back\n' +
      'log_loss is worse by more than 0.01; flight-delay@3 serves · project flights',
  );
});

test('PagerDuty opens and closes one incident for an alert', () => {
  const opened = noticeOf(alert);
  const resolved = noticeOf({ ...alert, type: 'monitoring.alert-resolved' });
  assert.ok(opened && resolved);
  assert.deepEqual(JSON.parse(pagerDutyBody(opened)), {
    event_action: 'trigger',
    dedup_key: 'rondo/alert/a1',
    payload: {
      ...{ summary: 'flights: auc 0.58 is below 0.62 <of 900 rows>', source: 'flights', severity: 'critical' },
      ...{ timestamp: '2023-11-14T22:13:20.000Z', component: 'flight-delay@3', group: 'flights' },
      custom_details: { detail: 'quality of flight-delay@3' },
    },
  });
  assert.deepEqual(JSON.parse(pagerDutyBody(resolved)), { event_action: 'resolve', dedup_key: 'rondo/alert/a1' });
});

test('what is no news for people is not told', () => {
  assert.equal(noticeOf({ ...alert, type: 'monitoring.alert-changed' }), undefined);
});
