/** The pages of the rail: path, name, and the second key after `g`. */
import type { IconName } from './icons.tsx';

export type Place = { readonly name: IconName; readonly path: string; readonly title: string; readonly key: string };

export const places: readonly Place[] = [
  { name: 'overview', path: '/', title: 'Overview', key: 'o' },
  { name: 'models', path: '/models', title: 'Models', key: 'm' },
  { name: 'rollouts', path: '/rollouts', title: 'Rollouts', key: 'r' },
  { name: 'monitoring', path: '/monitoring', title: 'Monitoring', key: 'd' },
  { name: 'experiments', path: '/experiments', title: 'Experiments', key: 'e' },
  { name: 'audit', path: '/audit', title: 'Audit', key: 'a' },
];
