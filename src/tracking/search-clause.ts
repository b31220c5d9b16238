/** What a comparison may say: which names there are, with which comparators and values. One `Vocabulary` per kind of thing searched. */
import type { PlatformError } from '../errors.ts';
import {
  type Comparator,
  type Comparison,
  type Filter,
  mapFilter,
  parseFilter,
  type Scalar,
  type Value,
} from './search-grammar.ts';
import { timeOf } from './search-time.ts';
import { invalidFilter } from './search-tokens.ts';

export type Entity = 'attribute' | 'metric' | 'parameter' | 'tag' | 'dataset';

/** A comparison that means something: checked, its name resolved. */
export type Clause = {
  readonly entity: Entity;
  readonly key: string;
  readonly comparator: Comparator;
  readonly value: Operand | readonly Operand[] | undefined;
};

type Operand = string | number | bigint;

export type Vocabulary = {
  /** Prefixes and what they stand for: `metrics` and `metric` are metrics. */
  readonly prefixes: Readonly<Record<string, Entity>>;
  /** What an error lists as valid prefixes, as Python prints it. */
  readonly prefixList: string;
  readonly attributes: readonly string[];
  readonly numeric: readonly string[];
  /** Those of them that are times, which may be compared with a date. Where MLflow's filters lack one, only this list has it. */
  readonly times: readonly string[];
  /** Whether its numeric attributes take fractions, and numbers in quotes. */
  readonly numbers: 'any' | 'whole' | 'whole or quoted';
  /** Other spellings of attributes. */
  readonly aliases?: Readonly<Record<string, string>>;
  readonly comparators: Readonly<Partial<Record<Entity, readonly Comparator[]>>>;
};

const numericComparators: readonly Comparator[] = ['=', '!=', '>', '>=', '<', '<='];
const textComparators: readonly Comparator[] = ['=', '!=', 'LIKE', 'ILIKE'];
const listComparators: readonly Comparator[] = [...textComparators, 'IN', 'NOT IN'];
const optionalComparators: readonly Comparator[] = [...textComparators, 'IS NULL', 'IS NOT NULL'];

export const runVocabulary: Vocabulary = {
  prefixes: {
    metric: 'metric',
    metrics: 'metric',
    parameter: 'parameter',
    parameters: 'parameter',
    param: 'parameter',
    params: 'parameter',
    tag: 'tag',
    tags: 'tag',
    attribute: 'attribute',
    attributes: 'attribute',
    attr: 'attribute',
    run: 'attribute',
    dataset: 'dataset',
    datasets: 'dataset',
  },
  prefixList: "['metric', 'parameter', 'tag', 'attribute', 'dataset']",
  attributes: ['run_id', 'run_name', 'status', 'user_id', 'artifact_uri', 'start_time', 'end_time'],
  aliases: {
    created: 'start_time',
    Created: 'start_time',
    'run name': 'run_name',
    'Run name': 'run_name',
    'Run Name': 'run_name',
  },
  numeric: ['start_time', 'end_time'],
  times: ['start_time', 'end_time'],
  numbers: 'any',
  comparators: {
    metric: numericComparators,
    parameter: optionalComparators,
    tag: optionalComparators,
    dataset: listComparators,
  },
};

export const experimentVocabulary: Vocabulary = {
  prefixes: { attribute: 'attribute', tag: 'tag', tags: 'tag' },
  prefixList: "('attribute', 'tag', 'tags')",
  attributes: ['name', 'experiment_id', 'creation_time', 'last_update_time'],
  numeric: ['creation_time', 'last_update_time'],
  times: ['creation_time', 'last_update_time'],
  numbers: 'whole',
  comparators: { tag: optionalComparators },
};

export const loggedModelVocabulary: Vocabulary = {
  prefixes: { attributes: 'attribute', metrics: 'metric', params: 'parameter', tags: 'tag' },
  prefixList: "['attributes', 'metrics', 'params', 'tags']",
  attributes: [
    'name',
    'model_id',
    'model_type',
    'status',
    'source_run_id',
    'creation_timestamp',
    'last_updated_timestamp',
  ],
  aliases: {
    creation_time: 'creation_timestamp',
    creation_timestamp_ms: 'creation_timestamp',
    last_updated_timestamp_ms: 'last_updated_timestamp',
  },
  numeric: ['creation_timestamp', 'last_updated_timestamp'],
  times: ['creation_timestamp', 'last_updated_timestamp'],
  numbers: 'any',
  comparators: { metric: numericComparators, parameter: listComparators, tag: listComparators },
};

