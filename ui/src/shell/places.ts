/** The pages of the rail: path, name, and the second key after `g`. */
import type { IconName } from './icons.tsx';

export type Place = {
  readonly name: IconName;
  readonly path: string;
  readonly title: string;
  readonly key: string;
  /** Where else its things have addresses. */
  readonly also?: readonly string[];
};

export const places: readonly Place[] = [
  { name: 'overview', path: '/', title: 'Overview', key: 'o' },
  { name: 'models', path: '/models', title: 'Models', key: 'm' },
  { name: 'rollouts', path: '/rollouts', title: 'Rollouts', key: 'r' },
  { name: 'monitoring', path: '/monitoring', title: 'Monitoring', key: 'd' },
  { name: 'experiments', path: '/experiments', title: 'Experiments', key: 'e', also: ['/runs', '/compare'] },
  { name: 'audit', path: '/audit', title: 'Audit', key: 'a' },
  { name: 'settings', path: '/settings', title: 'Settings', key: 's' },
];

/** Whether the address `path` belongs to the place. */
export const isAt = (place: Place, path: string): boolean =>
  place.path === '/' ? path === '/' : [place.path, ...(place.also ?? [])].some((start) => path.startsWith(start));
