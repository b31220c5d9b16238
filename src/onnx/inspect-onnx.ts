/** Whether a model file may be loaded, and what it takes and gives: told from its bytes, before any runtime sees them. */
import { callFindings, runtimeLimits } from './call-findings.ts';
import { byteSize, elementType } from './element-type.ts';
import { externalDataFindings } from './external-data.ts';
import { type Finding, refuse, shown, warn } from './finding.ts';
import { type OnnxModel, type Opset, readOnnxModel, type Value } from './onnx-model.ts';
import { MalformedMessage } from './protobuf-reader.ts';
import { elementCount, isComplete, type Tensor } from './tensor.ts';

/** One input or output as the Open Inference Protocol names it; -1 is a free dimension. */
export type TensorSpec = { readonly name: string; readonly datatype: string; readonly shape: readonly number[] };

export type OnnxInspection = {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly irVersion: number;
  readonly nodes: number;
  /** With one of severity `refuse` among them the model must not be loaded. */
  readonly findings: readonly Finding[];
};

/** A tensor larger than this fits no machine that serves it. */
const mostBytes = 1n << 34n;
/** One bad exporter makes the same mistake in every tensor: the first few say it all. */
const mostFindings = 20;

/**
 * @param bytes of any kind and length: what is wrong with them is a finding, never an exception
 * @param files the version's other files, path below the model's folder to size
 * @see trust: onnx/docs/Security.md, and onnxruntime's pull requests 26776, 28709, 28725
 */
export function inspectOnnx(bytes: Uint8Array, files: ReadonlyMap<string, number>): OnnxInspection {
  try {
    return inspect(readOnnxModel(bytes), files);
  } catch (error) {
    if (!(error instanceof MalformedMessage)) throw error;
    const finding = refuse(
      'onnx/malformed',
      `This is not a sound ONNX file: ${error.message}.`,
      'upload it again; check it with onnx.checker.check_model',
    );
    return { inputs: [], outputs: [], opsets: [], irVersion: 0, nodes: 0, findings: [finding] };
  }
}

function inspect(model: OnnxModel, files: ReadonlyMap<string, number>): OnnxInspection {
  const findings = model.hasGraph
    ? [
        ...versionFindings(model),
        ...model.inputs.flatMap((value) => valueFindings('input', value)),
        ...outputFindings(model),
        ...callFindings(model),
        ...model.tensors.flatMap((tensor) => tensorFindings(tensor, files)),
      ]
    : [refuse('onnx/malformed', 'The file holds no graph: it is not an ONNX model.')];
  return {
    inputs: model.inputs.flatMap(specOf),
    outputs: model.outputs.flatMap(specOf),
    opsets: model.opsets.map(({ domain, version }) => ({ domain, version: Number(version) })),
    irVersion: Number(model.irVersion),
    nodes: model.functions.reduce((sum, { calls }) => sum + calls.length, model.calls.length),
    findings: mostSevere(findings),
  };
}

const mostSevere = (findings: readonly Finding[]): Finding[] =>
  findings.toSorted((a, b) => rankOf(a) - rankOf(b)).slice(0, mostFindings);
const rankOf = ({ severity }: Finding) => (severity === 'refuse' ? 0 : 1);

function versionFindings({ irVersion, opsets, isTrainable }: OnnxModel): Finding[] {
  const tooNew = ({ domain, version }: Opset) => version > (runtimeLimits.opsets.get(domain) ?? version);
  return [
    ...(irVersion > runtimeLimits.irVersion || irVersion < 1n
      ? [
          refuse(
            'onnx/ir-version',
            `The file is of IR version ${irVersion}; the runtime reads 1 to ${runtimeLimits.irVersion}.`,
            `export it with an older onnx, or set model.ir_version = ${runtimeLimits.irVersion} before saving`,
          ),
        ]
      : []),
    ...opsets.filter(tooNew).map(({ domain, version }) => {
      const limit = runtimeLimits.opsets.get(domain);
      const target =
        domain === 'ai.onnx.ml' ? `target_opset={'': 21, 'ai.onnx.ml': ${limit}}` : `opset_version=${limit}`;
      return refuse(
        'onnx/opset',
        `The model uses opset ${version} of '${domain || 'ai.onnx'}'; the runtime has ${limit}.`,
        `export it with ${target}`,
      );
    }),
    ...(isTrainable ? [warn('onnx/training-info', 'The file carries training information, which is not used.')] : []),
  ];
}

