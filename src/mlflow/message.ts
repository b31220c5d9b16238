/**
 * Requests as MLflow's server reads them: a message has named fields, each with a type; unknown fields are ignored, null is
 * absent, integers may come as strings, names in camelCase too. The texts of refusals are upstream's, because its tests and its
 * users' scripts look at them.
 */
import { PlatformError } from '../errors.ts';
import type { Int64 } from '../storage/int64.ts';

export type Field<T> = {
  readonly read: (json: unknown, path: string) => T;
  readonly required: boolean;
  readonly repeated: boolean;
  readonly fromQuery: (text: string) => unknown;
};
export type Fields = Readonly<Record<string, Field<unknown>>>;

/** What a message holds; a field is absent when the client did not send it. */
export type Message<F extends Fields> = { readonly [K in keyof F]?: F[K] extends Field<infer T> ? T : never };

export const text = (options: { required?: true } = {}): Field<string> =>
  field(options, (json, path) => (typeof json === 'string' ? json : refuse(json, path)));

export const integer = (options: { required?: true } = {}): Field<Int64> =>
  field(options, (json, path) => {
    const value = integerOf(json);
    return value === undefined ? refuse(json, path) : value;
  });

export const float = (options: { required?: true } = {}): Field<number> =>
  field(options, (json, path) => {
    if (typeof json === 'number') return json;
    if (typeof json === 'boolean' || typeof json === 'bigint') return Number(json);
    if (typeof json !== 'string') return refuse(json, path);
    if (json === 'NaN') return Number.NaN;
    const value = json.trim() === '' ? Number.NaN : Number(json);
    return Number.isNaN(value) ? refuse(json, path) : value;
  });

export const flag = (options: { required?: true } = {}): Field<boolean> => ({
  ...field(options, (json, path) => (typeof json === 'boolean' ? json : refuse(json, path))),
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
  field(options, (json, path) => {
    const entries = Object.entries<number>(names);
    const found = entries.find(([name, number]) => json === name || json === number || json === String(number));
    if (found) return found[0] as T; // the keys of `names` are T
    return typeof json === 'string' && !/^\d+$/.test(json) ? undefined : refuse(json, path);
  });

export const object = <F extends Fields>(fields: F, options: { required?: true } = {}): Field<Message<F>> =>
  field(options, (json, path) => (isRecord(json) ? readMessage(fields, json, path) : refuse(json, path)));

export const list = <T>(item: Field<T>, options: { required?: true } = {}): Field<readonly T[]> => ({
  ...field(options, (json, path) =>
    Array.isArray(json) ? json.map((one, index) => item.read(one, `${path}[${index}]`)) : refuse(json, path),
  ),
  repeated: true,
  fromQuery: item.fromQuery,
});

/** @throws PlatformError `mlflow/bad-request` with upstream's text */
export function readMessage<F extends Fields>(fields: F, json: unknown, path = ''): Message<F> {
  const record = isRecord(json) ? json : {};
  const message: Record<string, unknown> = {};
  for (const [name, { read, required }] of Object.entries(fields)) {
    const at = path === '' ? name : `${path}.${name}`;
    const value = record[name] ?? record[camelCase(name)] ?? (name === 'run_id' ? record.run_uuid : undefined);
    const missing = value === undefined || value === null || (value === '' && required);
    if (missing && required) throw invalidRequest(`Missing value for required parameter '${at}'. ${seeDocs}`);
    if (value === undefined || value === null) continue;
    const parsed = read(value, at);
    if (parsed !== undefined) message[name] = parsed;
  }
  return message as Message<F>; // every field was read by its own `read`
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
  fromQuery: (query) => query,
});

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

function integerOf(json: unknown): Int64 | undefined {
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
