import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { maxEntryBytes } from '../events/log-entry.ts';
import { maxRegistryTagLength } from './model-name.ts';
import { loggedOrigin } from './model-version.ts';

test('what a version was made with stands in its event', () => {
  assert.deepEqual(loggedOrigin({ tags: [{ key: 'q', value: '1' }], description: 'first' }), {
    tags: { q: '1' },
    description: 'first',
  });
  assert.deepEqual(loggedOrigin({ tags: [] }), { tags: {}, description: '' });
});

test('whatever may be registered fits into an event', () => {
  const value = fc.tuple(fc.string({ unit: 'binary', maxLength: 50 }), fc.integer({ min: 1, max: 3_000 }));
  const tag = fc.record({ key: fc.string({ maxLength: 250 }), value });
  fc.assert(
    fc.property(fc.array(tag, { maxLength: 20 }), fc.string(), (some, description) => {
      const tags = some.map(({ key, value: [part, times] }) => ({
        key,
        value: part.repeat(times).slice(0, maxRegistryTagLength),
      }));
      const logged = Buffer.byteLength(JSON.stringify(loggedOrigin({ tags, description })));
      assert.ok(logged < maxEntryBytes / 2 + 10_000, `${logged}`);
    }),
    { numRuns: 200 },
  );
});
