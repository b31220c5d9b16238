/** What a comparison may say: which names there are, with which comparators and values. One `Vocabulary` per kind of thing searched. */
import type { Comparator, Comparison, Value } from './search-grammar.ts';
import { invalidFilter } from './search-tokens.ts';

export type Entity = 'attribute' | 'metric' | 'parameter' | 'tag' | 'dataset';

/** A comparison that means something: checked, its name resolved. */
export type Clause = {
  readonly entity: Entity;
  readonly key: string;
  readonly comparator: Comparator;
  readonly value: string | number | bigint | readonly string[] | undefined;
};

export type Vocabulary = {
  /** Prefixes and what they stand for: `metrics` and `metric` are metrics. */
  readonly prefixes: Readonly<Record<string, Entity>>;
  /** What an error lists as valid prefixes, as Python prints it. */
  readonly prefixList: string;
  readonly attributes: readonly string[];
  readonly numeric: readonly string[];
  /** Whether its numeric attributes take fractions, and numbers in quotes. */
  readonly numbers: 'any' | 'whole' | 'whole or quoted';
  /** Other spellings of attributes. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Attributes that may be compared with a list. */
  readonly lists: readonly string[];
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
  numbers: 'any',
  lists: ['run_id'],
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
  numbers: 'whole',
  lists: ['experiment_id'],
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
  numbers: 'any',
  lists: ['name', 'model_id', 'model_type', 'status', 'source_run_id'],
  comparators: { metric: numericComparators, parameter: listComparators, tag: listComparators },
};

const registryPrefixes: Vocabulary['prefixes'] = { attribute: 'attribute', tag: 'tag', tags: 'tag' };

export const modelVocabulary: Vocabulary = {
  prefixes: registryPrefixes,
  prefixList: "('attribute', 'tag', 'tags')",
  attributes: ['name'],
  numeric: [],
  numbers: 'any',
  lists: ['name'],
  comparators: { tag: textComparators },
};

export const versionVocabulary: Vocabulary = {
  prefixes: registryPrefixes,
  prefixList: "('attribute', 'tag', 'tags')",
  attributes: ['name', 'version_number', 'run_id', 'source_path'],
  numeric: ['version_number'],
  numbers: 'whole or quoted',
  lists: ['name', 'run_id'],
  comparators: { tag: textComparators },
};

/** Gives a comparison its meaning. @throws PlatformError `tracking/invalid-filter` with MLflow's message and the place */
export function resolve(vocabulary: Vocabulary, comparison: Comparison): Clause {
  const { entity, key } = identify(vocabulary, comparison.name, comparison.at);
  const value = clauseValue(vocabulary, entity, key, comparison.value);
  return { entity, key, comparator: comparatorOf(vocabulary, entity, key, comparison), value };
}

/** What a name stands for: `params.depth`, `` attributes.`run name` ``, `start_time`. */
export function identify(
  vocabulary: Vocabulary,
  name: string,
  at = 0,
): { readonly entity: Entity; readonly key: string } {
  const dot = name.indexOf('.');
  const prefix = dot < 0 || /^[`"]/.test(name) ? undefined : name.slice(0, dot);
  const entity = prefix === undefined ? 'attribute' : vocabulary.prefixes[prefix];
  if (entity === undefined) {
    const what = vocabulary.attributes.includes('run_id') ? 'values' : 'entity types';
    throw invalidFilter(`Invalid entity type '${prefix}'. Valid ${what} are ${vocabulary.prefixList}`, at);
  }
  const written = unquote(prefix === undefined ? name : name.slice(dot + 1));
  if (entity === 'dataset' && !['name', 'digest', 'context'].includes(written)) {
    throw invalidFilter(
      `Invalid dataset key '${written}' specified. Valid keys are '{'name', 'digest', 'context'}'`,
      at,
    );
  }
  if (entity !== 'attribute') return { entity, key: written };
  const key = vocabulary.aliases?.[written] ?? written;
  if (!vocabulary.attributes.includes(key)) throw invalidAttribute(vocabulary, written, at);
  return { entity, key };
}

export function invalidAttribute(vocabulary: Vocabulary, key: string, at: number) {
  const keys = [...vocabulary.attributes, ...Object.keys(vocabulary.aliases ?? {})]
    .map((name) => `'${name}'`)
    .join(', ');
  return invalidFilter(`Invalid attribute key '${key}' specified. Valid keys are '{${keys}}'`, at);
}

function comparatorOf(vocabulary: Vocabulary, entity: Entity, key: string, comparison: Comparison): Comparator {
  const isNull = comparison.comparator.startsWith('IS ');
  if (isNull && !vocabulary.comparators[entity]?.includes('IS NULL')) {
    const only = vocabulary.comparators.parameter ? 'tags and params' : 'tags';
    throw invalidFilter(
      `IS NULL / IS NOT NULL is only supported for ${only}, not for '${entity}' '${key}'`,
      comparison.at,
    );
  }
  const allowed =
    entity === 'attribute'
      ? vocabulary.numeric.includes(key)
        ? numericComparators
        : listComparators
      : (vocabulary.comparators[entity] ?? []);
  const comparator = allowed.find((one) => one === comparison.comparator);
  if (comparator) return comparator;
  const set = allowed.map((one) => `'${one}'`).join(', ');
  throw invalidFilter(`Invalid comparator '${comparison.comparator}' not one of '{${set}}'`, comparison.at);
}

function clauseValue(vocabulary: Vocabulary, entity: Entity, key: string, value: Value): Clause['value'] {
  if (value.kind === 'none') return undefined;
  if (entity === 'metric') {
    if (value.kind !== 'number')
      throw invalidFilter(`Expected numeric value type for metric. Found ${value.text}`, value.at);
    return Number(value.text);
  }
  if (entity === 'attribute' && vocabulary.numeric.includes(key)) return numericValue(vocabulary, key, value);
  const takesList = entity === 'attribute' || vocabulary.comparators[entity]?.includes('IN');
  if (value.kind === 'list' && takesList) {
    if (entity === 'attribute' && !vocabulary.lists.includes(key)) {
      const keys = vocabulary.lists.map((name) => `'${name}'`).join(', ');
      throw invalidFilter(
        `Only [${keys}] attributes support comparison with a list of quoted string values.`,
        value.at,
      );
    }
    return value.items;
  }
  if (value.kind === 'string' || value.kind === 'name') {
    if (value.kind === 'string' || /^".*"$/s.test(value.text)) return value.text.slice(1, -1);
    throw invalidFilter(
      `Parameter value is either not quoted or unidentified quote types used for string value ${value.text}.` +
        ' Use either single or double quotes.',
      value.at,
    );
  }
  throw invalidFilter(expectedText(entity, value.text), value.at);
}

function numericValue({ numbers }: Vocabulary, key: string, value: Value): Clause['value'] {
  const quoted = value.kind === 'string' && numbers === 'whole or quoted';
  if (value.kind !== 'number' && !quoted) {
    throw invalidFilter(`Expected numeric value type for numeric attribute: ${key}. Found ${value.text}`, value.at);
  }
  const text = quoted ? value.text.slice(1, -1) : value.text;
  if (/^\s*[+-]?\d+\s*$/.test(text)) return BigInt(text);
  if (numbers === 'any') return Number(text);
  const shown = numbers === 'whole' ? `'${text}'` : value.text;
  throw invalidFilter(`Invalid value for numeric attribute '${key}': ${shown}`, value.at);
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
