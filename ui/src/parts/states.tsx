/** What a page shows when it has nothing to show: loading, empty and failed, each in its own words. */
import { type ReactNode, useEffect, useState } from 'react';
import { ApiProblem } from '../data/api.ts';

/** Shows `children` with the data, keeps the last data while reading again, and names what went wrong. */
export function Loaded<T>({
  query,
  what,
  children,
}: {
  /** What is read of a query, of one page or of several. */
  query: {
    readonly data: T | undefined;
    readonly isError: boolean;
    readonly error: Error | null;
    readonly refetch: () => unknown;
  };
  what: string;
  children: (data: T) => ReactNode;
}) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.isError) return <Failed what={what} error={query.error} retry={() => void query.refetch()} />;
  return <Loading what={what} />;
}

/** Row-shaped bars, only after 200 ms: a fast answer never flickers. */
export function Loading({ what, rows = 6 }: { what: string; rows?: number }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 200);
    return () => clearTimeout(timer);
  }, []);
  if (!late) return null;
  return (
    <div role="status" aria-label={`Reading ${what}`} className="loading">
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are alike and never reordered.
        <div key={row} style={{ width: `${92 - ((row * 17) % 40)}%` }} />
      ))}
    </div>
  );
}

export function Failed({ what, error, retry }: { what: string; error: unknown; retry?: () => void }) {
  const problem = error instanceof ApiProblem ? error : undefined;
  return (
    <div className="panel state" role="alert">
      <b className="b">{problem?.status === 404 ? `There is no ${what}` : `Could not read ${what}`}</b>
      <p className="i2">{error instanceof Error ? error.message : String(error)}</p>
      {problem?.fix && <p>{problem.fix}</p>}
      {retry && (
        <button type="button" className="btn" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Nothing yet: says what starts it. */
export function Nothing({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="state">
      <b className="b">{title}</b>
      {children}
    </div>
  );
}
