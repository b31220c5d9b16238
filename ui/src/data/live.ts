/** Live views: the server tells which events happened, and the queries that show them are read again. */
import type { QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { address } from './api.ts';

export type LiveState = { readonly connected: boolean; readonly lastHeardAt: number; readonly missed: number };

let state: LiveState = { connected: false, lastHeardAt: 0, missed: 0 };
const listeners = new Set<() => void>();

function change(next: Partial<LiveState>): void {
  state = { ...state, ...next };
  for (const listener of listeners) listener();
}

/** Which queries an event makes stale: the first word of its type names the context. */
const staleBy: Readonly<Record<string, readonly string[]>> = {
  tracking: ['runs', 'run'],
  registry: ['models', 'version'],
  gates: ['version', 'models'],
  serving: ['endpoints', 'models'],
  rollouts: ['rollouts', 'rollout', 'endpoints', 'models'],
  monitoring: ['alerts', 'monitors', 'models'],
  lifecycle: ['models'],
  governance: ['approvals'],
  notify: ['webhooks'],
};

/** Everything but what a page holds still until its reader asks for newer things. */
const everything = {
  predicate: ({ meta }: { meta?: Record<string, unknown> | undefined }) => meta?.['holdsStill'] !== true,
};

/** Follows the server's events until the returned function is called; falls back to reading every 15 s when the stream dies. */
export function followEvents(queries: QueryClient): () => void {
  const source = new EventSource(address('/api/v1/events/stream'));
  const stale = new Set<string>();
  let flush: ReturnType<typeof setTimeout> | undefined;
  const heard = () => change({ connected: true, lastHeardAt: Date.now(), missed: 0 });
  source.addEventListener('open', () => {
    // What could not be read while the server was away is read now.
    if (state.missed > 0) void queries.invalidateQueries(everything);
    heard();
  });
  source.addEventListener('ping', heard);
  // Away for so long that the server does not say all of it: everything may be stale.
  source.addEventListener('gap', () => void queries.invalidateQueries(everything));
  source.addEventListener('message', (message) => {
    heard();
    const type = typeOf(message.data);
    for (const key of staleBy[type.split('.')[0] ?? ''] ?? []) stale.add(key);
    stale.add('events');
    flush ??= setTimeout(() => {
      flush = undefined;
      for (const key of stale) void queries.invalidateQueries({ queryKey: [key] });
      stale.clear();
    }, 300);
  });
  source.addEventListener('error', () => change({ connected: false, missed: state.missed + 1 }));
  const fallback = setInterval(() => {
    if (!state.connected) void queries.invalidateQueries(everything);
  }, 15_000);
  return () => {
    source.close();
    clearInterval(fallback);
    clearTimeout(flush);
  };
}

function typeOf(data: string): string {
  try {
    const event: unknown = JSON.parse(data);
    return typeof event === 'object' && event !== null && 'type' in event ? String(event.type) : '';
  } catch {
    return '';
  }
}

export function useLive(): LiveState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}
