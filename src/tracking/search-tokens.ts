/** Cuts a filter into tokens with their places. */
import { PlatformError } from '../errors.ts';

export type Token = {
  readonly kind: 'name' | 'string' | 'number' | 'comparator' | 'open' | 'close' | 'comma' | 'end';
  readonly text: string;
  /** Offset of the first character. */
  readonly at: number;
};

/** @throws PlatformError `tracking/invalid-filter` at the first character that starts no token */
export function tokenize(filter: string): readonly Token[] {
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

/** @param at where in the filter, so that an editor can underline it */
export const invalidFilter = (message: string, at: number): PlatformError =>
  new PlatformError('tracking/invalid-filter', `at character ${at + 1}`, {
    message,
    at: [{ pointer: '/filter', message: `at character ${at + 1}` }],
    data: { position: at },
  });

const patterns: readonly (readonly [Token['kind'], RegExp])[] = [
  ['open', /\(/y],
  ['close', /\)/y],
  ['comma', /,/y],
  ['comparator', /<>|[<>!=]=|[<>=]/y],
  ['number', /[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])/y],
  ['string', /'(?:''|\\'|[^'])*'/y],
  // A name may be quoted as a whole or in part: metrics.`a b`, tags."x", "run name".
  ['name', /(?:`[^`]*`|"[^"]*"|[\p{L}\p{N}_$@./:-]+)+/uy],
];

function tokenAt(filter: string, at: number): Token {
  for (const [kind, pattern] of patterns) {
    const text = match(pattern, filter, at);
    if (text) return { kind, text, at };
  }
  throw invalidFilter(`Invalid clause(s) in filter string: '${filter.slice(at, at + 20)}'`, at);
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
