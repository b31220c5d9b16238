/** The bar: where one is, the palette, what needs you, whether the page is live, and the theme. */
import { useMantineColorScheme } from '@mantine/core';
import { spotlight } from '@mantine/spotlight';
import { Link, useRouterState } from '@tanstack/react-router';
import { useCounts } from '../data/counts.ts';
import { useLive } from '../data/live.ts';
import { useRollouts } from '../data/rollouts.ts';
import { useRun } from '../data/runs.ts';
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
        <Link
          className="ghost"
          to="/monitoring"
          aria-label={`${needsYou} ${needsYou === 1 ? 'thing needs' : 'things need'} you`}
        >
          <Icon name="bell" />
          <b className="m">{needsYou}</b>
        </Link>
        <Live />
        <Theme />
      </div>
    </header>
  );
}

function Crumbs() {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  const place = places.find((candidate) => candidate.path === `/${parts[0] ?? ''}`);
  const named = useName(parts[0], parts[1]);
  const names = [place?.title ?? (parts[0] === 'start' ? 'Start' : 'Overview'), ...(named ? [named] : parts.slice(1))];
  return (
    <nav className="crumbs" aria-label="Where you are">
      {names.map((name, index) => {
        const last = index === names.length - 1;
        const to = `/${parts.slice(0, index + 1).join('/')}`;
        return (
          <span key={to} className="crumb">
            {index > 0 && <span aria-hidden>/</span>}{' '}
            {last ? <b>{name}</b> : <Link to={index === 0 ? (place?.path ?? '/') : to}>{name}</Link>}
          </span>
        );
      })}
    </nav>
  );
}

/** What people call the thing whose id stands in the address. */
function useName(place: string | undefined, id: string | undefined): string | undefined {
  const rollouts = useRollouts().data?.items;
  const run = useRun(place === 'experiments' ? id : undefined).data;
  if (place === 'experiments') return run?.name;
  const rollout = place === 'rollouts' ? rollouts?.find((one) => one.id === id) : undefined;
  return (
    rollout &&
    `${rollout.endpoint} ${rollout.champion ? `v${rollout.champion.version} to ` : ''}v${rollout.challenger.version}`
  );
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
