/**
 * The pictures of the README: one of each page, taken from a server that runs. `node docs/screens.ts http://127.0.0.1:5000`; best
 * after `npm run demo`, whose server has a promoted and a rolled back version.
 */
import { mkdir, mkdtempDisposable, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBrowser } from '../tests/browser.ts';
import { spawnServer } from '../tests/journeys/spawned-server.ts';

const url = process.argv[2] ?? 'http://127.0.0.1:5000';
const folder = join(import.meta.dirname, 'screens');
const size = { width: 1280, height: 800 };
const largest = 250_000;

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
    await take(name, new URL(path, url).href);
  }
  if (colorScheme === 'light') {
    // The first page of a server that has seen nothing yet.
    await using place = await mkdtempDisposable(join(tmpdir(), 'rondo-screens-'));
    await using empty = await spawnServer({ dataFolder: join(place.path, 'rondo-data') });
    await take('start', empty.url);
  }
  await page.close();

  async function take(name: string, address: string): Promise<void> {
    await page.goto(address);
    await page.locator('h1').first().waitFor();
    // Charts come after their data; a server that runs is never idle.
    await page.waitForTimeout(3000);
    const file = join(folder, `${name}${colorScheme === 'dark' ? '-dark' : ''}.png`);
    await page.screenshot({ path: file });
    const bytes = (await stat(file)).size;
    console.log(`${file}  ${Math.round(bytes / 1000)} kB${bytes > largest ? ', larger than it should be' : ''}`);
  }
}
await browser.close();

async function pagesOf(): Promise<readonly (readonly [string, string])[]> {
  const rollouts = await items<Rollout>('/api/v1/rollouts?limit=100');
  const runs = await items<{ id: string }>('/api/v1/runs?limit=5');
  const [run] = runs;
  const [endpoint] = (await items<Endpoint>('/api/v1/endpoints')).filter(({ champion }) => champion);
  const [newest] = rollouts;
  const back = rollouts.find(({ state }) => state === 'rolled-back');
  return [
    ['overview', '/'],
    ['rollouts', '/rollouts'],
    ...(newest ? [['rollout', `/rollouts/${newest.id}`] as const] : []),
    ...(back ? [['rolled-back', `/rollouts/${back.id}`] as const] : []),
    ['models', '/models'],
    ...(newest ? [['model', `/models/${newest.challenger.model}`] as const] : []),
    ...(newest ? [['version', `/models/${newest.challenger.model}/${newest.challenger.version}`] as const] : []),
    ['experiments', '/experiments'],
    ['runs', '/runs'],
    ...(run ? [['run', `/runs/${run.id}`] as const] : []),
    ['compare', `/compare?runs=${runs.map(({ id }) => id).join(',')}`],
    ['monitoring', '/monitoring'],
    ...(endpoint ? [['drift', await driftOf(endpoint)] as const] : []),
    ['audit', '/audit'],
    ['settings', '/settings'],
  ];
}

/** With the feature open that moved most. */
async function driftOf({ name }: Endpoint): Promise<string> {
  const answer = await fetch(new URL(`/api/v1/endpoints/${name}/monitors?limit=400`, url));
  const { drift } = (await answer.json()) as { drift: { features: readonly { feature: string }[] } }; // as the server publishes it
  const [first] = drift.features;
  return `/monitoring/${name}${first ? `?open=${encodeURIComponent(first.feature)}` : ''}`;
}

async function items<T>(path: string): Promise<readonly T[]> {
  const answer = await fetch(new URL(path, url));
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return ((await answer.json()) as { items: T[] }).items; // as the server publishes it
}
