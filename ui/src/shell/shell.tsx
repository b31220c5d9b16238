/** The frame around every page: rail, bar, and the page. */
import { Outlet } from '@tanstack/react-router';
import { Suspense, useCallback, useState } from 'react';
import { Loading } from '../parts/states.tsx';
import { Bar } from './bar.tsx';
import { useKeys } from './keys.ts';
import { KeysHelp } from './keys-help.tsx';
import { Palette } from './palette.tsx';
import { Rail } from './rail.tsx';

export function Shell() {
  const [help, setHelp] = useState(false);
  useKeys(useCallback(() => setHelp(true), []));
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <Rail />
      <Bar />
      <main className="main" id="main" tabIndex={-1}>
        <Suspense fallback={<Loading what="the page" />}>
          <Outlet />
        </Suspense>
      </main>
      <Palette />
      <KeysHelp opened={help} onClose={() => setHelp(false)} />
    </div>
  );
}
