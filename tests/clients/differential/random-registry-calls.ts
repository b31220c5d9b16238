/** Random calls about the registry and logged models. */
import { get, patch, post, remove } from './call.ts';
import type { Random } from './random.ts';
import {
  experiment,
  type Kind,
  keys,
  loggedModelOf,
  models,
  numbers,
  oneIn,
  pair,
  pairs,
  quoted,
  runOf,
  some,
  texts,
  versions,
} from './random-world.ts';

const stages = ['None', 'Staging', 'production', 'Archived', 'QA'];
const model = (random: Random) => ({ name: random.pick(models) });
const version = (random: Random) => ({ ...model(random), version: random.pick(versions) });
const alias = (random: Random) => ({ ...model(random), alias: random.pick(['one', 'two', 'latest']) });
const A = '/registered-models/alias';

const createModel: Kind = (random) =>
  post('create a random model', '/registered-models/create', {
    name: random.pick([...models, 'random-3', 'random-4']),
    tags: pairs(random, 2),
    description: random.pick(texts),
  });
const getModel: Kind = (random) => get('get a random model', '/registered-models/get', model(random));
const describeModel: Kind = (random) =>
  patch('describe a random model', '/registered-models/update', { ...model(random), description: random.pick(texts) });
const renameModel: Kind = (random) =>
  post('rename a random model', '/registered-models/rename', {
    name: random.pick(['random-3', 'random-4', 'random-5']),
    new_name: random.pick([...models, 'random-4', 'random-5']),
  });
const deleteModel: Kind = (random) =>
  remove('delete a random model', '/registered-models/delete', { name: random.pick(['random-3', 'random-4']) });
const tagModel: Kind = (random) =>
  post('tag a random model', '/registered-models/set-tag', { ...model(random), ...pair(random) });
const untagModel: Kind = (random) =>
  remove('untag a random model', '/registered-models/delete-tag', { ...model(random), key: random.pick(keys) });
const searchModels: Kind = (random) =>
  get('search random models', '/registered-models/search', {
    filter: random.pick([
      '',
      "name LIKE 'random%'",
      "name ILIKE 'RANDOM%'",
      `name != '${random.pick(models)}'`,
      `tags.\`${random.pick(keys)}\` ${random.pick(['=', '!=', 'LIKE', 'ILIKE'])} ${quoted(random.pick(texts))}`,
    ]),
    max_results: 1 + random.below(5),
    order_by: random.pick([['name DESC'], ['name ASC'], ['last_updated_timestamp DESC']]),
  });
const latestVersions: Kind = (random) =>
  post('latest versions of a random model', '/registered-models/get-latest-versions', {
    ...model(random),
    stages: some(random, 2, () => random.pick(stages)),
  });
const latestByGet: Kind = (random) =>
  get('latest versions of a random model by GET', '/registered-models/get-latest-versions', {
    ...model(random),
    stages: [random.pick(stages)],
  });

const createVersion: Kind = (random, made) =>
  post('create a random version', '/model-versions/create', {
    ...model(random),
    source: random.pick([
      `s3://bucket/${random.pick(keys)}`,
      `runs:/${runOf(random, made)}/model`,
      `models:/${loggedModelOf(random, made)}`,
      `models:/${random.pick(models)}/${random.pick(versions)}`,
      '/etc/passwd',
    ]),
    ...(oneIn(random, 3) ? { run_id: runOf(random, made) } : {}),
    ...(oneIn(random, 3) ? { model_id: loggedModelOf(random, made) } : {}),
    tags: pairs(random, 2),
  });
const getVersion: Kind = (random) => get('get a random version', '/model-versions/get', version(random));
const download: Kind = (random) =>
  get('where a random version lies', '/model-versions/get-download-uri', version(random));
const describeVersion: Kind = (random) =>
  patch('describe a random version', '/model-versions/update', {
    ...version(random),
    description: random.pick(texts),
  });
const stageVersion: Kind = (random) =>
  post('stage a random version', '/model-versions/transition-stage', {
    ...version(random),
    stage: random.pick(['None', 'Staging', 'production', 'Production']),
    archive_existing_versions: oneIn(random, 2),
  });
const tagVersion: Kind = (random) =>
  post('tag a random version', '/model-versions/set-tag', { ...version(random), ...pair(random) });
const untagVersion: Kind = (random) =>
  remove('untag a random version', '/model-versions/delete-tag', { ...version(random), key: random.pick(keys) });
const deleteVersion: Kind = (random) => remove('delete a random version', '/model-versions/delete', version(random));
const searchVersions: Kind = (random, made) =>
  get('search random versions', '/model-versions/search', {
    filter: [
      `name = '${random.pick(models)}'`,
      ...some(random, 1, () =>
        random.pick([
          `version_number ${random.pick(['=', '!=', '<', '>='])} ${random.pick(versions)}`,
          `run_id = '${runOf(random, made)}'`,
          `tags.\`${random.pick(keys)}\` ${random.pick(['=', '!=', 'LIKE'])} ${quoted(random.pick(texts))}`,
          `source_path LIKE '${random.pick(['s3%', 'runs:%'])}'`,
        ]),
      ),
    ].join(' AND '),
    max_results: 1 + random.below(5),
    order_by: [random.pick(['version_number DESC', 'version_number ASC'])],
  });
