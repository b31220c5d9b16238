/**
 * Requests as MLflow's server reads them: a message has named fields, each with a type; unknown fields are ignored, null is
 * absent, integers may come as strings, names in camelCase too. The texts of refusals are upstream's, because its tests and its
 * users' scripts look at them.
 */
import { PlatformError } from '../errors.ts';
import type { Int64 } from '../storage/int64.ts';

export type Field<T> = {
  readonly read: (json: unknown, name: Name, inside: Place | undefined) => T;
  readonly required: boolean;
  readonly repeated: boolean;
  /** Whether '' for it is called missing, and not of a wrong type. */
  readonly emptyIsMissing: boolean;
  readonly fromQuery: (text: string) => unknown;
};

/** Of a field, or the index of an item. */
type Name = string | number;

/** What a value stands in. Only a refusal makes a text of it: a batch has thousands of values, and making texts took longer than reading them. */
type Place = { readonly name: Name; readonly inside: Place | undefined };

export type Fields = Readonly<Record<string, Field<unknown>>>;

/** What a message holds; a field is absent when the client did not send it. */
export type Message<F extends Fields> = { readonly [K in keyof F]?: F[K] extends Field<infer T> ? T : never };

/** Half of a surrogate pair is no text: nobody can store it, or give it back. */
export const text = (options: { required?: true } = {}): Field<string> =>
  field(options, (json, name, inside) =>
    typeof json === 'string' && json.isWellFormed() ? json : refuseAt(json, name, inside),
  );

export const integer = (options: { required?: true } = {}): Field<Int64> => ({
  ...field(options, (json, name, inside) => {
    const value = integerOf(json);
    return value === undefined ? refuseAt(json, name, inside) : value;
  }),
  emptyIsMissing: false,
});

export const float = (options: { required?: true } = {}): Field<number> =>
  field(options, (json, name, inside) => {
    if (typeof json === 'number') return json;
    if (typeof json === 'boolean' || typeof json === 'bigint') return Number(json);
    if (typeof json !== 'string') return refuseAt(json, name, inside);
    return floatOf(json) ?? refuseAt(json, name, inside);
  });

export const flag = (options: { required?: true } = {}): Field<boolean> => ({
  ...field(options, (json, name, inside) => (typeof json === 'boolean' ? json : refuseAt(json, name, inside))),
  fromQuery: (query) => {
    const word = query.toLowerCase();
    if (word === 'true' || word === 'false') return word === 'true';
    throw invalidRequest(`Invalid boolean value: ${query}, must be 'true' or 'false'.`);
  },
});

/** One of some names, or its number. A name that is none of them counts as absent, as in protobuf. */
export const oneOf = <T extends string>(
  names: Readonly<Record<T, number>>,
  options: { required?: true } = {},
): Field<T | undefined> =>
  field(options, (json, name, inside) => {
    const entries = Object.entries<number>(names);
    const found = entries.find(([word, number]) => json === word || json === number || json === String(number));
    if (found) return found[0] as T; // the keys of `names` are T
    return typeof json === 'string' && !/^\d+$/.test(json) ? undefined : refuseAt(json, name, inside);
  });

export const object = <F extends Fields>(fields: F, options: { required?: true } = {}): Field<Message<F>> => {
  const read = messageReader(fields);
  return field(options, (json, name, inside) =>
    isRecord(json) ? read(json, { name, inside }) : refuseAt(json, name, inside),
  );
};

export const list = <T>(item: Field<T>, options: { required?: true } = {}): Field<readonly T[]> => ({
  ...field(options, (json, name, inside) => {
    if (!Array.isArray(json)) return refuseAt(json, name, inside);
    const place = { name, inside };
    return json.map((one, index) => item.read(one, index, place));
  }),
  repeated: true,
  emptyIsMissing: false,
  fromQuery: item.fromQuery,
});

/** @throws PlatformError `mlflow/bad-request` with upstream's text */
export const readMessage = <F extends Fields>(fields: F, json: unknown): Message<F> =>
  messageReader(fields)(isRecord(json) ? json : {}, undefined);

function messageReader<F extends Fields>(fields: F) {
  const named = Object.entries(fields).map(([name, { read, required, emptyIsMissing }]) => {
    const others = [camelCase(name), ...(name === 'run_id' ? ['run_uuid'] : [])].filter((other) => other !== name);
    return { name, others, read, required, emptyIsMissing };
  });
  const spelledTwice = named.filter(({ others }) => others.length > 0);
  return (record: Readonly<Record<string, unknown>>, inside: Place | undefined): Message<F> => {
    const message: Record<string, unknown> = {};
    for (const { name, others } of spelledTwice) refuseTwoSpellings(record, name, others);
    for (const { name, others, read, required, emptyIsMissing } of named) {
      let value = record[name];
      for (const other of others) value ??= record[other];
      const missing = value === undefined || value === null;
      if (required && (missing || (value === '' && emptyIsMissing))) {
        throw invalidRequest(`Missing value for required parameter '${pathOf(name, inside)}'. ${seeDocs}`);
      }
      if (missing) continue;
      const parsed = read(value, name, inside);
      if (parsed !== undefined) message[name] = parsed;
    }
    return message as Message<F>; // every field was read by its own `read`
  };
}

