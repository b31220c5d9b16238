/** Where Rondo answers otherwise than MLflow's own server on purpose. Every other difference fails the test. */
import type { Answer, Difference } from './answer-differences.ts';
import type { Call } from './call.ts';

export type Exchange = { readonly call: Call; readonly ours: Answer; readonly theirs: Answer };

export type AllowedDifference = {
  readonly route: string;
  /** The labels of the calls that show it; `*` is any text, for calls that chance makes. */
  readonly calls: readonly string[];
  /** What differs: `status`, or fields of the body. Never all of it. */
  readonly fields: readonly string[];
  readonly ours: string;
  readonly theirs: string;
  readonly reason: string;
  /** Of calls that chance makes: which differences these are. Without it every wrong answer to such a call would be allowed. */
  readonly when?: (difference: Difference, exchange: Exchange) => boolean;
};

const api = '/api/2.0/mlflow';
const files = '/api/2.0/mlflow-artifacts/artifacts/1/RUN_A_/artifacts';
const searchRuns = `POST ${api}/runs/search`;
const searchModels = `POST ${api}/logged-models/search`;
/** What follows from another error code. */
const code = ['status', 'error_code', 'sqlstate', 'error_class'];
/** What a refusal says. */
const words = ['error_code', 'message', 'sqlstate', 'error_class'];
const refusal = ['status', ...words];
const clientsMistake = "A client's mistake is no failure of the server: clients would retry it.";
const wronglyTyped = 'What was meant cannot be known, and is not guessed.';

const codeOf = ({ body }: Answer): unknown => (body as { error_code?: unknown } | null)?.error_code; // undefined for any other JSON
const tellsSql: AllowedDifference['when'] = ({ theirs }) => String(theirs).includes('sqlite3');
const isNaNToUs = (theirs: unknown) => (difference: Difference) =>
  difference.ours === 'NaN' && JSON.stringify(difference.theirs) === JSON.stringify(theirs);
const quotesTheClause: AllowedDifference['when'] = ({ ours, theirs }) =>
  String(ours) === String(theirs).replace(/^(Invalid clause\(s\) in filter string: )(.*)$/s, "$1'$2'");

