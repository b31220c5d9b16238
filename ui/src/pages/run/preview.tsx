/**
 * A look into one file. Files are whatever somebody has uploaded: text is shown as text, images by an `img`, which runs no scripts,
 * HTML in a frame that may do nothing, and what only the server can read is read there.
 */
import { useQuery } from '@tanstack/react-query';
import { ApiProblem, address, get } from '../../data/api.ts';
import { count } from '../../format.ts';
import { Failed, Loading } from '../../parts/states.tsx';
import { Verdict } from '../../parts/verdict.tsx';
import { readTable, type TextTable } from './csv.ts';
import { size } from './size.ts';

export type FilePlace = { readonly run: string; readonly model?: string | undefined; readonly path: string };

/** The beginning of a file that is read as text; pages of HTML are worth nothing when they are cut. */
const textShown = 256 * 1024;
const htmlShown = 4 * 1024 * 1024;

type Look = 'onnx' | 'parquet' | 'image' | 'html' | 'json' | 'csv' | 'tsv' | 'text' | 'none';

const looks: readonly (readonly [RegExp, Look])[] = [
  [/\.onnx$/i, 'onnx'],
  [/\.(parquet|pq)$/i, 'parquet'],
  [/\.(png|jpe?g|gif|webp|svg|bmp|avif)$/i, 'image'],
  [/\.html?$/i, 'html'],
  [/\.(json|ipynb)$/i, 'json'],
  [/\.csv$/i, 'csv'],
  [/\.tsv$/i, 'tsv'],
  [
    /\.(pkl|pickle|joblib|npy|npz|zip|gz|tar|tgz|bin|pt|pth|h5|keras|safetensors|ubj|cbm|pdf|db|sqlite|arrow|feather|so|whl|mp4|mp3|wav)$/i,
    'none',
  ],
];

const lookOf = (path: string): Look => looks.find(([pattern]) => pattern.test(path))?.[1] ?? 'text';

export const fileAddress = ({ run, model, path }: FilePlace): string =>
  model === undefined
    ? address('/get-artifact', { run_id: run, path })
    : address(`/ajax-api/2.0/mlflow/logged-models/${encodeURIComponent(model)}/artifacts/files`, {
        artifact_file_path: path,
      });

export function Preview({ file, bytes }: { file: FilePlace; bytes: number }) {
  const look = lookOf(file.path);
  return (
    <div className="preview">
      <p className="small i2">
        <a className="link" href={fileAddress(file)} download>
          Download
        </a>{' '}
        {size(bytes)}
      </p>
      {bytes === 0 ? <p className="small i3">The file is empty.</p> : <Look look={look} file={file} bytes={bytes} />}
    </div>
  );
}

function Look({ look, file, bytes }: { look: Look; file: FilePlace; bytes: number }) {
  switch (look) {
    case 'onnx':
    case 'parquet':
      return <ServerPreview file={file} />;
    case 'image':
      return <img src={fileAddress(file)} alt={file.path} loading="lazy" />;
    case 'none':
      return <p className="small i3">There is nothing to show of this kind of file.</p>;
    default:
      return <TextPreview look={look} file={file} bytes={bytes} />;
  }
}

async function readText(file: FilePlace, most: number, signal: AbortSignal): Promise<string> {
  const response = await fetch(fileAddress(file), { headers: { range: `bytes=0-${most - 1}` }, signal });
  if (!response.ok) throw new ApiProblem(response.status, { detail: `The server answered ${response.status}.` });
  return new TextDecoder().decode((await response.arrayBuffer()).slice(0, most));
}

function TextPreview({ look, file, bytes }: { look: Look; file: FilePlace; bytes: number }) {
  const most = look === 'html' ? htmlShown : textShown;
  const text = useQuery({
    queryKey: ['file', file, most],
    queryFn: ({ signal }) => readText(file, most, signal),
    staleTime: 60_000,
  });
  if (text.isError) return <Failed what={file.path} error={text.error} retry={() => void text.refetch()} />;
  if (text.data === undefined) return <Loading what={file.path} rows={3} />;
  const isCut = bytes > most;
  if (text.data.includes('\u0000')) return <p className="small i3">It is no text: there is nothing to show.</p>;
  return (
    <>
      {look === 'html' ? (
        <iframe title={file.path} sandbox="" srcDoc={text.data} />
      ) : look === 'csv' || look === 'tsv' ? (
        <FirstRows text={text.data} separator={look === 'csv' ? ',' : '\t'} isCut={isCut} />
      ) : (
        <pre>{look === 'json' && !isCut ? indented(text.data) : text.data}</pre>
      )}
      {isCut && (
        <p className="small i2">
          This is its first {size(most)} of {size(bytes)}.
        </p>
      )}
    </>
  );
}

