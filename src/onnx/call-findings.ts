/** What a model calls: only operators the runtime has, and not more of them than it can hold. */
import { type Finding, refuse, shown } from './finding.ts';
import type { Call, FunctionBody, OnnxModel } from './onnx-model.ts';
import { elementCount, type Tensor } from './tensor.ts';

/** Highest versions that onnxruntime 1.30 loads, found by loading models with each. */
export const runtimeLimits = {
  irVersion: 13n,
  opsets: new Map([
    ['', 26n],
    ['ai.onnx', 26n],
    ['ai.onnx.ml', 5n],
  ]),
};
/** The runtime's own operators have no version to outgrow. */
const runtimeDomains = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft', 'com.microsoft.nchwc']);
const mostCalls = 1_000_000n;
/** Elements that a constant may ask an operator to make: 8 GiB of floats. */
const mostElements = 1n << 31n;

export function callFindings({ calls, functions, opsets, tensors }: OnnxModel): Finding[] {
  const bodies = new Map(functions.map((body) => [keyOf(body.domain, body.name, body.overload), body]));
  const everywhere = [calls, ...functions.map((body) => body.calls)].flat();
  const imported = new Set(opsets.map(({ domain }) => domain));
  const findings: Finding[] = [];

  const foreign = new Map<string, string>();
  const missing = new Set<string>();
  for (const { domain, op, overload } of everywhere) {
    if (bodies.has(keyOf(domain, op, overload))) continue;
    if (!runtimeDomains.has(domain)) foreign.set(domain, op);
    else if (!imported.has(domain) && !(domain === '' && imported.has('ai.onnx'))) missing.add(domain);
  }
  for (const [domain, op] of foreign) {
    findings.push(
      refuse(
        'onnx/unknown-domain',
        `The operator '${shown(op)}' is of the domain '${shown(domain)}', which the runtime does not have.`,
        'export the model with standard operators only',
      ),
    );
  }
  for (const domain of missing) {
    findings.push(
      refuse('onnx/no-opset', `The model uses operators of '${domain || 'ai.onnx'}' but names no version of them.`),
    );
  }
  if (bodies.size < functions.length)
    findings.push(refuse('onnx/functions', 'Two functions of the model have the same name.'));
  findings.push(...expansionFindings(calls, bodies), ...bombFindings(everywhere, tensors));
  return findings;
}

/** Functions are unfolded before a model runs: ten that each call the next ten times are ten billion nodes. */
function expansionFindings(calls: readonly Call[], bodies: ReadonlyMap<string, FunctionBody>): Finding[] {
  const sizes = new Map<string, bigint>();
  const open = new Set<string>();
  const circle = Symbol('circle');
  const sizeOf = (list: readonly Call[]): bigint | typeof circle => {
    let size = 0n;
    for (const { domain, op, overload } of list) {
      const key = keyOf(domain, op, overload);
      const body = bodies.get(key);
      if (!body) {
        size += 1n;
        continue;
      }
      if (open.has(key)) return circle;
      let inside: bigint | typeof circle | undefined = sizes.get(key);
      if (inside === undefined) {
        // Deeper than any exporter writes, and this function calls itself as deep.
        if (open.size > 100) return circle;
        open.add(key);
        inside = sizeOf(body.calls);
        open.delete(key);
        if (inside === circle) return circle;
        sizes.set(key, inside);
      }
      size += inside;
    }
    return size;
  };
  for (const list of [calls, ...[...bodies.values()].map((body) => body.calls)]) {
    const size = sizeOf(list);
    if (size === circle)
      return [refuse('onnx/functions', 'A function of the model calls itself, or functions are nested without end.')];
    if (size > mostCalls)
      return [refuse('onnx/too-many-nodes', `Unfolded, the model has ${size} nodes; ${mostCalls} are allowed.`)];
  }
  return [];
}

const makers = new Set(['ConstantOfShape', 'Expand']);

/** A few bytes that ask for terabytes at the first run. Sizes that only arise in the run are the business of the process it runs in. */
function bombFindings(calls: readonly Call[], tensors: readonly Tensor[]): Finding[] {
  const shapes = new Map(
    tensors.flatMap(({ name, shortIntegers }) => (shortIntegers ? [[name, shortIntegers] as const] : [])),
  );
  for (const { op, lastInput } of calls) {
    const sizes = makers.has(op) ? shapes.get(lastInput) : undefined;
    const elements = sizes && elementCount(sizes);
    if (elements !== undefined && elements > mostElements) {
      return [refuse('onnx/huge-shape', `'${op}' makes a tensor of ${elements} elements.`)];
    }
  }
  return [];
}

const keyOf = (domain: string, name: string, overload: string) => JSON.stringify([domain, name, overload]);
