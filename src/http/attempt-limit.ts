/** Counts failed sign-ins by where they come from. */
import { isIPv6 } from 'node:net';
import { PlatformError } from '../errors.ts';

const mostFailures = 10;
const windowMs = 5 * 60_000;
/** Somebody with many addresses must not fill the memory. */
const mostRemembered = 10_000;

export const attemptLimit = (now: () => number) => {
  const failures = new Map<string, { count: number; since: number }>();
  const current = (key: string) => {
    const entry = failures.get(key);
    return entry && now() - entry.since < windowMs ? entry : undefined;
  };
  return {
    /** @throws PlatformError http/too-many-attempts */
    check(address: string): void {
      const entry = current(networkOf(address));
      if (!entry || entry.count < mostFailures) return;
      const retryAfterSeconds = Math.ceil((entry.since + windowMs - now()) / 1000);
      throw new PlatformError('http/too-many-attempts', address, {
        hint: `wait ${retryAfterSeconds} s`,
        data: { retryAfterSeconds },
      });
    },
    failed(address: string): void {
      const key = networkOf(address);
      const entry = current(key) ?? { count: 0, since: now() };
      entry.count += 1;
      failures.delete(key); // moves it to the end: the first key is the oldest
      failures.set(key, entry);
      const [oldest] = failures.keys();
      if (failures.size > mostRemembered && oldest !== undefined) failures.delete(oldest);
    },
  };
};

/** One customer has a whole /64 of IPv6 addresses (GHSA-xg6x-h9c9-2m83's sibling: rotation defeats a limit by address). */
function networkOf(address: string): string {
  const mapped = address.replace(/^::ffff:(?=\d+\.)/, '');
  if (!isIPv6(mapped)) return mapped;
  const [head = '', tail = ''] = mapped.split('%')[0]?.split('::') ?? [];
  const front = head === '' ? [] : head.split(':');
  const back = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0');
  const groups = mapped.includes('::') ? [...front, ...zeros, ...back] : front;
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
