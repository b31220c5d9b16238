/** Reads an ONNX file into what its inspection needs: signature, operators, and every tensor's description. */
import {
  eachField,
  inner,
  integerAt,
  MalformedMessage,
  type Message,
  messageOf,
  shapeOf,
  textAt,
  wireTypes,
} from './protobuf-reader.ts';
import { readTensor, type Tensor } from './tensor.ts';
import { readType, type ValueType } from './value-type.ts';

export type Opset = { readonly domain: string; readonly version: bigint };
export type Value = { readonly name: string; readonly type: ValueType };
/** An operator's call: enough to count, to allow, and to see what it makes of constants. */
export type Call = {
  readonly domain: string;
  readonly op: string;
  readonly overload: string;
  /** Where operators that make tensors take their shape from. */
  readonly lastInput: string;
};
export type FunctionBody = {
  readonly name: string;
  readonly domain: string;
  readonly overload: string;
  readonly calls: readonly Call[];
};

export type OnnxModel = {
  readonly irVersion: bigint;
  readonly opsets: readonly Opset[];
  readonly hasGraph: boolean;
  readonly isTrainable: boolean;
  /** Of the outermost graph; inputs that an initializer fills are left out. */
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Of every graph outside functions. */
  readonly calls: readonly Call[];
  readonly functions: readonly FunctionBody[];
  /** Initializers, constants in attributes, sparse ones: all of them. */
  readonly tensors: readonly Tensor[];
};

/** What one walk gathers; `calls` is swapped while it is inside a function. */
type Walk = { calls: Call[]; readonly tensors: Tensor[]; nodes: number; readonly names: Map<string, string> };

// What is kept costs a hundred times the two bytes that ask for it in a hostile file; honest ones stay far below.
const mostNodes = 1_000_000;
const mostTensors = 200_000;
const mostValues = 100_000;
const mostFunctions = 10_000;
const mostOpsets = 1_000;

/** @throws MalformedMessage, and nothing else, for bytes of any kind */
export function readOnnxModel(bytes: Uint8Array): OnnxModel {
  const message = messageOf(bytes);
  const walk: Walk = { calls: [], tensors: [], nodes: 0, names: new Map() };
  let irVersion = 0n;
  let isTrainable = false;
  let graph: Graph | undefined;
  const opsets: Opset[] = [];
  const functions: FunctionBody[] = [];
  eachField(message, modelShape, (field, start, end) => {
    if (field === 1) irVersion = integerAt(bytes, start, end);
    else if (field === 7) graph = readGraph(inner(message, start, end), walk);
    else if (field === 8) keep(opsets, readOpset(inner(message, start, end)), mostOpsets);
    else if (field === 20) isTrainable = true;
    else if (field === 25) keep(functions, readFunction(inner(message, start, end), walk), mostFunctions);
  });
  const filled = new Set(graph?.initializers);
  return {
    irVersion,
    opsets,
    hasGraph: graph !== undefined,
    isTrainable,
    inputs: graph?.inputs.filter(({ name }) => !filled.has(name)) ?? [],
    outputs: graph?.outputs ?? [],
    calls: walk.calls,
    functions,
    tensors: walk.tensors,
  };
}

type Graph = {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly initializers: readonly string[];
};

const modelShape = shapeOf({
  lengthDelimited: [2, 3, 4, 6, 7, 8, 14, 20, 25, 26],
  varint: [1, 5],
  once: [1, 2, 3, 4, 5, 6, 7],
});
const opsetShape = shapeOf({ lengthDelimited: [1], varint: [2], once: [1, 2] });
const functionShape = shapeOf({ lengthDelimited: [1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14], once: [1, 8, 10, 13] });
const graphShape = shapeOf({ lengthDelimited: [1, 2, 5, 10, 11, 12, 13, 14, 15, 16], once: [2, 10] });
const nodeShape = shapeOf({ lengthDelimited: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], once: [3, 4, 6, 7, 8] });
const attributeShape = shapeOf({
  lengthDelimited: [1, 4, 5, 6, 9, 10, 11, 13, 14, 15, 21, 22, 23],
  varint: [3, 20],
  once: [1, 2, 3, 4, 5, 6, 13, 14, 20, 21, 22],
});
const sparseShape = shapeOf({ lengthDelimited: [1, 2], once: [1, 2] });
const valueShape = shapeOf({ lengthDelimited: [1, 2, 3, 4], once: [1, 2, 3] });

