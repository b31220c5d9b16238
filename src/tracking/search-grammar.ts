/**
 * The language of filters: MLflow's comparisons joined by AND, and beyond it OR, NOT and parentheses.
 *
 *     filter     = or ; or = and { OR and } ; and = not { AND not } ; not = NOT not | '(' or ')' | comparison
 *     comparison = name comparator value | name [NOT] IN '(' value { ',' value } ')' | name IS [NOT] NULL
 */
import { invalidFilter, type Place, type Token, tokenize } from './search-tokens.ts';

export const comparators = [
  '=',
  '!=',
  '>',
  '>=',
  '<',
  '<=',
  'LIKE',
  'ILIKE',
  'IN',
  'NOT IN',
  'IS NULL',
  'IS NOT NULL',
] as const;
export type Comparator = (typeof comparators)[number];

/** As written, with its quotes. */
export type Scalar = { readonly kind: 'string' | 'number' | 'name'; readonly text: string; readonly place: Place };

export type Value =
  | Scalar
  | { readonly kind: 'list'; readonly items: readonly Scalar[]; readonly text: string; readonly place: Place }
  | { readonly kind: 'none'; readonly text: ''; readonly place: Place };

export type Comparison = {
  readonly kind: 'comparison';
  /** As written: ``metrics.`a b` ``. */
  readonly name: string;
  /** As written, keywords in capitals; `==`, `<>` and `NOT LIKE` come through for the caller to refuse. */
  readonly comparator: string;
  readonly value: Value;
  readonly place: Place;
};

/** Far beyond what people write, and well within what both databases take in one query. */
const maxDepth = 100;
const maxComparisons = 100; // each may be a join; MLflow's SQLite ends at 64
const maxListItems = 20_000; // of all lists together

export type Filter<C> =
  | { readonly kind: 'all' | 'any'; readonly of: readonly Filter<C>[] }
  | { readonly kind: 'not'; readonly of: Filter<C> }
  | { readonly kind: 'is'; readonly clause: C };

