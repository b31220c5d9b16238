/** Who looks at the page, and what they may do. */
import { useQuery } from '@tanstack/react-query';
import { get } from './api.ts';

type Me = { readonly actor: string; readonly role: 'viewer' | 'editor' | 'deployer' | 'admin' };

const useMe = () =>
  useQuery({
    queryKey: ['me'],
    queryFn: ({ signal }) => get<Me>('/api/v1/me', {}, signal),
    staleTime: 60_000,
  });

/** False until it is known. */
export function useMayWrite(): boolean {
  const me = useMe();
  return me.data !== undefined && me.data.role !== 'viewer';
}

export const useIsAdmin = (): boolean => useMe().data?.role === 'admin';
