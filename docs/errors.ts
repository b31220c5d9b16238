/** Writes docs/reference/errors.md: the catalogue of errors as a page. */
import { type ErrorCode, errorCatalogue } from '../src/errors.ts';

const exits: Readonly<Record<number, string>> = {
  1: 'failed',
  2: 'usage',
  3: 'a gate says no',
  4: 'not allowed',
  5: 'undecided',
  6: 'not reachable',
};

/** @returns the page, as it stands in the repository */
export function errorsPage(): string {
  const codes = Object.keys(errorCatalogue) as ErrorCode[]; // the catalogue's own keys
  const parts = Map.groupBy(codes, (code) => code.slice(0, code.indexOf('/')));
  return `${[
    '# Errors',
    'Written by `npm run docs` from `src/errors.ts`. Every error has a code that does not change, a sentence and, where one is known, a fix.',
    'Over HTTP it is `application/problem+json` with `code`, `detail` and `fix`; a command writes it to stderr, with `--json` as one document, and exits with ' +
      `${Object.entries(exits)
        .map(([code, says]) => `${code} (${says})`)
        .join(', ')}.`,
    ...[...parts].map(
      ([part, ofPart]) =>
        `## ${part}\n\n| Code | HTTP | Exit | It says | What helps |\n|---|---|---|---|---|\n${ofPart.map(row).join('\n')}`,
    ),
  ].join('\n\n')}\n`;
}

function row(code: ErrorCode): string {
  const kind: { status: number; exit?: number; says: (subject: string) => string; fix?: string } = errorCatalogue[code];
  const cells = [`\`${code}\``, kind.status, kind.exit ?? 1, cell(kind.says('…')), cell(kind.fix ?? '')];
  return `| ${cells.join(' | ')} |`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
