/**
 * The trained model as an ONNX file that takes raw columns, airports by name: what is logged, watched and sliced later says "ATL", not 17.
 * Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */

import { featureNames } from '../features/features.ts';
import type { AirportRates } from './airport-rates.ts';
import type { Ensemble } from './boosting.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

export type FlightModel = {
  readonly ensemble: Ensemble;
  readonly origins: AirportRates;
  readonly destinations: AirportRates;
  /** Version 3 of the story: somebody sends percent through trees that know shares. */
  readonly badUnits?: boolean;
};

type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] }
  | { readonly floats: ArrayLike<number> }
  | { readonly texts: readonly string[] };
type Node = {
  readonly op: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly output: string | readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
};

const machineLearning = 'ai.onnx.ml';
const textInputs: ReadonlySet<string> = new Set(['origin', 'destination']);

export function modelFile({ ensemble, origins, destinations, badUnits = false }: FlightModel): Uint8Array {
  const asTrained = (name: string) => {
    if (textInputs.has(name)) return `${name}_rate`;
    return badUnits && name.startsWith('recent_') ? `${name}_percent` : name;
  };
  const nodes: Node[] = [
    airportEncoder('origin', origins),
    airportEncoder('destination', destinations),
    ...featureNames
      .filter((name) => asTrained(name).endsWith('_percent'))
      .map((name) => ({ op: 'Mul', inputs: [name, 'hundred'], output: asTrained(name) })),
    { op: 'Concat', inputs: featureNames.map(asTrained), output: 'features', attributes: { axis: { int: 1 } } },
    classifier(ensemble),
  ];
  const graph = new ProtobufWriter();
  for (const node of nodes) graph.message(1, (inner) => writeNode(inner, node));
  graph.text(2, 'flights');
  if (badUnits)
    graph.message(5, (inner) => inner.int(1, 1).int(2, floatType).packedFloats(4, [100]).text(8, 'hundred'));
  for (const name of featureNames) {
    const type = textInputs.has(name) ? textType : floatType;
    graph.message(11, (inner) => writeValue(inner, { name, type, columns: 1 }));
  }
  graph.message(12, (inner) => writeValue(inner, { name: 'label', type: int64Type }));
  graph.message(12, (inner) => writeValue(inner, { name: 'probabilities', type: floatType, columns: 2 }));

  return new ProtobufWriter()
    .int(1, 8)
    .text(2, 'flights example')
    .bytes(7, graph.finish())
    .message(8, (opset) => opset.text(1, '').int(2, 17))
    .message(8, (opset) => opset.text(1, machineLearning).int(2, 3))
    .finish();
}

/** The same as MLflow writes it. */
export const modelSignature = {
  inputs: featureNames.map((name) => ({ name, dtype: textInputs.has(name) ? 'object' : 'float32', shape: [-1, 1] })),
  outputs: [
    { name: 'label', dtype: 'int64', shape: [-1] },
    { name: 'probabilities', dtype: 'float32', shape: [-1, 2] },
  ],
};

const floatType = 1;
const int64Type = 7;
const textType = 8;

const airportEncoder = (input: string, { rates, mean }: AirportRates): Node => ({
  op: 'LabelEncoder',
  domain: machineLearning,
  inputs: [input],
  output: `${input}_rate`,
  attributes: {
    keys_strings: { texts: [...rates.keys()] },
    values_floats: { floats: [...rates.values()] },
    default_float: { float: mean },
  },
});

/**
 * One score a row, squashed by LOGISTIC into two probabilities. The runtime skips the squashing when all weights are positive; those of boosted
 * trees never are, because the first tree moves some rows up and others down from the mean.
 */
function classifier({ base, trees }: Ensemble): Node {
  const nodes = {
    tree: [] as number[],
    id: [] as number[],
    feature: [] as number[],
    yes: [] as number[],
    no: [] as number[],
  };
  const thresholds: number[] = [];
  const modes: string[] = [];
  const leaves = { tree: [] as number[], id: [] as number[], weight: [] as number[] };
  trees.forEach((tree, number) => {
    for (let id = 0; id < tree.feature.length; id++) {
      const feature = tree.feature[id] ?? -1;
      const isLeaf = feature < 0;
      nodes.tree.push(number);
      nodes.id.push(id);
      nodes.feature.push(isLeaf ? 0 : feature);
      nodes.yes.push(tree.left[id] ?? 0);
      nodes.no.push(tree.right[id] ?? 0);
      thresholds.push(tree.threshold[id] ?? 0);
      modes.push(isLeaf ? 'LEAF' : 'BRANCH_LEQ');
      if (!isLeaf) continue;
      leaves.tree.push(number);
      leaves.id.push(id);
      leaves.weight.push(tree.value[id] ?? 0);
    }
  });
  return {
    op: 'TreeEnsembleClassifier',
    domain: machineLearning,
    inputs: ['features'],
    output: ['label', 'probabilities'],
    attributes: {
      nodes_treeids: { ints: nodes.tree },
      nodes_nodeids: { ints: nodes.id },
      nodes_featureids: { ints: nodes.feature },
      nodes_values: { floats: thresholds },
      nodes_modes: { texts: modes },
      nodes_truenodeids: { ints: nodes.yes },
      nodes_falsenodeids: { ints: nodes.no },
      class_treeids: { ints: leaves.tree },
      class_nodeids: { ints: leaves.id },
      class_ids: { ints: leaves.id.map(() => 0) },
      class_weights: { floats: leaves.weight },
      base_values: { floats: [base] },
      classlabels_int64s: { ints: [0, 1] },
      post_transform: { text: 'LOGISTIC' },
    },
  };
}

function writeNode(writer: ProtobufWriter, { op, domain, inputs, output, attributes = {} }: Node): void {
  for (const name of inputs) writer.text(1, name);
  for (const name of [output].flat()) writer.text(2, name);
  writer.text(4, op);
  for (const [name, value] of Object.entries(attributes)) {
    writer.message(5, (inner) => writeAttribute(inner.text(1, name), value));
  }
  if (domain) writer.text(7, domain);
}

/** The value, then its kind in field 20. */
function writeAttribute(writer: ProtobufWriter, value: Attribute): void {
  if ('float' in value) writer.float(2, value.float).int(20, 1);
  else if ('int' in value) writer.int(3, value.int).int(20, 2);
  else if ('text' in value) writer.text(4, value.text).int(20, 3);
  else if ('floats' in value) writer.packedFloats(7, value.floats).int(20, 6);
  else if ('ints' in value) writer.packedInts(8, value.ints).int(20, 7);
  else {
    for (const text of value.texts) writer.text(9, text);
    writer.int(20, 8);
  }
}

/** Rows are the free dimension `N`. */
function writeValue(
  writer: ProtobufWriter,
  { name, type, columns }: { name: string; type: number; columns?: number },
): void {
  writer.text(1, name).message(2, (holder) =>
    holder.message(1, (tensor) =>
      tensor.int(1, type).message(2, (shape) => {
        shape.message(1, (dimension) => dimension.text(2, 'N'));
        if (columns !== undefined) shape.message(1, (dimension) => dimension.int(1, columns));
      }),
    ),
  );
}