function FirstRows({ text, separator, isCut }: { text: string; separator: ',' | '\t'; isCut: boolean }) {
  const table = readTable(text, separator, isCut);
  return (
    <>
      <TableView table={table} />
      {table.more && !isCut && <p className="small i2">These are its first {count(table.rows.length)} rows.</p>}
    </>
  );
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

type TensorSpec = { readonly name: string; readonly datatype: string; readonly shape: readonly number[] };
type Finding = { readonly code: string; readonly severity: string; readonly message: string; readonly fix?: string };
type ServerLook =
  | {
      readonly kind: 'onnx';
      readonly inputs: readonly TensorSpec[];
      readonly outputs: readonly TensorSpec[];
      readonly opsets: readonly { readonly domain: string; readonly version: number }[];
      readonly irVersion: number;
      readonly nodes: number;
      readonly operators: readonly { readonly name: string; readonly calls: number }[];
      readonly tensors: { readonly count: number; readonly elements: number };
      readonly findings: readonly Finding[];
    }
  | {
      readonly kind: 'table';
      readonly rows: number;
      readonly columns: readonly { readonly name: string; readonly type: string }[];
      readonly items: readonly (readonly (string | null)[])[];
    };

function ServerPreview({ file: { run, model, path } }: { file: FilePlace }) {
  const look = useQuery({
    queryKey: ['file', run, model, path, 'preview'],
    queryFn: ({ signal }) =>
      get<ServerLook>(`/api/v1/runs/${encodeURIComponent(run)}/artifacts/preview`, { path, model }, signal),
    staleTime: 60_000,
    retry: false,
  });
  if (look.isError) return <Failed what={path} error={look.error} />;
  if (!look.data) return <Loading what={path} rows={3} />;
  if (look.data.kind === 'onnx') return <Graph graph={look.data} />;
  const { columns, items, rows } = look.data;
  return (
    <>
      <p className="small i2">
        {count(rows)} rows, {count(columns.length)} columns.
        {rows > items.length && ` These are its first ${count(items.length)} rows.`}
      </p>
      <TableView
        table={{
          columns: columns.map(({ name, type }) => `${name} ${type.toLowerCase()}`),
          rows: items.map((row) => row.map((cell) => cell ?? 'null')),
        }}
      />
    </>
  );
}

const operatorsShown = 12;

function Graph({ graph }: { graph: Extract<ServerLook, { kind: 'onnx' }> }) {
  const { inputs, outputs, opsets, operators, tensors, nodes, irVersion, findings } = graph;
  const refused = findings.some(({ severity }) => severity === 'refuse');
  const others = operators.slice(operatorsShown);
  return (
    <div className="graph">
      <Verdict mark={refused ? 'fail' : findings.length > 0 ? 'warn' : 'pass'}>
        {refused ? 'cannot be served' : findings.length > 0 ? 'ONNX, with remarks' : 'ONNX, nothing executable'}
      </Verdict>
      {findings.map((finding) => (
        <p key={`${finding.code} ${finding.message}`} className="small i2">
          {finding.message} {finding.fix && <code>{finding.fix}</code>}
        </p>
      ))}
      <dl className="facts">
        <Tensors name="Inputs" tensors={inputs} />
        <Tensors name="Outputs" tensors={outputs} />
        <dt>Operators</dt>
        <dd>
          {operators.slice(0, operatorsShown).map(({ name, calls }, at) => (
            <span key={name}>
              {at > 0 && ', '}
              <code>{name}</code>
              {calls > 1 && ` ${count(calls)}`}
            </span>
          ))}
          {others.length > 0 && ` and ${others.length} more`}
          {nodes > 1 && `; ${count(nodes)} calls in all`}
        </dd>
        <dt>Weights</dt>
        <dd>
          {tensors.count === 0
            ? 'no tensors'
            : `${count(tensors.elements)} numbers in ${count(tensors.count)} ${tensors.count === 1 ? 'tensor' : 'tensors'}`}
        </dd>
        <dt>Opset</dt>
        <dd>
          {opsets.map(({ domain, version }) => `${domain || 'ai.onnx'} ${version}`).join(', ')}; IR {irVersion}
        </dd>
      </dl>
    </div>
  );
}

function Tensors({ name, tensors }: { name: string; tensors: readonly TensorSpec[] }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>
        {tensors.length === 0 && 'none that can be sent'}
        {tensors.map((tensor) => (
          <div key={tensor.name}>
            <code>{tensor.name}</code> {sayTensor(tensor)}
          </div>
        ))}
      </dd>
    </>
  );
}

export const sayTensor = ({ datatype, shape }: Pick<TensorSpec, 'datatype' | 'shape'>): string =>
  `${datatype === 'BYTES' ? 'string' : datatype} [${shape.map((dim) => (dim < 0 ? 'n' : dim)).join(', ')}]`;

function TableView({ table: { columns, rows } }: { table: TextTable }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys.
    <section className="rows wide" tabIndex={0} aria-label="The first rows">
      <table>
        <thead>
          <tr>
            {columns.map((column, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: columns may share their name and never move.
              <th key={at} className={isNumber(rows[0]?.[at] ?? '') ? 'num' : ''}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows are what stands at a place of a file.
            <tr key={at}>
              {row.map((cell, column) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: see above.
                <td key={column} className={isNumber(cell) ? 'num' : ''}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const isNumber = (cell: string): boolean => cell !== '' && Number.isFinite(Number(cell));
