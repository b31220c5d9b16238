import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PlatformError } from '../errors.ts';
import { experimentVocabulary, readFilter, runVocabulary, versionVocabulary } from './search-clause.ts';
import { type Comparison, type Filter, mapFilter, parseFilter } from './search-grammar.ts';
import { parseOrder } from './search-order.ts';
import { timeOf } from './search-time.ts';

const clauses = (text: string) => {
  const filter = readFilter(runVocabulary, text);
  return filter && shown(filter);
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
  assert.deepEqual(clauses("tags.'my tag'='a' AND `params`.`x y` = 'b' AND params.'' != 'c'"), [
    'all',
    'my tag = a',
    'x y = b',
    ' != c',
  ]);
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
  assert.equal(clauses('start_time = 1700000000000000001'), 'start_time = 1700000000000000001'); // nanoseconds
  assert.equal(clauses('start_time < 9223372036854775808'), 'start_time < 9223372036854776000'); // no 64 bits hold it
});

test('a mistake is named as MLflow names it, with its place', () => {
  assert.deepEqual(failure("params.p NOT LIKE 'x'"), {
    message: "Invalid comparator 'NOT LIKE' not one of '{'=', '!=', 'LIKE', 'ILIKE', 'IS NULL', 'IS NOT NULL'}'",
    position: 0,
  });
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

test('a mistake is shown in what stands around it', () => {
  const long = `params.${'a'.repeat(60)} = 'x' AND metrics.m\n> 'y' AND params.${'b'.repeat(60)} = 'z'`;
  assert.throws(() => readFilter(runVocabulary, long), {
    at: [
      {
        pointer: '/filter',
        message: [
          `at character ${long.indexOf("'y'") + 1}`,
          `    …${'a'.repeat(17)} = 'x' AND metrics.m > 'y' AND params.${'b'.repeat(25)}…`,
          `    ${' '.repeat(41)}^`,
        ].join('\n'),
      },
    ],
  });
});

test('a tree that is written out and read again is the same tree', () => {
  type Tree = Filter<string>;
  const name = fc.constantFrom(
    'params.p',
    'metrics.`a b`',
    'tags."x.y"',
    'attributes.run_id',
    'notes',
    'ORder',
    'run.`NOT`',
  );
  const text = fc.string({ maxLength: 8 }).map((value) => `'${value.replace(/['\\]/g, '')}'`);
  const value = fc.oneof(
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.bigInt().map(String),
  );
  const list = fc.array(text, { minLength: 1, maxLength: 3 }).map((items) => `(${items.join(', ')})`);
  const spaced = (words: fc.Arbitrary<readonly string[]>) => words.map((parts) => parts.join(' '));
  const leaf = fc
    .oneof(
      spaced(fc.tuple(name, fc.constantFrom('=', '!=', '<', '<=', '>', '>=', 'LIKE', 'ILIKE'), value)),
      spaced(fc.tuple(name, fc.constantFrom('IN', 'NOT IN'), list)),
      spaced(fc.tuple(name, fc.constantFrom('IS NULL', 'IS NOT NULL'))),
    )
    .map((clause): Tree => ({ kind: 'is', clause }));
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      leaf,
      tie('tree').map((of): Tree => ({ kind: 'not', of })),
      fc
        .tuple(fc.constantFrom('all' as const, 'any' as const), fc.array(tie('tree'), { minLength: 2, maxLength: 4 }))
        .map(([kind, of]): Tree => ({ kind, of })),
    ),
  }));
  const written = (filter: Tree): string => {
    if (filter.kind === 'is') return filter.clause;
    if (filter.kind === 'not') return `NOT (${written(filter.of)})`;
    return filter.of.map((part) => `(${written(part)})`).join(filter.kind === 'all' ? ' AND ' : '\tor ');
  };
  const wording = ({ name, comparator, value }: Comparison): string => `${name} ${comparator} ${value.text}`.trim();
  fc.assert(
    fc.property(tree, (filter) => {
      const read = parseFilter(written(filter));
      assert.deepEqual(read && mapFilter(read, wording), filter);
    }),
  );
});

