/** What somebody does to a thing on a page: done, or why not. */
import { type QueryKey, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

/** @param stale what is read again once it is done  @param done closes the dialog it came from */
export function useChange(stale: readonly QueryKey[], done: () => void) {
  const queries = useQueryClient();
  const [failed, setFailed] = useState<string>();
  const change = async (work: () => Promise<unknown>): Promise<void> => {
    setFailed(undefined);
    try {
      await work();
      done();
      await Promise.all(stale.map((queryKey) => queries.invalidateQueries({ queryKey })));
    } catch (error) {
      setFailed(error instanceof Error ? error.message : String(error));
    }
  };
  return { failed, change };
}

export function WhyNot({ failed }: { failed: string | undefined }) {
  if (!failed) return null;
  return (
    <p className="bad-text" role="alert">
      {failed}
    </p>
  );
}
