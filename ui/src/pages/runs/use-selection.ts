/** Which runs are selected: one by one, or from one row to another. It stands in the address while it is short enough for a link. */
import { type RefObject, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { ReadRows } from './use-run-rows.ts';
import type { RunView } from './view.ts';

export type Selection = {
  readonly ids: ReadonlySet<string>;
  /** Why the last range could not be selected. */
  readonly problem: string | undefined;
  readonly toggle: (run: string, row: number, range: boolean) => void;
  readonly clear: () => void;
};

const longestLink = 50;

export function useSelection({
  chosen,
  look,
  reader,
}: {
  readonly chosen: readonly string[];
  readonly look: (view: Partial<RunView>, options: { replace: boolean }) => void;
  readonly reader: RefObject<ReadRows | undefined>;
}): Selection {
  const [many, setMany] = useState<readonly string[]>();
  const [problem, setProblem] = useState<string>();
  const anchor = useRef<number>(undefined);
  const ids = useMemo(() => new Set(many ?? chosen), [many, chosen]);
  // What a click does is decided by the state at the click, and rows need not be drawn anew for it.
  const latest = useRef(ids);
  useEffect(() => {
    latest.current = ids;
  });
  const select = useCallback(
    (next: readonly string[]) => {
      const fits = next.length <= longestLink;
      setMany(fits ? undefined : next);
      look({ selected: fits ? next : [] }, { replace: true });
    },
    [look],
  );
  const toggle = useCallback(
    (run: string, row: number, range: boolean) => {
      setProblem(undefined);
      const from = anchor.current;
      const read = reader.current;
      if (range && read && from !== undefined && from !== row) {
        read(from, row).then(
          (runs) => select([...new Set([...latest.current, ...runs])]),
          (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)),
        );
        return;
      }
      anchor.current = row;
      const before = latest.current;
      select(before.has(run) ? [...before].filter((one) => one !== run) : [...before, run]);
    },
    [select, reader],
  );
  const clear = useCallback(() => {
    anchor.current = undefined;
    setProblem(undefined);
    select([]);
  }, [select]);
  return { ids, problem, toggle, clear };
}
