/** Rollouts: what is on its way, and how did the last ones end? */
import { Link } from '@tanstack/react-router';
import { useEndpoints } from '../data/endpoints.ts';
import { useEvents } from '../data/event.ts';
import { conditionsOf, isOver, type RolloutSummary, sayPlace, useRollouts } from '../data/rollouts.ts';
import { count, duration, moment, tidy } from '../format.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Loaded, Nothing } from '../parts/states.tsx';
import { Verdict } from '../parts/verdict.tsx';
import { VersionTag } from '../parts/version-tag.tsx';

export function RolloutsPage() {
  const rollouts = useRollouts();
  const ends = useEvents({
    limit: 200,
    order: 'newest',
    types: 'rollouts.rolled-back,rollouts.aborted,rollouts.superseded,rollouts.promotion-decided',
  });
  const endpoints = useEndpoints().data?.items ?? [];
  const isLive = ({ endpoint, challenger }: RolloutSummary) =>
    endpoints.some(
      ({ name, champion }) =>
        name === endpoint && champion?.model === challenger.model && champion.version === challenger.version,
    );
  const whyOf = (id: string) => {
    const end = ends.data?.items.find(({ subject }) => subject === `rollout/${id}`);
    const proved = end ? conditionsOf(end).filter(({ says }) => says.endsWith(' proved no worse')) : [];
    // Of what was asked for, the guardrails are what people want to hear.
    if (proved.length === 0) return end?.reason;
    const each = proved.map(
      ({ says, value }) => `${says.replace(' proved no worse', '')} ${value.replace(/, margin.*/, '')}`,
    );
    return `every guardrail is proved: ${each.join(', ')}`;
  };
  return (
    <Loaded query={rollouts} what="the rollouts">
      {({ items }) => {
        const running = items.filter((one) => !isOver(one.state));
        return (
          <>
            <PageHead title={running.length > 0 ? running.map(sentence).join('; ') : 'No rollout is running'}>
              {count(items.length)} in all, {count(items.filter((one) => one.state === 'rolled-back').length)} rolled
              back.
            </PageHead>
            {items.length === 0 ? (
              <Nothing title="Nothing has been shipped yet">
                <code>rondo ship</code>
              </Nothing>
            ) : (
              <div className="wide">
                <table>
                  <thead>
                    <tr>
                      <th>Rollout</th>
                      <th>State</th>
                      <th>Why</th>
                      <th>Started</th>
                      <th>Took</th>
                    </tr>
                  </thead>
                  <tbody>
                    {items.map((one) => (
                      <tr key={one.id}>
                        <td>
                          <Link to="/rollouts/$id" params={{ id: one.id }}>
                            <span className="tags">
                              <b className="b">{one.endpoint}</b>
                              {one.champion && <VersionTag version={one.champion.version} standing="other" />}
                              <span className="i3">to</span>
                              <VersionTag
                                version={one.challenger.version}
                                standing={isLive(one) ? 'champion' : isOver(one.state) ? 'other' : 'challenger'}
                              />
                            </span>
                          </Link>
                        </td>
                        <td>
                          <State rollout={one} />
                        </td>
                        <td className="i2 why-cell two">
                          {one.forced && <b className="m">forced: {one.forced.reason}. </b>}
                          {tidy(whyOf(one.id) ?? '')}
                        </td>
                        <td className="i2 nowrap">{moment(one.startedClock)}</td>
                        <td className="i2 nowrap">
                          {one.endedClock === undefined ? '' : took(one.endedClock - one.startedClock)}
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
          </>
        );
      }}
    </Loaded>
  );
}

function State({ rollout }: { rollout: RolloutSummary }) {
  switch (rollout.state) {
    case 'promoted':
      return <Verdict mark="pass">at 100 %</Verdict>;
    case 'rolled-back':
      return <Verdict mark="fail">rolled back</Verdict>;
    case 'aborted':
      return <Verdict mark="warn">aborted</Verdict>;
    case 'superseded':
      return <span className="i3">superseded</span>;
    default:
      return <span style={{ color: 'var(--accent)' }}>{sayPlace(rollout)}</span>;
  }
}

const took = (ms: number): string => (ms < 1000 ? 'at once' : duration(ms));

const sentence = (rollout: RolloutSummary): string =>
  `${rollout.endpoint} v${rollout.challenger.version} is ${sayPlace(rollout)}`;
