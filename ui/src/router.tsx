/** The pages and their addresses. Each page is a chunk of its own; view state lives in the address. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { Failed, Nothing } from './parts/states.tsx';
import { addressHere } from './shell/mlflow-address.ts';
import { Shell } from './shell/shell.tsx';

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => <Nothing title="There is no such page" />,
  errorComponent: ({ error }) => <Failed what="this page" error={error} />,
});

const at = <const Path extends string>(path: Path, load: Parameters<typeof lazyRouteComponent>[0], name: string) =>
  createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load, name) });

const tree = root.addChildren([
  at('/', () => import('./pages/overview.tsx'), 'OverviewPage'),
  at('/start', () => import('./pages/first-run.tsx'), 'FirstRunPage'),
  at('/models', () => import('./pages/models.tsx'), 'ModelsPage'),
  at('/models/$model', () => import('./pages/model.tsx'), 'ModelPage'),
  at('/models/$model/$version', () => import('./pages/version.tsx'), 'VersionPage'),
  at('/rollouts', () => import('./pages/rollouts.tsx'), 'RolloutsPage'),
  at('/rollouts/$id', () => import('./pages/rollout.tsx'), 'RolloutPage'),
  at('/monitoring', () => import('./pages/monitoring.tsx'), 'MonitoringPage'),
  at('/monitoring/$endpoint', () => import('./pages/drift.tsx'), 'DriftPage'),
  at('/experiments', () => import('./pages/experiments.tsx'), 'ExperimentsPage'),
  at('/experiments/$experiment', () => import('./pages/runs.tsx'), 'RunsPage'),
  at('/runs', () => import('./pages/runs.tsx'), 'RunsPage'),
  at('/compare', () => import('./pages/compare.tsx'), 'ComparePage'),
  at('/runs/$run', () => import('./pages/run.tsx'), 'RunPage'),
  at('/audit', () => import('./pages/audit.tsx'), 'AuditPage'),
  at('/settings', () => import('./pages/settings.tsx'), 'SettingsPage'),
]);

export const makeRouter = () => {
  const basepath = basePath();
  const here = addressHere(location.hash);
  if (here !== undefined) history.replaceState(null, '', `${basepath.replace(/\/$/, '')}${here}`);
  return createRouter({ routeTree: tree, basepath, defaultPreload: 'intent' });
};

/** The server may stand behind a prefix; the page was loaded from it. */
function basePath(): string {
  const script = document.querySelector<HTMLScriptElement>('script[type="module"][src]');
  return script ? new URL('../', script.src).pathname.replace(/\/$/, '') || '/' : '/';
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
