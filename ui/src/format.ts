/** How numbers and times are written on screen (design/ui: numbers, time). Pure. */

const nbsp = '\u00a0';
const minus = '−';

/** `1,682`, and `1.21 M` from a million. */
export function count(value: number): string {
  if (Math.abs(value) >= 1e6) return `${signed((value / 1e6).toFixed(2))}${nbsp}M`;
  return signed(Math.round(value).toLocaleString('en-US'));
}

/** A share as a percentage: `25 %`, `0.36 %`. */
export function percent(share: number, decimals?: number): string {
  const value = share * 100;
  const digits = decimals ?? (Number.isInteger(round(value, 6)) || Math.abs(value) >= 10 ? 0 : 2);
  return `${signed(value.toFixed(digits))}${nbsp}%`;
}

/** A difference of two shares in percentage points, with its sign: `+0.36 pp`. */
export const points = (difference: number): string => `${plus((difference * 100).toFixed(2))}${nbsp}pp`;

/** A number with fixed decimals and a true minus. */
export const fixed = (value: number, decimals: number): string => signed(value.toFixed(decimals));

/** The same with its sign always shown. */
export const difference = (value: number, decimals: number): string => plus(value.toFixed(decimals));

/** For what is too large or too small for fixed decimals: `1.20e−5`. */
export const scientific = (value: number, decimals: number): string =>
  value.toExponential(decimals).replaceAll('-', minus).replace('e+', 'e');

/** `3.1 ms`, `12 ms`, `1.4 s`. */
export function milliseconds(value: number): string {
  if (value >= 1000) return duration(value);
  return `${signed(value.toFixed(value < 10 ? 1 : 0))}${nbsp}ms`;
}

const units: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
];

/** A duration in its two largest units: `3 d 3 h`, `14 s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}${nbsp}ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)}${nbsp}s`;
  const first = units.findIndex(([, size]) => ms >= size);
  const [name, size] = units[first] ?? ['s', 1000];
  const whole = Math.floor(ms / size);
  const next = units[first + 1];
  const rest = next ? Math.floor((ms - whole * size) / next[1]) : 0;
  return next && rest > 0 ? `${whole}${nbsp}${name} ${rest}${nbsp}${next[0]}` : `${whole}${nbsp}${name}`;
}

/** `[0.611, 0.645]`. */
export const interval = (lower: number, upper: number, decimals = 3): string =>
  `[${fixed(lower, decimals)}, ${fixed(upper, decimals)}]`;

/** A p value, from 0.001 on. */
export const pValue = (p: number): string => (p < 0.001 ? 'below 0.001' : p.toFixed(p < 0.1 ? 3 : 2));

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number) => String(value).padStart(2, '0');

/** `11 May`, with the year when it is not the current one and `withYear` is wanted. Endpoint time is shown in UTC. */
export function day(ms: number): string {
  const date = new Date(ms);
  return `${date.getUTCDate()} ${months[date.getUTCMonth()]}`;
}

/** `11 May 14:20`. */
export function moment(ms: number): string {
  const date = new Date(ms);
  return `${day(ms)} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
}

/** `11 May 2001, 14:20:07`. */
export function clock(ms: number): string {
  const date = new Date(ms);
  return `${day(ms)} ${date.getUTCFullYear()}, ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
}

/** A wall-clock moment in the reader's zone: `24 Nov 01:12`, and `24 Nov 2024 01:12` in another year than this. */
export function wallMoment(ms: number): string {
  const date = new Date(ms);
  const year = date.getFullYear() === new Date().getFullYear() ? '' : ` ${date.getFullYear()}`;
  return `${date.getDate()} ${months[date.getMonth()]}${year} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** The same, shorter for today, and never mistaken for endpoint time: `today 01:12`. */
export function recently(ms: number): string {
  const date = new Date(ms);
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? `today ${two(date.getHours())}:${two(date.getMinutes())}` : wallMoment(ms);
}

/** The first characters of a digest, as people compare them. */
export const shortDigest = (digest: string): string => digest.slice(0, 12);

/** A sentence of the server as it is set on screen: real minus signs, thousands, the names of metrics, a capital letter. */
export function tidy(says: string): string {
  const words = says
    .replace(/\bauc\b/g, 'AUC')
    .replace(/\b([a-z]+_[a-z_]+)\b/g, (name) => name.replaceAll('_', ' '))
    .replaceAll(' points', `${nbsp}pp`)
    .replace(/(^|[\s[(])-(?=\d)/g, `$1${minus}`)
    .replace(/(?<![\w.\-−])(\d{5,}(?![\w.])|\d{4}(?= (?:rows|requests|labelled|pairs|runs)\b))/g, (digits) =>
      count(Number(digits)),
    )
    .replace(/^rollout [0-9a-f]{32}: /, '');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const round = (value: number, decimals: number) => Math.round(value * 10 ** decimals) / 10 ** decimals;
const signed = (text: string) => text.replace('-', minus);
/** Zero has no sign. */
const plus = (text: string) =>
  Number(text) === 0 ? text.replace('-', '') : text.startsWith('-') ? signed(text) : `+${text}`;
