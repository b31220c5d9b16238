/** What a run announces after a commit that logged to it: its charts have a new end. */

export const metricsTopic = (runId: string): string => `tracking/metrics/${runId}`;
