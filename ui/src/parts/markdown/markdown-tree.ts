/**
 * Markdown as a tree of elements: no markup is ever made from what somebody wrote, so nothing of it runs, and nothing is fetched. Loaded
 * only where a text is shown that may be Markdown.
 */
import { lexer, type MarkedToken, type Token, type Tokens } from 'marked';

/** A text, or an element with what React takes as its attributes. */
export type Piece = string | Branch;
type Branch = {
  readonly tag: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
  readonly inside: readonly Piece[];
};

/** Longer texts stay as they were typed: at hostile ones the parser takes a second from here on. */
const longest = 30_000;
/** Quotes and lists within each other; what lies deeper stays as it was typed. */
const deepest = 16;

type Place = {
  /** Added to the level of each heading, so that the page's outline stays right. */
  readonly lowered: number;
  readonly depth: number;
  readonly isLink?: boolean;
};

/** @param under level of the heading that the text stands below: its own begin one level lower, whatever they are */
export function markdownTree(text: string, { under }: { under: number }): readonly Piece[] {
  const tokens = text.length > longest ? undefined : parse(text);
  if (!tokens) return [text];
  const highest = Math.min(...tokens.flatMap((token) => (token.type === 'heading' ? Number(token['depth']) : [])));
  const lowered = Number.isFinite(highest) ? under + 1 - highest : 0;
  return pieces(tokens, { lowered, depth: 0 });
}

function parse(text: string): readonly Token[] | undefined {
  try {
    // A line's end is kept, as it is in MLflow.
    return lexer(text, { gfm: true, breaks: true });
  } catch (error) {
    // Thousands of quotes or lists within each other are more than its stack holds.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function pieces(tokens: readonly Token[], place: Place): readonly Piece[] {
  if (place.depth > deepest) return tokens.map(({ raw }) => raw);
  // The lexer has no extensions that would make other tokens.
  return tokens.flatMap((token) => piecesOf(token as MarkedToken, { ...place, depth: place.depth + 1 }));
}

function piecesOf(token: MarkedToken, place: Place): Piece | readonly Piece[] {
  switch (token.type) {
    case 'heading': {
      const level = Math.max(2, Math.min(6, token.depth + place.lowered));
      return { tag: `h${level}`, inside: pieces(token.tokens, place) };
    }
    case 'paragraph':
      return { tag: 'p', inside: pieces(token.tokens, place) };
    case 'blockquote':
    case 'strong':
    case 'em':
    case 'del':
      return { tag: token.type, inside: pieces(token.tokens, place) };
    case 'list': {
      const inside = token.items.flatMap((item) => piecesOf(item, place));
      if (!token.ordered) return { tag: 'ul', inside };
      return { tag: 'ol', ...(token.start !== 1 && { attributes: { start: Number(token.start) } }), inside };
    }
    case 'list_item':
      return {
        tag: 'li',
        ...(token.task && { attributes: { className: 'task' } }),
        inside: pieces(token.tokens, place),
      };
    case 'checkbox': {
      const { checked } = token;
      const says = checked ? 'done' : 'to do';
      return {
        tag: 'input',
        attributes: { type: 'checkbox', disabled: true, readOnly: true, checked, 'aria-label': says },
        inside: [],
      };
    }
    case 'table':
      return table(token, place);
    case 'code':
      return {
        tag: 'pre',
        attributes: { tabIndex: 0, role: 'region', 'aria-label': token.lang ? `Code, ${token.lang}` : 'Code' },
        inside: [{ tag: 'code', inside: [token.text] }],
      };
    case 'codespan':
      return { tag: 'code', inside: [token.text] };
    case 'link':
      // What an address that was typed leads to is what it says, letter for letter.
      if (token.autolink) return link(token.href, [token.text], place);
      return link(unescaped(token.href), pieces(token.tokens, { ...place, isLink: true }), place);
    case 'image':
      return link(unescaped(token.href), [unescaped(token.text || token.href)], place);
    case 'text':
      if (token.tokens) return pieces(token.tokens, place);
      return token.escaped ? token.text : unescaped(token.text);
    case 'escape':
      return token.text;
    case 'html':
      // The only tag that cells of tables cannot do without. Everything else is shown as it was typed.
      if (/^<br\s*\/?>$/i.test(token.raw)) return { tag: 'br', inside: [] };
      if (!token.block) return token.raw;
      return { tag: 'p', attributes: { className: 'typed' }, inside: [token.raw.trimEnd()] };
    case 'br':
    case 'hr':
      return { tag: token.type, inside: [] };
    case 'space':
    case 'def':
      return [];
  }
}

/** An image is a link, too: the pages ask no other host for anything. What leads to no page and no mailbox is text. */
function link(href: string, inside: readonly Piece[], { isLink }: Place): Piece | readonly Piece[] {
  const address = URL.parse(href);
  if (isLink || !address || !['http:', 'https:', 'mailto:'].includes(address.protocol)) return inside;
  const rel = 'noopener noreferrer nofollow';
  return { tag: 'a', attributes: { className: 'link', href: address.href, target: '_blank', rel }, inside };
}

function table({ header, rows }: Tokens.Table, place: Place): Piece {
  const row = (cells: readonly Tokens.TableCell[]): Piece => ({
    tag: 'tr',
    inside: cells.map(({ header, align, tokens }) => ({
      tag: header ? 'th' : 'td',
      ...(align && align !== 'left' && { attributes: { style: { textAlign: align } } }),
      inside: pieces(tokens, place),
    })),
  });
  const parts = [
    { tag: 'thead', inside: [row(header)] },
    { tag: 'tbody', inside: rows.map(row) },
  ];
  return {
    tag: 'section',
    attributes: { className: 'wide', tabIndex: 0, 'aria-label': 'Table' },
    inside: [{ tag: 'table', inside: parts }],
  };
}

const letters: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

/** The lexer leaves references to letters to a writer of HTML. Of those with names, the few that people type. */
function unescaped(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]+));/gi, (typed, decimal, hex, name) => {
    if (name) return letters[name] ?? typed;
    const point = decimal ? Number(decimal) : Number.parseInt(hex, 16);
    return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point).toWellFormed() : '\ufffd';
  });
}
