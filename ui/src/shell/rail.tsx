/** The rail: one entry for each page that exists; a grey count says how many are running or open there. */
import { Link, useRouterState } from '@tanstack/react-router';
import { useCounts } from '../data/counts.ts';
import { BrandMark, Icon } from './icons.tsx';
import { isAt, places } from './places.ts';

export function Rail() {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const { counts, version, folder } = useCounts();
  return (
    <nav className="rail" aria-label="Main">
      <Link className="brand" to="/">
        <BrandMark />
        Rondo
      </Link>
      <div className="nav">
        {places.map((place) => {
          const here = isAt(place, path);
          const open = counts[place.name] ?? 0;
          return (
            <div key={place.path}>
              {place.name === 'audit' && <hr />}
              <Link to={place.path} {...(here ? { 'aria-current': 'page' as const } : {})} title={place.title}>
                <Icon name={place.name} />
                {place.title} {open > 0 && <span className="n">{open}</span>}
              </Link>
            </div>
          );
        })}
      </div>
      <div className="foot">
        {version && `Rondo ${version}`}
        {folder && (
          <>
            <br />
            data in {folder}
          </>
        )}
      </div>
    </nav>
  );
}
