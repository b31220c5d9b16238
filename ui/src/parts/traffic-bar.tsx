/** Who answers: the champion in ink, the challenger in cobalt, each with its share. */
import { type Endpoint, sharesOf } from '../data/endpoints.ts';
import { percent } from '../format.ts';

export function TrafficBar({ endpoint }: { endpoint: Endpoint }) {
  const shares = sharesOf(endpoint);
  if (shares.length === 0) return <p className="sub">nothing serves yet</p>;
  return (
    <>
      <div className="traf" aria-hidden>
        {shares.map(({ role, share }) => (
          <i key={role} style={{ width: `${share * 100}%`, background: `var(--${role})` }} />
        ))}
      </div>
      <span className="sub">
        {shares.map(({ ref, role, share }) => (
          <span key={role} className="arm">
            <b className="m" style={{ color: role === 'challenger' ? 'var(--accent)' : 'var(--ink)' }}>
              v{ref.version}
            </b>{' '}
            {role === 'challenger' && share === 0 ? 'in shadow' : percent(share)}
          </span>
        ))}
      </span>
    </>
  );
}
