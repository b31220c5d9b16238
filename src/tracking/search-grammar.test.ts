import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlatformError } from '../errors.ts';
import { resolve, runVocabulary } from './search-clause.ts';
import { type Filter, mapFilter, parseFilter } from './search-grammar.ts';

const clauses = (text: string) => {
  const parsed = parseFilter(text);
  return parsed && shown(mapFilter(parsed, (comparison) => resolve(runVocabulary, comparison)));
};

/** A tree as nested lists, short enough to compare. */
function shown<C extends { readonly key: string; readonly comparator: string; readonly value: unknown }>(
  filter: Filter<C>,
): unknown {
  if (filter.kind === 'is') return `${filter.clause.key} ${filter.clause.comparator} ${String(filter.clause.value)}`;
  return filter.kind === 'not' ? ['not', shown(filter.of)] : [filter.kind, ...filter.of.map(shown)];
}

const failure = (text: string): { message: string; position: unknown } => {
  try {
    clauses(text);
  } catch (error) {
    if (error instanceof PlatformError) return { message: error.message, position: error.data?.position };
    throw error;
  }
  throw new Error(`${text} was accepted`);
};

test('comparisons are joined by AND, names may be quoted and have dots', () => {
  assert.deepEqual(clauses('metrics.`val loss` < 0.5 and tags.mlflow.runName = "a" AND `run name` != \'b\''), [
    'all',
    'val loss < 0.5',
    'mlflow.runName = a',
    'run_name != b',
  ]);
  assert.equal(clauses('   '), undefined);
});

test('AND binds closer than OR, NOT closer than both, and parentheses closest', () => {
  assert.deepEqual(clauses("params.a = '1' OR params.b = '2' AND NOT params.c = '3'"), [
    'any',
    'a = 1',
    ['all', 'b = 2', ['not', 'c = 3']],
  ]);
  assert.deepEqual(clauses("(params.a = '1' OR params.b = '2') AND params.c = '3'"), [
    'all',
    ['any', 'a = 1', 'b = 2'],
    'c = 3',
  ]);
});

test('lists, LIKE and IS NULL', () => {
  assert.deepEqual(clauses("run_id NOT IN ('a', \"b\") AND params.x like 'y%' and tags.t is not null"), [
    'all',
    'run_id NOT IN a,b',
    'x LIKE y%',
    't IS NOT NULL undefined',
  ]);
});

test('whole numbers of time stay exact', () => {
  assert.equal(clauses('start_time > 9007199254740993'), 'start_time > 9007199254740993');
});

test('a mistake is named as MLflow names it, with its place', () => {
  assert.deepEqual(failure("metrics.m = 'x'"), {
    message: "Expected numeric value type for metric. Found 'x'",
    position: 12,
  });
  assert.match(
    failure('params.p = A').message,
    /either not quoted or unidentified quote types used for string value A/,
  );
  assert.match(
    failure("foo.bar = 'x'").message,
    /^Invalid entity type 'foo'\. Valid values are \['metric', 'parameter'/,
  );
  assert.match(failure("params.p == 'A'").message, /^Invalid comparator '==' not one of/);
  assert.match(failure("attribute.foo = 'x'").message, /^Invalid attribute key 'foo' specified\. Valid keys are/);
  assert.match(failure("params.a = '1' params.b = '2'").message, /^Invalid clause\(s\) in filter string: 'params\.b'/);
  assert.equal(failure("params.a = '1' AND").position, 18);
});