function readOpset(message: Message): Opset {
  let domain = '';
  let version = 0n;
  eachField(message, opsetShape, (field, start, end) => {
    if (field === 1) domain = textAt(message, start, end);
    else if (field === 2) version = integerAt(message.bytes, start, end);
  });
  return { domain, version };
}

function readGraph(message: Message, walk: Walk): Graph {
  const inputs: Value[] = [];
  const outputs: Value[] = [];
  const initializers: string[] = [];
  eachField(message, graphShape, (field, start, end) => {
    const content = inner(message, start, end);
    if (field === 1) readNode(content, walk);
    else if (field === 5) keep(initializers, addTensor(content, walk).name, mostTensors);
    else if (field === 11) keep(inputs, readValue(content), mostValues);
    else if (field === 12) keep(outputs, readValue(content), mostValues);
    else if (field === 13) readValue(content);
    else if (field === 15) keep(initializers, readSparse(content, walk), mostTensors);
  });
  return { inputs, outputs, initializers };
}

function readFunction(message: Message, walk: Walk): FunctionBody {
  let name = '';
  let domain = '';
  let overload = '';
  const outside = walk.calls;
  const calls: Call[] = [];
  walk.calls = calls;
  eachField(message, functionShape, (field, start, end) => {
    if (field === 1) name = textAt(message, start, end);
    else if (field === 7) readNode(inner(message, start, end), walk);
    else if (field === 10) domain = textAt(message, start, end);
    else if (field === 11) readAttribute(inner(message, start, end), walk);
    else if (field === 13) overload = textAt(message, start, end);
  });
  walk.calls = outside;
  return { name, domain, overload, calls };
}

function readNode(message: Message, walk: Walk): void {
  if (++walk.nodes > mostNodes) throw new MalformedMessage(`the model has more than ${mostNodes} nodes`);
  let op = '';
  let domain = '';
  let overload = '';
  let lastInput = '';
  eachField(message, nodeShape, (field, start, end) => {
    if (field === 1) lastInput = textAt(message, start, end);
    else if (field === 4) op = textAt(message, start, end);
    else if (field === 5) readAttribute(inner(message, start, end), walk);
    else if (field === 7) domain = textAt(message, start, end);
    else if (field === 8) overload = textAt(message, start, end);
  });
  walk.calls.push({ op: shared(walk, op), domain: shared(walk, domain), overload, lastInput });
}

/** A large forest has millions of numbers here; they are stepped over, not read. */
function readAttribute(message: Message, walk: Walk): void {
  eachField(message, attributeShape, (field, start, end, wire) => {
    if (wire !== wireTypes.lengthDelimited) return;
    if (field === 5 || field === 10) addTensor(inner(message, start, end), walk);
    else if (field === 6 || field === 11) readGraph(inner(message, start, end), walk);
    else if (field === 14 || field === 15) readType(inner(message, start, end));
    else if (field === 22 || field === 23) readSparse(inner(message, start, end), walk);
  });
}

/** @returns the name, which is that of its values */
function readSparse(message: Message, walk: Walk): string {
  let name = '';
  eachField(message, sparseShape, (field, start, end) => {
    if (field === 1) name = addTensor(inner(message, start, end), walk).name;
    else if (field === 2) addTensor(inner(message, start, end), walk);
  });
  return name;
}

function readValue(message: Message): Value {
  let name = '';
  let type: ValueType = { kind: 'none' };
  eachField(message, valueShape, (field, start, end) => {
    if (field === 1) name = textAt(message, start, end);
    else if (field === 2) type = readType(inner(message, start, end));
  });
  return { name, type };
}

function addTensor(message: Message, walk: Walk): Tensor {
  const tensor = readTensor(message);
  keep(walk.tensors, tensor, mostTensors);
  return tensor;
}

function keep<T>(list: T[], item: T, most: number): void {
  if (list.length >= most) throw new MalformedMessage(`the model has more than ${most} parts of one kind`);
  list.push(item);
}

/** Operators repeat: one string each instead of one a node. */
function shared({ names }: Walk, name: string): string {
  const known = names.get(name);
  if (known === undefined) names.set(name, name);
  return known ?? name;
}
