/** Wrong answers made from right ones: what the comparison must notice, or it proves nothing. */
import { type Answer, unordered } from './answer-differences.ts';
import type { Random } from './random.ts';

type Way = readonly (string | number)[];
type Place = { readonly way: Way; readonly value: unknown };
type Mutation = {
  readonly name: string;
  /** Which places of an answer it applies to. */
  readonly suits: (place: Place) => boolean;
  /** @returns what stands there instead; `undefined` leaves it out */
  readonly change: (value: unknown) => unknown;
};

const key = ({ way }: Place) => way.at(-1);
const items = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const fields = (value: unknown): Record<string, unknown> => ({ ...(value as object) }); // suits() has seen that it is one
const isPlain = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Each of them is one that a server could well make. */
export const mutations: readonly Mutation[] = [
  { name: 'another status', suits: isAt('status'), change: (status) => (status === 200 ? 500 : 200) },
  { name: 'a status nearby', suits: isAt('status'), change: (status) => Number(status) + 1 },
  { name: 'another error code', suits: (place) => key(place) === 'error_code', change: () => 'INTERNAL_ERROR' },
  { name: 'no error code', suits: (place) => key(place) === 'error_code', change: () => undefined },
  {
    name: 'a message without its end',
    suits: (place) => key(place) === 'message',
    change: (text) => String(text).slice(0, -1),
  },
  { name: 'a field less', suits: ({ way, value }) => way.length > 2 && value !== undefined, change: () => undefined },
  {
    name: 'a field more',
    suits: ({ value }) => isPlain(value),
    change: (value) => ({ ...fields(value), extra: true }),
  },
  {
    name: 'null for a text',
    suits: ({ way, value }) => way.length > 1 && typeof value === 'string',
    change: () => null,
  },
  {
    name: 'a text in capitals',
    suits: ({ value }) => typeof value === 'string' && /[a-z]/.test(value),
    change: (value) => String(value).toUpperCase(),
  },
  { name: 'a number off by one', suits: isSmallNumber, change: (value) => Number(value) + 1 },
  {
    name: 'a number with the other sign',
    suits: (place) => isSmallNumber(place) && place.value !== 0,
    change: (value) => -Number(value),
  },
  { name: 'a number as text', suits: isSmallNumber, change: String },
  { name: 'an item less', suits: ({ value }) => items(value).length > 0, change: (value) => items(value).slice(1) },
  {
    name: 'an item twice',
    suits: ({ value }) => items(value).length > 0,
    change: (value) => [...items(value), items(value)[0]],
  },
  { name: 'a list backwards', suits: isOrdered, change: (value) => items(value).toReversed() },
  {
    name: 'two items exchanged',
    suits: isOrdered,
    change: (value) => [items(value)[1], items(value)[0], ...items(value).slice(2)],
  },
  {
    name: 'an empty list for none',
    suits: ({ way, value }) => way.length === 1 && isPlain(value) && Object.keys(fields(value)).length === 0,
    change: () => ({ runs: [] }),
  },
  { name: 'a list in an object', suits: ({ value }) => items(value).length > 0, change: (value) => ({ items: value }) },
  {
    name: 'nothing at all',
    suits: ({ way, value }) => way.length === 1 && isPlain(value) && Object.keys(fields(value)).length > 0,
    change: () => ({}),
  },
  {
    name: 'a page of HTML',
    suits: ({ way, value }) => way.length === 1 && isPlain(value),
    change: () => '<!doctype html>',
  },
];

/** @returns the answer with one change, or undefined when it has no place for it */
export function mutate(answer: Answer, mutation: Mutation, random: Random): Answer | undefined {
  const places = placesOf({ status: answer.status, body: answer.body }, []).filter(
    (place) => place.way.length > 0 && mutation.suits(place),
  );
  if (places.length === 0) return undefined;
  const { way } = random.pick(places);
  const changed = replaced({ ...answer }, way, mutation.change);
  return changed as Answer; // the same record with another value in it
}

function placesOf(value: unknown, way: Way): readonly Place[] {
  if (typeof value !== 'object' || value === null) return [{ way, value }];
  const inside = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [{ way, value }, ...inside.flatMap(([at, one]) => placesOf(one, [...way, at]))];
}

function replaced(value: unknown, [at, ...rest]: Way, change: (value: unknown) => unknown): unknown {
  if (at === undefined) return change(value);
  if (Array.isArray(value)) return value.map((item, place) => (place === at ? replaced(item, rest, change) : item));
  const record = fields(value);
  const next = replaced(record[at], rest, change);
  if (next === undefined) delete record[at];
  else record[at] = next;
  return record;
}

function isAt(name: string) {
  return ({ way }: Place) => way.length === 1 && way[0] === name;
}

/** Greater ones are times, which differ between any two answers. */
function isSmallNumber({ way, value }: Place): boolean {
  return way.length > 1 && typeof value === 'number' && Math.abs(value) < 1e12;
}

/** A list whose order says something: what a search or a history gives. */
function isOrdered({ way, value }: Place): boolean {
  const [first, second] = items(value).map((item) => JSON.stringify(item));
  return way.length === 2 && second !== undefined && first !== second && !unordered.test(String(way[1]));
}
