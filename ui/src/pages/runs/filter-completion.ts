/** What may come next in a filter, at the caret. Follows the grammar of `src/tracking/search-grammar.ts`. Pure. */
import { field } from './view.ts';

/** What the runs at hand have. */
export type Known = {
  readonly metrics: readonly string[];
  readonly params: readonly string[];
  readonly tags: readonly string[];
  /** Days to begin or end with: `2026-11-24`. */
  readonly days: readonly string[];
  /** Values that a param or tag is known to have. */
  readonly values: (kind: 'params' | 'tags', key: string) => readonly string[];
};

export type Option = { readonly text: string; readonly hint: string };
/** An option replaces the text from `from` to `to`. */
export type Completion = { readonly from: number; readonly to: number; readonly options: readonly Option[] };

type Kind = 'number' | 'time' | 'text' | 'status' | 'id';

const attributes: Readonly<Record<string, Kind>> = {
  status: 'status',
  run_name: 'text',
  start_time: 'time',
  end_time: 'time',
  user_id: 'text',
  run_id: 'id',
  artifact_uri: 'text',
};
const statuses = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'];
const most = 60;

type Expected = 'operand' | 'comparator' | 'value' | 'list' | 'item' | 'separator' | 'null' | 'join';

export function complete(text: string, caret: number, known: Known): Completion {
  const tokens = tokensOf(text.slice(0, caret));
  const last = tokens.at(-1);
  // A word that the caret touches is being typed.
  const typed = last && last.at + last.text.length === caret && /^[\w.'"`]/.test(last.text) ? last : undefined;
  const { expected, name } = follow(typed ? tokens.slice(0, -1) : tokens);
  const from = typed?.at ?? caret;
  const to = from + (typed ? (tokensOf(text.slice(from))[0]?.text.length ?? 0) : 0);
  const sought = (typed?.text ?? '').replace(/[`'"]/g, '').toLowerCase();
  const found = optionsFor(expected, name, known).filter(({ text }) => plain(text).includes(sought));
  const starts = ({ text }: Option) => Number(!plain(text).startsWith(sought) && !plain(text).includes(`.${sought}`));
  const options = found.toSorted((a, b) => starts(a) - starts(b)).slice(0, most);
  // What stands there already is no proposal.
  return { from, to, options: options.length === 1 && options[0]?.text === typed?.text ? [] : options };
}

const plain = (text: string) => text.replace(/[`'"]/g, '').toLowerCase();

type Token = { readonly text: string; readonly at: number };

const pattern = /<>|[<>!=]=|[<>=(),]|'(?:''|[^'])*'?|(?:`[^`]*`?|"[^"]*"?|[\p{L}\p{N}_$@./:+-]+)+/gu;
const tokensOf = (text: string): readonly Token[] =>
  [...text.matchAll(pattern)].map((match) => ({ text: match[0], at: match.index }));

/** Where the grammar stands after these tokens; it forgives what is wrong, the server tells it. */
function follow(tokens: readonly Token[]): { readonly expected: Expected; readonly name: string } {
  let expected: Expected = 'operand';
  let name = '';
  for (const { text } of tokens) {
    const word = text.toUpperCase();
    switch (expected) {
      case 'operand':
        if (word === 'NOT' || word === '(') break;
        name = text;
        expected = 'comparator';
        break;
      case 'comparator':
        if (word === 'NOT') break;
        expected = word === 'IN' ? 'list' : word === 'IS' ? 'null' : 'value';
        break;
      case 'list':
        expected = 'item';
        break;
      case 'item':
        expected = 'separator';
        break;
      case 'separator':
        expected = text === ',' ? 'item' : 'join';
        break;
      case 'null':
        if (word !== 'NOT') expected = 'join';
        break;
      case 'value':
        expected = 'join';
        break;
      case 'join':
        if (word === 'AND' || word === 'OR') expected = 'operand';
    }
  }
  return { expected, name };
}

function optionsFor(expected: Expected, name: string, known: Known): readonly Option[] {
  switch (expected) {
    case 'operand':
      return [
        ...known.metrics.map((key) => ({ text: field('metrics', key), hint: 'metric' })),
        ...known.params.map((key) => ({ text: field('params', key), hint: 'param' })),
        ...Object.keys(attributes).map((key) => ({ text: `attributes.${key}`, hint: 'attribute' })),
        ...['dataset.name', 'dataset.digest', 'dataset.context'].map((text) => ({ text, hint: 'dataset' })),
        ...known.tags.map((key) => ({ text: field('tags', key), hint: 'tag' })),
        { text: 'NOT', hint: 'what does not hold' },
      ];
    case 'comparator':
      return comparatorsOf(name).map((text) => ({ text, hint: meanings[text] ?? '' }));
    case 'value':
    case 'item':
      return valuesOf(name, known).flatMap(quoted);
    case 'list':
      return [{ text: '(', hint: 'a list of values' }];
    case 'separator':
      return [
        { text: ',', hint: 'another value' },
        { text: ')', hint: 'end of the list' },
      ];
    case 'null':
      return [
        { text: 'NULL', hint: 'has none' },
        { text: 'NOT NULL', hint: 'has one' },
      ];
    case 'join':
      return [
        { text: 'AND', hint: 'both hold' },
        { text: 'OR', hint: 'one holds' },
      ];
  }
}

/** Nothing stands for a quote within quotes: the other kind goes round it. */
function quoted(value: string): readonly Option[] {
  if (!value.includes("'")) return [{ text: `'${value}'`, hint: 'value' }];
  return value.includes('"') ? [] : [{ text: `"${value}"`, hint: 'value' }];
}

const meanings: Readonly<Record<string, string>> = {
  LIKE: '% stands for anything',
  ILIKE: 'the same, capitals or not',
  IN: 'one of a list',
  'NOT IN': 'none of a list',
  'IS NULL': 'has none',
  'IS NOT NULL': 'has one',
};

const ordering = ['>', '>=', '<', '<=', '=', '!='];
const matching = ['=', '!=', 'LIKE', 'ILIKE'];

function comparatorsOf(name: string): readonly string[] {
  const { kind, key } = partsOf(name);
  if (kind === 'metrics') return [...ordering, 'IN', 'NOT IN'];
  if (kind === 'params' || kind === 'tags') return [...matching, 'IN', 'NOT IN', 'IS NULL', 'IS NOT NULL'];
  if (kind === 'attributes' && attributes[key] === 'time') return [...ordering, 'IN', 'NOT IN'];
  return [...matching, 'IN', 'NOT IN'];
}

function valuesOf(name: string, known: Known): readonly string[] {
  const { kind, key } = partsOf(name);
  if (kind === 'params' || kind === 'tags') return known.values(kind, key);
  const type = kind === 'attributes' ? attributes[key] : undefined;
  return type === 'status' ? statuses : type === 'time' ? known.days : [];
}

function partsOf(name: string): { readonly kind: string; readonly key: string } {
  const dot = name.indexOf('.');
  const prefix = dot < 0 ? 'attributes' : name.slice(0, dot);
  const key = name.slice(dot + 1).replace(/[`"]/g, '');
  const plural: Readonly<Record<string, string>> = {
    metric: 'metrics',
    param: 'params',
    parameter: 'params',
    parameters: 'params',
    tag: 'tags',
    attribute: 'attributes',
    attr: 'attributes',
    run: 'attributes',
  };
  return { kind: plural[prefix] ?? prefix, key };
}
