import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  columnsModel,
  columnsSignature,
  linearModel,
  pickyModel,
  treesModel,
} from '../../tests/fixtures/onnx/tiny-models.ts';
import { type Node, writeOnnx } from '../../tests/fixtures/onnx/write-onnx.ts';
import { inspectOnnx } from './inspect-onnx.ts';

const noFiles: ReadonlyMap<string, number> = new Map();
const codesOf = (bytes: Uint8Array, files = noFiles) =>
  inspectOnnx(bytes, files).findings.map(({ code, severity }) => `${severity} ${code}`);

test('gives the signature by its protocol names, with free dimensions', () => {
  const { inputs, outputs, opsets, irVersion, nodes, findings } = inspectOnnx(columnsModel(), noFiles);
  assert.deepEqual({ inputs, outputs }, columnsSignature);
  assert.deepEqual(opsets, [
    { domain: '', version: 17 },
    { domain: 'ai.onnx.ml', version: 3 },
  ]);
  assert.equal(irVersion, 8);
  assert.equal(nodes, 8);
  assert.deepEqual(findings, []);
});

test('finds nothing in sound models', () => {
  for (const model of [
    linearModel({ weight: 2, bias: 1 }),
    pickyModel(),
    treesModel({ trees: 20, depth: 6, features: 5 }),
  ]) {
    assert.deepEqual(codesOf(model), []);
  }
});

test('leaves out inputs that an initializer fills', () => {
  const graph = message(
    field(1, message(text(1, 'x'), text(1, 'w'), text(2, 'y'), text(4, 'Add'))),
    field(5, message(int(1, 1), int(2, 1), text(8, 'w'), field(9, new Uint8Array(4)))),
    field(11, tensorValue('x', [2n])),
    field(11, tensorValue('w', [1n])),
    field(12, tensorValue('y', [2n])),
  );
  assert.deepEqual(
    inspectOnnx(modelWith(graph), noFiles).inputs.map(({ name }) => name),
    ['x'],
  );
});

test('refuses what is no ONNX file', () => {
  for (const bytes of [
    new Uint8Array(0),
    Buffer.from('PK\x03\x04zip'),
    Buffer.from('{"a": 1}'),
    Buffer.alloc(1000, 0xff),
  ]) {
    assert.deepEqual(codesOf(bytes), ['refuse onnx/malformed']);
  }
});

test('refuses a file that ends too early, wherever it was cut', () => {
  const whole = columnsModel();
  for (let length = 0; length < whole.length; length++) {
    const { findings, irVersion } = inspectOnnx(whole.subarray(0, length), noFiles);
    // Between two of the outermost fields a cut leaves a shorter file, not a broken one.
    const isWhole = findings.length === 0 || findings.every(({ code }) => code === 'onnx/no-opset');
    if (isWhole) assert.equal(irVersion, 8);
    else assert.equal(findings[0]?.severity, 'refuse');
  }
  assert.ok(codesOf(whole.subarray(0, whole.length - 30)).length > 0);
});

test('says how to export a classifier without a ZipMap', () => {
  const sequence = field(2, field(4, field(1, field(5, int(1, 7)))));
  const graph = message(
    field(1, message(text(1, 'p'), text(2, 'y'), text(4, 'ZipMap'), text(7, 'ai.onnx.ml'))),
    field(11, tensorValue('p', [undefined, 2n])),
    field(12, message(text(1, 'output_probability'), sequence)),
  );
  const { findings, outputs } = inspectOnnx(modelWith(graph), noFiles);
  assert.equal(findings[0]?.code, 'onnx/non-tensor-output');
  assert.equal(findings[0]?.fix, "to_onnx(model, X[:1], options={id(model): {'zipmap': False}})");
  assert.match(findings[0]?.message ?? '', /'output_probability' is a sequence/);
  assert.deepEqual(outputs, []);
});

test('refuses versions the runtime does not read, and takes the newest it does', () => {
  const graph = relu();
  const versions = (ir: number, opset: number, ml: number) =>
    codesOf(
      message(
        int(1, ir),
        field(7, graph),
        field(8, message(text(1, ''), int(2, opset))),
        field(8, message(text(1, 'ai.onnx.ml'), int(2, ml))),
      ),
    );
  assert.deepEqual(versions(13, 26, 5), []);
  assert.deepEqual(versions(14, 26, 5), ['refuse onnx/ir-version']);
  assert.deepEqual(versions(13, 27, 5), ['refuse onnx/opset']);
  assert.deepEqual(versions(13, 26, 6), ['refuse onnx/opset']);
});

