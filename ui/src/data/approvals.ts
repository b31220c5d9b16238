/** What waits for people's consent. */
import { useQuery } from '@tanstack/react-query';
import { get } from './api.ts';

export type Approval = {
  readonly id: string;
  readonly endpoint: string;
  readonly model: string;
  readonly version: number;
  readonly policy: { readonly people: number; readonly notAuthor: boolean };
  readonly requester: string;
  readonly author: string;
  readonly gates: { readonly outcome: 'pass' | 'fail' | 'inconclusive'; readonly reason: string };
  readonly reason?: string;
  readonly askedAt: number;
  readonly consents: readonly {
    readonly person: string;
    readonly decision: 'grant' | 'refuse';
    readonly reason?: string;
  }[];
  readonly state: 'open' | 'granted' | 'refused' | 'expired' | 'used';
};

/** Also those that are decided, the newest first. */
export const useApprovals = () =>
  useQuery({
    queryKey: ['approvals', 'all'],
    queryFn: ({ signal }) => get<{ items: Approval[] }>('/api/v1/approvals', { limit: 200 }, signal),
  });

/** Those that are undecided, the newest first. */
export const useOpenApprovals = () =>
  useQuery({
    queryKey: ['approvals'],
    queryFn: ({ signal }) => get<{ items: Approval[] }>('/api/v1/approvals', { open: true }, signal),
  });
