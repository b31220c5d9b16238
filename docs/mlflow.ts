/** Writes docs/reference/mlflow-compatibility.md: where Rondo answers MLflow's clients otherwise than MLflow does. */
import { leftOut } from '../src/mlflow/left-out.ts';
import { allowedDifferences } from '../tests/clients/differential/allowed-differences.ts';
import { everyCall, lastCalls } from '../tests/clients/differential/every-call.ts';

/** @returns the page, as it stands in the repository */
export function mlflowPage(): string {
  return `${[
    '# Compatibility with MLflow',
    'Written by `npm run docs` from the table that `tests/clients/differential.test.ts` holds the server to.',
    `The test sends the same ${everyCall.length + lastCalls.length} requests and a random sequence to Rondo and to MLflow's own server, the newest from PyPI ` +
      '(3.17.2 when this was written), and compares status and body of every answer. A difference that is not a row here fails the test, ' +
      'and so does a row that no answer needs. Ids, names that a server makes up, times and the order of lists that MLflow itself reads ' +
      'without one are not compared. Where one of the two refuses what the other does, every field of both answers is named. A `*` ' +
      'stands for what the random sequence chose.',
    "MLflow's Python client does not percent-encode the names of artifacts: `a#b.txt` goes out as `a`, `a?b.txt` as `a` with a query, " +
      '`a%20b.txt` as `a b.txt`; names with spaces, letters of any language or a lone `%` arrive as they are. Clients that encode keep ' +
      'every name. A location of artifacts on a host of its own (`hdfs:`, `sftp:`, `http:` elsewhere) is kept for clients; MLflow 3.17 refuses ' +
      'it, because its server would connect there. Rondo itself reads and writes only below `--artifacts-destination` and ' +
      '`--default-artifact-root`, and answers with 400 elsewhere.',
    'These groups of MLflow are not here: such a request is answered with 404, `ENDPOINT_NOT_FOUND` and the name of the group, so that clients ' +
      'fall back to what there is.',
    `| Group | Addresses with |\n|---|---|\n${leftOut
      .map(({ name, paths }) => row([name, paths.map((path) => `\`${path}\``).join(' ')]))
      .join('\n')}`,
    `| Route | Request | Field | Rondo | MLflow | Why |\n|---|---|---|---|---|---|\n${allowedDifferences
      .map(({ route, calls, fields, ours, theirs, reason }) =>
        row([
          `\`${route}\``,
          calls.map(shownCall).join('<br>'),
          fields.map((field) => `\`${field}\``).join(' '),
          ours,
          theirs,
          reason,
        ]),
      )
      .join('\n')}`,
  ].join('\n\n')}\n`;
}

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

/** Filters as code; a `*` that stands for any text as itself. */
const shownCall = (call: string): string =>
  call.replace(/^filter (?=\S+ [=<>]|AND)(.*)$/, 'filter `$1`').replaceAll('*', '\\*');
