/** The pages in a real browser, against a real server with a little real data. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { findBrowser, openBrowser } from '../browser.ts';
import { linearModel } from '../fixtures/onnx/tiny-models.ts';
import { infer, linkProject, registerModel, type Spawned, ship, spawnServer, until } from './spawned-server.ts';
import { assertAccessible, logRun, visitPage } from './visit-page.ts';

const skip = findBrowser() === undefined ? 'no Chromium here: npm run setup:tests installs one' : false;

const config = `rollout:
  shadow: {requests: 20}
  steps: [{to: 25%, min: 40}, {to: 50%, min: 5000}]
  guardrails: [{errors: {margin: 5%}}]
monitors:
  drift: {window: 7d, every: 1d}
  service: {availability: 99%}
`;

describe('the pages', { skip, timeout: 420_000 }, () => {
  const open = new AsyncDisposableStack();
  let server: Spawned;
  let browser: Browser;
  let rolloutId = '';
  let runId = '';

  before(async () => {
    const place = open.use(await mkdtempDisposable(join(tmpdir(), 'rondo-ui-')));
    server = open.use(await spawnServer({ dataFolder: join(place.path, 'data') }));
    runId = await logRun(server, { name: 'calm-osprey', depth: 4, aucs: [0.6, 0.65, 0.7] });
    await logRun(server, { name: 'quick-plover', depth: 6, aucs: [0.61, 0.68, 0.72] });
    await linkProject(server, { folder: join(place.path, 'project'), more: config });
    const files = (weight: number) => ({ 'model.onnx': linearModel({ weight, bias: 0 }) });
    await ship(server, await registerModel(server, { name: 'line', files: files(1) }));
    await until('the first version serves', async () => (await infer(server, 0)).status === 200);
    const rollout = await ship(server, await registerModel(server, { name: 'line', files: files(2) }));
    rolloutId = rollout.id;
    const isInStep = async () =>
      (await server.must<{ state: string }>('GET', `/api/v1/rollouts/${rolloutId}`)).state === 'step';
    await until('the rollout gives answers', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, x) => infer(server, x)));
      return isInStep();
    });
    browser = open.use(asDisposable(await openBrowser()));
  });
  after(() => open.disposeAsync());

  type Place = { readonly name: string; readonly path: () => string; readonly says: RegExp; readonly shows: RegExp };
  const places: readonly Place[] = [
    {
      name: 'overview',
      path: () => '/',
      says: /Nothing needs you; every request is answered/,
      shows: /Where line is in its loop/,
    },
    { name: 'rollouts', path: () => '/rollouts', says: /line v2 is at (25|50) %/, shows: /Rollout/ },
    {
      name: 'rollout',
      path: () => `/rollouts/${rolloutId}`,
      says: /v2 at (25|50) %/,
      shows: /If a guardrail breaks, v1 takes over at once/,
    },
    { name: 'models', path: () => '/models', says: /1 model, 1 live/, shows: /line/ },
    { name: 'model', path: () => '/models/line', says: /v1 serves line/, shows: /2 versions/ },
    {
      name: 'version',
      path: () => '/models/line/2',
      says: /v2 has not been tested/,
      shows: /ONNX, nothing executable/,
    },
    { name: 'experiments', path: () => '/experiments', says: /Last tried: Default, today/, shows: /1 experiment/ },
    { name: 'runs', path: () => '/runs', says: /Best so far: quick-plover, AUC 0\.720/, shows: /calm-osprey/ },
    { name: 'run', path: () => `/runs/${runId}`, says: /calm-osprey: AUC 0\.700/, shows: /What went in/ },
    { name: 'monitoring', path: () => '/monitoring', says: /No alert is open/, shows: /line/ },
    { name: 'drift', path: () => '/monitoring/line', says: /Drift of line is undecided/, shows: /v2 is at (25|50) %/ },
    { name: 'audit', path: () => '/audit', says: /Log verified to entry \d+/, shows: /Checkpoint/ },
    { name: 'settings', path: () => '/settings', says: /Nobody is told of what happens here/, shows: /Trash/ },
    { name: 'a page that is not there', path: () => '/nowhere', says: /There is no such page/, shows: /Overview/ },
  ];

  for (const { name, path, says, shows } of places) {
    test(`${name} answers in the first screen, readable for everyone in both themes`, async () => {
      await using visit = await visitPage(browser, { server });
      const { page } = visit;
      await page.goto(new URL(path(), server.url).href);
      const answer = page.getByText(says).first();
      await answer.waitFor({ timeout: 15_000 });
      const box = await answer.boundingBox();
      assert.ok(box && box.y + box.height <= 800, 'the answer is below the fold');
      await page.getByText(shows).first().waitFor();
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
        await assertAccessible(page);
      }
      visit.assertQuiet();
    });
  }

  test('an empty server leads to the first run, and shows the way with its own address', async () => {
    await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-ui-empty-'));
    await using empty = await spawnServer({ dataFolder: join(place.path, 'data') });
    await using visit = await visitPage(browser, { server: empty });
    const { page } = visit;
    await page.goto(empty.url);
    await page.getByText('Send it a first run').waitFor();
    assert.match(page.url(), /\/start$/);
    await page.getByText(`MLFLOW_TRACKING_URI=${empty.url.replace(/\/$/, '')}`).waitFor();
    await assertAccessible(page);
    await logRun(empty, { name: 'first-robin', depth: 1, aucs: [0.5] });
    // Nobody reloads: the page waits for this.
    await page.getByRole('link', { name: 'first-robin' }).waitFor();
    visit.assertQuiet();
  });

  test('a run that arrives waits behind a pill, and the rows stay where they are', async () => {
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await page.goto(new URL('/runs', server.url).href);
    await page.getByRole('link', { name: 'calm-osprey' }).waitFor();
    await logRun(server, { name: 'late-wren', depth: 8, aucs: [0.4] });
    const pill = page.getByRole('button', { name: '1 new run' });
    await pill.waitFor();
    assert.equal(await page.getByRole('link', { name: 'late-wren' }).count(), 0);
    await pill.click();
    await page.getByRole('link', { name: 'late-wren' }).waitFor();
    visit.assertQuiet();
  });

  test('an address keeps the filter, and a filter that matches nothing says so', async () => {
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await page.goto(new URL('/runs', server.url).href);
    await page.getByLabel('Filter runs').fill('metrics.auc > 0.71');
    await page.keyboard.press('Enter');
    await until(
      'the other run is gone',
      async () => (await page.getByRole('link', { name: 'calm-osprey' }).count()) === 0,
    );
    const address = page.url();
    await page.goto('about:blank');
    await page.goto(address);
    await page.getByRole('link', { name: 'quick-plover' }).waitFor();
    assert.equal(await page.getByLabel('Filter runs').inputValue(), 'metrics.auc > 0.71');
    assert.equal(await page.getByRole('link', { name: 'calm-osprey' }).count(), 0);
    await page.getByLabel('Filter runs').fill('metrics.auc > 0.99');
    await page.keyboard.press('Enter');
    await page.getByText('No run matches this filter').waitFor();
    visit.assertQuiet();
  });

  test('what was deleted comes back on the settings page, and an address that may not be told is refused in its dialog', async () => {
    const run = await logRun(server, { name: 'lost-plover', depth: 2, aucs: [0.5] });
    await server.must('POST', '/api/v1/runs/delete', { runs: [run] });
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await page.goto(new URL('/settings', server.url).href);
    await page.getByRole('button', { name: 'Bring back lost-plover' }).click();
    await until('the run is back', async () => {
      const { deleted } = await server.must<{ deleted: boolean }>('GET', `/api/v1/runs/${run}`);
      return !deleted;
    });
    await page.getByText('Nothing is in the trash.').waitFor();
    visit.assertQuiet();
    await page.getByRole('button', { name: 'Add a webhook' }).click();
    await page.getByLabel('Name').fill('ops');
    await page.getByLabel('Address').fill('http://127.0.0.1:1/hook');
    await page.getByRole('checkbox', { name: 'run ended' }).check();
    await assertAccessible(page);
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText(/Invalid webhook URL scheme: 'http'/).waitFor();
    await server.must('POST', '/api/v1/runs/delete', { runs: [run] }); // the other tests count the runs
  });

  test('arrow keys go through the lanes of a rollout and say what was known there', async () => {
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await page.goto(new URL(`/rollouts/${rolloutId}`, server.url).href);
    const score = page.getByRole('img', { name: /v2 at (25|50) %/ });
    await score.focus();
    await page.keyboard.press('End');
    await page.getByText(/Errors .*(at worst|not bounded yet)/).waitFor();
    await assertAccessible(page);
    visit.assertQuiet();
  });

  test('keys lead from page to page and open the palette', async () => {
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await page.goto(new URL('/', server.url).href);
    await page.getByText('Where line is in its loop').waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('e');
    await page.getByRole('link', { name: 'Default' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByPlaceholder('Go to or do…').fill('line');
    await page.getByText('Endpoint', { exact: true }).first().waitFor();
    visit.assertQuiet();
  });

  test('nothing is lost at 320 pixels: the page itself never scrolls sideways', async () => {
    await using visit = await visitPage(browser, { server, width: 320 });
    const { page } = visit;
    for (const path of ['/', '/rollouts', '/models', '/monitoring', '/experiments', '/runs', '/audit', '/start']) {
      await page.goto(new URL(path, server.url).href);
      await page.locator('h1').first().waitFor();
      const wide = Number(await page.evaluate('document.documentElement.scrollWidth'));
      assert.ok(wide <= 320, `${path} is ${wide} pixels wide`);
    }
  });
});

const asDisposable = (browser: Browser): Browser & AsyncDisposable =>
  Object.assign(browser, { [Symbol.asyncDispose]: () => browser.close() });
