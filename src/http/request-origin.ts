/** Which machine's name a request may use and which page may send it: against DNS rebinding and cross-site requests. */
import { PlatformError } from '../errors.ts';

export type OriginRules = {
  /** The address the server was told to listen on. */
  readonly host: string;
  /** Further hosts, exact or with `*` and `?`, with or without a port: as MLflow's option of that name. None: private addresses. */
  readonly allowedHosts: readonly string[];
  /** Further origins, exact or with `*`: `https://*.example.org`. */
  readonly corsAllowedOrigins: readonly string[];
};

export type RequestOrigin = {
  readonly method: string;
  /** Every `Host` header, in the order they came. */
  readonly hosts: readonly string[];
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  /** The address of this machine that the connection came in on. */
  readonly localAddress: string | undefined;
};

const loopbackNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);
/** Of RFC 1918 and RFC 4193. An address is no name that somebody could let point here. */
const privateAddress =
  /^(?:(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}|\[f[cd][0-9a-f]{2}:[0-9a-f:.]+\])$/;
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export const originGuard = (rules: OriginRules) => {
  const hostPatterns = rules.allowedHosts.map(patternOf);
  const originPatterns = rules.corsAllowedOrigins.map(patternOf);
  const bound = bracketed(rules.host);

  const isHost = (host: string, localAddress: string | undefined): boolean => {
    const name = hostnameOf(host);
    if (name === undefined) return false;
    if (loopbackNames.has(name) || name === bound) return true;
    if (localAddress !== undefined && name === bracketed(localAddress.replace(/^::ffff:/, ''))) return true;
    // As MLflow has it: whoever reaches this server through a container or a proxy names the address of that.
    if (hostPatterns.length === 0 && privateAddress.test(name)) return true;
    const whole = host.toLowerCase();
    return hostPatterns.some((pattern) => pattern.test(whole) || pattern.test(name));
  };
  const isLoopback = (origin: string): boolean => {
    const url = URL.parse(origin);
    return url !== null && /^https?:$/.test(url.protocol) && url.origin === origin && loopbackNames.has(url.hostname);
  };
  const isAllowedOrigin = (origin: string): boolean =>
    origin !== 'null' && (isLoopback(origin) || originPatterns.some((pattern) => pattern.test(origin.toLowerCase())));

  return {
    /** @throws PlatformError http/wrong-host */
    checkHost({ hosts, localAddress }: Pick<RequestOrigin, 'hosts' | 'localAddress'>): void {
      const [host, ...more] = hosts;
      if (host !== undefined && more.length === 0 && isHost(host, localAddress)) return;
      throw new PlatformError(
        'http/wrong-host',
        host === undefined || more.length > 0 ? 'that is missing or given twice' : quoted(host),
        {
          hint: 'reach the server under one of its own names, or start it with --allowed-hosts',
        },
      );
    },

    /** Reading is free: browsers keep the answer from pages of other origins. @throws PlatformError http/cross-origin */
    checkOrigin({ method, hosts, origin, fetchSite }: Omit<RequestOrigin, 'localAddress'>): void {
      if (safeMethods.has(method)) return;
      if (origin === undefined) {
        if (fetchSite === undefined || fetchSite === 'same-origin' || fetchSite === 'none') return;
        throw crossOrigin(`a ${quoted(fetchSite)} page`);
      }
      const own = URL.parse(origin)?.host;
      if (own !== undefined && own !== '' && own === hosts[0]?.toLowerCase()) return;
      if (!isAllowedOrigin(origin)) throw crossOrigin(`a page of ${quoted(origin)}`);
    },

    /** The value of `access-control-allow-origin`, for pages that may read our answers. */
    readableBy: (origin: string | undefined): string | undefined =>
      origin !== undefined && isAllowedOrigin(origin) ? origin : undefined,
  };
};

export type OriginGuard = ReturnType<typeof originGuard>;

/** The name in a `Host` header, lower case, `[…]` around IPv6; undefined for anything that is not `name` or `name:port`. */
function hostnameOf(host: string): string | undefined {
  return /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase();
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address.toLowerCase()}]` : address.toLowerCase();
}

/** `*` is any run of characters and `?` is one, as in a shell; everything else is itself. */
function patternOf(glob: string): RegExp {
  const source = glob.toLowerCase().replace(/[\\^$.|+()[\]{}*?]/g, (char) => {
    if (char === '*') return '.*';
    return char === '?' ? '.' : `\\${char}`;
  });
  return new RegExp(`^${source}$`);
}

function crossOrigin(who: string): PlatformError {
  return new PlatformError('http/cross-origin', who, { hint: 'allow its origin with --cors-allowed-origins' });
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
