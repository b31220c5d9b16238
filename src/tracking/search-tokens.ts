/** Cuts a filter into tokens with their places. */
import { PlatformError } from '../errors.ts';

export type Token = {
  readonly kind: 'name' | 'string' | 'number' | 'comparator' | 'open' | 'close' | 'comma' | 'end';
  readonly text: string;
  /** Offset of the first character. */
  readonly at: number;
};

/** A character of a filter. */
export type Place = { readonly filter: string; readonly at: number };

/** Room for a list of 10,000 run ids. */
const maxLength = 500_000;

/** @throws PlatformError `tracking/invalid-filter` at the first character that starts no token */
export function tokenize(filter: string): readonly Token[] {
  if (filter.length > maxLength) {
    const message = `The filter has ${filter.length} characters; at most ${maxLength} are read.`;
    throw invalidFilter(message, { filter, at: maxLength });
  }
  const tokens: Token[] = [];
  let at = 0;
  while (at < filter.length) {
    const space = match(/\s+/y, filter, at);
    if (space) {
      at += space.length;
      continue;
    }
    const token = tokenAt(filter, at);
    tokens.push(token);
    at += token.text.length;
  }
  tokens.push({ kind: 'end', text: '', at: filter.length });
  return tokens;
}

/** The message as MLflow words it; where in the filter it applies stands beside it, for people and for editors. */
export const invalidFilter = (message: string, place: Place): PlatformError =>
  new PlatformError('tracking/invalid-filter', `at character ${place.at + 1}`, {
    message,
    at: [{ pointer: '/filter', message: `at character ${place.at + 1}\n${excerpt(place)}` }],
    data: { position: place.at },
  });

/** What stands around a place, with a caret below it. */
function excerpt({ filter, at }: Place): string {
  const from = Math.max(0, at - 40);
  const to = Math.min(filter.length, at + 40);
  const before = `${from > 0 ? '…' : ''}${filter.slice(from, at)}`;
  const shown = `${before}${filter.slice(at, to)}${to < filter.length ? '…' : ''}`;
  return `    ${shown.replace(/\s/g, ' ')}\n    ${' '.repeat(before.length)}^`;
}

const patterns: readonly (readonly [Token['kind'], RegExp])[] = [
  ['open', /\(/y],
  ['close', /\)/y],
  ['comma', /,/y],
  ['comparator', /<>|[<>!=]=|[<>=]/y],
  ['number', /[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])/y],
  ['string', /'(?:''|\\'|[^'])*'/y],
  // A name may be quoted as a whole or in part: metrics.`a b`, tags."x", params.'y', "run name".
  ['name', /(?:`[^`]*`|"[^"]*"|(?<=\.)'[^']*'|[\p{L}\p{N}_$@./:-]+)+/uy],
];

function tokenAt(filter: string, at: number): Token {
  for (const [kind, pattern] of patterns) {
    const text = match(pattern, filter, at);
    if (text) return { kind, text, at };
  }
  throw invalidFilter(`Invalid clause(s) in filter string: '${filter.slice(at, at + 20)}'`, { filter, at });
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
