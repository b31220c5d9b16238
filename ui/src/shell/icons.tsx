/** Line icons of the rail and the bar: 16 px, stroke of the text's own colour. */
import type { ReactNode } from 'react';

const shapes = {
  overview: <path d="M2.5 4h11M2.5 8h11M2.5 12h7" />,
  models: (
    <>
      <path d="M8 2.5 13 5.3v5.4L8 13.5 3 10.7V5.3z" />
      <path d="M3 5.3 8 8l5-2.7M8 8v5.5" />
    </>
  ),
  rollouts: (
    <>
      <path d="M2.5 13v-2.5H6V7.5h3.5V4.5h4" />
      <path d="m11.5 2.5 2 2-2 2" />
    </>
  ),
  monitoring: <path d="M2 8.5h2.5l2-5 3 9 2-4H14" />,
  experiments: <path d="M6.5 2.5v4L3 12.6c-.3.6 0 .9.6.9h8.8c.6 0 .9-.3.6-.9L9.5 6.5v-4M5.5 2.5h5" />,
  data: (
    <>
      <ellipse cx="8" cy="4" rx="5" ry="1.7" />
      <path d="M3 4v8c0 .9 2.2 1.7 5 1.7s5-.8 5-1.7V4M3 8c0 .9 2.2 1.7 5 1.7S13 8.9 13 8" />
    </>
  ),
  audit: (
    <>
      <path d="M3.5 2.5h9v11h-9z" />
      <path d="M5.8 5.5h4.4M5.8 8h4.4M5.8 10.5h2.4" />
    </>
  ),
  settings: (
    <>
      <circle cx="5" cy="5" r="1.6" />
      <circle cx="11" cy="11" r="1.6" />
      <path d="M6.6 5h6.9M2.5 5h.9M9.4 11H2.5M12.6 11h.9" />
    </>
  ),
  search: (
    <>
      <circle cx="7" cy="7" r="4" />
      <path d="m10 10 3.5 3.5" />
    </>
  ),
  bell: (
    <>
      <path d="M4 11V7.5a4 4 0 0 1 8 0V11l1 1.2H3z" />
      <path d="M6.8 14h2.4" />
    </>
  ),
  copy: (
    <>
      <path d="M5.5 5.5h7v7h-7z" />
      <path d="M10.5 5.5v-2h-7v7h2" />
    </>
  ),
  theme: <path d="M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5z" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof shapes;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinejoin="round"
      strokeLinecap="round"
      aria-hidden
    >
      {shapes[name]}
    </svg>
  );
}

export function BrandMark() {
  return (
    <svg width="18" height="18" viewBox="0 0 18 18" fill="none" aria-hidden>
      <path d="M12.9 3.65A6.6 6.6 0 1 0 15.6 9" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
      <circle cx="15.3" cy="5.3" r="1.7" fill="var(--accent)" />
    </svg>
  );
}