/** Which of the two is meant cannot be known. */
function refuseTwoSpellings(record: Readonly<Record<string, unknown>>, name: string, others: readonly string[]): void {
  for (const other of others) {
    if (record[other] === undefined || record[name] === undefined || other === 'run_uuid') continue;
    throw invalidRequest(`Request specifies both '${name}' and '${other}'; provide only one of them.`);
  }
}

/** The query of a GET as the object that `readMessage` takes: repeated fields become lists. */
export function readQuery<F extends Fields>(fields: F, query: URLSearchParams): Message<F> {
  const json: Record<string, unknown> = {};
  for (const [name, { repeated, fromQuery }] of Object.entries(fields)) {
    const asked = name === 'run_id' && !query.has(name) ? 'run_uuid' : name;
    if (!query.has(asked)) continue;
    json[name] = repeated ? query.getAll(asked).map(fromQuery) : fromQuery(query.get(asked) ?? '');
  }
  return readMessage(fields, json);
}

export const invalidRequest = (message: string): PlatformError =>
  new PlatformError('mlflow/bad-request', 'the request', { message });

export const seeDocs = 'See the API docs for more information about request parameters.';

const field = <T>(options: { required?: true }, read: Field<T>['read']): Field<T> => ({
  read,
  required: options.required ?? false,
  repeated: false,
  emptyIsMissing: true,
  fromQuery: (query) => query,
});

const refuseAt = (json: unknown, name: Name, inside: Place | undefined): never => refuse(json, pathOf(name, inside));

/** `metrics[3].value` */
function pathOf(name: Name, inside: Place | undefined): string {
  if (!inside) return String(name);
  const path = pathOf(inside.name, inside.inside);
  return typeof name === 'number' ? `${path}[${name}]` : `${path}.${name}`;
}

/** @returns never: the text names the value and its type as Python does */
export function refuse(json: unknown, path: string): never {
  const shown = typeof json === 'bigint' ? String(json) : JSON.stringify(sorted(json));
  throw invalidRequest(
    `Invalid value ${shown} for parameter '${path}' supplied:  Hint: Value was of type '${pythonType(json)}'. ${seeDocs}`,
  );
}

function pythonType(json: unknown): string {
  if (typeof json === 'string') return 'str';
  if (typeof json === 'boolean') return 'bool';
  if (typeof json === 'bigint') return 'int';
  if (typeof json === 'number') return Number.isInteger(json) ? 'int' : 'float';
  return Array.isArray(json) ? 'list' : json === null ? 'NoneType' : 'dict';
}

/** Keys in order, as Python's sort_keys writes them. */
function sorted(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(sorted);
  if (typeof json === 'bigint') return String(json);
  if (!isRecord(json)) return json;
  return Object.fromEntries(
    Object.keys(json)
      .toSorted()
      .map((key) => [key, sorted(json[key])]),
  );
}

const isRecord = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

const camelCase = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** As Python's float() reads a text. */
function floatOf(written: string): number | undefined {
  const [, sign, infinite] = /^\s*([+-]?)(?:(inf(?:inity)?)|nan)\s*$/i.exec(written) ?? [];
  if (sign !== undefined) return infinite === undefined ? Number.NaN : sign === '-' ? -Infinity : Infinity;
  return /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i.test(written) ? Number(written) : undefined;
}

function integerOf(json: unknown): Int64 | undefined {
  if (typeof json === 'number' && Number.isSafeInteger(json)) return json + 0; // which makes 0 of -0
  if (typeof json === 'bigint') return inRange(json) ? json : undefined;
  if (typeof json === 'number') return Number.isInteger(json) ? narrow(BigInt(json)) : undefined;
  if (typeof json !== 'string' || !/^\s*[+-]?\d+(?:\.0*)?\s*$/.test(json)) return undefined;
  return narrow(BigInt(json.trim().replace(/\.0*$/, '').replace(/^\+/, '')));
}

const narrow = (value: bigint): Int64 | undefined => {
  if (!inRange(value)) return undefined;
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
};

const inRange = (value: bigint): boolean => value >= -(2n ** 63n) && value < 2n ** 63n;
