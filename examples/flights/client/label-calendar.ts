/** Outcomes that are not known yet: each comes due when its flight has landed. */
import { landingTick } from '../features/recent-delays.ts';
import type { Label } from './endpoint-client.ts';

export interface LabelCalendar {
  add(flight: { id: number; minute: number; distance: number; late: boolean }): void;
  /** Takes out what has landed strictly before this minute, first landing first. */
  due(minute: number): Label[];
  readonly size: number;
}

export function labelCalendar(): LabelCalendar {
  /** By landing, last first, so that taking the next one is taking the end. */
  const waiting: { readonly tick: number; readonly label: Label }[] = [];
  return {
    add({ id, minute, distance, late }) {
      const tick = landingTick(minute, distance);
      // Some hundreds are in the air at once, and a new one lands among the last: a short walk from the front.
      let place = 0;
      while (place < waiting.length && (waiting[place]?.tick ?? 0) > tick) place++;
      waiting.splice(place, 0, { tick, label: { key: id, value: late ? 1 : 0 } });
    },
    due(minute) {
      const now = landingTick(minute, 0) - landingTick(0, 0);
      const labels: Label[] = [];
      for (let last = waiting.at(-1); last && last.tick < now; last = waiting.at(-1)) {
        labels.push(last.label);
        waiting.pop();
      }
      return labels;
    },
    get size() {
      return waiting.length;
    },
  };
}
