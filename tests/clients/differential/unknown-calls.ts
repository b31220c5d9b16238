/** Calls about things that are not there, for the routes that no other list asks wrongly. */
import { type Call, get, patch, post, remove } from './call.ts';

const model = { name: 'no such model' };
const modelId = `m-${'0'.repeat(32)}`;
const loggedModel = `/logged-models/${modelId}`;
const tag = { key: 'k', value: 'v' };

export const unknownCalls: readonly Call[] = [
  post('restore an unknown run', '/runs/restore', { run_id: '0'.repeat(32) }),
  get('search no experiments at all', '/experiments/search', { max_results: 0 }),
  post('tag an unknown model', '/registered-models/set-tag', { ...model, ...tag }),
  remove('untag an unknown model', '/registered-models/delete-tag', { ...model, key: 'k' }),
  patch('describe an unknown model', '/registered-models/update', { ...model, description: 'text' }),
  remove('delete an alias of an unknown model', '/registered-models/alias', { ...model, alias: 'one' }),
  get('latest versions of an unknown model', '/registered-models/get-latest-versions', model),
  remove('untag a version of an unknown model', '/model-versions/delete-tag', { ...model, version: '1', key: 'k' }),
  get('where a version of an unknown model lies', '/model-versions/get-download-uri', { ...model, version: '1' }),
  remove('delete an unknown logged model', loggedModel),
  patch('tag an unknown logged model', `${loggedModel}/tags`, { tags: [tag] }),
  post('params of an unknown logged model', `${loggedModel}/params`, { model_id: modelId, params: [tag] }),
  get('files of an unknown logged model', `${loggedModel}/artifacts/directories`),
];
