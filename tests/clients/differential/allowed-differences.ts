/** Where Rondo answers otherwise than MLflow's own server on purpose. Every other difference fails the test. */
import type { Difference } from './answer-differences.ts';
import type { Call } from './call.ts';

export type AllowedDifference = {
  readonly route: string;
  /** The labels of the calls that show it. */
  readonly calls: readonly string[];
  /** What differs: `status`, fields of the body, or `answer` for all of it. */
  readonly fields: readonly string[];
  readonly ours: string;
  readonly theirs: string;
  readonly reason: string;
};

const api = '/api/2.0/mlflow';
const files = '/api/2.0/mlflow-artifacts/artifacts/1/RUN_A_/artifacts';
const searchRuns = `POST ${api}/runs/search`;
const searchModels = `POST ${api}/logged-models/search`;
/** What follows from another error code. */
const code = ['status', 'error_code', 'sqlstate', 'error_class'];

export const allowedDifferences: readonly AllowedDifference[] = [
  {
    route: `POST ${api}/experiments/create`,
    calls: ['an experiment of a taken name'],
    fields: ['message'],
    ours: 'says that the name is taken',
    theirs: 'adds the SQL statement that failed',
    reason: 'Tables are not part of an answer.',
  },
  {
    route: `POST ${api}/experiments/update`,
    calls: ['rename an experiment to a taken name'],
    fields: ['message'],
    ours: 'says that the name is taken',
    theirs: 'the SQL statement that failed',
    reason: 'Tables are not part of an answer.',
  },
  {
    route: `POST ${api}/registered-models/rename`,
    calls: ['rename a model to a taken name'],
    fields: ['message'],
    ours: 'says that the name is taken',
    theirs: 'adds the SQL statement that failed',
    reason: 'Tables are not part of an answer.',
  },
  {
    route: `POST ${api}/experiments/update`,
    calls: ['rename a deleted experiment'],
    fields: code,
    ours: '400',
    theirs: '500',
    reason: "A client's mistake is no failure of the server: clients would retry it.",
  },
  {
    route: searchRuns,
    calls: ['duplicate order'],
    fields: code,
    ours: '400',
    theirs: '500',
    reason: "A client's mistake is no failure of the server: clients would retry it.",
  },
  {
    route: `POST ${api}/model-versions/transition-stage`,
    calls: ['archive others from Archived'],
    fields: code,
    ours: '400',
    theirs: '500',
    reason: "A client's mistake is no failure of the server: clients would retry it.",
  },
  {
    route: searchRuns,
    calls: ['filter with OR', 'filter in parentheses', 'filter with NOT'],
    fields: ['answer'],
    ours: 'finds the runs',
    theirs: '400',
    reason: 'OR, NOT and parentheses are a superset of the grammar.',
  },
  {
    route: searchRuns,
    calls: ["filter params.p IN ('A')", "filter status IN ('RUNNING')", "filter start_time >= '1970-01-01'"],
    fields: ['answer'],
    ours: 'finds the runs',
    theirs: '400',
    reason: 'Lists of any text, and dates for times, are a superset of the grammar.',
  },
  {
    route: `GET ${api}/model-versions/search`,
    calls: ['search versions by age'],
    fields: ['answer'],
    ours: 'finds the versions',
    theirs: '400',
    reason: 'Times may be compared wherever there are some.',
  },
  {
    route: searchRuns,
    calls: ['filter AND', 'filter metrics.m > 0 AND'],
    fields: ['answer'],
    ours: '400',
    theirs: 'ignores the AND',
    reason: 'A clause is missing: the filter is not what was meant.',
  },
  {
    route: searchRuns,
    calls: ['filter params.p ='],
    fields: ['message'],
    ours: 'names the whole clause',
    theirs: 'names its pieces',
    reason: 'The clause is what has to be corrected.',
  },
  {
    route: searchRuns,
    calls: ['order bogus'],
    fields: ['message'],
    ours: 'lists every key that it takes',
    theirs: 'leaves out the other spellings of run_name, which it does not take here',
    reason: 'What a filter may name, an order may name too.',
  },
  {
    route: `GET ${api}/registered-models/search`,
    calls: ['search models in bad order'],
    fields: ['message'],
    ours: 'lists every key that it takes',
    theirs: 'leaves out last_updated_timestamp, which it takes',
    reason: 'The list is complete.',
  },
  {
    route: searchModels,
    calls: ['search logged models with a bad operator', 'search logged models with a bad prefix'],
    fields: ['message'],
    ours: 'the words that searches of runs use',
    theirs: 'other words for the same',
    reason: 'One grammar, one wording.',
  },
  {
    route: searchModels,
    calls: ['search logged models in bad order'],
    fields: ['sqlstate', 'error_class'],
    ours: 'the class of every invalid parameter',
    theirs: 'a class of its own',
    reason: 'The error code, which clients read, is the same.',
  },
  {
    route: searchModels,
    calls: ['search logged models by dataset'],
    fields: ['models'],
    ours: 'a dataset without digest is one of any digest',
    theirs: 'finds nothing',
    reason: "MLflow's own documentation says the digest may be left out.",
  },
  {
    route: `GET ${api}/model-versions/search`,
    calls: [
      'search versions',
      'search versions by run',
      'search versions in a list',
      'search versions by number',
      'search versions of a random model',
    ],
    fields: ['model_versions[].aliases'],
    ours: 'versions with their aliases',
    theirs: 'without',
    reason: 'Who looks for the version that serves needs them.',
  },
  {
    route: `GET ${api}/metrics/get-history`,
    calls: ['history of an unknown run'],
    fields: ['answer'],
    ours: '404',
    theirs: 'an empty list',
    reason: 'A mistyped run is not a run without metrics.',
  },
  {
    route: 'GET /ajax-api/2.0/mlflow/metrics/get-history-bulk',
    calls: ['bulk history with NaN'],
    fields: ['metrics[].value'],
    ours: '"NaN"',
    theirs: 'NaN',
    reason: 'A bare NaN is no JSON: browsers cannot read the answer.',
  },
  {
    route: `POST ${api}/runs/create`,
    calls: ['create a run at half past'],
    fields: ['answer'],
    ours: '400',
    theirs: 'starts the run at 0',
    reason: 'A time that cannot be kept is refused, not replaced.',
  },
  {
    route: `POST ${api}/runs/create`,
    calls: ['create a run without anything'],
    fields: ['answer'],
    ours: 'a run of the default experiment',
    theirs: "an error of the database's",
    reason: 'Nothing is wrong with the request.',
  },
  {
    route: `POST ${api}/runs/log-metric`,
    calls: ['log a time too big'],
    fields: ['answer'],
    ours: '400',
    theirs: 'stores the point at 0',
    reason: 'A time that cannot be kept is refused, not replaced.',
  },
  {
    route: `POST ${api}/runs/log-metric`,
    calls: ['broken JSON'],
    fields: ['message'],
    ours: 'says where the JSON breaks off',
    theirs: 'misses a field',
    reason: 'The field is there; the JSON is broken.',
  },
  {
    route: `POST ${api}/runs/set-tag`,
    calls: ['in camelCase'],
    fields: ['answer'],
    ours: 'sets the tag',
    theirs: '400',
    reason: 'JSON of protocol buffers has both spellings; MLflow reads camelCase where no field is required.',
  },
  {
    route: `POST ${api}/webhooks`,
    calls: ['create a webhook of an event twice'],
    fields: ['answer'],
    ours: 'a webhook of the event',
    theirs: 'the SQL statement that failed',
    reason: 'Nothing is wrong with the request.',
  },
  {
    route: `POST ${api}/webhooks`,
    calls: [
      'create a webhook of an unknown entity',
      'create a webhook of an unknown action',
      'create a webhook of texts',
    ],
    fields: ['answer'],
    ours: '400 that names the events there are',
    theirs: 'a page of HTML with 500',
    reason: "A client's mistake is no failure of the server: clients would retry it.",
  },
  {
    route: `POST ${api}/webhooks`,
    calls: ['create a webhook of a broken host'],
    fields: ['message'],
    ours: 'the address',
    theirs: "adds Python's exception",
    reason: 'The exception says nothing more.',
  },
  {
    route: `POST ${api}/webhooks`,
    calls: ['create a webhook of a big port'],
    fields: ['answer'],
    ours: '400',
    theirs: 'makes a webhook that can reach nobody',
    reason: 'There is no such port.',
  },
  {
    route: `POST ${api}/webhooks`,
    calls: ['create a webhook at a name of this host'],
    fields: ['answer'],
    ours: 'makes it: what a name resolves to is judged when a delivery connects',
    theirs: '400: resolves the name',
    reason: 'A name may resolve to something else a moment later, and a receiver that is down now is no mistake.',
  },
  {
    route: `PUT ${files}/h/a%23b.txt`,
    calls: ['put with a number sign'],
    fields: ['answer'],
    ours: 'stores the file',
    theirs: '400',
    reason: 'Whoever encodes the sign means it: it is a name like any other.',
  },
  {
    route: `GET ${files}/h/a%23b.txt`,
    calls: ['get with a number sign'],
    fields: ['answer'],
    ours: 'the file',
    theirs: '400',
    reason: 'Whoever encodes the sign means it: it is a name like any other.',
  },
  {
    route: `PUT ${files}/a%5Cb.txt`,
    calls: ['put with a backslash'],
    fields: ['answer'],
    ours: '400',
    theirs: 'stores the file',
    reason: 'A client on Windows reads the name as a path, and writes elsewhere than it was told to.',
  },
  {
    route: `GET ${files}/..%252f..%252fx.txt`,
    calls: ['get above, encoded twice'],
    fields: [...code, 'message'],
    ours: '404',
    theirs: '400',
    reason: 'Names are decoded once; what comes out is a name that no file has.',
  },
  {
    route: `GET ${files}/d`,
    calls: ['get a folder'],
    fields: [...code, 'message', 'detail'],
    ours: 'the form of every other error',
    theirs: 'the form of its web framework',
    reason: 'Clients read `error_code` and `message`.',
  },
  {
    route: 'GET /api/3.0/mlflow/server-info',
    calls: ['server-info'],
    fields: ['features_enabled.gateway'],
    ours: 'false',
    theirs: 'true',
    reason: 'There is no gateway here.',
  },
  {
    route: `GET ${api}/bogus`,
    calls: ['unknown route'],
    fields: ['body'],
    ours: 'JSON with ENDPOINT_NOT_FOUND',
    theirs: 'a page of HTML',
    reason: 'Clients read JSON.',
  },
  {
    route: `DELETE ${api}/runs/search`,
    calls: ['wrong verb'],
    fields: ['body'],
    ours: 'JSON',
    theirs: 'a page of HTML',
    reason: 'Clients read JSON.',
  },
];

/** @returns the row that allows it */
export function allowanceFor(call: Call, { field }: Difference): AllowedDifference | undefined {
  const route = `${call.method} ${call.path}`;
  return allowedDifferences.find(
    (row) =>
      row.route === route &&
      row.calls.includes(call.label) &&
      (row.fields.includes('answer') || row.fields.includes(field)),
  );
}
