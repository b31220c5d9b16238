/** Who is told of what, and whether it takes it. */
import { Modal } from '@mantine/core';
import { type SubmitEvent, useState } from 'react';
import {
  addWebhook,
  type NewWebhook,
  removeWebhook,
  switchWebhook,
  testWebhook,
  useWebhooks,
  type Webhook,
  webhookEvents,
} from '../../data/webhooks.ts';
import { count, recently } from '../../format.ts';
import { useChange, WhyNot } from '../../parts/change.tsx';
import { SectionHead } from '../../parts/page-head.tsx';
import { Loaded, Nothing } from '../../parts/states.tsx';
import { Verdict } from '../../parts/verdict.tsx';

type Said = { readonly webhook: string; readonly says: string; readonly bad: boolean };

export function Webhooks() {
  const webhooks = useWebhooks(true);
  const [dialog, setDialog] = useState<{ readonly kind: 'add' } | { readonly kind: 'remove'; readonly of: Webhook }>();
  const [said, setSaid] = useState<Said>();
  const { failed, change } = useChange([['webhooks']], () => setDialog(undefined));
  const test = async ({ id }: Webhook) => {
    setSaid({ webhook: id, says: 'asking', bad: false });
    try {
      const { delivered, status, problem } = await testWebhook(id);
      setSaid({
        webhook: id,
        says: delivered ? `took the example: ${status}` : (problem ?? 'no answer'),
        bad: !delivered,
      });
    } catch (error) {
      setSaid({ webhook: id, says: error instanceof Error ? error.message : String(error), bad: true });
    }
  };
  return (
    <>
      <SectionHead
        title="Webhooks"
        aside={
          <button type="button" className="as-link link" onClick={() => setDialog({ kind: 'add' })}>
            Add a webhook
          </button>
        }
      />
      {dialog === undefined && <WhyNot failed={failed} />}
      <Loaded query={webhooks} what="the webhooks">
        {({ items }) =>
          items.length === 0 ? (
            <Nothing title="No webhook yet">
              <code>rondo webhooks add</code>
            </Nothing>
          ) : (
            <div className="wide">
              <table className="webhooks">
                <thead>
                  <tr>
                    <th>Webhook</th>
                    <th>State</th>
                    <th>Told of</th>
                    <th>
                      <span className="seen-only-by-readers">Actions</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((webhook) => (
                    <tr key={webhook.id}>
                      <td>
                        <b className="m">{webhook.name}</b>
                        <br />
                        <code className="i3 clip" title={webhook.url}>
                          {webhook.url}
                        </code>
                      </td>
                      <td>
                        <State webhook={webhook} />
                        {said?.webhook === webhook.id && (
                          <p className={said.bad ? 'micro bad-text' : 'micro i2'} role="status">
                            {said.says}
                          </p>
                        )}
                      </td>
                      <td className="i2" title={webhook.events.join(', ')}>
                        {sayEvents(webhook.events)}
                        {!webhook.signed && <span className="i3">, unsigned</span>}
                      </td>
                      <td className="num">
                        <button type="button" className="btn quiet" onClick={() => void test(webhook)}>
                          Test
                          <span className="seen-only-by-readers"> {webhook.name}</span>
                        </button>
                        <button
                          type="button"
                          className="btn quiet"
                          onClick={() => void change(() => switchWebhook(webhook.id, webhook.state !== 'active'))}
                        >
                          {webhook.state === 'active' ? 'Switch off' : 'Resume'}
                          <span className="seen-only-by-readers"> {webhook.name}</span>
                        </button>
                        <button
                          type="button"
                          className="btn quiet"
                          onClick={() => setDialog({ kind: 'remove', of: webhook })}
                        >
                          Remove
                          <span className="seen-only-by-readers"> {webhook.name}</span>
                        </button>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
      <Modal
        opened={dialog !== undefined}
        onClose={() => setDialog(undefined)}
        title={dialog?.kind === 'remove' ? `Remove ${dialog.of.name}?` : 'Add a webhook'}
        centered
      >
        <WhyNot failed={failed} />
        {dialog?.kind === 'add' && <AddForm onAdd={(webhook) => void change(() => addWebhook(webhook))} />}
        {dialog?.kind === 'remove' && (
          <>
            <p className="i2">It is told of nothing more, and the log of its deliveries goes with it.</p>
            <div className="dialog-actions">
              <button
                type="button"
                className="btn danger"
                data-autofocus
                onClick={() => void change(() => removeWebhook(dialog.of.id))}
              >
                Remove
              </button>
            </div>
          </>
        )}
      </Modal>
    </>
  );
}

function State({ webhook: { state, pausedAt, pausedBecause, failures, failingSince } }: { webhook: Webhook }) {
  if (state === 'disabled') return <span className="i3">switched off</span>;
  if (state === 'paused')
    return (
      <>
        <Verdict mark="fail">paused</Verdict>{' '}
        <span className="micro i3" title={pausedBecause}>
          {pausedAt !== undefined && `since ${recently(pausedAt)}; what happens waits for it`}
        </span>
      </>
    );
  if (failures > 0)
    return (
      <Verdict mark="warn">
        failed {count(failures)} times{failingSince !== undefined && ` since ${recently(failingSince)}`}
      </Verdict>
    );
  return <span className="i2">takes what is sent</span>;
}

/** `3 kinds: run, rollout and alert`. */
function sayEvents(events: readonly string[]): string {
  const kinds = [...new Set(events.map((event) => event.split('.')[0]?.replaceAll('_', ' ') ?? event))];
  return kinds.length > 3 ? `${kinds.slice(0, 2).join(', ')} and ${count(kinds.length - 2)} more` : kinds.join(', ');
}

function AddForm({ onAdd }: { onAdd: (webhook: NewWebhook) => void }) {
  const [name, setName] = useState('');
  const [url, setUrl] = useState('');
  const [secret, setSecret] = useState('');
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const ready = name.trim() !== '' && url.trim() !== '' && chosen.length > 0;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (ready) onAdd({ name: name.trim(), url: url.trim(), events: chosen, ...(secret && { secret }) });
  };
  const toggle = (event: string) =>
    setChosen((before) => (before.includes(event) ? before.filter((one) => one !== event) : [...before, event]));
  return (
    <form className="form" onSubmit={submit}>
      <label>
        Name
        <input className="btn" data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
      </label>
      <label>
        Address
        <input
          className="btn"
          type="url"
          placeholder="https://"
          value={url}
          onChange={(event) => setUrl(event.currentTarget.value)}
        />
      </label>
      <label>
        Secret that signs what is sent
        <input
          className="btn"
          type="password"
          autoComplete="new-password"
          value={secret}
          onChange={(event) => setSecret(event.currentTarget.value)}
        />
      </label>
      <fieldset className="told-of">
        <legend>Told of</legend>
        {Object.entries(webhookEvents).map(([entity, ways]) => (
          <div key={entity}>
            <span className="i2">{entity.replaceAll('_', ' ')}</span>
            <span>
              {ways.map((way) => (
                <label key={way}>
                  <input
                    type="checkbox"
                    checked={chosen.includes(`${entity}.${way}`)}
                    onChange={() => toggle(`${entity}.${way}`)}
                  />{' '}
                  <span className="seen-only-by-readers">{entity.replaceAll('_', ' ')} </span>
                  {way.replaceAll('_', ' ')}
                </label>
              ))}
            </span>
          </div>
        ))}
      </fieldset>
      <div className="dialog-actions">
        {!ready && <span className="small i3">A name, an address and what to tell of</span>}
        <button type="submit" className="btn primary" disabled={!ready}>
          Add
        </button>
      </div>
    </form>
  );
}
