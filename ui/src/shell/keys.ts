/** Single-key shortcuts: pages, rows, the filter. Off while somebody types, and when switched off. */
import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { places } from './places.ts';

const waitMs = 1200;

export function useKeys(onHelp: () => void): void {
  const navigate = useNavigate();
  useEffect(() => {
    let goAt = Number.NEGATIVE_INFINITY;
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || keysAreOff()) return;
      if (event.key === 'g') {
        goAt = event.timeStamp;
        return;
      }
      const place = places.find((candidate) => candidate.key === event.key);
      if (place && event.timeStamp - goAt < waitMs) {
        goAt = Number.NEGATIVE_INFINITY;
        void navigate({ to: place.path });
        return;
      }
      if (event.key === '?') onHelp();
      if (event.key === 'j' || event.key === 'k') moveRow(event.key === 'j' ? 1 : -1);
      if (event.key === '/') {
        const filter = document.querySelector<HTMLInputElement>('main input[type="search"]');
        if (!filter) return;
        event.preventDefault();
        filter.focus();
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [navigate, onHelp]);
}

/** From row to row of the page's table; the first link of each row is what Enter opens. */
function moveRow(step: 1 | -1): void {
  const links = [...document.querySelectorAll<HTMLElement>('main tbody tr')].flatMap(
    (row) => row.querySelector<HTMLElement>('[data-row], a, button') ?? [],
  );
  const here = links.findIndex((link) => link.closest('tr')?.contains(document.activeElement));
  links[here < 0 ? 0 : Math.min(links.length - 1, Math.max(0, here + step))]?.focus();
}

export const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && target.getAttribute('type') !== 'checkbox'));

export const keysAreOff = (): boolean => localStorage.getItem('rondo.keys') === 'off';
export const switchKeys = (on: boolean): void => localStorage.setItem('rondo.keys', on ? 'on' : 'off');
