/** A right call with one mistake in it: a field that is missing, or of a type that it does not take. */
import type { Call } from './call.ts';
import type { Random } from './random.ts';

type Mistake = { readonly name: string; readonly value: unknown };
type Fields = Readonly<Record<string, unknown>>;

/** `undefined` leaves the field out. */
const missing: readonly Mistake[] = [
  { name: 'nothing', value: undefined },
  { name: 'an empty text', value: '' },
];
const notAText: readonly Mistake[] = [
  { name: 'a number', value: 7 },
  { name: 'a fraction', value: 2.5 },
  { name: 'a flag', value: true },
  { name: 'a list', value: ['x'] },
  { name: 'an object', value: { x: 1 } },
];
const notAList: readonly Mistake[] = [
  { name: 'a text', value: 'x' },
  { name: 'a number', value: 7 },
  { name: 'a flag', value: true },
  { name: 'an object', value: { x: 1 } },
];
// MLflow takes fractions and flags for whole numbers and fails at lists: the fixed calls show that.
const notANumber: readonly Mistake[] = [{ name: 'a text', value: 'x' }];
const inQueries: readonly Mistake[] = [
  { name: 'a text', value: 'x' },
  { name: 'a number', value: '7' },
  { name: 'two texts', value: ['a', 'b'] },
];

/**
 * Fields whose type MLflow does not check: it drops them and goes on, so that the two would know different things from then on, or fails.
 * The fixed calls show what happens.
 */
const unchecked: readonly (readonly [path: RegExp, field: string])[] = [
  [/\/runs\/create$/, 'experiment_id'],
  [/\/runs\/create$/, 'user_id'],
  [/\/runs\/create$/, 'tags'],
  [/\/runs\/log-metric$/, 'value'],
  [/\/metrics\/get-history/, 'max_results'],
  [/\/search-datasets$/, 'experiment_ids'],
  [/\/transition-stage$/, 'archive_existing_versions'],
  [/\/runs\/create$/, 'run_name'], // made up by each of them
  [/\/logged-models$/, 'name'],
  [/./, 'status'],
  [/./, 'view_type'],
  [/./, 'run_view_type'],
];

/** @returns undefined when the call has no field to break */
export function brokenCall(random: Random, call: Call): Call | undefined {
  const { body, params, path } = call;
  const place = body === undefined ? params : (body as Fields); // every body here is an object
  const names = Object.keys(place ?? {}).filter(
    (name) => !unchecked.some(([where, field]) => field === name && where.test(path)),
  );
  if (names.length === 0) return undefined;
  const field = random.pick(names);
  const mistake = random.pick(body === undefined ? [...missing, ...inQueries] : mistakesFor(place?.[field]));
  const changed = { ...place, [field]: mistake.value };
  if (mistake.value === undefined) Reflect.deleteProperty(changed, field);
  return {
    ...call,
    label: `${call.label} with ${mistake.name} as ${field}`,
    ...(body === undefined ? { params: changed } : { body: changed }),
  };
}

function mistakesFor(right: unknown): readonly Mistake[] {
  if (Array.isArray(right)) return [...missing, ...notAList];
  return [...missing, ...(typeof right === 'number' ? notANumber : notAText)];
}