/** @returns the tree, or undefined for an empty filter  @throws PlatformError `tracking/invalid-filter` with its place */
export function parseFilter(text: string): Filter<Comparison> | undefined {
  if (text.trim() === '') return undefined;
  const tokens = tokenize(text);
  let next = 0;
  let comparisons = 0;
  let listItems = 0;
  const placeOf = ({ at }: Token): Place => ({ filter: text, at });
  const peek = (ahead = 0): Token => tokens[next + ahead] ?? { kind: 'end', text: '', at: text.length };
  const take = (): Token => {
    const token = peek();
    next += 1;
    return token;
  };
  const isWord = (word: string, ahead = 0) => peek(ahead).kind === 'name' && peek(ahead).text.toUpperCase() === word;
  const takeWord = (word: string): boolean => {
    if (!isWord(word)) return false;
    next += 1;
    return true;
  };

  const filter = anyOf(0);
  if (peek().kind !== 'end') throw unexpected(peek());
  return filter;

  /** @param depth of the parentheses and NOTs around it */
  function anyOf(depth: number): Filter<Comparison> {
    const parts = [allOf(depth)];
    while (takeWord('OR')) parts.push(allOf(depth));
    return parts.length === 1 && parts[0] ? parts[0] : { kind: 'any', of: parts };
  }

  function allOf(depth: number): Filter<Comparison> {
    const parts = [negated(depth)];
    while (takeWord('AND')) parts.push(negated(depth));
    return parts.length === 1 && parts[0] ? parts[0] : { kind: 'all', of: parts };
  }

  function negated(depth: number): Filter<Comparison> {
    if (depth > maxDepth) {
      throw invalidFilter(`The filter is nested deeper than ${maxDepth} levels.`, placeOf(peek()));
    }
    if (takeWord('NOT')) return { kind: 'not', of: negated(depth + 1) };
    if (peek().kind !== 'open') return { kind: 'is', clause: comparison() };
    take();
    const inner = anyOf(depth + 1);
    if (peek().kind !== 'close') throw unexpected(peek());
    take();
    return inner;
  }

  function comparison(): Comparison {
    const name = take();
    if (name.kind !== 'name' || ['AND', 'OR', 'IN', 'LIKE', 'ILIKE', 'IS'].includes(name.text.toUpperCase()))
      throw unexpected(name);
    comparisons += 1;
    if (comparisons > maxComparisons) {
      throw invalidFilter(`The filter has more than ${maxComparisons} comparisons.`, placeOf(name));
    }
    const base = { kind: 'comparison', name: name.text, place: placeOf(name) } as const;
    if (takeWord('IS')) {
      const negative = takeWord('NOT');
      if (!takeWord('NULL')) throw unexpected(peek());
      return {
        ...base,
        comparator: negative ? 'IS NOT NULL' : 'IS NULL',
        value: { kind: 'none', text: '', place: placeOf(name) },
      };
    }
    for (const word of ['IN', 'LIKE', 'ILIKE']) {
      if (takeWord(word)) return { ...base, comparator: word, value: value() };
      if (!isWord('NOT') || !isWord(word, 1)) continue;
      next += 2;
      return { ...base, comparator: `NOT ${word}`, value: value() };
    }
    if (peek().kind !== 'comparator') throw unexpected(name);
    return { ...base, comparator: take().text, value: value() };
  }

  function value(): Value {
    const token = take();
    if (token.kind === 'string' || token.kind === 'number' || token.kind === 'name') {
      return { kind: token.kind, text: token.text, place: placeOf(token) };
    }
    if (token.kind === 'open') return list(token);
    throw unexpected(token);
  }

  function list(open: Token): Value {
    const items: Scalar[] = [];
    while (peek().kind !== 'close') {
      const item = take();
      const { kind, text } = item;
      if (kind !== 'number' && kind !== 'string' && !(kind === 'name' && /^".*"$/s.test(text))) throw illFormed(item);
      items.push({ kind, text, place: placeOf(item) });
      listItems += 1;
      if (listItems > maxListItems) {
        throw invalidFilter(`The lists of the filter have more than ${maxListItems} values.`, placeOf(item));
      }
      if (peek().kind === 'comma') take();
      else if (peek().kind !== 'close') throw illFormed(peek());
    }
    const close = take();
    if (items.length === 0) {
      throw invalidFilter(
        'While parsing a list in the query, expected a non-empty list of string values, but got empty list',
        placeOf(open),
      );
    }
    return { kind: 'list', items, text: text.slice(open.at, close.at + 1), place: placeOf(open) };
  }

  function unexpected(token: Token) {
    const shown = token.kind === 'end' ? text.trim() : token.text;
    return invalidFilter(`Invalid clause(s) in filter string: '${shown}'`, placeOf(token));
  }

  function illFormed(token: Token) {
    const message = 'expected a non-empty list of string values, but got ill-formed list.';
    return invalidFilter(`While parsing a list in the query, ${message}`, placeOf(token));
  }
}

/** Puts another clause into every leaf. */
export function mapFilter<A, B>(filter: Filter<A>, map: (clause: A) => B): Filter<B> {
  switch (filter.kind) {
    case 'is':
      return { kind: 'is', clause: map(filter.clause) };
    case 'not':
      return { kind: 'not', of: mapFilter(filter.of, map) };
    case 'all':
    case 'any':
      return { kind: filter.kind, of: filter.of.map((part) => mapFilter(part, map)) };
  }
}

/** Every leaf, in the order of the text. */
export function clausesOf<C>(filter: Filter<C> | undefined): readonly C[] {
  if (!filter) return [];
  switch (filter.kind) {
    case 'is':
      return [filter.clause];
    case 'not':
      return clausesOf(filter.of);
    case 'all':
    case 'any':
      return filter.of.flatMap((part) => clausesOf(part));
  }
}
