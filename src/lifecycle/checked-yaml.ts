/** YAML against a schema, with the line and column of everything that is wrong and how to mend it. */
import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { isMap, LineCounter, parseDocument } from 'yaml';

export type YamlFault = {
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  /** JSON Pointer of the place; empty for the whole file. */
  readonly pointer: string;
  readonly message: string;
  readonly fix?: string;
};

export type CheckedYaml = { readonly value: unknown } | { readonly faults: readonly YamlFault[] };

const mostFaults = 20;
/** A project file is written by people; what is larger is not one. */
const mostCharacters = 1 << 20;

/** Reads YAML 1.2 core: no tags, no merge keys, few aliases. Returns every fault it finds, up to twenty. */
export function checkYaml(text: string, schema: TSchema): CheckedYaml {
  if (text.length > mostCharacters) {
    return { faults: [{ line: 1, column: 1, pointer: '', message: 'the file is larger than 1 MiB' }] };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    schema: 'core',
    merge: false,
    uniqueKeys: true,
    stringKeys: true,
  });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (document.errors.length > 0) {
    return {
      faults: document.errors.slice(0, mostFaults).map((error) => ({
        ...at(error.pos[0]),
        pointer: '',
        message: firstLine(error.message),
      })),
    };
  }
  const value: unknown = document.toJS({ maxAliasCount: 20 });
  const validator = Compile(schema);
  if (validator.Check(value)) return { value };
  const faults = mostTelling(validator.Errors(value), schema)
    .slice(0, mostFaults)
    .map((fault) => {
      const offset = offsetOf(document, fault.path, fault.surplus);
      return {
        ...at(offset),
        pointer: pointerOf(fault.path),
        message: fault.message,
        ...(fault.fix && { fix: fault.fix }),
      };
    });
  return { faults };
}

type SchemaError = ReturnType<Validator['Errors']>[number];
type Fault = {
  readonly path: readonly string[];
  readonly message: string;
  readonly fix?: string;
  readonly surplus?: string;
};

/** A union complains once per alternative: only the deepest complaints of each place say what the writer meant. */
function mostTelling(errors: readonly SchemaError[], schema: TSchema): Fault[] {
  const faults = errors.flatMap((error) => faultsOf(error, schema));
  const deeper = (place: string) => faults.some((other) => pointerOf(other.path).startsWith(`${place}/`));
  const seen = new Set<string>();
  return faults.filter((fault) => {
    const place = pointerOf(fault.path);
    const key = `${place} ${fault.surplus ?? ''}`;
    if (seen.has(key) || (fault.surplus === undefined && deeper(place))) return false;
    seen.add(key);
    return true;
  });
}

function faultsOf(error: SchemaError, schema: TSchema): Fault[] {
  const path = error.instancePath.split('/').slice(1).map(unescapePointer);
  const params: Readonly<Record<string, unknown>> = error.params;
  switch (error.keyword) {
    case 'required':
      return namesIn(params.requiredProperties).map((name) => ({
        path,
        message: `"${name}" is missing`,
        fix: `add "${name}:"`,
      }));
    case 'additionalProperties': {
      const known = knownKeys([schema], path);
      // What another alternative of a union knows is not surplus.
      const unknown = namesIn(params.additionalProperties).filter((name) => !known.includes(name));
      return unknown.map((name) => surplus(path, name, known));
    }
    case 'boolean':
    case 'anyOf':
    case 'oneOf':
      return [];
    default:
      return [{ path, message: error.message }];
  }
}

/** A key nobody knows is most often a known one with a slip of the finger. */
function surplus(path: readonly string[], name: string, known: readonly string[]): Fault {
  const near = nearest(name, known);
  const fix = near ? `did you mean "${near}"?` : known.length > 0 ? `known are ${known.join(', ')}` : undefined;
  return { path, surplus: name, message: `"${name}" is not known here`, ...(fix && { fix }) };
}

/** Plain JSON Schema, as far as ours go. */
type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema | readonly Schema[];
  readonly anyOf?: readonly Schema[];
};

/** The keys that any alternative knows at a place. */
function knownKeys(schemas: readonly Schema[], path: readonly string[]): readonly string[] {
  const flat = schemas.flatMap(alternatives);
  const [key, ...rest] = path;
  if (key === undefined) return [...new Set(flat.flatMap((schema) => Object.keys(schema.properties ?? {})))];
  const inner = flat.flatMap(({ properties, patternProperties, items }) => {
    const named = properties?.[key];
    const list = Array.isArray(items) ? items[Number(key)] : items;
    return [named, ...Object.values(patternProperties ?? {}), list].filter((one) => one !== undefined);
  });
  return inner.length === 0 ? [] : knownKeys(inner, rest);
}

const alternatives = (schema: Schema): readonly Schema[] =>
  schema.anyOf ? schema.anyOf.flatMap(alternatives) : [schema];

/** The known name within two edits, if there is one. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const scored = known.map((candidate) => ({ candidate, edits: editDistance(name, candidate) }));
  const best = scored.sort((a, b) => a.edits - b.edits)[0];
  return best && best.edits <= 2 ? best.candidate : undefined;
}

/** Damerau–Levenshtein with adjacent swaps (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}

function offsetOf(
  document: ReturnType<typeof parseDocument>,
  path: readonly string[],
  surplusKey: string | undefined,
): number {
  if (surplusKey !== undefined) {
    const parent = path.length === 0 ? document.contents : document.getIn(keysOf(path), true);
    if (isMap(parent)) {
      const pair = parent.items.find((item) => String(item.key) === surplusKey);
      const { key } = pair ?? {};
      if (typeof key === 'object' && key !== null && 'range' in key && Array.isArray(key.range))
        return Number(key.range[0]);
    }
  }
  // The place itself may be absent: the nearest thing around it is where the writer has to look.
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document.contents : document.getIn(keysOf(path.slice(0, length)), true);
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) {
      return Number(node.range[0]);
    }
  }
  return 0;
}

const keysOf = (path: readonly string[]): (string | number)[] =>
  path.map((key) => (/^\d+$/.test(key) ? Number(key) : key));
const namesIn = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);
const pointerOf = (path: readonly string[]): string =>
  path.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
const unescapePointer = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~');
const firstLine = (message: string): string =>
  (message.split('\n', 1)[0] ?? message).replace(/ at line \d+, column \d+:?$/, '');
