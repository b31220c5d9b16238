/** Every change of the tables, in order. Add a line here and a file beside it; never change one that was released. */
import type { Db } from '../database.ts';
import { up as eventsAndCheckpoints } from './0001-events.ts';
import { up as access } from './0002-access.ts';
import { up as tracking } from './0003-tracking.ts';
import { up as datasets } from './0004-datasets.ts';
import { up as registry } from './0005-registry.ts';
import { up as jobs } from './0006-jobs.ts';
import { up as serving } from './0007-serving.ts';
import { up as pipelines } from './0008-pipelines.ts';
import { up as gates } from './0009-gates.ts';
import { up as rollouts } from './0010-rollouts.ts';
import { up as monitoring } from './0011-monitoring.ts';
import { up as lifecycle } from './0012-lifecycle.ts';
import { up as artifacts } from './0013-artifacts.ts';
import { up as metricPoints } from './0014-metric-points.ts';
import { up as webhooks } from './0017-webhooks.ts';
import { up as imports } from './0018-imports.ts';
import { up as trash } from './0019-trash.ts';
import { up as approvals } from './0020-approvals.ts';
import { up as runOrders } from './0021-run-orders.ts';

export type Migration = { readonly name: string; readonly up: (db: Db) => Promise<void> };

export const migrations: readonly Migration[] = [
  { name: '0001-events', up: eventsAndCheckpoints },
  { name: '0002-access', up: access },
  { name: '0003-tracking', up: tracking },
  { name: '0004-datasets', up: datasets },
  { name: '0005-registry', up: registry },
  { name: '0006-jobs', up: jobs },
  { name: '0007-serving', up: serving },
  { name: '0008-pipelines', up: pipelines },
  { name: '0009-gates', up: gates },
  { name: '0010-rollouts', up: rollouts },
  { name: '0011-monitoring', up: monitoring },
  { name: '0012-lifecycle', up: lifecycle },
  { name: '0013-artifacts', up: artifacts },
  { name: '0014-metric-points', up: metricPoints },
  { name: '0017-webhooks', up: webhooks },
  { name: '0018-imports', up: imports },
  { name: '0019-trash', up: trash },
  { name: '0020-approvals', up: approvals },
  { name: '0021-run-orders', up: runOrders },
];