export const allowedDifferences: readonly AllowedDifference[] = [
  {
    route: `POST ${api}/experiments/create`,
    calls: ['an experiment of a taken name', 'create a random experiment*'],
    fields: ['message'],
    ours: 'says that the name is taken',
    theirs: 'adds the SQL statement that failed',
    reason: 'Tables are not part of an answer.',
    when: tellsSql,
  },
  {
    route: `POST ${api}/experiments/update`,
    calls: ['rename an experiment to a taken name', 'rename a random experiment*'],
    fields: ['message'],
    ours: 'says that the name is taken',
    theirs: 'the SQL statement that failed',
    reason: 'Tables are not part of an answer.',
    when: tellsSql,
  },
  {
    route: `POST ${api}/registered-models/rename`,
    calls: ['rename a model to a taken name', 'rename a random model*'],
    fields: ['message'],
    ours: 'says that the name is taken',
    theirs: 'adds the SQL statement that failed',
    reason: 'Tables are not part of an answer.',
    when: tellsSql,
  },
  {
    route: `POST ${api}/experiments/update`,
    calls: ['rename a deleted experiment', 'rename a random experiment*'],
    fields: code,
    ours: '400',
    theirs: '500',
    reason: clientsMistake,
    when: (_, { theirs }) => codeOf(theirs) === 'INVALID_STATE',
  },
  {
    route: searchRuns,
    calls: ['duplicate order'],
    fields: code,
    ours: '400',
    theirs: '500',
    reason: clientsMistake,
  },
  {
    route: `POST ${api}/model-versions/transition-stage`,
    calls: ['archive others from Archived', 'stage a random version*'],
    fields: code,
    ours: '400',
    theirs: '500',
    reason: clientsMistake,
    when: (_, { theirs }) => codeOf(theirs) === 'INTERNAL_ERROR',
  },
  {
    route: searchRuns,
    calls: ['filter with OR', 'filter in parentheses', 'filter with NOT'],
    fields: [...refusal, 'runs'],
    ours: 'finds the runs',
    theirs: '400',
    reason: 'OR, NOT and parentheses are a superset of the grammar.',
  },
  {
    route: searchRuns,
    calls: ["filter params.p IN ('A')", "filter status IN ('RUNNING')", "filter start_time >= '1970-01-01'"],
    fields: [...refusal, 'runs'],
    ours: 'finds the runs',
    theirs: '400',
    reason: 'Lists of any text, and dates for times, are a superset of the grammar.',
  },
  {
    route: `GET ${api}/model-versions/search`,
    calls: ['search versions by age'],
    fields: [...refusal, 'model_versions'],
    ours: 'finds the versions',
    theirs: '400',
    reason: 'Times may be compared wherever there are some.',
  },
  {
    route: searchModels,
    calls: ['search logged models by a text in double quotes', 'search random logged models*'],
    fields: ['models'],
    ours: 'a text in double quotes is that text, as in every other search',
    theirs: 'looks for it with its quotes',
    reason: 'One grammar for all searches.',
    when: ({ theirs }, { call }) => theirs === undefined && JSON.stringify(call.body).includes('\\"'),
  },
  {
    route: searchRuns,
    calls: ['a filter of blanks'],
    fields: [...refusal, 'runs'],
    ours: 'finds every run',
    theirs: '400',
    reason: 'A filter that says nothing asks for nothing.',
  },
  {
    route: searchRuns,
    calls: ['filter metrics.m > 0 metrics.m < 1'],
    fields: [...refusal, 'runs'],
    ours: '400',
    theirs: 'reads them as if AND stood between',
    reason: 'A word is missing: the filter is not what was meant.',
  },
  {
    route: searchRuns,
    calls: ['filter AND', 'filter metrics.m > 0 AND'],
    fields: [...refusal, 'runs'],
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
    calls: [
      'search logged models with a bad operator',
      'search logged models with a bad prefix',
      'search random logged models with * as filter',
    ],
    fields: ['message'],
    ours: 'the words that searches of runs use',
    theirs: 'other words for the same',
    reason: 'One grammar, one wording.',
    when: ({ theirs }) => !/parameter/.test(String(theirs)),
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
      'search random versions*',
    ],
    fields: ['model_versions[].aliases'],
    ours: 'versions with their aliases',
    theirs: 'without',
    reason: 'Who looks for the version that serves needs them.',
    when: ({ theirs }) => theirs === undefined,
  },
  {
    route: `GET ${api}/model-versions/search`,
    calls: ['search versions by a word', 'search random versions with * as filter'],
    fields: ['message'],
    ours: 'the clause in quotes, as searches of runs say it',
    theirs: 'the clause without quotes',
    reason: 'One grammar, one wording.',
    when: quotesTheClause,
  },
  {
    route: `GET ${api}/registered-models/search`,
    calls: ['search models by a word', 'search random models with * as filter'],
    fields: ['message'],
    ours: 'the clause in quotes, as searches of runs say it',
    theirs: 'the clause without quotes',
    reason: 'One grammar, one wording.',
    when: quotesTheClause,
  },
  {
    route: `* ${api}/experiments/search`,
    calls: ['search experiments by a word', 'search random experiments* with * as filter'],
    fields: ['message'],
    ours: 'the clause in quotes, as searches of runs say it',
    theirs: 'the clause without quotes',
    reason: 'One grammar, one wording.',
    when: quotesTheClause,
  },
  {
    route: `* ${api}/experiments/search`,
    calls: ['search experiments with a fraction as size', 'search random experiments* with * as *'],
    fields: ['message'],
    ours: 'names the field that is wrong',
    theirs: 'names `view_type`, which is right',
    reason: 'The wrong field is what has to be corrected.',
    when: ({ theirs }) => String(theirs).includes("parameter 'view_type'"),
  },
  {
    route: `GET ${api}/logged-models/*`,
    calls: ['a model with a metric that is not a number', 'get a random logged model'],
    fields: ['model.data.metrics[].value'],
    ours: '"NaN"',
    theirs: '0',
    reason: 'A loss that is not a number is not the best of all.',
    when: isNaNToUs(0),
  },
  {
    route: `PATCH ${api}/logged-models/*`,
    calls: ['finalize a model with a metric that is not a number', 'finalize a random logged model'],
    fields: ['model.data.metrics[].value'],
    ours: '"NaN"',
    theirs: '0',
    reason: 'A loss that is not a number is not the best of all.',
    when: isNaNToUs(0),
  },
  {
    route: searchModels,
    calls: [
      'search logged models with a metric that is not a number',
      'search logged models by a metric that is not a number',
      'search random logged models*',
    ],
    fields: ['models[].data.metrics[].value'],
    ours: '"NaN"',
    theirs: '0',
    reason: 'A loss that is not a number is not the best of all.',
    when: isNaNToUs(0),
  },
  {
    route: `POST ${api}/runs/outputs`,
    calls: ['outputs again', 'a random output'],
    fields: refusal,
    ours: 'changes nothing',
    theirs: 'the SQL statement that failed',
    reason: 'A client that got no answer sends its request again.',
    when: (_, { ours, theirs }) =>
      ours.status === 200 && codeOf(ours) === undefined && JSON.stringify(theirs.body).includes('sqlite3'),
  },
  {
    route: `POST ${api}/runs/log-*`,
    calls: ['a metric of an unknown model', 'measure a random logged model*'],
    fields: ['message'],
    ours: 'says which model is not there',
    theirs: 'the SQL statement that failed',
    reason: 'Tables are not part of an answer.',
    when: tellsSql,
  },
  {
    route: `POST ${api}/experiments/create`,
    calls: ['an experiment with a tag twice'],
    fields: [...refusal, 'experiment_id'],
    ours: 'the last value of the tag, as for models and runs',
    theirs: 'says that the name is taken, with the SQL statement that failed',
    reason: 'The name is not taken.',
  },
  {
    route: `POST ${api}/runs/create`,
    calls: ['a run with a tag twice'],
    fields: [...refusal, 'run'],
    ours: 'the last value of the tag, as a batch has it',
    theirs: 'the SQL statement that failed',
    reason: 'A tag that is set twice has its last value everywhere else.',
  },
  {
    route: `POST ${api}/experiments/create`,
    calls: ['an experiment with a text as tag'],
    fields: ['message'],
    ours: 'names the tag that is none',
    theirs: 'names the key that it made up for it',
    reason: 'What the client sent is what it has to correct.',
  },
  {
    route: `POST ${api}/logged-models/MODEL_1_/params`,
    calls: ['change a param of a logged model'],
    fields: ['error_code', 'message'],
    ours: 'says that params do not change',
    theirs: 'the SQL statement that failed',
    reason: 'Tables are not part of an answer.',
  },
  {
    route: `POST ${api}/runs/create`,
    calls: ['a run with a list as user', 'a run with a text as tags', 'a run with a text as tag'],
    fields: [...refusal, 'run'],
    ours: '400',
    theirs: 'makes the run without it, and without what stands after it',
    reason: wronglyTyped,
  },
  {
    route: `POST ${api}/runs/log-metric`,
    calls: ['a point at a flag', 'a point at half past'],
    fields: refusal,
    ours: '400',
    theirs: 'stores the point at 0',
    reason: wronglyTyped,
  },
  {
    route: `POST ${api}/runs/log-metric`,
    calls: ['a point at a list', 'a point of an object'],
    fields: [...refusal, 'text'],
    ours: '400',
    theirs: 'a page of HTML with 500',
    reason: clientsMistake,
  },
  {
    route: `POST ${api}/runs/log-batch`,
    calls: ['a batch with a text as param'],
    fields: [...refusal, 'text'],
    ours: '400',
    theirs: 'a page of HTML with 500',
    reason: clientsMistake,
  },
  {
    route: `POST ${api}/runs/log-batch`,
    calls: ['a batch with null as params'],
    fields: ['status', 'text'],
    ours: 'logs the rest',
    theirs: 'a page of HTML with 500',
    reason: 'Null is absent, as everywhere else.',
  },
  {
    route: searchRuns,
    calls: ['search runs with a fraction as size', 'search runs with a number as view'],
    fields: [...refusal, 'runs', 'next_page_token'],
    ours: '400',
    theirs: 'searches without it',
    reason: wronglyTyped,
  },
  {
    route: searchRuns,
    calls: ['a list for a request'],
    fields: refusal,
    ours: '400',
    theirs: 'searches nowhere',
    reason: wronglyTyped,
  },
  {
    route: searchRuns,
    calls: ['broken JSON twice over'],
    fields: [...refusal, 'text'],
    ours: '400',
    theirs: 'a page of HTML with 500',
    reason: clientsMistake,
  },
  {
    route: `POST ${api}/experiments/search`,
    calls: ['search experiments with a list as view'],
    fields: [...refusal, 'text'],
    ours: '400',
    theirs: 'a page of HTML with 500',
    reason: clientsMistake,
  },
  {
    route: 'POST /ajax-api/2.0/mlflow/experiments/search-datasets',
    calls: ['search datasets of a text'],
    fields: ['message'],
    ours: 'names the type that is wrong',
    theirs: 'says that the field is missing',
    reason: 'The field is there.',
  },
  {
    route: `PATCH ${api}/logged-models/MODEL_1_/tags`,
    calls: ['tag a logged model with a text'],
    fields: refusal,
    ours: '400',
    theirs: 'sets no tag',
    reason: wronglyTyped,
  },
  {
    route: `PATCH ${api}/logged-models/MODEL_1_`,
    calls: ['finalize with a list as status'],
    fields: [...refusal, 'text'],
    ours: '400',
    theirs: 'a page of HTML with 500',
    reason: clientsMistake,
  },
  {
    route: searchModels,
    calls: ['search logged models with a list as size'],
    fields: [...refusal, 'text'],
    ours: '400',
    theirs: 'a page of HTML with 500',
    reason: clientsMistake,
  },
  {
    route: `GET ${api}/metrics/get-history`,
    calls: ['history with a text as size'],
    fields: refusal,
    ours: '400',
    theirs: 'answers as without it',
    reason: wronglyTyped,
  },
  {
    route: 'GET /ajax-api/2.0/mlflow/metrics/get-history-bulk',
    calls: ['bulk history with a text as size'],
    fields: [...refusal, 'text'],
    ours: '400',
    theirs: 'a page of HTML with 500',
    reason: clientsMistake,
  },
  {
    route: 'GET /model-versions/get-artifact',
    calls: ['artifact of a version without path', 'download from an unknown random version with nothing as path'],
    fields: [...words, 'text'],
    ours: 'JSON',
    theirs: 'a page of HTML',
    reason: 'Clients read JSON.',
  },
  {
    route: `POST ${api}/model-versions/create`,
    calls: ['a version from a path below', 'create a random version with a text as source'],
    fields: ['message'],
    ours: 'the source as it was sent',
    theirs: "the source below the server's own folder",
    reason: 'Where the server was started is nothing to tell.',
    when: ({ theirs }) => /source: '\//.test(String(theirs)),
  },
  {
    route: `GET ${api}/metrics/get-history`,
    calls: ['history of an unknown run', 'get a random history*'],
    fields: refusal,
    ours: '404',
    theirs: 'an empty list',
    reason: 'A mistyped run is not a run without metrics.',
    when: (_, { ours, theirs }) => codeOf(ours) === 'RESOURCE_DOES_NOT_EXIST' && theirs.status === 200,
  },
  {
    route: 'GET /ajax-api/2.0/mlflow/metrics/get-history-bulk',
    calls: ['bulk history with NaN', 'get a random bulk history*'],
    fields: ['metrics[].value'],
    ours: '"NaN"',
    theirs: 'NaN',
    reason: 'A bare NaN is no JSON: browsers cannot read the answer.',
    when: isNaNToUs({ python: 'NaN' }),
  },
  {
    route: `POST ${api}/runs/create`,
    calls: ['create a run at half past'],
    fields: [...refusal, 'run'],
    ours: '400',
    theirs: 'starts the run at 0',
    reason: 'A time that cannot be kept is refused, not replaced.',
  },
  {
    route: `POST ${api}/runs/create`,
    calls: ['create a run without anything'],
    fields: [...refusal, 'run'],
    ours: 'a run of the default experiment',
    theirs: "an error of the database's",
    reason: 'Nothing is wrong with the request.',
  },
  {
    route: `POST ${api}/runs/log-metric`,
    calls: ['log a time too big'],
    fields: refusal,
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
    fields: refusal,
    ours: 'sets the tag',
    theirs: '400',
    reason: 'JSON of protocol buffers has both spellings; MLflow reads camelCase where no field is required.',
  },
  {
    route: `POST ${api}/webhooks`,
    calls: ['create a webhook of an event twice'],
    fields: [...refusal, 'webhook'],
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
    fields: [...refusal, 'text'],
    ours: '400 that names the events there are',
    theirs: 'a page of HTML with 500',
    reason: clientsMistake,
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
    fields: [...refusal, 'webhook'],
    ours: '400',
    theirs: 'makes a webhook that can reach nobody',
    reason: 'There is no such port.',
  },
  {
    route: `POST ${api}/webhooks`,
    calls: ['create a webhook at a name of this host'],
    fields: [...refusal, 'webhook'],
    ours: 'makes it: what a name resolves to is judged when a delivery connects',
    theirs: '400: resolves the name',
    reason: 'A name may resolve to something else a moment later, and a receiver that is down now is no mistake.',
  },
  {
    route: `PUT ${files}/h/a%23b.txt`,
    calls: ['put with a number sign'],
    fields: [...refusal, 'text'],
    ours: 'stores the file',
    theirs: '400',
    reason: 'Whoever encodes the sign means it: it is a name like any other.',
  },
  {
    route: `GET ${files}/h/a%23b.txt`,
    calls: ['get with a number sign'],
    fields: [...refusal, 'text'],
    ours: 'the file',
    theirs: '400',
    reason: 'Whoever encodes the sign means it: it is a name like any other.',
  },
  {
    route: `PUT ${files}/a%5Cb.txt`,
    calls: ['put with a backslash'],
    fields: [...refusal, 'text'],
    ours: '400',
    theirs: 'stores the file',
    reason: 'A client on Windows reads the name as a path, and writes elsewhere than it was told to.',
  },
  {
    route: `PUT ${files}/c%3Ax.txt`,
    calls: ['put with a drive letter'],
    fields: [...refusal, 'text'],
    ours: '400',
    theirs: 'stores the file',
    reason: 'A client on Windows reads the name as one on another drive, and writes elsewhere than it was told to.',
  },
  {
    route: `PUT ${files}/a%09b.txt`,
    calls: ['put with a tab'],
    fields: [...refusal, 'text'],
    ours: '400',
    theirs: 'stores the file',
    reason: 'Nobody sees control characters in a name, and not every system takes them.',
  },
  {
    route: `GET ${files}/..%252f..%252fx.txt`,
    calls: ['get above, encoded twice'],
    fields: ['status', 'error_code', 'error_class', 'message'],
    ours: '404',
    theirs: '400',
    reason: 'Names are decoded once; what comes out is a name that no file has.',
  },
  {
    route: `GET ${files}/d`,
    calls: ['get a folder'],
    fields: [...words, 'detail'],
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
    fields: [...words, 'text'],
    ours: 'JSON with ENDPOINT_NOT_FOUND',
    theirs: 'a page of HTML',
    reason: 'Clients read JSON.',
  },
  {
    route: `DELETE ${api}/runs/search`,
    calls: ['wrong verb'],
    fields: [...words, 'text'],
    ours: 'JSON',
    theirs: 'a page of HTML',
    reason: 'Clients read JSON.',
  },
];

/** @returns the row that allows it */
export function allowanceFor(exchange: Exchange, difference: Difference): AllowedDifference | undefined {
  const { method, path, label } = exchange.call;
  return allowedDifferences.find(
    ({ route, calls, fields, when }) =>
      isOf(route, `${method} ${path}`) &&
      calls.some((one) => isOf(one, label)) &&
      fields.includes(difference.field) &&
      (when === undefined || when(difference, exchange)),
  );
}

const isOf = (pattern: string, text: string): boolean => {
  const [start = '', ...parts] = pattern.split('*');
  const end = parts.pop();
  if (end === undefined) return pattern === text;
  if (!text.startsWith(start)) return false;
  let at = start.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - end.length >= at && text.endsWith(end);
};
