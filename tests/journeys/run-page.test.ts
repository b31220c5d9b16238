/** The page of a run and of a model in a real browser: charts, files, labels. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { findBrowser, openBrowser } from '../browser.ts';
import { linearModel } from '../fixtures/onnx/tiny-models.ts';
import { registerModel, type Spawned, spawnServer, until } from './spawned-server.ts';
import { assertAccessible, visitPage } from './visit-page.ts';

const skip = findBrowser() === undefined ? 'no Chromium here: npm run setup:tests installs one' : false;
const mlflow = '/api/2.0/mlflow';

describe('the page of a run', { skip, timeout: 240_000 }, () => {
  const open = new AsyncDisposableStack();
  let server: Spawned;
  let browser: Browser;
  let runId = '';

  before(async () => {
    const place = open.use(await mkdtempDisposable(join(tmpdir(), 'rondo-ui-run-')));
    server = open.use(await spawnServer({ dataFolder: join(place.path, 'data') }));
    browser = await openBrowser();
    open.defer(() => browser.close());
    runId = await newRun('patient-heron');
    const odd: Readonly<Record<number, number | string>> = { 700: 'NaN', 900: 'Infinity', 1234: 50 };
    await logSteps('train/loss', { from: 0, to: 2000, value: (step) => odd[step] ?? 2 / (1 + step / 100) });
    await logSteps('val/loss', { from: 0, to: 2000, value: (step) => 2.2 / (1 + step / 100) });
    await logSteps('score', { from: 0, to: 1, value: () => 0.75 });
    await put('notes/long.log', 'a line of the log\n'.repeat(40_000));
    await put('report.html', '<h1>Report</h1><script>document.body.textContent = "taken over"</script>');
    await put(
      'drawing.svg',
      '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><script>alert(1)</script></svg>',
    );
    await put('rows.csv', 'origin,delay\n"Paris, Orly",7\n');
    await put('model.onnx', linearModel({ weight: 2, bias: 1 }));
  });
  after(() => open.disposeAsync());

  async function newRun(name: string): Promise<string> {
    type Created = { run: { info: { run_id: string } } };
    const body = { experiment_id: '0', run_name: name, start_time: Date.now() };
    return (await server.must<Created>('POST', `${mlflow}/runs/create`, body)).run.info.run_id;
  }

  async function logSteps(
    key: string,
    { from, to, value }: { from: number; to: number; value: (step: number) => number | string },
  ): Promise<void> {
    for (let first = from; first < to; first += 1000) {
      const metrics = Array.from({ length: Math.min(1000, to - first) }, (_, at) => first + at).map((step) => ({
        ...{ key, step, value: value(step), timestamp: Date.now() },
      }));
      await server.must('POST', `${mlflow}/runs/log-batch`, { run_id: runId, metrics });
    }
  }

  async function put(path: string, content: string | Uint8Array): Promise<void> {
    type Found = { run: { info: { artifact_uri: string } } };
    const { run } = await server.must<Found>('GET', `${mlflow}/runs/get?run_id=${runId}`);
    const root = run.info.artifact_uri.replace(/^mlflow-artifacts:\/+/, '');
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    await server.must('PUT', `/api/2.0/mlflow-artifacts/artifacts/${root}/${path}`, bytes);
  }

  const openRun = (page: Page, search = '') => page.goto(new URL(`/runs/${runId}${search}`, server.url).href);
  const chartOf = (page: Page, group: string) =>
    page.locator('details', { has: page.locator('summary', { hasText: group }) }).locator('figure');

  test('is readable for everyone in both themes, with a file open', async () => {
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await openRun(page, '?file=model.onnx');
    await chartOf(page, 'train').locator('canvas').waitFor();
    await page.getByText('ai.onnx').waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
      await assertAccessible(page);
    }
    visit.assertQuiet();
  });

  test('says on the chart what was thinned and what cannot be drawn, and shows a single value as a number', async () => {
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await openRun(page);
    const chart = chartOf(page, 'train');
    await chart
      .getByText('NaN at 1 place; infinite at 1; lower is better; 2,000 points, min and max per 7 steps')
      .waitFor();
    await page.getByText('0.750').waitFor();
    await page.keyboard.press('t');
    // The spike of step 1234 is in the table, as the highest value of its stretch.
    await chart.getByRole('cell', { name: '50.00' }).waitFor();
    await chart.getByRole('cell', { name: /^\d.*, NaN$/ }).waitFor();
    await assertAccessible(page);
    visit.assertQuiet();
  });

  test('keys move one cursor through all charts, and choose a range that is read at its own width', async () => {
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await openRun(page);
    const [train, val] = [chartOf(page, 'train'), chartOf(page, 'val')];
    await train.locator('canvas').waitFor();
    await val.locator('canvas').waitFor();
    await train.locator('.plot').focus();
    await page.keyboard.press('End');
    await train.getByText('step 1,999').waitFor();
    await val.getByText('step 1,999').waitFor();
    await page.keyboard.press('ArrowLeft');
    await train.getByText(/step 1,99[0-8]/).waitFor();
    for (let times = 0; times < 4; times += 1) await page.keyboard.press('+');
    await until('the range is in the address', async () => /from=\d/.test(page.url()));
    await page.keyboard.press('ArrowLeft');
    await page.getByRole('button', { name: 'Show all' }).waitFor();
    await train.locator('.plot').blur();
    // Nothing is thinned there, and what cannot be drawn is elsewhere.
    await train.getByText('lower is better', { exact: true }).waitFor();
    await train.locator('.plot').focus();
    await page.keyboard.press('0');
    await until('all of it is shown again', async () => !/from=/.test(page.url()));
    visit.assertQuiet();
  });

  test('dragging over a chart chooses a range for all of them, and the address keeps it', async () => {
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await openRun(page, '?smooth=0.03&scale=log');
    const over = chartOf(page, 'train').locator('.u-over');
    await over.waitFor();
    const box = (await over.boundingBox()) ?? assert.fail('the chart is not drawn');
    await page.mouse.move(box.x + box.width * 0.25, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 50, { steps: 5 });
    await page.mouse.up();
    await until('the range is in the address', async () => /from=\d+.*to=\d+/.test(page.url()));
    const { searchParams } = new URL(page.url());
    assert.deepEqual([searchParams.get('scale'), searchParams.get('smooth')], ['log', '0.03']);
    const [from, to] = [Number(searchParams.get('from')), Number(searchParams.get('to'))];
    assert.ok(from > 400 && from < 600 && to > 900 && to < 1100, `${from} to ${to}`);
    visit.assertQuiet();
  });

  test('grows while the run goes on, and reads the new end only', async () => {
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    const asked: URL[] = [];
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (url.pathname.endsWith('/series') && url.searchParams.get('key') === 'val/loss') asked.push(url);
    });
    await openRun(page);
    await chartOf(page, 'val').getByText('2,000 points').waitFor();
    await logSteps('val/loss', { from: 2000, to: 2100, value: () => 0.1 });
    await chartOf(page, 'val').getByText('2,100 points').waitFor();
    assert.equal(asked[0]?.searchParams.get('from'), null);
    assert.deepEqual(
      asked.slice(1).map((url) => Number(url.searchParams.get('from'))),
      asked.slice(1).map(() => 2000),
    );
    visit.assertQuiet();
  });

  test('looks into files without letting them do anything', async () => {
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    const blocked: string[] = [];
    page.on('console', (message) => {
      if (message.text().startsWith('Blocked script execution')) blocked.push(message.text());
    });
    await openRun(page);
    await page.getByRole('button', { name: 'rows.csv' }).click();
    await page.getByRole('cell', { name: 'Paris, Orly' }).waitFor();
    await page.getByRole('button', { name: 'drawing.svg' }).click();
    const image = page.getByAltText('drawing.svg');
    await image.waitFor();
    assert.equal(await image.evaluate((element) => element.tagName), 'IMG');
    await page.getByRole('button', { name: 'notes/' }).click();
    await page.getByRole('button', { name: 'long.log' }).click();
    await page.getByText('This is its first 262 kB of 720 kB.').waitFor();
    await page.getByRole('button', { name: 'model.onnx' }).click();
    await page.getByText('FP32 [n, 1]').first().waitFor();
    visit.assertQuiet();
    await page.getByRole('button', { name: 'report.html' }).click();
    await page.frameLocator('iframe').getByRole('heading', { name: 'Report' }).waitFor();
    assert.equal(await page.frameLocator('iframe').getByText('taken over').count(), 0);
    assert.equal(blocked.length > 0, true);
    assert.match(page.url(), /file=report\.html/);
  });

  test('a model’s alias, description and tags are changed in place, and its history tells it', async () => {
    for (const weight of [1, 2]) {
      await registerModel(server, { name: 'line', files: { 'model.onnx': linearModel({ weight, bias: 0 }) } });
    }
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await page.goto(new URL('/models/line', server.url).href);
    await page.getByLabel('New alias').fill('champion');
    await page.getByLabel('Its version').selectOption('v1');
    await page.getByRole('button', { name: 'Set', exact: true }).click();
    await page.getByLabel('Version of champion').selectOption('v2');
    await page.getByText('@champion to v2 from v1').waitFor();
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Description').fill('Twice what comes in.');
    await page.getByLabel('Tag', { exact: true }).first().fill('team/owner');
    await page.getByLabel('Value of team/owner').fill('lines');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Twice what comes in.', { exact: true }).waitFor();
    await page.getByText('team/owner', { exact: true }).waitFor();
    await assertAccessible(page);
    await page.goto(new URL('/models/line/2', server.url).href);
    await page.getByLabel('Stage').selectOption('Staging');
    await until('the stage is stored', async () => {
      const { stage } = await server.must<{ stage: string }>('GET', '/api/v1/models/line/versions/2');
      return stage === 'Staging';
    });
    await assertAccessible(page);
    visit.assertQuiet();
  });

  test('a version that only Python can load shows its format, size and written signature', async () => {
    const inputs = `[{"type": "double", "name": "distance", "required": true}, {"type":\n    "string", "name": "origin", "required": false}]`;
    const files = {
      'model.pkl': new Uint8Array(2000),
      MLmodel: `flavors:\n  python_function:\n    env: x\n  sklearn:\n    code: null\nsignature:\n  inputs: '${inputs}'\n  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'\n`,
    };
    await registerModel(server, { name: 'forest', files });
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await page.goto(new URL('/models/forest', server.url).href);
    await page.getByRole('cell', { name: 'pickle' }).waitFor();
    await page.getByRole('cell', { name: /^2\.\d kB$/ }).waitFor();
    await page.goto(new URL('/models/forest/1', server.url).href);
    await page.getByText('pickle: whoever loads it runs what is in it').waitFor();
    await page.getByRole('heading', { name: 'v1 is no ONNX model: it is kept, not served' }).waitFor();
    await page.getByRole('row', { name: 'origin string, optional' }).waitFor();
    await page.getByRole('row', { name: 'answers output 1 int64 [n]' }).waitFor();
    await assertAccessible(page);
    visit.assertQuiet();
  });

  test('what is long stands there in part, and whole for who asks', async () => {
    const long = await newRun(`run-${'with-a-long-name-'.repeat(14)}`);
    const note = `first word ${'word '.repeat(200)}last`;
    await server.must('POST', `${mlflow}/runs/set-tag`, { run_id: long, key: 'mlflow.note.content', value: note });
    await server.must('POST', `${mlflow}/runs/log-parameter`, {
      run_id: long,
      key: 'p'.repeat(200),
      value: 'v'.repeat(900),
    });
    await using visit = await visitPage(browser, { server });
    const { page } = visit;
    await page.goto(new URL(`/runs/${long}`, server.url).href);
    await page.getByText('first word').waitFor();
    assert.equal(await page.getByText(/word last/).count(), 0);
    await page.locator('.note').getByRole('button', { name: 'Show all' }).click();
    await page.getByText(/word last/).waitFor();
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 1280);
    await assertAccessible(page);
    visit.assertQuiet();
  });

  test('a note is read as Markdown: no script of it runs, nothing is fetched, and what is wide scrolls within itself', async () => {
    const noted = await newRun('noted');
    const note = [
      '# What was tried\n\nMore *depth*, see [the plan](https://plan.test/a).',
      `| depth | ${'how it went and why '.repeat(6)} |\n|--:|---|\n| 4 | as before |`,
      `\`\`\`sh\ntrain --depth 4 ${'--and-more '.repeat(40)}\n\`\`\``,
      '![plot](https://elsewhere.test/plot.png) <img src="https://elsewhere.test/x" onerror="alert(1)">',
    ].join('\n\n');
    await server.must('POST', `${mlflow}/runs/set-tag`, { run_id: noted, key: 'mlflow.note.content', value: note });
    for (const width of [1280, 320]) {
      await using visit = await visitPage(browser, { server, width });
      const { page } = visit;
      await page.goto(new URL(`/runs/${noted}`, server.url).href);
      await page.getByRole('heading', { name: 'What was tried', level: 2 }).waitFor();
      await page.locator('.note').getByRole('button', { name: 'Show all' }).click();
      await page.locator('.note').getByRole('cell', { name: 'as before' }).waitFor();
      const plan = page.getByRole('link', { name: 'the plan' });
      assert.equal(await plan.getAttribute('href'), 'https://plan.test/a');
      assert.equal(await plan.getAttribute('rel'), 'noopener noreferrer nofollow');
      await page.getByRole('link', { name: 'plot' }).waitFor();
      await page.locator('.note').getByText('<img src=').waitFor();
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
        await assertAccessible(page);
      }
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width);
      visit.assertQuiet();
    }
  });

  test('a page that was asked for while the server was away comes by itself when it is back', async () => {
    await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-ui-away-'));
    const dataFolder = join(place.path, 'data');
    let away = await spawnServer({ dataFolder });
    await using _ = { [Symbol.asyncDispose]: () => away[Symbol.asyncDispose]() };
    await using visit = await visitPage(browser, { server: away });
    const { page } = visit;
    await page.goto(new URL('/audit', away.url).href);
    await page.locator('.dot').waitFor();
    const script = page.waitForResponse(/assets\/experiments-.*\.js/);
    await page.getByRole('link', { name: 'Experiments' }).hover();
    await (await script).finished();
    // What it imports comes along, and has to be there as well.
    await page.waitForFunction(`[...document.querySelectorAll('link[rel="modulepreload"]')].every(({ href }) =>
      performance.getEntriesByName(href).some(({ responseEnd }) => responseEnd > 0))`);
    await away.kill();
    await page.getByRole('link', { name: 'Experiments' }).click();
    await page.getByText('The server does not answer.').waitFor();
    away = await spawnServer({ dataFolder, port: new URL(away.url).port });
    await page.getByRole('heading', { name: 'No runs in any experiment yet' }).waitFor();
  });

  test('nothing of them is lost at 320 pixels', async () => {
    await using visit = await visitPage(browser, { server, width: 320 });
    const { page } = visit;
    for (const path of [`/runs/${runId}?file=rows.csv`, '/models/line', '/models/line/2']) {
      await page.goto(new URL(path, server.url).href);
      await page.locator('h1').first().waitFor();
      await page.locator('canvas, .aliases, .stage-line').first().waitFor();
      const wide = Number(await page.evaluate('document.documentElement.scrollWidth'));
      assert.ok(wide <= 320, `${path} is ${wide} pixels wide`);
    }
  });
});
