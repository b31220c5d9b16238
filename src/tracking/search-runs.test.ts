/** The search over runs beside a plain evaluation of the same filter and order over the runs themselves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventStore } from '../events/event-store.ts';
import type { Db } from '../storage/database.ts';
import { eachDatabase, type TestDatabase } from '../storage/test-databases.ts';
import { updateRun } from './change-run.ts';
import { createExperiment } from './create-experiment.ts';
import { createRun } from './create-run.ts';
import { experimentStore } from './experiment-store.ts';
import { logBatch } from './log-batch.ts';
import { logInputs } from './log-inputs.ts';
import { loggedModelStore } from './logged-model-store.ts';
import { metricStore } from './metric-store.ts';
import type { Run } from './run.ts';
import { runDetails } from './run-details-store.ts';
import { runInputStore } from './run-input-store.ts';
import { runStore } from './run-store.ts';
import { searchRuns } from './search-runs-store.ts';

/** A filter and what it means. */
type Meaning = { readonly text: string; readonly holds: (run: Run) => boolean };
type Sorting = { readonly text: string; readonly compare: (a: Run, b: Run) => number };

const texts = ['a', 'A', 'ab', 'aB', 'a_b', 'a%b', 'a*b', 'a?b', '[a]', 'x y', 'ü', ''];
const patterns = [...texts, '%', '_', 'a%', 'A%', '%b', 'a_b', '%[a]', '*', '%*%', '?'];
const numbers = [-1.5, 0, 0.5, 1, 2];
const day = 86_400_000;
const firstDay = Date.UTC(2026, 10, 1);

const from = fc.constantFrom;
const quoted = (text: string): string => (text.includes("'") ? `"${text}"` : `'${text}'`);
const numberMatches = {
  '=': (a: number, b: number) => a === b,
  '!=': (a: number, b: number) => a !== b,
  '<': (a: number, b: number) => a < b,
  '<=': (a: number, b: number) => a <= b,
  '>': (a: number, b: number) => a > b,
  '>=': (a: number, b: number) => a >= b,
};
const comparators = Object.keys(numberMatches) as readonly (keyof typeof numberMatches)[]; // its own keys

/** A condition on a text that a run may lack. */
const textCondition = (name: string, textOf: (run: Run) => string | undefined): fc.Arbitrary<Meaning> => {
  const condition = (clause: string, matches: (text: string) => boolean): Meaning => ({
    text: `${name} ${clause}`,
    holds: (run) => {
      const text = textOf(run);
      return text !== undefined && matches(text);
    },
  });
  return fc.oneof(
    from(...texts).map((text) => condition(`= ${quoted(text)}`, (value) => value === text)),
    from(...texts).map((text) => condition(`!= "${text}"`, (value) => value !== text)),
    from(...patterns).map((pattern) => condition(`LIKE ${quoted(pattern)}`, (value) => isLike(value, pattern))),
    from(...patterns).map((pattern) =>
      condition(`ilike ${quoted(pattern)}`, (value) => isLike(lower(value), lower(pattern))),
    ),
    fc
      .array(from(...texts), { minLength: 1, maxLength: 3 })
      .map((list) => condition(`IN (${list.map(quoted).join(', ')})`, (value) => list.includes(value))),
    fc
      .array(from(...texts), { minLength: 1, maxLength: 3 })
      .map((list) => condition(`not in (${list.map(quoted).join(',')})`, (value) => !list.includes(value))),
  );
};

const numberCondition = (
  name: string,
  numberOf: (run: Run) => number | undefined,
  operands: readonly (readonly [text: string, value: number])[],
): fc.Arbitrary<Meaning> => {
  const condition = (clause: string, matches: (value: number) => boolean): Meaning => ({
    text: `${name} ${clause}`,
    holds: (run) => {
      const value = numberOf(run);
      return value !== undefined && matches(value);
    },
  });
  const list = fc.array(from(...operands), { minLength: 1, maxLength: 3 });
  return fc.oneof(
    fc
      .tuple(from(...comparators), from(...operands))
      .map(([comparator, [text, operand]]) =>
        condition(`${comparator} ${text}`, (value) => numberMatches[comparator](value, operand)),
      ),
    fc
      .tuple(list, from(true, false))
      .map(([items, isIn]) =>
        condition(
          `${isIn ? 'IN' : 'NOT IN'} (${items.map(([text]) => text).join(', ')})`,
          (value) => items.some(([, operand]) => operand === value) === isIn,
        ),
      ),
  );
};

const textIn = (list: readonly { readonly key: string; readonly value: string }[], key: string) =>
  list.find((one) => one.key === key)?.value;
const metricOf = (run: Run, key: string) => run.metrics.find((metric) => metric.key === key)?.value;
const endOf = ({ endTime }: Run) => (endTime === undefined ? undefined : Number(endTime));

