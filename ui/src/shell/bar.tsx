/** The bar: where one is, the palette, what needs you, whether the page is live, and the theme. */
import { useMantineColorScheme } from '@mantine/core';
import { spotlight } from '@mantine/spotlight';
import { Link, useRouterState } from '@tanstack/react-router';
import { useCounts } from '../data/counts.ts';
import { useLive } from '../data/live.ts';
import { useRollouts } from '../data/rollouts.ts';
import { useExperiment, useRun } from '../data/runs.ts';
import { clock } from '../format.ts';
import { Icon } from './icons.tsx';
import { places } from './places.ts';

export function Bar() {
  const { needsYou } = useCounts();
  return (
    <header className="bar">
      <Crumbs />
      <div className="right">
        <button type="button" className="ghost field palette-field" onClick={spotlight.open}>
          <Icon name="search" size={14} />
          Go to or do…<kbd>Ctrl K</kbd>
        </button>
        <Link className="ghost" to="/" aria-label={`${needsYou} ${needsYou === 1 ? 'thing needs' : 'things need'} you`}>
          <Icon name="bell" />
          <b className="m">{needsYou}</b>
        </Link>
        <Live />
        <Theme />
      </div>
    </header>
  );
}

type Crumb = { readonly name: string; readonly to: string };

function Crumbs() {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  const crumbs = useCrumbs(parts);
  return (
    <nav className="crumbs" aria-label="Where you are">
      {crumbs.map(({ name, to }, index) => (
        <span key={to} className="crumb">
          {index > 0 && <span aria-hidden>/</span>}{' '}
          {index === crumbs.length - 1 ? <b>{name}</b> : <Link to={to}>{name}</Link>}
        </span>
      ))}
    </nav>
  );
}

/** The way to a page, by the names that people use for the things whose ids stand in its address. */
function useCrumbs([place, id, ...more]: readonly string[]): readonly Crumb[] {
  const rollouts = useRollouts().data?.items;
  const run = useRun(place === 'runs' ? id : undefined).data;
  const experimentId = place === 'experiments' ? id : run?.experimentId;
  const experiment = useExperiment(experimentId).data;
  const ofExperiment = experimentId
    ? [{ name: experiment?.name ?? experimentId, to: `/experiments/${experimentId}` }]
    : [];
  const experiments = { name: 'Experiments', to: '/experiments' };
  if (place === 'experiments') return [experiments, ...ofExperiment];
  if (place === 'compare') return [experiments, { name: 'Compare', to: '/compare' }];
  if (place === 'runs') {
    return id === undefined
      ? [experiments, { name: 'All runs', to: '/runs' }]
      : [experiments, ...ofExperiment, { name: run?.name ?? id, to: `/runs/${id}` }];
  }
  const known = places.find(({ path }) => path === `/${place ?? ''}`);
  const first = known
    ? { name: known.title, to: known.path }
    : { name: place === 'start' ? 'Start' : 'Overview', to: '/' };
  const rollout = place === 'rollouts' ? rollouts?.find((one) => one.id === id) : undefined;
  if (rollout) {
    const { endpoint, champion, challenger } = rollout;
    const from = champion ? `v${champion.version} to ` : '';
    return [first, { name: `${endpoint} ${from}v${challenger.version}`, to: `/rollouts/${rollout.id}` }];
  }
  if (place === 'models' && id !== undefined && more[0] !== undefined) {
    const model = `/models/${encodeURIComponent(id)}`;
    return [first, { name: id, to: model }, { name: `v${more[0]}`, to: `${model}/${more[0]}` }];
  }
  const rest = id === undefined ? [] : [id, ...more];
  return [first, ...rest.map((name, at) => ({ name, to: `/${[place, ...rest.slice(0, at + 1)].join('/')}` }))];
}

function Live() {
  const live = useLive();
  const { endpointNow } = useCounts();
  if (!live.connected && live.missed > 1) {
    return (
      <span className="ghost warn-text" role="status">
        data as of {live.lastHeardAt ? new Date(live.lastHeardAt).toLocaleTimeString() : 'never'}, trying again
      </span>
    );
  }
  return (
    <span
      className="ghost"
      title={endpointNow ? "Live. The endpoint's own clock, from its newest logged event" : 'Live'}
    >
      {live.connected && <span className="dot" />}
      {endpointNow ? clock(endpointNow) : 'live'}
    </span>
  );
}

function Theme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const next = colorScheme === 'light' ? 'dark' : colorScheme === 'dark' ? 'auto' : 'light';
  return (
    <button
      type="button"
      className="ghost"
      aria-label={`Theme: ${colorScheme}. Change to ${next}`}
      title={`Theme: ${colorScheme}`}
      onClick={() => setColorScheme(next)}
    >
      <Icon name="theme" />
    </button>
  );
}
