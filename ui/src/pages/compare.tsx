/** Runs beside each other: what differs in what went in, and what came of it. */
import { useSearch } from '@tanstack/react-router';
import { useRunsNow } from '../data/run-list.ts';
import { Loaded } from '../parts/states.tsx';
import { CompareTable } from './compare/table.tsx';

export function ComparePage() {
  const search = useSearch({ strict: false }) as Readonly<Record<string, unknown>>;
  const ids = String(search['runs'] ?? '')
    .split(',')
    .filter(Boolean);
  const runs = useRunsNow(ids);
  return (
    <Loaded query={runs} what="the runs">
      {(items) => <CompareTable runs={items} />}
    </Loaded>
  );
}
