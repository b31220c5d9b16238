/** `rondo predict`: rows in, answers out, over the Open Inference Protocol. */
import { PlatformError } from '../errors.ts';
import { path } from './api-client.ts';
import type { DefineCommand } from './command.ts';
import { type InputRow, readRows } from './input.ts';
import { table } from './table.ts';

type Tensor = { name: string; datatype: string; shape: number[] };
type Answer = {
  id?: string;
  model_name: string;
  model_version?: string;
  parameters?: Record<string, unknown>;
  outputs: (Tensor & { data: unknown[] })[];
};

export const define: DefineCommand = (command, { api, output, signal, stdin }) => {
  command
    .argument('<endpoint>')
    .argument('[column=value...]', 'one row')
    .option('--input <file>', 'rows as JSON, NDJSON or CSV; - is standard input')
    .action(async (endpoint: string, pairs: string[], { input }: { input?: string }) => {
      const rows = input === undefined ? [rowOf(pairs)] : await readRows(input, stdin);
      if (rows.length === 0 || (input === undefined && pairs.length === 0)) {
        throw new PlatformError('cli/usage', '--input', {
          message: 'There is no row to ask about.',
          hint: 'write origin=ATL distance=600, or --input rows.csv',
        });
      }
      const client = await api();
      const about = await client.call<{ inputs: Tensor[] }>('GET', path`/v2/models/${endpoint}`, { signal });
      const body = { inputs: tensorsOf(rows, about.inputs) };
      const answer = await client.call<Answer>('POST', path`/v2/models/${endpoint}/infer`, { body, signal });
      output.result(answer, show);
    });
};

function rowOf(pairs: readonly string[]): InputRow {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new PlatformError('cli/usage', pair, { message: `"${pair}" is not column=value.` });
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

/** One tensor a column; columns that the model does not know (its key, its time) are sent as they look, and logged. */
function tensorsOf(rows: readonly InputRow[], known: readonly Tensor[]) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return names.map((name) => {
    const spec = known.find((tensor) => tensor.name === name);
    const datatype = spec?.datatype ?? (rows.every((row) => typeof row[name] === 'number') ? 'FP64' : 'BYTES');
    const shape = spec && spec.shape.length > 1 ? [rows.length, 1] : [rows.length];
    return { name, datatype, shape, data: rows.map((row) => valueAs(datatype, row[name], name)) };
  });
}

function valueAs(datatype: string, value: unknown, name: string): unknown {
  if (value === undefined || value === null)
    throw new PlatformError('cli/usage', name, { message: `A row has no ${name}.` });
  if (datatype === 'BYTES') return String(value);
  if (datatype === 'BOOL') return value === true || value === 'true' || value === 1 || value === '1';
  const number = Number(value);
  if (!Number.isFinite(number))
    throw new PlatformError('cli/usage', name, {
      message: `${name} is a number (${datatype}), not "${String(value)}".`,
    });
  return number;
}

function show({ model_name: endpoint, model_version: version, parameters, outputs, id }: Answer): string {
  const rows = Math.max(0, ...outputs.map(({ shape }) => shape[0] ?? 1));
  const cells = Array.from({ length: rows }, (_, row) =>
    outputs.map(({ data }) => {
      const width = data.length / rows;
      return data.slice(row * width, (row + 1) * width).join(' ');
    }),
  );
  const answers = table(
    cells,
    outputs.map(({ name }, at) => ({ title: name, cell: (row: string[]) => row[at] ?? '' })),
  );
  const facts = [
    `${endpoint}${version ? `@${version}` : ''}`,
    String(parameters?.variant ?? ''),
    String(parameters?.prediction_ids ?? id ?? ''),
  ];
  return `${answers}\n\n${facts.filter(Boolean).join('  ')}`;
}
