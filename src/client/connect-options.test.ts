import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionOf } from './connect-options.ts';

test('what the caller says goes before the variables of MLflow, and those before the usual address', () => {
  const environment = { MLFLOW_TRACKING_URI: 'http://tracking:5000', MLFLOW_TRACKING_TOKEN: 'theirs' };
  assert.equal(connectionOf({}, {}).url, 'http://127.0.0.1:5000');
  assert.equal(connectionOf({}, environment).url, 'http://tracking:5000');
  assert.equal(connectionOf({}, environment).authorization, 'Bearer theirs');
  const given = connectionOf({ url: 'https://mine', token: 'mine' }, environment);
  assert.deepEqual([given.url, given.authorization], ['https://mine', 'Bearer mine']);
});

test('a name and a password are sent as MLflow sends them', () => {
  const environment = { MLFLOW_TRACKING_USERNAME: 'ada', MLFLOW_TRACKING_PASSWORD: 'pä:ss' };
  assert.equal(connectionOf({}, environment).authorization, 'Basic YWRhOnDDpDpzcw==');
  assert.equal(connectionOf({}, {}).authorization, undefined);
});

test('an address that is none is told with one that is', () => {
  for (const url of ['127.0.0.1:5000', 'sqlite:///mlflow.db', '']) {
    assert.throws(() => connectionOf({ url }, {}), {
      name: 'TypeError',
      message: /write it as http:\/\/127\.0\.0\.1:5000$/,
    });
  }
});

test('metrics wait in the folder that the system has for such things', () => {
  assert.equal(connectionOf({}, { HOME: '/home/ada' }).spoolFolder, '/home/ada/.local/state/rondo-client');
  assert.equal(connectionOf({}, { XDG_STATE_HOME: '/state' }).spoolFolder, '/state/rondo-client');
  assert.equal(connectionOf({ spoolFolder: '/mine' }, {}).spoolFolder, '/mine');
});
