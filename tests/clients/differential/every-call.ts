/** The fixed list, in the order in which its calls build on one another. */
import { artifactCalls } from './artifact-calls.ts';
import type { Call } from './call.ts';
import { experimentCalls } from './experiment-calls.ts';
import { loggedModelCalls } from './logged-model-calls.ts';
import { metricCalls } from './metric-calls.ts';
import { registryCalls } from './registry-calls.ts';
import { runCalls } from './run-calls.ts';
import { runDataCalls } from './run-data-calls.ts';
import { runLifeCalls } from './run-life-calls.ts';
import { runSearchCalls } from './run-search-calls.ts';
import { transportCalls } from './transport-calls.ts';
import { unknownCalls } from './unknown-calls.ts';
import { lastWebhookCalls, webhookCalls } from './webhook-calls.ts';
import { wronglyTypedCalls } from './wrongly-typed-calls.ts';

export const everyCall: readonly Call[] = [
  ...experimentCalls,
  ...runCalls,
  ...metricCalls,
  ...runDataCalls,
  ...runSearchCalls,
  ...runLifeCalls,
  ...loggedModelCalls,
  ...registryCalls,
  ...artifactCalls,
  ...transportCalls,
  ...unknownCalls,
  ...webhookCalls,
];

/** Also fixed, but after the random ones: they leave the two servers different. */
export const lastCalls: readonly Call[] = [...lastWebhookCalls, ...wronglyTypedCalls];