const dates = [0, 1, 2, 3].flatMap((n): (readonly [string, number])[] => {
  const time = firstDay + n * day;
  const iso = new Date(time).toISOString();
  return [
    [String(time), time],
    [`'${iso.slice(0, 10)}'`, time],
    [`'${iso.slice(0, 10)} 01:00+01:00'`, time],
    [`'${iso}'`, time],
  ];
});
const operands = numbers.map((number) => [String(number), number] as const);

const leaf: fc.Arbitrary<Meaning> = fc.oneof(
  ...['m', 'n'].map((key) => numberCondition(`metrics.${key}`, (run) => metricOf(run, key), operands)),
  ...['p', 'q'].map((key) => textCondition(`params.${key}`, (run) => textIn(run.params, key))),
  textCondition('tags."t 1"', (run) => textIn(run.tags, 't 1')),
  textCondition('attributes.run_name', ({ name }) => name),
  textCondition('user_id', ({ userId }) => userId),
  numberCondition('start_time', ({ startTime }) => Number(startTime), dates),
  numberCondition('attributes.end_time', endOf, dates),
  from('p', 'q').map((key) => ({
    text: `params.${key} IS NULL`,
    holds: (run: Run) => textIn(run.params, key) === undefined,
  })),
  from('t 1').map((key) => ({
    text: `tags.\`${key}\` is not null`,
    holds: (run: Run) => textIn(run.tags, key) !== undefined,
  })),
  from(...texts).map((text) => ({
    text: `dataset.name = ${quoted(text)}`,
    holds: ({ datasets }: Run) => datasets.some(({ dataset }) => dataset.name === text),
  })),
  from(...texts).map((text) => ({
    text: `dataset.context != ${quoted(text)}`,
    holds: ({ datasets }: Run) => datasets.some(({ tags }) => tags.some(({ value }) => value !== text)),
  })),
);

const { filter } = fc.letrec<{ filter: Meaning; branch: Meaning }>((tie) => ({
  branch: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, tie('filter')),
  filter: fc.oneof(
    leaf,
    tie('branch').map(({ text, holds }) => ({ text: `NOT (${text})`, holds: (run: Run) => !holds(run) })),
    fc.array(tie('branch'), { minLength: 2, maxLength: 4 }).map((parts) => ({
      text: parts.map(({ text }) => `(${text})`).join(' AND '),
      holds: (run: Run) => parts.every(({ holds }) => holds(run)),
    })),
    fc.array(tie('branch'), { minLength: 2, maxLength: 3 }).map((parts) => ({
      text: parts.map(({ text }) => `(${text})`).join(' or '),
      holds: (run: Run) => parts.some(({ holds }) => holds(run)),
    })),
  ),
}));

const sorting = (name: string, rankOf: (run: Run) => number, keyOf: (run: Run) => string | number) =>
  from(true, false).map(
    (ascending): Sorting => ({
      text: `${name} ${ascending ? 'ASC' : 'DESC'}`,
      compare: (a, b) => rankOf(a) - rankOf(b) || (ascending ? 1 : -1) * compared(keyOf(a), keyOf(b)),
    }),
  );
const order = fc.uniqueArray(
  fc.oneof(
    ...['m', 'n'].map((key) =>
      sorting(
        `metrics.${key}`,
        (run) => (metricOf(run, key) === undefined ? 2 : Number.isNaN(metricOf(run, key)) ? 1 : 0),
        (run) => metricOf(run, key) || 0,
      ),
    ),
    ...['p', 'q'].map((key) =>
      sorting(
        `params.${key}`,
        (run) => (textIn(run.params, key) === undefined ? 1 : 0),
        (run) => textIn(run.params, key) ?? '',
      ),
    ),
    sorting(
      'start_time',
      () => 0,
      ({ startTime }) => Number(startTime),
    ),
    sorting(
      'end_time',
      (run) => (endOf(run) === undefined ? 1 : 0),
      (run) => endOf(run) ?? 0,
    ),
    sorting(
      'attributes.run_name',
      () => 0,
      ({ name }) => name,
    ),
  ),
  { maxLength: 2, selector: ({ text }) => text.split(' ')[0] },
);

