import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Type } from 'typebox';
import { checkYaml, nearest } from './checked-yaml.ts';

const closed = { additionalProperties: false } as const;
const schema = Type.Object(
  {
    project: Type.String(),
    steps: Type.Optional(
      Type.Array(
        Type.Union([
          Type.Object({ to: Type.String(), min: Type.Integer() }, closed),
          Type.Object({ wait: Type.String() }, closed),
        ]),
      ),
    ),
  },
  closed,
);

const faultsOf = (text: string) => {
  const checked = checkYaml(text, schema);
  return 'faults' in checked ? checked.faults : [];
};

test('what fits the schema comes back as its value', () => {
  assert.deepEqual(checkYaml('project: flights\nsteps: [{to: 1%, min: 20}]\n', schema), {
    value: { project: 'flights', steps: [{ to: '1%', min: 20 }] },
  });
});

test('a surplus key is told at its own line and column, with the key that was meant', () => {
  assert.deepEqual(faultsOf('project: flights\n  \nstesp: []\n'), [
    { line: 3, column: 1, pointer: '', message: '"stesp" is not known here', fix: 'did you mean "steps"?' },
  ]);
});

test('a missing key is told, with what to add', () => {
  const [fault] = faultsOf('steps: []\n');
  assert.equal(fault?.message, '"project" is missing');
  assert.equal(fault?.fix, 'add "project:"');
});

test('of a union only the place that is wrong is told', () => {
  const faults = faultsOf('project: a\nsteps:\n  - {to: 1%, min: many}\n');
  assert.ok(
    faults.some((fault) => fault.pointer === '/steps/0/min' && fault.line === 3 && fault.column === 19),
    JSON.stringify(faults),
  );
});

test('broken YAML is told at the place where it breaks', () => {
  const [fault] = faultsOf('project: [a\nsteps: }\n');
  assert.ok(fault && fault.line >= 1 && fault.message.length > 0);
});

test('tags do not make objects, and aliases do not explode', () => {
  assert.ok(faultsOf('project: !!js/function "x"\nsteps: 3\n').length > 0);
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefghi'.split('').map((name, i) => `${name}: &${name} [${`*${'abcdefghi'[i]},`.repeat(9)}]`),
  ].join('\n');
  assert.throws(() => checkYaml(bomb, schema), /alias/i);
});

test('no text makes it throw anything but the alias limit, and every fault has a place', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      for (const fault of faultsOf(text)) assert.ok(fault.line >= 1 && fault.column >= 1);
    }),
  );
});

test('a slip of one or two letters finds the word that was meant, nothing else does', () => {
  assert.equal(nearest('garuds', ['guards', 'gates']), 'guards');
  assert.equal(nearest('zzz', ['guards', 'gates']), undefined);
});
