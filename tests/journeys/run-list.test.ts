/** Finding, ordering, selecting and comparing runs in a real browser. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { findBrowser, openBrowser } from '../browser.ts';
import { type Spawned, spawnServer, until } from './spawned-server.ts';
import { assertAccessible, logRun, visitPage } from './visit-page.ts';

const skip = findBrowser() === undefined ? 'no Chromium here: npm run setup:tests installs one' : false;

describe('the run list', { skip, timeout: 240_000 }, () => {
  const open = new AsyncDisposableStack();
  let server: Spawned;
  let browser: Browser;
  /** Beyond a page of the server's, so that rows are read as they come into sight. */
  const many = 230;

  before(async () => {
    const place = open.use(await mkdtempDisposable(join(tmpdir(), 'rondo-runs-')));
    server = open.use(await spawnServer({ dataFolder: join(place.path, 'data') }));
    for (let run = 0; run < many; run++) {
      await logRun(server, { name: `run-${run}`, depth: 2 + (run % 4), aucs: [0.5 + run / 1000] });
    }
    const sweep = await logRun(server, { name: 'sweep', depth: 3, aucs: [0.4] });
    const fold = await logRun(server, { name: 'fold', depth: 3, aucs: [0.41], parent: sweep });
    await logRun(server, { name: 'part', depth: 3, aucs: [0.42, 0.43], parent: fold });
    const opened = await openBrowser();
    open.defer(() => opened.close());
    browser = opened;
  });
  after(() => open.disposeAsync());

  const goTo = (page: Page, path: string) => page.goto(new URL(path, server.url).href);
  const run = (page: Page, name: string) => page.getByRole('link', { name, exact: true });
  const firstRun = (page: Page) => page.locator('tbody tr[data-run] a[data-row]').first();

  test('a long list is read where it is looked at, and its heading sorts it on the server', async () => {
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await goTo(page, '/runs?nested=false');
    await page
      .getByText(`${many + 3} runs`)
      .first()
      .waitFor();
    await page.locator('.run-box').evaluate((box) => box.scrollTo(0, box.scrollHeight));
    await run(page, 'run-0').waitFor();
    assert.equal(await run(page, 'run-200').count(), 0, 'rows out of sight are not drawn');
    await page.getByRole('button', { name: 'AUC', exact: true }).click();
    await until('the best stands first', async () => (await firstRun(page).textContent()) === 'run-229');
    await page.getByRole('button', { name: 'AUC', exact: true }).click();
    await until('the worst stands first', async () => (await firstRun(page).textContent()) === 'sweep');
    assert.equal(await page.locator('th[aria-sort="ascending"]').textContent(), 'AUC');
    visit.assertQuiet();
  });

  test('a filter completes itself by keys, and tells at which character it is wrong', async () => {
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await goTo(page, '/runs');
    const filter = page.getByLabel('Filter runs');
    await filter.fill('params.d');
    await page.getByRole('option', { name: 'params.depth' }).waitFor();
    await assertAccessible(page);
    for (const key of ['ArrowDown', 'Enter']) await filter.press(key);
    await filter.pressSequentially('= ');
    await page.getByRole('option', { name: "'5'" }).waitFor();
    await filter.pressSequentially("'5' ");
    for (const key of ['ArrowDown', 'Enter']) await filter.press(key);
    assert.equal(await filter.inputValue(), "params.depth = '5' AND ");
    await filter.press('Escape');
    await filter.press('Enter');
    await page
      .getByRole('alert')
      .getByText(/^At character \d+: /)
      .waitFor();
    await filter.fill("params.depth = '5' AND metrics.auc > 0.72");
    await filter.press('Enter');
    await until('two runs are left', async () => (await page.locator('tr[data-run]').count()) === 2);
    assert.match(page.url(), /filter=/);
  });

  test('runs open to any depth, by keys and by link', async () => {
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await goTo(page, '/runs');
    await run(page, 'sweep').focus();
    await page.keyboard.press('ArrowRight');
    const fold = page.getByRole('link', { name: /fold$/ });
    await fold.focus();
    await page.keyboard.press('ArrowRight');
    await page.getByRole('link', { name: /level 3: part/ }).waitFor();
    const address = page.url();
    await goTo(page, '/audit');
    await page.goto(address);
    await page.getByRole('link', { name: /level 3: part/ }).waitFor();
    await assertAccessible(page);
    // They started after the run at the top, and are no news for that.
    assert.equal(await page.getByRole('button', { name: /new runs?$/ }).count(), 0);
    visit.assertQuiet();
  });

  test('who comes back finds the list where it was', async () => {
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await goTo(page, '/runs');
    await firstRun(page).waitFor();
    const scrolled = () => page.evaluate("document.querySelector('.run-box').scrollTop");
    await page.evaluate("document.querySelector('.run-box').scrollTo(0, 4000)");
    await run(page, 'run-100').click();
    await page.getByRole('heading', { name: 'run-100' }).waitFor();
    await page.goBack();
    await run(page, 'run-100').waitFor();
    assert.equal(await scrolled(), 4000);
    await page.reload();
    await run(page, 'run-100').waitFor();
    assert.equal(await scrolled(), 4000);
    visit.assertQuiet();
  });

  test('an experiment that there is not is told as such', async () => {
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await goTo(page, '/experiments/999');
    await page.getByText('There is no experiment 999', { exact: true }).waitFor();
  });

  test('groups count their runs and open', async () => {
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await goTo(page, '/runs');
    await page.getByLabel('Group by').selectOption('params.depth');
    await page.getByText(`${many + 3} runs in 4 groups`).waitFor();
    await page.getByRole('button', { name: 'Runs with 4' }).click();
    await run(page, 'run-226').waitFor();
    assert.equal(await run(page, 'run-227').count(), 0);
    await assertAccessible(page);
    visit.assertQuiet();
  });

  test('a range is selected, tagged, deleted and brought back', async () => {
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await goTo(page, '/runs?nested=false&order=metrics.auc+DESC');
    await run(page, 'run-229').focus();
    await page.keyboard.press('x');
    for (let row = 0; row < 4; row++) await page.keyboard.press('j');
    await page.keyboard.press('Shift+X');
    await page.getByText('5 selected').waitFor();
    await page.getByRole('button', { name: 'Tag' }).click();
    await page.getByLabel('Key').fill('team');
    await page.getByLabel('Value').fill('blue');
    await page.getByRole('button', { name: 'Set the tag' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    const tagged = async () =>
      (
        await server.must<{ items: unknown[] }>(
          'GET',
          `/api/v1/runs?filter=${encodeURIComponent("tags.team = 'blue'")}`,
        )
      ).items.length;
    assert.equal(await tagged(), 5);
    await page.getByRole('button', { name: 'Delete' }).click();
    await until('the deleted runs are gone', async () => (await firstRun(page).textContent()) === 'run-224');
    assert.equal(await tagged(), 0);
    await page.getByRole('button', { name: 'Undo' }).click();
    await until('they are back', async () => (await firstRun(page).textContent()) === 'run-229');
    assert.equal(await tagged(), 5);
    visit.assertQuiet();
  });

  test('columns are chosen, and the choice is in the address', async () => {
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await goTo(page, '/runs');
    await run(page, 'sweep').waitFor();
    await page.getByRole('button', { name: 'Columns' }).click();
    await page.locator('[aria-label="Find a column"]:focus').waitFor();
    await page.keyboard.type('seed');
    await page.getByRole('checkbox', { name: 'seed' }).check();
    await page.getByRole('button', { name: 'Seed' }).waitFor();
    await assertAccessible(page);
    await page.reload();
    await page.getByRole('button', { name: 'Seed' }).waitFor();
    visit.assertQuiet();
  });

  test('compared runs show what differs, over axes, as points and as curves', async () => {
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await goTo(page, '/runs?nested=false&order=metrics.auc+DESC');
    for (const name of ['run-229', 'run-228', 'run-227']) await page.getByLabel(`Select ${name}`).check();
    await page.keyboard.press('c');
    await page.getByText('3 runs: 1 of 2 inputs differ').waitFor();
    assert.equal(await page.getByRole('cell', { name: 'seed' }).count(), 0, 'what is equal is hidden');
    await page.getByLabel('Differences only').uncheck();
    await page.getByRole('cell', { name: 'seed' }).waitFor();
    await assertAccessible(page);

    await page.getByRole('button', { name: 'Parallel axes' }).click();
    await page.getByText('3 of 3 runs').waitFor();
    const axis = page.locator('.brush').last();
    const box = await axis.boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + 14, box.y);
    await page.mouse.down();
    await page.mouse.move(box.x + 14, box.y + box.height / 4, { steps: 3 });
    await page.mouse.up();
    await page.getByText('1 of 3 runs go through the ranges').waitFor();
    assert.match(decodeURIComponent(page.url()), /ranges=.*metrics\.auc/);
    await page.getByRole('button', { name: 'Clear the ranges' }).click();
    await page.getByLabel('Depth to').fill('2.5');
    await page.getByLabel('Depth to').press('Enter');
    await page.getByText('1 of 3 runs go through the ranges').waitFor();
    await assertAccessible(page);

    await page.getByRole('button', { name: 'Scatter' }).click();
    assert.equal(await page.locator('.point').count(), 3);
    await page.locator('figure svg').focus();
    await page.keyboard.press('ArrowRight');
    await page.getByText(/^run-22\d Depth/).waitFor();
    await assertAccessible(page);

    await page.getByRole('button', { name: 'Curves' }).click();
    await page.getByRole('heading', { name: 'AUC' }).waitFor();
    const chart = page.locator('.u-over');
    await chart.waitFor();
    const place = (await chart.boundingBox()) ?? assert.fail('the chart is not drawn');
    await page.mouse.move(place.x + place.width / 2, place.y + place.height - 20);
    await page.mouse.move(place.x + place.width / 2, place.y + place.height - 8);
    await page.getByText(/^step 0: run-227 0\.727/).waitFor(); // the nearest one first
    visit.assertQuiet();
  });

  test('an experiment is made, renamed, deleted and restored', async () => {
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await goTo(page, '/experiments');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByLabel('Name').fill('delays');
    await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click();
    await page.getByRole('button', { name: 'Edit delays' }).click();
    await page.getByLabel('Name').fill('late flights');
    await page.getByRole('button', { name: 'Add a tag' }).click();
    await page.getByLabel('Key').fill('team');
    await page.getByLabel('Value of team').fill('blue');
    await assertAccessible(page);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('team: blue').waitFor();
    await page.getByLabel('Find an experiment').fill('blue');
    await until('the others are gone', async () => (await page.locator('tbody tr').count()) === 1);
    await page.getByRole('button', { name: 'Delete late flights' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Trash' }).click();
    await page.getByRole('button', { name: 'Restore late flights' }).click();
    await page.getByText('has “blue” in its name or tags').waitFor();
    await page.getByRole('button', { name: 'Back to the experiments' }).click();
    await page.getByRole('link', { name: 'late flights' }).click();
    await page.getByText('No runs yet').waitFor();
    visit.assertQuiet();
  });
});