test('refuses operators of domains that the runtime does not have', () => {
  const graph = relu({ domain: 'ai.onnx.contrib' });
  assert.deepEqual(codesOf(modelWith(graph)), ['refuse onnx/unknown-domain']);
});

test('takes functions that the model brings along, not those that call themselves', () => {
  const functionOf = (name: string, calls: readonly string[]) =>
    field(
      25,
      message(
        text(1, name),
        text(10, 'own'),
        ...calls.map((op) => field(7, message(text(4, op), text(7, op === 'Relu' ? '' : 'own')))),
      ),
    );
  const graph = relu({ op: 'f', domain: 'own' });
  assert.deepEqual(codesOf(modelWith(graph, functionOf('f', ['Relu']))), []);
  assert.deepEqual(codesOf(modelWith(graph, functionOf('f', ['g']), functionOf('g', ['f']))), [
    'refuse onnx/functions',
  ]);
  const tenfold = Array.from({ length: 9 }, (_, at) =>
    functionOf(
      `f${at}`,
      Array.from({ length: 10 }, () => (at === 8 ? 'Relu' : `f${at + 1}`)),
    ),
  );
  assert.deepEqual(codesOf(modelWith(relu({ op: 'f0', domain: 'own' }), ...tenfold)), ['refuse onnx/too-many-nodes']);
});

test('refuses shapes that no machine holds', () => {
  const huge = (dims: readonly bigint[]) =>
    modelWith(message(relu(), field(5, message(...dims.map((size) => int(1, size)), int(2, 1), text(8, 'w')))));
  assert.deepEqual(codesOf(huge([1_000_000n, 1_000_000n])), ['refuse onnx/huge-shape']);
  assert.deepEqual(codesOf(huge([1n << 62n, 1n << 62n])), ['refuse onnx/huge-shape']);
  assert.deepEqual(codesOf(huge([-1n, 4n])), ['refuse onnx/bad-shape']);
  assert.deepEqual(codesOf(huge([2n])), ['refuse onnx/tensor-data']);
  const bomb = writeOnnx({
    inputs: [],
    outputs: [{ name: 'y', type: 'float', shape: ['n'] }],
    constants: [{ name: 'shape', shape: [2], ints: [1_000_000, 1_000_000] }],
    nodes: [{ op: 'ConstantOfShape', inputs: ['shape'], outputs: ['y'] }],
  });
  assert.deepEqual(codesOf(bomb), ['refuse onnx/huge-shape']);
});

test('reads external data only from the files of the version itself', () => {
  const entry = (key: string, value: string) => field(13, message(text(1, key), text(2, value)));
  const model = (...entries: readonly Uint8Array[]) =>
    modelWith(message(relu(), field(5, message(int(1, 4), int(2, 1), text(8, 'w'), ...entries, int(14, 1)))));
  const files = new Map([['model.onnx.data', 32]]);
  const codes = (...entries: readonly (readonly [string, string])[]) =>
    codesOf(model(...entries.map(([key, value]) => entry(key, value))), files);

  assert.deepEqual(codes(['location', 'model.onnx.data'], ['offset', '16'], ['length', '16']), []);
  assert.deepEqual(codes(['location', 'model.onnx.data']), []);
  for (const location of [
    '../secret',
    '/etc/passwd',
    'C:\\x',
    'a\\b',
    '',
    './model.onnx.data',
    'a//b',
    'a/../b',
    'file:///etc/passwd',
    'a\0b',
    '*/_ORT_MEM_ADDR_/*1',
  ]) {
    assert.deepEqual(codes(['location', location]), ['refuse onnx/external-path'], location);
  }
  assert.deepEqual(codes(['location', 'other.data']), ['refuse onnx/external-missing']);
  assert.deepEqual(codes(['location', 'model.onnx.data'], ['offset', '17'], ['length', '16']), [
    'refuse onnx/external-range',
  ]);
  assert.deepEqual(codes(['location', 'model.onnx.data'], ['offset', '-1']), ['refuse onnx/external-data']);
  assert.deepEqual(codes(['location', 'model.onnx.data'], ['length', '1e1']), ['refuse onnx/external-data']);
  assert.deepEqual(codes(['location', 'model.onnx.data'], ['length', '8']), ['refuse onnx/tensor-data']);
  assert.deepEqual(codes(['location', 'model.onnx.data'], ['location', 'x']), ['refuse onnx/external-data']);
  assert.deepEqual(codes(['location', 'model.onnx.data'], ['__class__', 'x']), ['refuse onnx/external-data']);
  assert.deepEqual(codes(), ['refuse onnx/external-path']);
});