const registryPrefixes: Vocabulary['prefixes'] = { attribute: 'attribute', tag: 'tag', tags: 'tag' };

export const modelVocabulary: Vocabulary = {
  prefixes: registryPrefixes,
  prefixList: "('attribute', 'tag', 'tags')",
  attributes: ['name'],
  numeric: [],
  times: ['creation_timestamp', 'last_updated_timestamp'],
  numbers: 'any',
  comparators: { tag: textComparators },
};

export const versionVocabulary: Vocabulary = {
  prefixes: registryPrefixes,
  prefixList: "('attribute', 'tag', 'tags')",
  attributes: ['name', 'version_number', 'run_id', 'source_path'],
  numeric: ['version_number'],
  times: ['creation_timestamp', 'last_updated_timestamp'],
  numbers: 'whole or quoted',
  comparators: { tag: textComparators },
};

/** A filter with its meaning. @returns undefined for none  @throws PlatformError `tracking/invalid-filter` with MLflow's message and the place */
export function readFilter(vocabulary: Vocabulary, text: string | undefined): Filter<Clause> | undefined {
  const parsed = parseFilter(text ?? '');
  return parsed && mapFilter(parsed, (comparison) => resolve(vocabulary, comparison));
}

function resolve(vocabulary: Vocabulary, comparison: Comparison): Clause {
  const refuse: Refuse = (message) => invalidFilter(message, comparison.place);
  const { entity, key } = identify(vocabulary, comparison.name, refuse);
  const value = clauseValue({ vocabulary, entity, key }, comparison);
  return { entity, key, comparator: comparatorOf({ vocabulary, entity, key }, comparison), value };
}

type Refuse = (message: string) => PlatformError;
type Subject = { readonly vocabulary: Vocabulary; readonly entity: Entity; readonly key: string };

/** What a name stands for: `params.depth`, `` attributes.`run name` ``, `` `tags`.x ``, `start_time`. */
export function identify(
  vocabulary: Vocabulary,
  asWritten: string,
  refuse: Refuse,
): { readonly entity: Entity; readonly key: string } {
  const name = asWritten.replace(/^`([^`.]*)`\./, '$1.');
  const dot = name.indexOf('.');
  const prefix = dot < 0 || /^[`"]/.test(name) ? undefined : name.slice(0, dot);
  const entity = prefix === undefined ? 'attribute' : vocabulary.prefixes[prefix];
  if (entity === undefined) {
    const what = vocabulary.attributes.includes('run_id') ? 'values' : 'entity types';
    throw refuse(`Invalid entity type '${prefix}'. Valid ${what} are ${vocabulary.prefixList}`);
  }
  const written = unquote(prefix === undefined ? name : name.slice(dot + 1));
  if (entity === 'dataset' && !['name', 'digest', 'context'].includes(written)) {
    throw refuse(`Invalid dataset key '${written}' specified. Valid keys are '{'name', 'digest', 'context'}'`);
  }
  if (entity !== 'attribute') return { entity, key: written };
  const key = vocabulary.aliases?.[written] ?? written;
  if (vocabulary.attributes.includes(key) || vocabulary.times.includes(key)) return { entity, key };
  const keys = [...vocabulary.attributes, ...Object.keys(vocabulary.aliases ?? {})].map((known) => `'${known}'`);
  throw refuse(`Invalid attribute key '${written}' specified. Valid keys are '{${keys.join(', ')}}'`);
}

function comparatorOf({ vocabulary, entity, key }: Subject, { comparator, value, place }: Comparison): Comparator {
  if (comparator === 'IS NULL' || comparator === 'IS NOT NULL') {
    if (entity === 'tag' || entity === 'parameter') return comparator;
    const only = vocabulary.comparators.parameter ? 'tags and params' : 'tags';
    throw invalidFilter(`IS NULL / IS NOT NULL is only supported for ${only}, not for '${entity}' '${key}'`, place);
  }
  const isNumber = isNumeric({ vocabulary, entity, key });
  const listed = isNumber
    ? numericComparators
    : entity === 'attribute'
      ? listComparators
      : (vocabulary.comparators[entity] ?? []);
  // Lists of everything are ours; the error names what MLflow's does.
  const ours = !isNumber ? listComparators : value.kind === 'list' ? (['IN', 'NOT IN'] as const) : [];
  const found = [...listed, ...ours].find((one) => one === comparator);
  if (found) return found;
  const set = listed.map((one) => `'${one}'`).join(', ');
  throw invalidFilter(`Invalid comparator '${comparator}' not one of '{${set}}'`, place);
}

