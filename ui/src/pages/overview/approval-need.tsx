/** A version that waits for consent: what one agrees to, and on what grounds. */
import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { ApiProblem, post } from '../../data/api.ts';
import type { Approval } from '../../data/approvals.ts';
import { whoActed } from '../../data/event.ts';
import { count, recently, tidy } from '../../format.ts';
import { ReasonDialog } from '../../parts/reason-dialog.tsx';

export function ApprovalNeed({ approval }: { approval: Approval }) {
  const queries = useQueryClient();
  const [asking, setAsking] = useState<'grant' | 'refuse'>();
  const [problem, setProblem] = useState<string>();
  const { id, endpoint, model, version, policy, gates, consents, requester, askedAt } = approval;
  const say = async (decision: 'grant' | 'refuse', reason: string) => {
    setProblem(undefined);
    try {
      await post(`/api/v1/approvals/${encodeURIComponent(id)}/${decision}`, { reason });
      await queries.invalidateQueries({ queryKey: ['approvals'] });
    } catch (error) {
      setProblem(
        error instanceof ApiProblem ? `${error.message} ${error.fix ?? ''}` : 'The server could not be reached.',
      );
    }
  };
  return (
    <div className="need">
      <div>
        <b className="b">
          {endpoint} v{version} waits for consent
        </b>{' '}
        <span className="i3 small">
          asked by {whoActed(requester)} {recently(askedAt)}
        </span>
      </div>
      <p>
        {tidy(gates.reason)}. {count(consents.length)} of {count(policy.people)}{' '}
        {policy.people === 1 ? 'person has' : 'people have'} agreed
        {policy.notAuthor && '; whoever made or asked for it does not count'}.{' '}
        <Link className="link" to="/models/$model/$version" params={{ model, version: String(version) }}>
          See the evidence
        </Link>
      </p>
      {problem && (
        <p className="small warn-text" role="alert">
          {problem}
        </p>
      )}
      <div className="need-actions">
        <button type="button" className="btn primary" onClick={() => setAsking('grant')}>
          Agree…
        </button>
        <button type="button" className="btn" onClick={() => setAsking('refuse')}>
          Refuse…
        </button>
      </div>
      <ReasonDialog
        opened={asking !== undefined}
        title={asking === 'refuse' ? `Refuse v${version} on ${endpoint}?` : `Agree to v${version} on ${endpoint}?`}
        consequence={
          asking === 'refuse'
            ? 'It is not rolled out; to try again is to ship it again. The reason goes into the log.'
            : 'Its rollout begins as soon as enough people have agreed, under its guardrails. The reason goes into the log.'
        }
        action={asking === 'refuse' ? 'Refuse' : 'Agree'}
        onClose={() => setAsking(undefined)}
        onConfirm={(reason) => {
          if (asking) void say(asking, reason);
          setAsking(undefined);
        }}
      />
    </div>
  );
}
