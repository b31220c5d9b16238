import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { countReader } from './line-count.ts';
import { type AboutLine, LineGroupWriter, linesOf, renumber } from './line-group.ts';
import { completeLine } from './log-line.ts';
import type { LineSource } from './summary.ts';

const source: LineSource = { kind: 'prediction', role: 'champion', model: 'm', version: 1 };
const count = fc.record({
  source: fc.constant(source),
  eventTime: fc.nat(),
  latencyMs: fc.double({ noNaN: true }),
  isError: fc.boolean(),
  cells: fc.array(fc.integer({ min: -1, max: 99 })),
});
const text = fc
  .string({ unit: 'binary', maxLength: 2_000, size: 'max' })
  .map((value) => `"text":${JSON.stringify(value)}}`);
const line = fc.record({
  line: text,
  at: fc.nat(),
  eventTime: fc.nat(),
  count: fc.option(count, { nil: undefined }),
  isGone: fc.boolean(),
});

test('lines are in a group as they were given, and in its copy without some of them', () => {
  const writer = new LineGroupWriter(); // one for all: what it held before is forgotten
  fc.assert(
    fc.property(fc.array(line), fc.nat(), fc.nat(), (lines, first, other) => {
      writer.begin(first);
      for (const { line, ...about } of lines) writer.add(line, about);
      const group = writer.copy();
      check(group, lines, first);
      for (const from of [0, lines.length >> 1]) {
        const expected = lines.slice(from).map((one, place) => completeLine(first + from + place, one.line));
        if (expected.length === 0) continue;
        assert.equal(linesOf(writer.written, from, lines.length), expected.join('\n'));
        assert.equal(linesOf(writer.written, from, from + 1), expected[0]);
      }
      const gone = new Set(lines.keys().filter((place) => lines[place]?.isGone));
      const kept = lines.filter(({ isGone }) => !isGone);
      check(renumber(group, other, gone), kept, other);
      check(group, lines, first);
    }),
  );
});

type Line = AboutLine & { readonly line: string };

function check(group: ReturnType<LineGroupWriter['copy']>, lines: readonly Line[], first: number): void {
  const whole = lines.map(({ line }, place) => `${completeLine(first + place, line)}\n`);
  assert.equal(group.first, first);
  assert.equal(Buffer.from(group.bytes).toString(), whole.join(''));
  assert.equal(group.bytes.buffer.byteLength, group.bytes.length); // or it would give away what others use
  assert.deepEqual(
    Array.from(group.starts.keys(), (place) => linesOf(group, place, place + 1)),
    lines.map(({ line }, place) => completeLine(first + place, line)),
  );
  assert.deepEqual(
    Array.from(group.times),
    lines.flatMap(({ at, eventTime }) => [at, eventTime]),
  );
  assert.deepEqual(
    group.uncounted,
    [...lines.keys()].filter((place) => !lines[place]?.count),
  );
  const next = countReader(group.counts);
  for (const { count } of lines) {
    const read = next();
    assert.deepEqual(read && { ...read, cells: Array.from(read.cells) }, count && { ...count });
  }
}