const zipMapFix = "to_onnx(model, X[:1], options={id(model): {'zipmap': False}})";

function outputFindings({ outputs, calls }: OnnxModel): Finding[] {
  if (outputs.length === 0) return [refuse('onnx/no-output', 'The model has no output.')];
  const odd = outputs.find(({ type }) => type.kind !== 'tensor');
  const zipMap = calls.some(({ op, domain }) => op === 'ZipMap' && domain === 'ai.onnx.ml');
  const findings = outputs
    .filter(({ type }) => type.kind === 'tensor')
    .flatMap((value) => valueFindings('output', value));
  if (!odd && !zipMap) return findings;
  const what = odd
    ? `The output '${shown(odd.name)}' is a ${odd.type.kind}, not a tensor`
    : 'The model ends in a ZipMap';
  return [refuse('onnx/non-tensor-output', `${what}: no protocol and no gate can read it.`, zipMapFix), ...findings];
}

function valueFindings(role: 'input' | 'output', { name, type }: Value): Finding[] {
  if (type.kind !== 'tensor')
    return [refuse('onnx/non-tensor-input', `The ${role} '${shown(name)}' is a ${type.kind}, not a tensor.`)];
  const element = elementType(type.element);
  if (!element?.datatype) {
    const found = element?.onnx ?? `unknown (${type.element})`;
    return [
      refuse(
        'onnx/unsupported-type',
        `The ${role} '${shown(name)}' is of type ${found}, which cannot be sent.`,
        'cast it to float inside the model',
      ),
    ];
  }
  if (type.dims === undefined)
    return [warn('onnx/unknown-rank', `The ${role} '${shown(name)}' does not say how many dimensions it has.`)];
  if (type.dims.some((size) => size !== undefined && size < 0n)) {
    return [refuse('onnx/bad-shape', `The ${role} '${shown(name)}' has a negative dimension.`)];
  }
  return sizeFindings(`The ${role} '${shown(name)}'`, type.element, elementCount(type.dims.map((size) => size ?? 1n)));
}

function tensorFindings(tensor: Tensor, files: ReadonlyMap<string, number>): Finding[] {
  const named = `The tensor '${shown(tensor.name)}'`;
  if (!elementType(tensor.type))
    return [refuse('onnx/unsupported-type', `${named} is of the unknown type ${tensor.type}.`)];
  if (tensor.dims.some((size) => size < 0n)) return [refuse('onnx/bad-shape', `${named} has a negative dimension.`)];
  const tooLarge = sizeFindings(named, tensor.type, elementCount(tensor.dims));
  if (tooLarge.length > 0) return tooLarge;
  if (tensor.isExternal || tensor.externalData.length > 0) return externalDataFindings(tensor, files);
  return isComplete(tensor)
    ? []
    : [refuse('onnx/tensor-data', `${named} holds other than the ${elementCount(tensor.dims)} elements of its shape.`)];
}

function sizeFindings(named: string, type: number, elements: bigint): Finding[] {
  const bytes = byteSize(type, elements) ?? elements;
  return bytes > mostBytes
    ? [refuse('onnx/huge-shape', `${named} has ${elements} elements; no machine that serves holds them.`)]
    : [];
}

function specOf({ name, type }: Value): TensorSpec[] {
  if (type.kind !== 'tensor') return [];
  const datatype = elementType(type.element)?.datatype;
  if (datatype === undefined) return [];
  const shape = type.dims?.map((size) => (size === undefined || size < 0n ? -1 : Number(size))) ?? [-1];
  return [{ name, datatype, shape }];
}