const isNumeric = ({ vocabulary, entity, key }: Subject): boolean =>
  entity === 'metric' ||
  (entity === 'attribute' && (vocabulary.numeric.includes(key) || vocabulary.times.includes(key)));

function clauseValue(subject: Subject, { comparator, value }: Comparison): Clause['value'] {
  if (value.kind === 'none') return undefined;
  const { entity } = subject;
  const isList = comparator === 'IN' || comparator === 'NOT IN';
  if (isNumeric(subject)) {
    if (!isList || value.kind !== 'list') return numericValue(subject, value);
    return value.items.map((item) => numericValue(subject, item));
  }
  if (isList) {
    if (value.kind === 'list') return value.items.map(listedText);
    throw invalidFilter(`Expected a list of quoted string values. Got value ${value.text}`, value.place);
  }
  const text = textOf(value);
  if (text !== undefined) {
    if (text.length <= maxTextLength) return text;
    throw invalidFilter(`The value has ${text.length} characters; at most ${maxTextLength} are compared.`, value.place);
  }
  if (value.kind === 'name') {
    throw invalidFilter(
      `Parameter value is either not quoted or unidentified quote types used for string value ${value.text}.` +
        ' Use either single or double quotes.',
      value.place,
    );
  }
  throw invalidFilter(expectedText(entity, value.text), value.place);
}

function listedText({ kind, text, place }: Scalar): string {
  if (kind !== 'number') return text.slice(1, -1);
  throw invalidFilter(
    'While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: ' +
      `(${text},)`,
    place,
  );
}

/** Longer than any value that is stored, where databases refuse a pattern. */
const maxTextLength = 40_000;

/** What stands in quotes; undefined for anything else. */
const textOf = ({ kind, text }: Value): string | undefined =>
  kind === 'string' || (kind === 'name' && /^".*"$/s.test(text)) ? text.slice(1, -1) : undefined;

function numericValue({ vocabulary, entity, key }: Subject, value: Value): number | bigint {
  if (entity === 'metric') {
    if (value.kind === 'number') return Number(value.text);
    throw invalidFilter(`Expected numeric value type for metric. Found ${value.text}`, value.place);
  }
  const { numbers, times } = vocabulary;
  const quoted = textOf(value);
  const time = quoted !== undefined && times.includes(key) ? timeOf(quoted) : undefined;
  if (time !== undefined) return BigInt(time);
  const number = value.kind === 'number' ? value.text : numbers === 'whole or quoted' ? quoted : undefined;
  if (number === undefined) {
    throw invalidFilter(`Expected numeric value type for numeric attribute: ${key}. Found ${value.text}`, value.place);
  }
  const whole = /^\s*[+-]?\d+\s*$/.test(number) ? BigInt(number) : undefined;
  if (whole !== undefined && BigInt.asIntN(64, whole) === whole) return whole;
  if (numbers === 'any') return Number(number);
  const shown = numbers === 'whole' ? `'${number}'` : value.text;
  throw invalidFilter(`Invalid value for numeric attribute '${key}': ${shown}`, value.place);
}

const expectedText = (entity: Entity, found: string): string =>
  entity === 'attribute'
    ? `Expected a quoted string value for attributes. Got value ${found}`
    : entity === 'dataset'
      ? `Expected a quoted string value for dataset attributes. Got value ${found}`
      : `Expected a quoted string value for ${entity} (e.g. 'my-value'). Got value ${found}`;

/** A name without its backticks or double quotes. */
export const unquote = (name: string): string =>
  name.length >= 2 &&
  ((name.startsWith('`') && name.endsWith('`')) ||
    (name.startsWith('"') && name.endsWith('"')) ||
    (name.startsWith("'") && name.endsWith("'")))
    ? name.slice(1, -1)
    : name;
