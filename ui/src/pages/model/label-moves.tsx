/** Who moved which alias or stage when. */
import { whoActed } from '../../data/event.ts';
import { type LabelMove, useLabelHistory } from '../../data/models.ts';
import { recently } from '../../format.ts';
import { SectionHead } from '../../parts/page-head.tsx';

export function LabelMoves({ model }: { model: string }) {
  const moves = useLabelHistory(model).data?.moves ?? [];
  if (moves.length === 0) return null;
  return (
    <>
      <SectionHead title="Where its labels were" />
      <ul className="log">
        {moves.map((move) => (
          <li key={`${move.position} ${move.kind === 'alias' ? move.alias : move.version}`}>
            <time>{recently(move.at)}</time>
            <span>
              {says(move)} <span className="i3">by {whoActed(move.actor)}</span>
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function says(move: LabelMove) {
  const because = move.because ? `, as it was ${move.because}` : '';
  if (move.kind === 'alias') {
    const from = move.from === undefined ? '' : ` from v${move.from}`;
    return (
      <>
        <code>@{move.alias}</code>
        {move.to === undefined ? ` taken${from}` : ` to v${move.to}${from}`}
        {because}
      </>
    );
  }
  return `v${move.version} ${move.to === undefined ? 'out of its stage' : `to ${move.to}`}${because}`;
}
