/** Random calls about artifacts, of runs and of logged models. */
import { api, ask } from './call.ts';
import type { Random } from './random.ts';
import { experiment, type Kind, loggedModelOf, type Made, models, runOf, versions } from './random-world.ts';

const files = '/api/2.0/mlflow-artifacts/artifacts';
const folders = ['', 'd', 'd/e', 'none'];
const paths = ['x.txt', 'd/x.txt', 'd/e/100%25.txt', 'd/a b.bin', 'd/ä.json', 'none/none.txt'];
const encoded = (path: string): string => path.replace(' ', '%20').replace('ä', '%C3%A4');
const plain = (path: string): string => path.replace('%25', '%');

const rootOf = (random: Random, made: Made): string => `${experiment}/${runOf(random, made)}/artifacts`;

const put: Kind = (random, made) =>
  ask('put a random file', 'PUT', `${files}/${rootOf(random, made)}/${encoded(random.pick(paths))}`, {
    data: random.pick(['hello', 'other', '{"a": 1}', 'ä\n']),
  });
const getFile: Kind = (random, made) =>
  ask('get a random file', 'GET', `${files}/${rootOf(random, made)}/${encoded(random.pick(paths))}`);
const list: Kind = (random, made) =>
  ask('list a random folder', 'GET', files, {
    params: { path: `${rootOf(random, made)}/${random.pick(folders)}`.replace(/\/$/, '') },
  });
const remove: Kind = (random, made) =>
  ask('delete a random file', 'DELETE', `${files}/${rootOf(random, made)}/${encoded(random.pick(paths))}`);
const listOfRun: Kind = (random, made) =>
  ask('list artifacts of a random run', 'GET', `${api}/artifacts/list`, {
    params: { run_id: runOf(random, made), path: random.pick(folders) },
  });
const download: Kind = (random, made) =>
  ask('download from a random run', 'GET', '/get-artifact', {
    params: { run_id: runOf(random, made), path: plain(random.pick(paths)) },
  });
const upload: Kind = (random, made) =>
  ask('upload to a random run', 'POST', '/ajax-api/2.0/mlflow/upload-artifact', {
    params: { run_uuid: runOf(random, made), path: plain(random.pick(paths)) },
    data: 'uploaded',
  });
const downloadVersion: Kind = (random) =>
  ask('download from an unknown random version', 'GET', '/model-versions/get-artifact', {
    params: { name: random.pick([...models, 'random-9']), version: `${random.pick(versions)}00`, path: 'x.txt' },
  });
const listOfModel: Kind = (random, made) =>
  ask(
    'list artifacts of a random logged model',
    'GET',
    `${api}/logged-models/${loggedModelOf(random, made)}/artifacts/directories`,
    { params: { artifact_directory_path: random.pick(folders) } },
  );
const downloadModel: Kind = (random, made) =>
  ask(
    'download from a random logged model',
    'GET',
    `/ajax-api/2.0/mlflow/logged-models/${loggedModelOf(random, made)}/artifacts/files`,
    { params: { artifact_file_path: plain(random.pick(paths)) } },
  );

export const artifactKinds: readonly Kind[] = [
  ...[put, put, put, getFile, getFile, list, list, remove, listOfRun, listOfRun, download, upload],
  ...[downloadVersion, listOfModel, downloadModel],
];
