/** Who calls: a token, a name with its password, or on loopback the owner of the machine. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { FastifyBaseLogger } from 'fastify';
import { PlatformError } from '../errors.ts';
import type { Database } from '../storage/database.ts';
import { isTokenShaped, tokenDigest } from './access-token.ts';
import { attemptLimit } from './attempt-limit.ts';
import type { Authenticate, Caller, Credentials } from './authenticate.ts';
import { isPassword } from './password.ts';
import { includesRole } from './permission.ts';
import { accessTopic, userStore } from './user-store.ts';

type SignInOptions = {
  readonly database: Database;
  readonly now: () => number;
  readonly log: Pick<FastifyBaseLogger, 'warn'>;
  /** The address the server listens on is loopback: without an administrator, whoever reaches it is the owner. */
  readonly loopback: boolean;
  /** Lets the commands of the same user in; it stands in `server.json`, which only they can read. */
  readonly localToken?: string | undefined;
};

/** How long a sign-in is remembered, on other servers of the same database also after it was revoked. */
const rememberedMs = 30_000;
const mostRemembered = 10_000;
const owner: Caller = { actor: 'owner', role: 'admin' };
const ownerIf = (open: boolean): Caller | undefined => (open ? owner : undefined);

/** Call `Symbol.dispose` when the server has closed. */
export async function openSignIn(options: SignInOptions): Promise<Authenticate & Disposable> {
  const { database, now, log, loopback, localToken } = options;
  const limit = attemptLimit(now);
  const remembered = new Map<string, { readonly caller: Caller; readonly until: number }>();
  // Whoever reads our memory must not find passwords there; a plain digest of a short one can be guessed.
  const memoryKey = randomBytes(32);
  const isOpen = async (): Promise<boolean> => loopback && (await hasNoAdministrator(database));
  let open: { readonly readAt: number; readonly value: boolean | Promise<boolean> } = {
    readAt: now(),
    value: await isOpen(),
  };
  // While it is read anew, requests wait for it: the first one after an administrator was added must not slip in.
  const refresh = (): Promise<boolean> => {
    const reading = isOpen().then(
      (value) => {
        open = { readAt: now(), value };
        return value;
      },
      (error: unknown) => {
        log.warn({ err: error }, 'cannot read who administers this server');
        open = { readAt: 0, value: false };
        return false;
      },
    );
    open = { readAt: now(), value: reading };
    return reading;
  };
  const listener = database.onCommit(accessTopic, () => {
    remembered.clear();
    if (loopback) void refresh();
  });

  const find = async ({ scheme, value }: Authorization, address: string): Promise<Caller> => {
    if (scheme === 'bearer') return byToken(options, value);
    const text = Buffer.from(value, 'base64').toString('utf8');
    const [name = '', password = ''] = splitOnce(text, ':');
    // Clients that know only names and passwords may send a token as the password.
    if (isTokenShaped(password)) return byToken(options, password);
    limit.check(address);
    const user = await userStore(database.read).find(name);
    const hash = user && (await userStore(database.read).passwordHash(name));
    if (await isPassword(password, hash)) return { actor: `user:${name}`, role: user?.role ?? 'viewer' };
    limit.failed(address);
    log.warn({ address, name: name.slice(0, 64) }, 'a sign-in failed');
    throw wrong('the name or the password is wrong');
  };

  const authenticate = (credentials: Credentials): Caller | undefined | Promise<Caller | undefined> => {
    const { authorization: header, address } = credentials;
    if (header === undefined) {
      const isStale = loopback && now() - open.readAt > rememberedMs;
      const value = isStale ? refresh() : open.value;
      return typeof value === 'boolean' ? ownerIf(value) : value.then(ownerIf);
    }
    const key = createHmac('sha256', memoryKey).update(header).digest('base64');
    const known = remembered.get(key);
    if (known && known.until > now()) return known.caller;
    const authorization = parseAuthorization(header);
    if (localToken !== undefined && authorization.scheme === 'bearer' && isSame(authorization.value, localToken))
      return owner;
    return find(authorization, address).then((caller) => {
      if (remembered.size >= mostRemembered) remembered.clear();
      remembered.set(key, { caller, until: now() + rememberedMs });
      return caller;
    });
  };
  return Object.assign(authenticate, { [Symbol.dispose]: () => listener[Symbol.dispose]() });
}

type Authorization = { readonly scheme: 'basic' | 'bearer'; readonly value: string };

function parseAuthorization(header: string): Authorization {
  const match = /^(basic|bearer) +(\S+) *$/i.exec(header);
  if (!match?.[1] || !match[2]) throw wrong('the `Authorization` header is neither Bearer nor Basic');
  return { scheme: match[1].toLowerCase() === 'basic' ? 'basic' : 'bearer', value: match[2] };
}

async function byToken({ database, now, log }: SignInOptions, token: string): Promise<Caller> {
  const found = isTokenShaped(token) ? await userStore(database.read).findByDigest(tokenDigest(token)) : undefined;
  if (!found) throw wrong('the token is not known');
  const { id, user, label, role, expiresAt } = found.token;
  if (expiresAt !== undefined && expiresAt <= now()) throw wrong(`the token "${label}" has expired`);
  database
    .write((tx) => userStore(tx).touchToken(id, now()))
    .catch((error: unknown) => log.warn({ err: error }, 'cannot note the use of a token'));
  // The user may have lost a role since the token was made.
  return { actor: `token:${user}/${label}`, role: includesRole(found.userRole, role) ? role : found.userRole };
}

async function hasNoAdministrator(database: Database): Promise<boolean> {
  return (await userStore(database.read).administrators()).length === 0;
}

function wrong(reason: string): PlatformError {
  return new PlatformError('http/unauthenticated', 'go on', {
    message: `You are not signed in: ${reason}.`,
    hint: 'make a token: rondo users token <name>',
  });
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
