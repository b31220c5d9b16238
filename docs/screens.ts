/**
 * The pictures of the README: one of each page, taken from a server that runs. `node docs/screens.ts http://127.0.0.1:5000`; best
 * after `npm run demo`, whose server has a promoted and a rolled back version.
 */
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openBrowser } from '../tests/browser.ts';

const url = process.argv[2] ?? 'http://127.0.0.1:5000';
const folder = join(import.meta.dirname, 'screens');
const size = { width: 1280, height: 700 };
/** Text is what makes a picture large: of the log a few entries say enough. */
const lowHeight = 600;
const largest = 200_000;

type Rollout = { id: string; state: string; challenger: { model: string; version: number } };
type Endpoint = { name: string; champion?: { model: string; version: number } };

const pages = await pagesOf();
await mkdir(folder, { recursive: true });
const browser = await openBrowser();
for (const colorScheme of ['light', 'dark'] as const) {
  const page = await browser.newPage({ viewport: size, colorScheme, reducedMotion: 'reduce' });
  for (const [name, path] of pages) {
    // In the dark only what the README shows so.
    if (colorScheme === 'dark' && name !== 'overview' && name !== 'rollout') continue;
    await page.setViewportSize(name === 'audit' ? { ...size, height: lowHeight } : size);
    await page.goto(new URL(path, url).href);
    await page.locator('h1').first().waitFor();
    // Charts come after their data; a server that runs is never idle.
    await page.waitForTimeout(1500);
    const file = join(folder, `${name}${colorScheme === 'dark' ? '-dark' : ''}.png`);
    await page.screenshot({ path: file });
    const bytes = (await stat(file)).size;
    console.log(`${file}  ${Math.round(bytes / 1000)} kB${bytes > largest ? ', larger than it should be' : ''}`);
  }
  await page.close();
}
await browser.close();

async function pagesOf(): Promise<readonly (readonly [string, string])[]> {
  const rollouts = await items<Rollout>('/api/v1/rollouts?limit=100');
  const [run] = await items<{ id: string }>('/api/v1/runs?limit=1');
  const [endpoint] = (await items<Endpoint>('/api/v1/endpoints')).filter(({ champion }) => champion);
  const [newest] = rollouts;
  const back = rollouts.find(({ state }) => state === 'rolled-back');
  return [
    ['overview', '/'],
    ['rollouts', '/rollouts'],
    ...(newest ? [['rollout', `/rollouts/${newest.id}`] as const] : []),
    ...(back ? [['rolled-back', `/rollouts/${back.id}`] as const] : []),
    ...(newest ? [['version', `/models/${newest.challenger.model}/${newest.challenger.version}`] as const] : []),
    ['runs', '/runs'],
    ...(run ? [['run', `/runs/${run.id}`] as const] : []),
    ['monitoring', '/monitoring'],
    ...(endpoint ? [['drift', `/monitoring/${endpoint.name}`] as const] : []),
    ['audit', '/audit'],
  ];
}

async function items<T>(path: string): Promise<readonly T[]> {
  const answer = await fetch(new URL(path, url));
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return ((await answer.json()) as { items: T[] }).items; // as the server publishes it
}
