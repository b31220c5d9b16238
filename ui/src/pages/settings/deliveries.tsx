/** What was sent, to whom, and what they answered; one delivery at a time shows its body, and can be sent again. */
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Fragment, useState } from 'react';
import {
  type Attempt,
  type Delivery,
  redeliver,
  useDeliveries,
  useDelivery,
  useWebhooks,
} from '../../data/webhooks.ts';
import { count, milliseconds, recently } from '../../format.ts';
import { SectionHead } from '../../parts/page-head.tsx';
import { Loaded } from '../../parts/states.tsx';
import { Verdict } from '../../parts/verdict.tsx';

type Search = { readonly delivery?: unknown; readonly state?: unknown };

export function Deliveries() {
  const search = useSearch({ strict: false }) as Search; // View state lives in the address.
  const navigate = useNavigate();
  const state = search.state === 'failed' || search.state === 'waiting' ? search.state : undefined;
  const deliveries = useDeliveries({ state }, true);
  const names = new Map(useWebhooks(true).data?.items.map(({ id, name }) => [id, name]));
  const look = (next: Search) =>
    void navigate({
      to: '/settings',
      search: ((before: Search) => ({ ...before, ...next })) as never,
      replace: true,
      resetScroll: false,
    });
  return (
    <section className="below">
      <SectionHead
        title="Deliveries"
        aside={
          <select
            aria-label="Which deliveries"
            value={state ?? ''}
            onChange={(event) => look({ state: event.currentTarget.value || undefined })}
          >
            <option value="">of these 30 days</option>
            <option value="failed">that failed</option>
            <option value="waiting">that wait</option>
          </select>
        }
      />
      <Loaded query={deliveries} what="the deliveries">
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          if (items.length === 0)
            return <p className="small i2">{state ? `None ${state}.` : 'Nothing was sent yet.'}</p>;
          return (
            <div className="wide">
              <table className="deliveries">
                <thead>
                  <tr>
                    <th>Sent</th>
                    <th>What</th>
                    <th>To</th>
                    <th>Outcome</th>
                    <th className="num">Tries</th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((one) => {
                    const isOpen = search.delivery === one.id;
                    return (
                      <Fragment key={one.id}>
                        <tr>
                          <td className="i2 nowrap">{recently(one.createdAt)}</td>
                          <td>
                            <button
                              type="button"
                              className="as-link"
                              aria-expanded={isOpen}
                              onClick={() => look({ delivery: isOpen ? undefined : one.id })}
                            >
                              {one.event.replace('.', ' ').replaceAll('_', ' ')}{' '}
                              <span className="i3">{one.subject.split('/').slice(1).join(' v').slice(0, 24)}</span>
                            </button>
                          </td>
                          <td className="i2">{names.get(one.to.webhook ?? '') ?? one.to.kind}</td>
                          <td>
                            <Outcome delivery={one} />
                          </td>
                          <td className="num">{count(one.tries)}</td>
                        </tr>
                        {isOpen && <Detail id={one.id} />}
                      </Fragment>
                    );
                  })}
                </tbody>
              </table>
              {deliveries.hasNextPage && (
                <button type="button" className="btn" onClick={() => void deliveries.fetchNextPage()}>
                  Read older ones
                </button>
              )}
            </div>
          );
        }}
      </Loaded>
    </section>
  );
}

function Outcome({ delivery: { state, dueAt, tries } }: { delivery: Delivery }) {
  switch (state) {
    case 'delivered':
      return <Verdict mark="pass">delivered</Verdict>;
    case 'failed':
      return <Verdict mark="fail">given up</Verdict>;
    case 'waiting':
      return <Verdict mark="undecided">{tries === 0 ? 'on its way' : `tried again ${recently(dueAt)}`}</Verdict>;
  }
}

function Detail({ id }: { id: string }) {
  const delivery = useDelivery(id);
  const queries = useQueryClient();
  const [problem, setProblem] = useState<string>();
  const again = async () => {
    setProblem(undefined);
    try {
      await redeliver(id);
      await queries.invalidateQueries({ queryKey: ['webhooks'] });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <tr className="delivery-detail">
      <td colSpan={5}>
        <Loaded query={delivery} what="this delivery">
          {({ attempts, body }) => (
            <div className="panel diff">
              <div>
                <h3>What came back</h3>
                {attempts.length === 0 && <p className="small i2">It was not tried yet.</p>}
                <ul className="log">
                  {attempts.map((attempt) => (
                    <li key={attempt.at}>
                      <time>{recently(attempt.at)}</time>
                      <span>{sayAttempt(attempt)}</span>
                    </li>
                  ))}
                </ul>
                <button type="button" className="btn" onClick={() => void again()}>
                  Deliver again
                </button>
                {problem && (
                  <p className="small bad-text" role="alert">
                    {problem}
                  </p>
                )}
              </div>
              <div>
                <h3>What was sent</h3>
                <code>{pretty(body)}</code>
              </div>
            </div>
          )}
        </Loaded>
      </td>
    </tr>
  );
}

const sayAttempt = ({ status, problem, answer, ms }: Attempt): string =>
  [
    status === undefined ? (problem ?? 'no answer') : `${status}`,
    `in ${milliseconds(ms)}`,
    answer && `“${answer.slice(0, 160)}”`,
  ]
    .filter(Boolean)
    .join(' ');

function pretty(body: string | undefined): string {
  try {
    return JSON.stringify(JSON.parse(body ?? ''), null, 2);
  } catch {
    return body ?? '';
  }
}
