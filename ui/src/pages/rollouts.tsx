/** Rollouts: what is on its way, and how did the last ones end? */
import { Link } from '@tanstack/react-router';
import { isOver, type RolloutSummary, useRollouts } from '../data/rollouts.ts';
import { count, moment, percent } from '../format.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Loaded, Nothing } from '../parts/states.tsx';
import { Verdict } from '../parts/verdict.tsx';
import { VersionTag } from '../parts/version-tag.tsx';

export function RolloutsPage() {
  const rollouts = useRollouts();
  return (
    <Loaded query={rollouts} what="the rollouts">
      {({ items }) => {
        const running = items.filter((one) => !isOver(one.phase));
        return (
          <>
            <PageHead title={running.length > 0 ? running.map(sentence).join('; ') : 'No rollout is running'}>
              {count(items.length)} in all, {count(items.filter((one) => one.phase === 'rolled-back').length)} rolled back.
            </PageHead>
            {items.length === 0 ? (
              <Nothing title="Nothing has been shipped yet">
                <code>rondo ship</code>
              </Nothing>
            ) : (
              <table>
                <thead>
                  <tr>
                    <th>Rollout</th>
                    <th>State</th>
                    <th>Why</th>
                    <th>Started</th>
                    <th>Ended</th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((one) => (
                    <tr key={one.id}>
                      <td>
                        <Link to="/rollouts/$id" params={{ id: one.id }}>
                          <span className="tags">
                            <b className="b">{one.endpoint}</b>
                            {one.champion && <VersionTag version={one.champion.version} role="other" />}
                            <span className="i3">to</span>
                            <VersionTag version={one.challenger.version} role={one.phase === 'promoted' ? 'champion' : isOver(one.phase) ? 'other' : 'challenger'} />
                          </span>
                        </Link>
                      </td>
                      <td>
                        <State rollout={one} />
                      </td>
                      <td className="i2">{one.forced ? `forced: ${one.forced.reason}` : one.because}</td>
                      <td className="i2 nowrap">{moment(one.startedClock)}</td>
                      <td className="i2 nowrap">{one.endedClock === undefined ? '' : moment(one.endedClock)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
          </>
        );
      }}
    </Loaded>
  );
}

function State({ rollout }: { rollout: RolloutSummary }) {
  switch (rollout.phase) {
    case 'promoted':
      return <Verdict mark="pass">at 100 %</Verdict>;
    case 'rolled-back':
      return <Verdict mark="fail">rolled back</Verdict>;
    case 'aborted':
      return <Verdict mark="warn">aborted</Verdict>;
    case 'superseded':
      return <span className="i3">superseded</span>;
    default:
      return <span style={{ color: 'var(--accent)' }}>{place(rollout)}</span>;
  }
}

const place = ({ phase, share }: RolloutSummary): string =>
  phase === 'step' ? percent(share) : phase === 'paused' ? `paused at ${percent(share)}` : phase === 'shadow' ? 'in shadow' : phase;

const sentence = (rollout: RolloutSummary): string => `v${rollout.challenger.version} of ${rollout.endpoint}: ${place(rollout)}`;
