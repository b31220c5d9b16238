import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventStore, readEvents } from '../events/event-store.ts';
import type { Database } from '../storage/database.ts';
import { eachDatabase } from '../storage/test-databases.ts';
import { type Approval, approvalState, type Consent, whyNotConsent } from './approval.ts';
import { approvalStore } from './approval-store.ts';
import { type ApprovalQuestion, askApproval, bindingOf, giveConsent, useApproval } from './ask-approval.ts';

const policy = { people: 2, notAuthor: true };
const question: ApprovalQuestion = {
  ...{ operation: 'op', project: 'p', endpoint: 'e', model: 'm', version: 3, binding: 'b1', policy },
  ...{ requester: 'user:ann', author: 'token:bob/laptop', gates: { outcome: 'pass', reason: '3 gates pass' } },
};
const approval: Approval = { ...question, id: 'a', askedAt: 0, expiresAt: 1_000, consents: [] };

const consents = fc.uniqueArray(
  fc.record<Consent>({
    person: fc.constantFrom('ann', 'bob', 'cid', 'dan', 'eve'),
    decision: fc.constantFrom('grant', 'grant', 'grant', 'refuse'),
    at: fc.constant(1),
  }),
  { selector: ({ person }) => person },
);

test('an approval is granted by enough people in time, and never against a refusal', () => {
  fc.assert(
    fc.property(consents, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 2_000 }), (given, people, now) => {
      const state = approvalState({ ...approval, policy: { ...policy, people }, consents: given }, now);
      const refused = given.some(({ decision }) => decision === 'refuse');
      assert.equal(state === 'granted', !refused && given.length >= people && now < approval.expiresAt);
      assert.equal(state === 'refused', refused);
      assert.equal(approvalState({ ...approval, consents: given, closed: 'used' }, now), 'used');
    }),
  );
});

test('who made or asked for a change does not count, with whichever token; a rule never does', () => {
  for (const actor of ['user:ann', 'token:ann/ci', 'user:bob', 'token:bob/other'])
    assert.equal(whyNotConsent(question, actor), 'own-change', actor);
  assert.equal(whyNotConsent(question, 'rule:retrain'), 'not-a-person');
  assert.equal(whyNotConsent(question, 'user:cid'), undefined);
  assert.equal(whyNotConsent({ ...approval, policy: { people: 1, notAuthor: false } }, 'user:ann'), undefined);
});

test('a binding changes with everything that was shown', () => {
  const change = { endpoint: 'e', model: 'm', version: 3, onnxDigest: 'd', plan: { steps: ['5%'] }, policy };
  const others = [
    { ...change, endpoint: 'f' },
    { ...change, version: 4 },
    { ...change, onnxDigest: 'd2' },
    { ...change, plan: { steps: ['50%'] } },
    { ...change, policy: { ...policy, people: 1 } },
  ];
  assert.equal(new Set([change, ...others].map(bindingOf)).size, others.length + 1);
  assert.equal(bindingOf(change), bindingOf({ ...change }));
});

eachDatabase((dialect, open) => {
  const deps = (database: Database) => {
    const clock = { now: 1_000 };
    let ids = 0;
    const bound = <T>(
      work: (stores: {
        approvals: ReturnType<typeof approvalStore>;
        events: ReturnType<typeof eventStore>;
        now: () => number;
        newId: () => string;
      }) => Promise<T>,
    ) =>
      database.write((tx) =>
        work({
          ...{ approvals: approvalStore(tx), events: eventStore(tx) },
          now: () => clock.now,
          newId: () => `id-${++ids}`,
        }),
      );
    return {
      clock,
      ask: (operation = 'op') => bound((stores) => askApproval(stores, { ...question, operation })),
      say: (id: string, actor: string, decision: Consent['decision']) =>
        bound((stores) => giveConsent(stores, { id, actor, decision })),
      use: () => bound((stores) => useApproval(stores, question.binding)),
    };
  };

  test(`${dialect}: two people agree, the consent is spent, and the next rollout asks anew`, async () => {
    await using database = await open();
    const { ask, say, use } = deps(database);
    const { approval: asked } = await ask();
    assert.equal((await ask()).approval.id, asked.id, 'asked once');
    await assert.rejects(say(asked.id, 'user:ann', 'grant'), { code: 'governance/own-change' });
    await say(asked.id, 'user:cid', 'grant');
    await say(asked.id, 'token:cid/phone', 'grant');
    assert.equal((await ask()).state, 'open', 'one person counts once');
    await say(asked.id, 'user:dan', 'grant');
    assert.equal((await ask()).state, 'granted');
    await use();
    await assert.rejects(say(asked.id, 'user:eve', 'refuse'), { code: 'governance/approval-closed', hint: /used/ });
    assert.notEqual((await ask('next')).approval.id, asked.id);
    if (dialect === 'postgres') return; // there the sequencer gives events their places
    const types = (await readEvents(database.read, { limit: 20, order: 'oldest' })).map(({ type }) => type);
    assert.deepEqual(types, [
      'governance.approval-asked',
      'governance.consent-given',
      'governance.consent-given',
      'governance.approval-granted',
      'governance.approval-asked',
    ]);
  });

  test(`${dialect}: one refusal ends it, also after a consent of the same person`, async () => {
    await using database = await open();
    const { ask, say } = deps(database);
    const { id } = (await ask()).approval;
    await say(id, 'user:cid', 'grant');
    assert.equal((await say(id, 'user:cid', 'refuse')).closed, 'refused');
    await assert.rejects(say(id, 'user:dan', 'grant'), { code: 'governance/approval-closed' });
    assert.equal((await ask()).state, 'refused', 'for this shipment it is decided');
    assert.equal((await ask('next')).state, 'open', 'to ship again is to ask again');
  });

  test(`${dialect}: a consent expires`, async () => {
    await using database = await open();
    const { ask, say, clock } = deps(database);
    const { id } = (await ask()).approval;
    for (const person of ['user:cid', 'user:dan']) await say(id, person, 'grant');
    clock.now += 8 * 86_400_000;
    assert.equal((await ask()).state, 'expired');
    assert.notEqual((await ask('next')).approval.id, id);
  });

  test(`${dialect}: sixteen people at once: exactly one grant is told, and everybody is counted`, async () => {
    await using database = await open();
    const { ask, say } = deps(database);
    const { id } = (await ask()).approval;
    const said = await Promise.allSettled(Array.from({ length: 16 }, (_, i) => say(id, `user:p${i}`, 'grant')));
    const counted = said.filter(({ status }) => status === 'fulfilled').length;
    const after = await approvalStore(database.read).find(id);
    assert.equal(counted, 2);
    assert.equal(after?.consents.length, 2);
  });
});
