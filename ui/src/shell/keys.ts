/** Single-key shortcuts: `g` then a letter goes to a page. Off while somebody types, and when switched off. */
import { useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { places } from './places.ts';

const waitMs = 1200;

export function useKeys(): void {
  const navigate = useNavigate();
  useEffect(() => {
    let goAt = 0;
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || keysAreOff()) return;
      if (event.key === 'g') {
        goAt = event.timeStamp;
        return;
      }
      const place = places.find((candidate) => candidate.key === event.key);
      if (place && event.timeStamp - goAt < waitMs) {
        goAt = 0;
        void navigate({ to: place.path });
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [navigate]);
}

const typing = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

export const keysAreOff = () => localStorage.getItem('rondo.keys') === 'off';
