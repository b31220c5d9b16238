/** Webhooks: made, read, listed, changed and deleted. Nothing is sent: their addresses are public, and the events of another list. */
import { type Call, get, patch, post, remove, tokenAfter } from './call.ts';

const W = '/webhooks';
const H = '/webhooks/HOOK_A_';
const url = 'https://93.184.216.34/hook';
const exceeded = { entity: 'BUDGET_POLICY', action: 'EXCEEDED' };
const good = { name: 'hook', url, events: [exceeded] };

const hook = (label: string, change: Record<string, unknown>, id?: string): Call =>
  post(label, W, { ...good, ...change }, id === undefined ? {} : { keep: { [id]: 'webhook.webhook_id' } });

export const webhookCalls: readonly Call[] = [
  get('list no webhooks', W),
  hook('create a webhook', { description: 'd', secret: 'never shown' }, 'HOOK_A_'),
  hook('create a webhook of a taken name', {}, 'HOOK_B_'),
  hook(
    'create a disabled webhook',
    {
      status: 'DISABLED',
      events: [{ entity: 'PROMPT_TAG', action: 'SET' }, { entity: 'MODEL_VERSION', action: 'CREATED' }, exceeded],
    },
    'HOOK_C_',
  ),
  hook('create a webhook with numbers', { name: 'numbers', events: [{ entity: 10, action: 5 }], status: 2 }, 'HOOK_D_'),
  hook('create a webhook of an odd status', { name: 'odd', status: 'PAUSED' }, 'HOOK_E_'),
  get('list the first webhook', W, { max_results: 1 }),
  get('list webhooks after three', W, { page_token: tokenAfter(3), max_results: 1 }),
  get('list as many webhooks as it likes', W, { max_results: 0 }),
  hook('create a webhook without name', { name: undefined }),
  hook('create a webhook with an empty name', { name: '' }),
  hook('create a webhook with a space', { name: 'a b' }),
  hook('create a webhook with a long name', { name: 'a'.repeat(64) }),
  hook('create a webhook named by a number', { name: 3 }),
  hook('create a webhook without url', { url: undefined }),
  hook('create a webhook with a blank url', { url: '  ' }),
  hook('create a webhook without events', { events: undefined }),
  hook('create a webhook of no events', { events: [] }),
  hook('create a webhook of a text', { events: 'x' }),
  hook('create a webhook of an unknown entity', { events: [{ entity: 'RUN', action: 'CREATED' }] }),
  hook('create a webhook of an unknown action', { events: [{ entity: 'PROMPT', action: 'ENDED' }] }),
  hook('create a webhook of texts', { events: ['prompt.created'] }),
  hook('create a webhook of a wrong pair', { events: [{ entity: 'MODEL_VERSION', action: 'SET' }] }),
  hook('create a webhook of another wrong pair', { events: [{ entity: 'PROMPT_ALIAS', action: 'SET' }] }),
  hook('create a webhook over http', { url: 'http://93.184.216.34/hook' }),
  hook('create a webhook over nothing', { url: 'hook' }),
  hook('create a webhook without host', { url: 'https:///hook' }),
  hook('create a webhook of a broken host', { url: 'https://[::1/' }),
  hook('create a webhook at this host', { url: 'https://127.0.0.1/hook' }),
  hook('create a webhook at this host in short', { url: 'https://127.1/hook' }),
  hook('create a webhook at this host in hexadecimal', { url: 'https://0x7f000001/hook' }),
  hook('create a webhook at this host of IPv6', { url: 'https://[::1]/hook' }),
  hook('create a webhook in a private network', { url: 'https://10.0.0.1:8443/hook' }),
  hook('create a webhook in a private network of IPv6', { url: 'https://[::ffff:10.0.0.1]/hook' }),
  hook('create a webhook at the metadata', { url: 'https://169.254.169.254/latest' }),
  get('get a webhook', H),
  get('get an unknown webhook', `${W}/nothing`),
  get('list fewer webhooks than none', W, { max_results: -1 }),
  get('list too many webhooks', W, { max_results: 1001 }),
  get('list webhooks by a word', W, { max_results: 'abc' }),
  get('list webhooks after nonsense', W, { page_token: 'zz' }),
  patch('change a webhook', H, { name: 'changed', description: 'e', status: 'DISABLED' }),
  patch('describe a webhook as nothing', H, { description: '' }),
  patch('change nothing of a webhook', H, {}),
  patch('change the events of a webhook', H, { events: [{ entity: 'PROMPT', action: 'CREATED' }] }),
  patch('change the events of a webhook to none', H, { events: [] }),
  patch('change a webhook to a wrong pair', H, { events: [{ entity: 'PROMPT', action: 'SET' }] }),
  patch('change a webhook to another scheme', H, { url: 'ftp://example.com' }),
  patch('change a webhook to a bad name', H, { name: '-' }),
  patch('change a webhook to an odd status', H, { status: 'X' }),
  patch('change the name of a webhook to a list', H, { name: [] }),
  patch('change an unknown webhook', `${W}/nothing`, { name: 'x' }),
  post('test an unknown webhook', `${W}/nothing/test`, {}),
  post('test a webhook with a wrong pair', `${H}/test`, { event: { entity: 'PROMPT', action: 'SET' } }),
  remove('delete a webhook', H),
  remove('delete a webhook twice', H),
  get('get a deleted webhook', H),
  patch('change a deleted webhook', H, { name: 'x' }),
];

/** One server makes these and the other does not: they come after everything that lists webhooks. */
export const lastWebhookCalls: readonly Call[] = [
  hook('create a webhook of an event twice', { events: [exceeded, exceeded] }),
  hook('create a webhook of a big port', { url: 'https://93.184.216.34:99999/' }),
  hook('create a webhook at a name of this host', { url: 'https://localhost/hook' }),
];
