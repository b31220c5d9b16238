/** The palette: go to a page, a model, an endpoint or a rollout by name, or do what every page can. */

import { useMantineColorScheme } from '@mantine/core';
import { Spotlight, type SpotlightActionData } from '@mantine/spotlight';
import { useNavigate } from '@tanstack/react-router';
import { useCounts } from '../data/counts.ts';
import { places } from './places.ts';

export function Palette() {
  const navigate = useNavigate();
  const { models, endpoints, rollouts } = useCounts();
  const go = (to: string) => () => void navigate({ to });
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const actions: SpotlightActionData[] = [
    ...places.map((place) => ({
      id: place.path,
      label: place.title,
      description: `g ${place.key}`,
      onClick: go(place.path),
    })),
    ...rollouts.map(({ id, endpoint, challenger }) => ({
      id: `rollout/${id}`,
      label: `${endpoint} v${challenger.version}`,
      description: 'Running rollout',
      onClick: go(`/rollouts/${id}`),
    })),
    ...endpoints.map((name) => ({
      id: `endpoint/${name}`,
      label: name,
      description: 'Endpoint',
      onClick: go(`/monitoring/${name}`),
    })),
    ...models.map((name) => ({
      id: `model/${name}`,
      label: name,
      description: 'Model',
      onClick: go(`/models/${name}`),
    })),
    ...(['light', 'dark', 'auto'] as const)
      .filter((scheme) => scheme !== colorScheme)
      .map((scheme) => ({
        id: `theme/${scheme}`,
        label: scheme === 'auto' ? 'Theme as the system has it' : `${scheme === 'dark' ? 'Dark' : 'Light'} theme`,
        description: 'Do',
        onClick: () => setColorScheme(scheme),
      })),
    {
      id: 'copy/address',
      label: 'Copy the address for MLflow’s clients',
      description: 'Do',
      onClick: () => void navigator.clipboard?.writeText(new URL('./', document.baseURI).toString().replace(/\/$/, '')),
    },
  ];
  return (
    <Spotlight
      actions={actions}
      shortcut={['mod + K']}
      nothingFound="Nothing by that name"
      searchProps={{ placeholder: 'Go to or do…', 'aria-label': 'Go to or do' }}
      highlightQuery
    />
  );
}
