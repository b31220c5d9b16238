/** A page in a real browser that notes every complaint, and the runs that it shows. Shared by the journeys. */
import assert from 'node:assert/strict';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Spawned } from './spawned-server.ts';

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const mlflow = '/api/2.0/mlflow';

type Visit = AsyncDisposable & { readonly page: Page; readonly assertQuiet: () => void };

/** One profile for each width, so that the scripts are read once. */
const contexts = new Map<number, Promise<BrowserContext>>();

/** A page that notes every complaint and every request to somewhere else. */
export async function visitPage(
  browser: Browser,
  { server, width = 1280 }: { server: Spawned; width?: number },
): Promise<Visit> {
  const context = contexts.get(width) ?? browser.newContext({ viewport: { width, height: 800 } });
  contexts.set(width, context);
  const page = await (await context).newPage();
  const complaints: string[] = [];
  const { origin } = new URL(server.url);
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !/^(data|blob|about):/.test(url)) complaints.push(`it asked ${url}`);
  });
  return {
    page,
    assertQuiet: () => assert.deepEqual(complaints, []),
    [Symbol.asyncDispose]: () => page.close(),
  };
}

export async function assertAccessible(page: Page): Promise<void> {
  // Our pages have no frames; to look for some, it would open a page of its own at each scan.
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).withTags(rules).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
  assert.deepEqual(found, []);
}

/** As any MLflow client does. @returns the run's id */
export async function logRun(
  server: Spawned,
  { name, depth, aucs, parent }: { name: string; depth: number; aucs: readonly number[]; parent?: string },
): Promise<string> {
  type Created = { run: { info: { run_id: string } } };
  const start_time = Date.now();
  const { run } = await server.must<Created>('POST', `${mlflow}/runs/create`, {
    experiment_id: '0',
    run_name: name,
    start_time,
    ...(parent !== undefined && { tags: [{ key: 'mlflow.parentRunId', value: parent }] }),
  });
  const { run_id } = run.info;
  await server.must('POST', `${mlflow}/runs/log-batch`, {
    run_id,
    params: [
      { key: 'depth', value: String(depth) },
      { key: 'seed', value: '42' },
    ],
    metrics: aucs.map((value, step) => ({ key: 'auc', value, step, timestamp: start_time + step })),
  });
  await server.must('POST', `${mlflow}/runs/update`, { run_id, status: 'FINISHED', end_time: start_time + 14_000 });
  return run_id;
}
