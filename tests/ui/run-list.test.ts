/** What the run list computes in the browser, without one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wallMoment } from '../../ui/src/format.ts';
import { complete, type Known } from '../../ui/src/pages/runs/filter-completion.ts';
import { countRows, placeOf } from '../../ui/src/pages/runs/rows.ts';
import { field, nextOrder, searchOf, viewOf } from '../../ui/src/pages/runs/view.ts';

const known: Known = {
  metrics: ['auc', 'val loss'],
  params: ['depth'],
  tags: ['team'],
  days: ['2026-11-24'],
  values: (kind, key) => (kind === 'params' && key === 'depth' ? ['4', '6'] : ["it's"]),
};
const options = (text: string, caret = text.length) =>
  complete(text, caret, known).options.map((option) => option.text);

test('a filter begins with a field, and offers the keys that the runs have', () => {
  assert.deepEqual(options('').slice(0, 3), ['metrics.auc', 'metrics.`val loss`', 'params.depth']);
  assert.deepEqual(options('metrics.v'), ['metrics.`val loss`']);
  assert.deepEqual(options('dep'), ['params.depth']);
  assert.deepEqual(options('params.depth'), [], 'what stands there already is no proposal');
});

test('after a field come its comparators, after those its values, then AND and OR', () => {
  assert.deepEqual(options('metrics.auc '), ['>', '>=', '<', '<=', '=', '!=', 'IN', 'NOT IN']);
  assert.ok(options('params.depth ').includes('NOT IN'));
  assert.deepEqual(options("params.depth = '"), ["'4'", "'6'"]);
  assert.deepEqual(options("params.depth = '6"), ["'6'"]);
  assert.deepEqual(options('tags.team = '), ['"it\'s"'], 'a value with a quote takes the other kind');
  assert.deepEqual(options('attributes.status = FIN'), ["'FINISHED'"]);
  assert.deepEqual(options('start_time >= '), ["'2026-11-24'"]);
  assert.deepEqual(options('metrics.auc > 0.6 '), ['AND', 'OR']);
});

test('a moment of another year than this says which', () => {
  const year = new Date().getFullYear();
  const at = (of: number) => wallMoment(new Date(of, 0, 5, 7, 3).getTime());
  assert.deepEqual([at(year), at(year - 1)], ['5 Jan 07:03', `5 Jan ${year - 1} 07:03`]);
});

test('lists, IS NULL and parentheses are followed', () => {
  assert.deepEqual(options('params.depth IN '), ['(']);
  assert.deepEqual(options("params.depth IN ('4', "), ["'4'", "'6'"]);
  assert.deepEqual(options("params.depth IN ('4' "), [',', ')']);
  assert.deepEqual(options("params.depth NOT IN ('4') "), ['AND', 'OR']);
  assert.deepEqual(options('params.depth IS '), ['NULL', 'NOT NULL']);
  assert.deepEqual(options('(metrics.auc > 0.6 OR NOT dep'), ['params.depth']);
});

test('an option replaces the word under the caret, wherever it stands', () => {
  const text = "metrics.a > 0.6 AND params.depth = '6'";
  const { from, to, options } = complete(text, 'metrics.a'.length, known);
  assert.deepEqual([text.slice(from, to), options[0]?.text], ['metrics.a', 'metrics.auc']);
});

type List = { readonly total: number; readonly open: ReadonlyMap<number, List> };
const closed = (total: number): List => ({ total, open: new Map() });

test('rows of lists within lists are found from the number of the row', () => {
  const folds = closed(2);
  const sweep: List = { total: 3, open: new Map([[1, folds]]) };
  const root: List = {
    total: 100_000,
    open: new Map([
      [1, sweep],
      [50_000, closed(4)],
    ]),
  };
  assert.equal(countRows(root), 100_009);
  const at = (row: number) => {
    const { list, index, level } = placeOf(root, row);
    return [list === root ? 'root' : list === sweep ? 'sweep' : list === folds ? 'folds' : 'other', index, level];
  };
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 7].map(at), [
    ['root', 0, 0],
    ['root', 1, 0],
    ['sweep', 0, 1],
    ['sweep', 1, 1],
    ['folds', 0, 2],
    ['folds', 1, 2],
    ['sweep', 2, 1],
    ['root', 2, 0],
  ]);
  assert.deepEqual(at(50_005), ['root', 50_000, 0]);
  assert.deepEqual(at(50_006), ['other', 0, 1]);
  assert.deepEqual(at(100_008), ['root', 99_999, 0]);
});

test('a view comes back from its address as it was', () => {
  const view = viewOf({
    filter: 'metrics.auc > 1',
    columns: 'started,metrics.auc',
    open: ['=a,b', 'none'],
    selected: 'x,y',
  });
  assert.deepEqual(
    [view.nested, view.columns, view.open, view.selected],
    [false, ['started', 'metrics.auc'], ['=a,b', 'none'], ['x', 'y']],
  );
  assert.deepEqual(viewOf(searchOf(view, {})), view);
  assert.deepEqual(
    searchOf({ filter: '', selected: [], columns: undefined }, { filter: 'a', selected: 'x', columns: 'started' }),
    {},
  );
  assert.equal(viewOf({}).nested, true);
});

test('a heading sorts one way, then the other, then not', () => {
  const of = field('metrics', 'val loss');
  assert.equal(of, 'metrics.`val loss`');
  assert.equal(nextOrder('', of, 'DESC'), `${of} DESC`);
  assert.equal(nextOrder(`${of} DESC`, of, 'DESC'), `${of} ASC`);
  assert.equal(nextOrder(`${of} ASC`, of, 'DESC'), '');
});
