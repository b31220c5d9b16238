/** A verdict: shape and word first, colour last. */
import type { ReactNode } from 'react';

export type Mark = 'pass' | 'fail' | 'undecided' | 'warn';

export function Verdict({ mark, children }: { mark: Mark; children: ReactNode }) {
  return (
    <span className={`v ${mark === 'undecided' ? 'und' : mark}`}>
      <VerdictMark mark={mark} />
      {children}
    </span>
  );
}

/** The mark alone, for tight rows; `label` is read out where no word stands beside it. */
export function VerdictMark({ mark, label, size = 14 }: { mark: Mark; label?: string; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 14 14" role="img" aria-label={label} aria-hidden={label === undefined}>
      {mark === 'pass' && (
        <>
          <circle cx="7" cy="7" r="6" fill="currentColor" />
          <path d="m4.3 7.2 1.9 1.9 3.6-4" fill="none" stroke="var(--surface)" strokeWidth="1.6" />
        </>
      )}
      {mark === 'fail' && (
        <>
          <path d="M7 .6 13.4 7 7 13.4 .6 7z" fill="currentColor" />
          <path d="m5 5 4 4m0-4-4 4" stroke="var(--surface)" strokeWidth="1.5" />
        </>
      )}
      {mark === 'undecided' && (
        <circle cx="7" cy="7" r="5.4" fill="none" stroke="currentColor" strokeWidth="1.4" strokeDasharray="2.6 1.64" />
      )}
      {mark === 'warn' && (
        <>
          <path d="M7 1 13.4 12.6H.6z" fill="currentColor" />
          <path d="M7 5v3.6M7 10v1.2" stroke="var(--surface)" strokeWidth="1.5" />
        </>
      )}
    </svg>
  );
}

/** How an outcome of the server is shown. */
export const markOf = (outcome: 'pass' | 'fail' | 'inconclusive'): Mark =>
  outcome === 'inconclusive' ? 'undecided' : outcome;