test('whatever is asked for, the answer is a filter or a place in it', () => {
  const piece = fc.constantFrom(
    'NOT',
    '(',
    ')',
    'AND',
    'or',
    'params.p',
    '=',
    "'a'",
    'IN',
    "('a')",
    ',',
    '1',
    'IS',
    'NULL',
    "'",
    '"',
    '`',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((pieces) => pieces.join(' ')),
      ),
      (filter) => {
        try {
          readFilter(runVocabulary, filter);
        } catch (error) {
          assert.ok(error instanceof PlatformError);
          const position = Number(error.data?.position);
          assert.ok(position >= 0 && position <= filter.length);
        }
      },
    ),
    { numRuns: 1_000 },
  );
});

test('a filter that is too long, too deep or too wide is refused as such', () => {
  const condition = "params.p = 'a'";
  const deep = (levels: number) => `${'('.repeat(levels)}${condition}${')'.repeat(levels)}`;
  const wide = (count: number) => Array(count).fill(condition).join(' OR ');
  const listed = (count: number) => `run_id IN (${Array(count).fill("'a'").join(',')})`;
  assert.match(failure(`params.p = '${'a'.repeat(1_000_000)}'`).message, /^The filter has 1000013 characters; at most/);
  assert.deepEqual(failure(deep(10_000)), { message: 'The filter is nested deeper than 100 levels.', position: 101 });
  assert.match(failure(`${'NOT '.repeat(10_000)}${condition}`).message, /nested deeper/);
  assert.match(failure(wide(101)).message, /more than 100 comparisons/);
  assert.match(failure(listed(20_001)).message, /more than 20000 values/);
  assert.match(failure(`params.p LIKE '${'%a'.repeat(30_000)}'`).message, /at most 40000 are compared/);
  for (const filter of [deep(100), wide(100), listed(20_000)]) clauses(filter);
});

test('dates are times in UTC unless they say otherwise, and only where times are compared', () => {
  const at = Date.UTC(2026, 10, 1);
  assert.equal(clauses("start_time >= '2026-11-01'"), `start_time >= ${at}`);
  assert.equal(clauses('attributes.end_time < "2026-11-01 01:30+01:30"'), `end_time < ${at}`);
  assert.equal(timeOf('2026-11-01T00:00:00.250Z'), at + 250);
  for (const text of ['2026-02-30', '2026-13-01', '2026-1-1', '10', '', '2026-11-01T25:00', '2026-11-01T00:00:00+2'])
    assert.equal(timeOf(text), undefined, text);
  assert.match(failure("start_time = '2026-02-30'").message, /^Expected numeric value type for numeric attribute/);
  assert.match(failure("metrics.m > '2026-11-01'").message, /^Expected numeric value type for metric/);
  for (const vocabulary of [experimentVocabulary, versionVocabulary]) {
    const [time = ''] = vocabulary.times;
    assert.deepEqual(readFilter(vocabulary, `${time} > '2026-11-01'`), {
      kind: 'is',
      clause: { entity: 'attribute', key: time, comparator: '>', value: BigInt(at) },
    });
  }
});

test('texts and numbers may be compared with a list', () => {
  assert.equal(clauses("params.p IN ('a', 'b')"), 'p IN a,b');
  assert.equal(clauses("status NOT IN ('FAILED')"), 'status NOT IN FAILED');
  assert.match(failure("params.p IN 'a'").message, /^Expected a list of quoted string values/);
  assert.match(failure("run_id = ('a')").message, /^Expected a quoted string value for attributes/);
  assert.equal(clauses("start_time IN (5, '1970-01-02')"), 'start_time IN 5,86400000');
  assert.equal(clauses('metrics.m NOT IN (0.5, -1)'), 'm NOT IN 0.5,-1');
  assert.deepEqual(failure("metrics.m IN (1, '2')"), {
    message: "Expected numeric value type for metric. Found '2'",
    position: 17,
  });
  assert.match(failure('metrics.m IN 1').message, /^Invalid comparator 'IN'/);
  assert.deepEqual(failure("params.p IN ('a', 1)").position, 18);
});

test('an order names one thing', () => {
  assert.deepEqual(parseOrder(runVocabulary, 'metrics.`a, b` desc'), {
    entity: 'metric',
    key: 'a, b',
    ascending: false,
  });
  assert.deepEqual(parseOrder(runVocabulary, '`metrics`.m'), { entity: 'metric', key: 'm', ascending: true });
  for (const clause of ['metrics.m,params.p', 'metrics.m, params.p', 'metrics.m;', ',', '']) {
    const message = `Invalid order_by clause '${clause}'. Could not be parsed.`;
    assert.throws(() => parseOrder(runVocabulary, clause), { code: 'tracking/invalid', message });
  }
});
