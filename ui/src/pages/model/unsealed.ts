/** What is known of a version that is not sealed, as models that Python alone can load: its files, and what MLflow wrote beside them. */
import { useQuery } from '@tanstack/react-query';
import { type ModelFormat, unsafeFormat } from '../../data/model-format.ts';
import type { Version } from '../../data/models.ts';
import { useArtifacts } from '../../data/runs.ts';
import { fileAddress } from '../run/preview.tsx';

type Column = { readonly name: string; readonly type: string };
type Written = {
  readonly flavor: string | undefined;
  readonly inputs: readonly Column[];
  readonly outputs: readonly Column[];
};

/** @returns undefined of a sealed version, while it is read, and where its files lie elsewhere */
export function useUnsealed({ sealed, source, runId }: Version, enabled = true) {
  const place = sealed || !enabled ? undefined : placeOf(source, runId);
  const items = useArtifacts(place).data?.items;
  const mlmodel = items?.find(({ path }) => path.split('/').at(-1) === 'MLmodel');
  const { data: written } = useQuery({
    queryKey: ['file', place, mlmodel?.path, 'MLmodel'],
    enabled: place !== undefined && mlmodel !== undefined,
    staleTime: 60_000,
    queryFn: async ({ signal }) => {
      const response = await fetch(fileAddress({ run: '', ...place, path: mlmodel?.path ?? '' }), { signal });
      return response.ok ? readMlmodel(await response.text()) : undefined;
    },
  });
  if (!items || items.length === 0) return undefined;
  const flat = items.filter(({ isFolder }) => !isFolder);
  const isOnnx = flat.some(({ path }) => path.toLowerCase().endsWith('.onnx'));
  const other: ModelFormat = {
    name: written?.flavor ?? 'other files',
    mark: 'undecided',
    says: written?.flavor ? `${written.flavor}: it cannot be served` : 'no format that can be served',
  };
  const onnx: ModelFormat = { name: 'ONNX', mark: 'undecided', says: 'ONNX, examined when it is shipped' };
  return {
    isOnnx,
    format: isOnnx ? onnx : (unsafeFormat(flat.map(({ path }) => path)) ?? other),
    files: flat.length,
    size: flat.reduce((sum, { size }) => sum + size, 0),
    hasFolders: flat.length < items.length,
    written,
  };
}

/** Where a version's source lies, when it is a run's or a logged model's. */
export function placeOf(source: string, run: string | undefined) {
  if (run === undefined) return undefined;
  const model = /(?:^models:|\/models)\/(m-[0-9a-f]+)/.exec(source)?.[1];
  if (model !== undefined) return { run, model, path: '' };
  const path = /^runs:\/[^/]+\/(.+)$/.exec(source)?.[1] ?? source.split(`${run}/artifacts/`)[1];
  return path === undefined ? undefined : { run, path };
}

/** The few lines of an `MLmodel` that are for people; a whole reader of YAML would weigh more than the page. */
export function readMlmodel(text: string): Written {
  const flavors = /^flavors:\n((?: .*\n)*)/m.exec(text)?.[1] ?? '';
  const names = [...flavors.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name);
  return {
    flavor: names.find((name) => name !== 'python_function') ?? names[0],
    inputs: columnsIn(text, 'inputs'),
    outputs: columnsIn(text, 'outputs'),
  };
}

/** A quoted text of JSON, folded into lines. */
function columnsIn(text: string, key: string): readonly Column[] {
  const quoted = new RegExp(`^ {2}${key}: '((?:''|[^'])*)'`, 'm').exec(text)?.[1];
  try {
    const said: unknown = JSON.parse((quoted ?? '[]').replaceAll("''", "'").replace(/\n */g, ' '));
    return (Array.isArray(said) ? said : []).map((column: Readonly<Record<string, unknown>>, at) => ({
      name: typeof column['name'] === 'string' ? column['name'] : `${key === 'inputs' ? 'input' : 'output'} ${at + 1}`,
      type: sayType(column),
    }));
  } catch {
    return [];
  }
}

function sayType({ type, required, 'tensor-spec': tensor }: Readonly<Record<string, unknown>>): string {
  const spec = (tensor ?? {}) as { readonly dtype?: unknown; readonly shape?: readonly number[] };
  const name =
    type === 'tensor' ? `${spec.dtype} [${spec.shape?.map((dim) => (dim < 0 ? 'n' : dim)).join(', ')}]` : String(type);
  return required === false ? `${name}, optional` : name;
}