const setAlias: Kind = (random) => post('set a random alias', A, { ...alias(random), version: random.pick(versions) });
const deleteAlias: Kind = (random) => remove('delete a random alias', A, alias(random));
const byAlias: Kind = (random) => get('get by a random alias', A, alias(random));

export const createLoggedModel: Kind = (random, made) => {
  made.loggedModels += 1;
  return post(
    'create a random logged model',
    '/logged-models',
    {
      experiment_id: experiment,
      name: random.pick(['lm-1', 'lm-2', 'l.m']),
      model_type: random.pick(['agent', '']),
      ...(oneIn(random, 2) ? { source_run_id: runOf(random, made) } : {}),
      params: [pair(random)],
      tags: [pair(random)],
    },
    { keep: { [`MODEL_X${made.loggedModels}_`]: 'model.info.model_id' } },
  );
};
const getLoggedModel: Kind = (random, made) =>
  get('get a random logged model', `/logged-models/${loggedModelOf(random, made)}`);
const finalize: Kind = (random, made) => {
  const model_id = loggedModelOf(random, made);
  const status = random.pick(['LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED']);
  return patch('finalize a random logged model', `/logged-models/${model_id}`, { model_id, status });
};
const measure: Kind = (random, made) =>
  post('measure a random logged model', '/runs/log-metric', {
    run_id: runOf(random, made),
    model_id: loggedModelOf(random, made),
    ...{ key: random.pick(keys), value: random.pick(numbers), timestamp: random.below(5), step: random.below(3) },
    ...(oneIn(random, 2) ? { dataset_name: 'd', dataset_digest: random.pick(['1', '2']) } : {}),
  });
const output: Kind = (random, made) =>
  post('a random output', '/runs/outputs', {
    run_id: runOf(random, made),
    models: [{ model_id: loggedModelOf(random, made), step: 0 }],
  });
const tagLoggedModel: Kind = (random, made) =>
  patch('tag a random logged model', `/logged-models/${loggedModelOf(random, made)}/tags`, { tags: [pair(random)] });
const untagLoggedModel: Kind = (random, made) =>
  remove(
    'untag a random logged model',
    `/logged-models/${loggedModelOf(random, made)}/tags/${random.pick(['a', 'loss'])}`,
  );
const addParams: Kind = (random, made) => {
  const model_id = loggedModelOf(random, made);
  const params = [{ key: `p${random.below(1000)}`, value: random.pick(texts) }];
  return post('params of a random logged model', `/logged-models/${model_id}/params`, { model_id, params });
};
const deleteLoggedModel: Kind = (random, made) =>
  remove('delete a random logged model', `/logged-models/${loggedModelOf(random, made)}`);
const searchLoggedModels: Kind = (random) =>
  post('search random logged models', '/logged-models/search', {
    experiment_ids: [experiment],
    filter: some(random, 1, () =>
      random.pick([
        `name ${random.pick(['=', '!=', 'LIKE', 'ILIKE'])} '${random.pick(['lm-1', 'LM%'])}'`,
        `params.a ${random.pick(['=', '!='])} ${quoted(random.pick(texts))}`,
        `tags.loss ${random.pick(['=', '!='])} ${quoted(random.pick(texts))}`,
        `metrics.loss ${random.pick(['<', '>=', '='])} ${random.pick([0, 1, 2.5])}`,
        `status = '${random.pick(['READY', 'PENDING'])}'`,
      ]),
    ).join(''),
    max_results: 1 + random.below(5),
    order_by: random.pick([
      [],
      [{ field_name: 'creation_timestamp', ascending: true }],
      [{ field_name: 'metrics.loss', ascending: oneIn(random, 2) }],
      [{ field_name: 'name' }, { field_name: 'creation_timestamp' }],
    ]),
  });

export const registryKinds: readonly Kind[] = [
  ...[createModel, getModel, describeModel, renameModel, deleteModel, tagModel, untagModel, searchModels],
  ...[latestVersions, latestByGet, createVersion, createVersion, createVersion, getVersion, download],
  ...[describeVersion, stageVersion, tagVersion, untagVersion, deleteVersion, searchVersions, searchVersions],
  ...[setAlias, setAlias, deleteAlias, byAlias],
];
export const loggedModelKinds: readonly Kind[] = [
  ...[createLoggedModel, getLoggedModel, finalize, measure, measure, output, tagLoggedModel, untagLoggedModel],
  ...[addParams, deleteLoggedModel, searchLoggedModels, searchLoggedModels],
];