test('refuses a second graph, which a runtime would merge into the first', () => {
  assert.deepEqual(codesOf(message(int(1, 8), field(7, relu()), field(7, relu()), opset())), ['refuse onnx/malformed']);
});

test('refuses graphs nested in graphs without end', () => {
  let graph = relu();
  for (let level = 0; level < 2000; level++)
    graph = message(field(1, message(text(4, 'If'), field(5, message(text(1, 'then_branch'), field(6, graph))))));
  assert.deepEqual(codesOf(modelWith(graph)), ['refuse onnx/malformed']);
});

test('refuses a small file that would take much memory', () => {
  const empty = (number: number, count: number) => Buffer.alloc(2 * count, Buffer.from([(number << 3) | 2, 0]));
  for (const parts of [empty(1, 1_000_001), empty(5, 200_001), empty(11, 100_001)]) {
    assert.deepEqual(codesOf(modelWith(message(relu(), parts))), ['refuse onnx/malformed']);
  }
});

test('never throws, whatever was done to a real model', () => {
  const originals = [columnsModel(), treesModel({ trees: 3, depth: 3, features: 4 }), pickyModel()];
  const change = fc.record({
    at: fc.nat(),
    kind: fc.constantFrom('set', 'drop', 'repeat', 'insert'),
    byte: fc.nat(255),
    length: fc.integer({ min: 1, max: 40 }),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...originals),
      fc.array(change, { minLength: 1, maxLength: 6 }),
      (original, changes) => {
        let bytes = Buffer.from(original);
        for (const { at, kind, byte, length } of changes) {
          const place = at % (bytes.length + 1);
          const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
          if (kind === 'set') bytes[place] = byte;
          else if (kind === 'drop') bytes = Buffer.concat([before, after.subarray(length)]);
          else if (kind === 'repeat') bytes = Buffer.concat([before, after.subarray(0, length), after]);
          else bytes = Buffer.concat([before, Buffer.alloc(length, byte), after]);
        }
        const { inputs, outputs, findings } = inspectOnnx(bytes, noFiles);
        assert.ok(inputs.length + outputs.length > 0 || findings.length > 0);
      },
    ),
    { numRuns: 3000, seed: 7 },
  );
});

test('never throws on bytes of any kind', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.equal(inspectOnnx(bytes, noFiles).findings[0]?.severity, 'refuse');
    }),
    { numRuns: 3000, seed: 7 },
  );
});

const relu = (node: Partial<Pick<Node, 'op'>> & { domain?: string } = {}) =>
  message(
    field(
      1,
      message(text(1, 'x'), text(2, 'y'), text(4, node.op ?? 'Relu'), ...(node.domain ? [text(7, node.domain)] : [])),
    ),
    field(11, tensorValue('x', [undefined])),
    field(12, tensorValue('y', [undefined])),
  );
const opset = () => field(8, message(text(1, ''), int(2, 17)));
const modelWith = (graph: Uint8Array, ...more: readonly Uint8Array[]) =>
  message(int(1, 8), field(7, graph), opset(), field(8, message(text(1, 'ai.onnx.ml'), int(2, 3))), ...more);

function tensorValue(name: string, dims: readonly (bigint | undefined)[]): Uint8Array {
  const shape = message(...dims.map((size) => field(1, size === undefined ? text(2, 'n') : int(1, size))));
  return message(text(1, name), field(2, field(1, message(int(1, 1), field(2, shape)))));
}

// The wire by hand: what is tested here is what no proper writer writes.
function message(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}
function field(number: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([varint(BigInt((number << 3) | 2)), varint(BigInt(content.length)), content]);
}
function text(number: number, value: string): Uint8Array {
  return field(number, Buffer.from(value));
}
function int(number: number, value: number | bigint): Uint8Array {
  return Buffer.concat([varint(BigInt(number << 3)), varint(BigInt.asUintN(64, BigInt(value)))]);
}
function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Uint8Array.from([...bytes, Number(rest)]);
}