eachDatabase((dialect, open) => {
  test(`${dialect}: a search finds what a plain evaluation finds, in its order, page by page, whichever way it takes`, async () => {
    await using database = await open();
    const experimentIds = await fill(database);
    const ids = (await searchRuns(database.read, { experimentIds, lifecycles: ['active'], offset: 0, limit: 1_000 }))
      .runs;
    const all = await runDetails(
      database.read,
      ids.map(({ id }) => id),
    );
    const size = fc.integer({ min: 1, max: 40 });
    await fc.assert(
      fc.asyncProperty(
        filter,
        order,
        size,
        from(1, 5, 30, 1_000),
        from(0, 5, 1_000),
        async (filter, order, limit, tried, few) => {
          const byOrder = (a: Run, b: Run): number => {
            for (const { compare } of order) if (compare(a, b) !== 0) return compare(a, b);
            return Number(b.startTime) - Number(a.startTime) || compared(a.id, b.id);
          };
          const wanted = all
            .filter(filter.holds)
            .sort(byOrder)
            .map(({ id }) => id);
          const found: string[] = [];
          for (let more = true, offset = 0; more; offset += limit) {
            const search = { filter: filter.text, orderBy: order.map(({ text }) => text), offset, limit };
            const page = await searchRuns(
              database.read,
              { experimentIds, lifecycles: ['active'], ...search },
              { tried, few },
            );
            found.push(...page.runs.map(({ id }) => id));
            more = page.more;
          }
          assert.deepEqual(found, wanted);
        },
      ),
      { numRuns: dialect === 'sqlite' ? 300 : 150 },
    );
  });

  test(`${dialect}: the greatest filters that are read are answered too, and the most mixed`, async () => {
    await using database = await open();
    const experimentIds = await fill(database);
    const condition = 'metrics.m > 0';
    const manyExperiments = [...experimentIds, ...Array.from({ length: 5_000 }, (_, n) => String(n + 1_000))];
    for (const filter of [
      Array(100).fill(condition).join(' AND '),
      Array(100).fill(condition).join(' OR '),
      `${'NOT ('.repeat(50)}${condition}${')'.repeat(50)}`,
      Array(33).fill(`(${condition} OR (${condition} AND NOT (${condition})))`).join(' AND '),
      `${condition} AND ${condition} AND (${condition} OR (${condition} AND status != 'FAILED'))`,
      `${condition} AND run_id NOT IN (${Array(20_000).fill("'a'").join(',')})`,
    ]) {
      for (const room of [{ tried: 5, few: 0 }, undefined]) {
        const search = { experimentIds: manyExperiments, filter, offset: 0, limit: 1, orderBy: ['metrics.m'] };
        const { runs } = await searchRuns(database.read, { ...search, lifecycles: ['active'] }, room);
        assert.equal(runs.length, 1, filter.slice(0, 50));
      }
    }
  });
});

/** 60 runs of two experiments, which lack and share values in many ways. @returns the experiments' ids */
async function fill(database: TestDatabase): Promise<readonly string[]> {
  let ids = 0;
  const stores = (tx: Db) => ({
    experiments: experimentStore(tx),
    runs: runStore(tx),
    metrics: metricStore(tx),
    loggedModels: loggedModelStore(tx),
    inputs: runInputStore(tx),
    events: eventStore(tx),
    now: () => 1_000,
    newId: () => `id${(ids++ * 37) % 101}x${ids}`,
    random: () => 0.5,
  });
  const experiments: string[] = [];
  for (const name of ['one', 'two']) {
    const location = { name, project: 'p', actor: 'owner', artifactRoot: 'mlflow-artifacts:/' };
    experiments.push(await database.write((tx) => createExperiment(stores(tx), location)));
  }
  for (let n = 0; n < 60; n += 1) {
    const text = (of: number) => texts[(n * of) % texts.length] ?? '';
    await database.write(async (tx) => {
      const { id } = await createRun(stores(tx), {
        experimentId: experiments[n % 2] ?? '',
        actor: 'owner',
        name: text(5) || 'unnamed',
        userId: text(7),
        startTime: firstDay + (n % 7) * (day / 2),
      });
      await logBatch(stores(tx), {
        runId: id,
        metrics: [
          ...(n % 5 === 0 ? [] : [{ key: 'm', value: n % 7 === 0 ? Number.NaN : (numbers[n % 4] ?? 0) }]),
          ...(n % 3 === 0 ? [] : [{ key: 'n', value: n / 20 }]),
        ].map((metric) => ({ ...metric, timestamp: n, step: n })),
        params: [
          ...(n % 4 === 0 ? [] : [{ key: 'p', value: text(1) }]),
          ...(n % 2 ? [{ key: 'q', value: text(3) }] : []),
        ],
        tags: n % 3 === 0 ? [{ key: 't 1', value: text(11) }] : [],
      });
      if (n % 6 === 0) {
        const dataset = { name: text(1) || 'd', digest: 'd', sourceType: 's', source: 's' };
        const tags = [{ key: 'mlflow.data.context', value: text(2) }];
        await logInputs(stores(tx), id, { datasets: [{ dataset, tags }], models: [] });
      }
      if (n % 3 === 1)
        await updateRun(stores(tx), {
          runId: id,
          actor: 'owner',
          status: 'FINISHED',
          endTime: firstDay + (n % 4) * day,
        });
    });
  }
  return experiments;
}

/** SQL's LIKE over single bytes or letters alike. */
function isLike(text: string, pattern: string): boolean {
  const source = [...pattern].map((one) => (one === '%' ? '.*' : one === '_' ? '.' : RegExp.escape(one))).join('');
  return new RegExp(`^${source}$`, 'su').test(text);
}

/** ASCII only, as the databases do without a locale. */
const lower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
const compared = <T extends string | number>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);
