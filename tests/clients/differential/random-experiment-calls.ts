/** Random calls about experiments and webhooks. */
import { get, patch, post, remove } from './call.ts';
import type { Random } from './random.ts';
import { experimentOf, type Kind, keys, oneIn, pair, pairs, quoted, some, texts, webhookOf } from './random-world.ts';

const names = ['random-a', 'random-b', 'random-c', 'RANDOM-A'];

export const createExperiment: Kind = (random, made) => {
  made.experiments += 1;
  return post(
    'create a random experiment',
    '/experiments/create',
    {
      name: oneIn(random, 3) ? random.pick(names) : `random-${made.experiments}`,
      artifact_location: random.pick(['', 's3://bucket/x', 'mlflow-artifacts:/elsewhere']),
      tags: pairs(random, 2),
    },
    { keep: { [`EXPERIMENT_X${made.experiments}_`]: 'experiment_id' } },
  );
};

const getExperiment: Kind = (random, made) =>
  get('get a random experiment', '/experiments/get', { experiment_id: experimentOf(random, made) });

const getByName: Kind = (random) =>
  get('get a random experiment by name', '/experiments/get-by-name', { experiment_name: random.pick(names) });

const rename: Kind = (random, made) =>
  post('rename a random experiment', '/experiments/update', {
    experiment_id: experimentOf(random, made),
    new_name: random.pick(names),
  });

const tag: Kind = (random, made) =>
  post('tag a random experiment', '/experiments/set-experiment-tag', {
    experiment_id: experimentOf(random, made),
    ...pair(random),
  });

const untag: Kind = (random, made) =>
  post('untag a random experiment', '/experiments/delete-experiment-tag', {
    experiment_id: experimentOf(random, made),
    key: random.pick(keys),
  });

const deleteExperiment: Kind = (random, made) =>
  post('delete a random experiment', '/experiments/delete', { experiment_id: experimentOf(random, made) });

const restoreExperiment: Kind = (random, made) =>
  post('restore a random experiment', '/experiments/restore', { experiment_id: experimentOf(random, made) });

const query = (random: Random) => ({
  filter: some(random, 2, () =>
    random.pick([
      () => `name ${random.pick(['=', '!=', 'LIKE', 'ILIKE'])} '${random.pick([...names, 'random-%'])}'`,
      () => `tags.\`${random.pick(keys)}\` ${random.pick(['=', '!=', 'LIKE', 'ILIKE'])} ${quoted(random.pick(texts))}`,
      () => `creation_time > ${random.pick([0, 9e12])}`,
    ])(),
  ).join(' AND '),
  max_results: 1 + random.below(6),
  view_type: random.pick(['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL']),
  order_by: random.pick([[], ['name ASC'], ['name DESC'], ['experiment_id'], ['creation_time ASC']]),
});

const search: Kind = (random) => post('search random experiments', '/experiments/search', query(random));
const searchByGet: Kind = (random) => get('search random experiments by GET', '/experiments/search', query(random));

const hooks = '/webhooks';
const events = [
  { entity: 'REGISTERED_MODEL', action: 'CREATED' },
  { entity: 'MODEL_VERSION_TAG', action: 'SET' },
  { entity: 'PROMPT_ALIAS', action: 'DELETED' },
];

export const createWebhook: Kind = (random, made) => {
  made.webhooks += 1;
  return post(
    'create a random webhook',
    hooks,
    {
      name: random.pick(['hook', 'hook 2', 'hook-3', '-']),
      url: random.pick(['https://93.184.216.34/a', 'https://93.184.216.34/b?c', 'http://93.184.216.34/']),
      events: [random.pick(events)],
      description: random.pick(texts),
      status: 'DISABLED', // the models of this sequence must not call anybody
    },
    { keep: { [`HOOK_X${made.webhooks}_`]: 'webhook.webhook_id' } },
  );
};

const listWebhooks: Kind = (random) => get('list random webhooks', hooks, { max_results: 1 + random.below(5) });
const getWebhook: Kind = (random, made) => get('get a random webhook', `${hooks}/${webhookOf(random, made)}`);
const changeWebhook: Kind = (random, made) =>
  patch('change a random webhook', `${hooks}/${webhookOf(random, made)}`, {
    ...(oneIn(random, 2) ? { name: random.pick(['hook', 'other']) } : {}),
    ...(oneIn(random, 2) ? { description: random.pick(texts) } : {}),
    ...(oneIn(random, 2) ? { events: [random.pick(events)] } : {}),
  });
const deleteWebhook: Kind = (random, made) => remove('delete a random webhook', `${hooks}/${webhookOf(random, made)}`);

export const experimentKinds: readonly Kind[] = [
  ...[createExperiment, createExperiment, getExperiment, getByName, rename, tag, untag, deleteExperiment],
  ...[restoreExperiment, search, search, searchByGet],
];
export const webhookKinds: readonly Kind[] = [createWebhook, listWebhooks, getWebhook, changeWebhook, deleteWebhook];
