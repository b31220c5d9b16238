/** What a person can do with a running rollout. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiProblem, post } from '../../data/api.ts';
import { isOver, type RolloutView } from '../../data/rollouts.ts';
import { ReasonDialog } from '../../parts/reason-dialog.tsx';

export function Actions({ view }: { view: RolloutView }) {
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<string>();
  if (isOver(view.state) || view.state === 'promoting') return null;
  const act = async (verb: 'pause' | 'resume' | 'promote' | 'abort', reason: string) => {
    setProblem(undefined);
    try {
      await post(`/api/v1/rollouts/${encodeURIComponent(view.id)}/${verb}`, { reason });
      await queries.invalidateQueries({ queryKey: ['rollout', view.id] });
    } catch (error) {
      setProblem(
        error instanceof ApiProblem ? `${error.message} ${error.fix ?? ''}` : 'The server could not be reached.',
      );
    }
  };
  const undecided = view.guardrails.filter((one) => one.word === 'undecided').length;
  return (
    <>
      {problem && (
        <span className="small warn-text" role="alert">
          {problem}
        </span>
      )}
      {view.state === 'paused' ? (
        <button type="button" className="btn" onClick={() => void act('resume', 'resumed on the rollout page')}>
          Resume
        </button>
      ) : (
        view.state !== 'preparing' && (
          <button type="button" className="btn quiet" onClick={() => void act('pause', 'paused on the rollout page')}>
            Pause
          </button>
        )
      )}
      {view.state !== 'preparing' && (
        <button type="button" className="btn" onClick={() => setAsking(true)}>
          Promote…
        </button>
      )}
      {/* Abort acts at once; nobody looks for words while answers are bad. */}
      <button type="button" className="btn danger" onClick={() => void act('abort', 'aborted on the rollout page')}>
        Abort
      </button>
      <ReasonDialog
        opened={asking}
        title={`Promote v${view.challenger.version} before the rule allows?`}
        consequence={`It gets all traffic at once; ${undecided} of ${view.guardrails.length} guardrails are undecided. The reason goes into the log.`}
        action="Promote"
        onClose={() => setAsking(false)}
        onConfirm={(reason) => {
          setAsking(false);
          void act('promote', reason);
        }}
      />
    </>
  );
}
