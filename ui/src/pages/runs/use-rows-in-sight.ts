/** Which rows of a scrolled box are in sight, all rows being equally high. */
import { type RefObject, useLayoutEffect, useState } from 'react';
import type { Range } from './use-run-rows.ts';

/** Rows above and below that are drawn before they are seen, so that a key or a wheel never meets a gap. */
const spare = 12;
/** The range moves by so many rows at a time: a scroll of a few pixels draws nothing anew. */
const stride = 6;
const settledMs = 90;
const stillMs = 250;

/**
 * @returns `drawn` follows every move; `read` follows when the box rests or moves slowly, so that a long jump reads no page on its way;
 * `still` is false while it moves
 */
export function useRowsInSight(box: RefObject<HTMLElement | null>, rowHeight: number) {
  const [drawn, setDrawn] = useState<Range>({ first: 0, last: 40 });
  const [read, setRead] = useState(drawn);
  const [still, setStill] = useState(true);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    let settle: ReturnType<typeof setTimeout> | undefined;
    let rest: ReturnType<typeof setTimeout> | undefined;
    let top = element.scrollTop;
    let height = element.clientHeight;
    const look = () => {
      const now = element.scrollTop;
      const first = Math.floor(now / rowHeight / stride) * stride - spare;
      const last = first + Math.ceil(height / rowHeight / stride) * stride + 2 * spare + stride;
      const next = { first: Math.max(0, first), last };
      const same = (before: Range) => (before.first === next.first && before.last === next.last ? before : next);
      setDrawn(same);
      const far = Math.abs(now - top) > height;
      top = now;
      clearTimeout(settle);
      if (far) settle = setTimeout(() => setRead(same), settledMs);
      else setRead(same);
    };
    const onScroll = () => {
      setStill(false);
      clearTimeout(rest);
      rest = setTimeout(() => setStill(true), stillMs);
      look();
    };
    look();
    const size = new ResizeObserver(() => {
      height = element.clientHeight;
      look();
    });
    size.observe(element);
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      clearTimeout(settle);
      clearTimeout(rest);
      size.disconnect();
      element.removeEventListener('scroll', onScroll);
    };
  }, [box, rowHeight]);
  return { drawn, read, still };
}
