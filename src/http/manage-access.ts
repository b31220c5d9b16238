/** Who may use the server: adding and removing people and their tokens, each with its event. */
import { PlatformError } from '../errors.ts';
import type { EventStore } from '../events/event-store.ts';
import { newToken, tokenDigest } from './access-token.ts';
import { includesRole, type Role } from './permission.ts';
import type { AccessToken, User, UserStore } from './user-store.ts';

type Stores = {
  readonly users: UserStore;
  readonly events: Pick<EventStore, 'append'>;
  readonly now: () => number;
};

/** Whoever asks, and the role they ask in. */
export type Asker = { readonly actor: string; readonly role: Role };

/** @param input.passwordHash absent for a user of programs, who has tokens only  @throws PlatformError http/user-exists, http/beyond-role */
export async function addUser(
  { users, events, now }: Stores,
  input: { readonly name: string; readonly role: Role; readonly passwordHash?: string | undefined },
  by: Asker,
): Promise<User> {
  if (!includesRole(by.role, input.role)) throw new PlatformError('http/beyond-role', input.role);
  const user = { name: input.name, role: input.role, createdAt: now() };
  if (!(await users.insert(user, input.passwordHash))) throw new PlatformError('http/user-exists', input.name);
  await events.append({
    ...accessEvent('user-added', by.actor, user.createdAt),
    subject: `user/${user.name}`,
    data: { role: user.role },
  });
  return { ...user, hasPassword: input.passwordHash !== undefined };
}

/** @throws PlatformError http/user-not-found, http/last-administrator */
export async function removeUser({ users, events, now }: Stores, name: string, by: Asker): Promise<void> {
  await users.lockAdministrators();
  if (!(await users.find(name))) throw new PlatformError('http/user-not-found', name);
  await users.delete(name);
  // Counted after the removal and in its transaction; a server that others can reach must keep somebody who may change it.
  if ((await users.administrators()).length === 0 && (await users.list()).length > 0) {
    throw new PlatformError('http/last-administrator', name, { hint: 'add another administrator first' });
  }
  await events.append({ ...accessEvent('user-removed', by.actor, now()), subject: `user/${name}`, data: {} });
}

/** The token itself is in the answer and nowhere else. @throws PlatformError http/user-not-found, http/beyond-role */
export async function makeToken(
  { users, events, now, newId }: Stores & { readonly newId: () => string },
  input: {
    readonly user: string;
    readonly label: string;
    readonly role?: Role | undefined;
    readonly days: number | undefined;
  },
  by: Asker,
): Promise<{ readonly token: string; readonly made: AccessToken }> {
  const user = await users.find(input.user);
  if (!user)
    throw new PlatformError('http/user-not-found', input.user, { hint: `add it: rondo users add ${input.user}` });
  const role = input.role ?? user.role;
  if (!includesRole(user.role, role) || !includesRole(by.role, role)) throw new PlatformError('http/beyond-role', role);
  const token = newToken();
  const createdAt = now();
  const made: AccessToken = {
    id: newId(),
    user: user.name,
    label: input.label,
    role,
    createdAt,
    ...(input.days !== undefined && { expiresAt: createdAt + input.days * 86_400_000 }),
  };
  await users.insertToken(made, tokenDigest(token));
  await events.append({
    ...accessEvent('token-made', by.actor, createdAt),
    subject: `user/${user.name}`,
    data: {
      token: made.id,
      label: made.label,
      role,
      ...(made.expiresAt !== undefined && { expiresAt: made.expiresAt }),
    },
  });
  return { token, made };
}

/** @throws PlatformError http/token-not-found */
export async function revokeToken({ users, events, now }: Stores, id: string, by: Asker): Promise<void> {
  const token = await users.findToken(id);
  if (!token) throw new PlatformError('http/token-not-found', id);
  await users.deleteToken(id);
  await events.append({
    ...accessEvent('token-revoked', by.actor, now()),
    subject: `user/${token.user}`,
    data: { token: id, label: token.label },
  });
}

/** Access is about the whole server, so its events belong to no project. */
function accessEvent(what: string, actor: string, at: number) {
  return { type: `access.${what}`, project: '', actor, at };
}
