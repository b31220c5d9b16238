/** Beyond loopback nobody is let in unasked: there must be somebody who can say who may do what. */
import { BlockList, isIP } from 'node:net';
import { PlatformError } from '../errors.ts';
import { eventStore } from '../events/event-store.ts';
import type { Database } from '../storage/database.ts';
import { addUser } from './manage-access.ts';
import { hashPassword } from './password.ts';
import { userStore } from './user-store.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

export function isLoopback(host: string): boolean {
  const version = isIP(host);
  return version === 0 ? host === 'localhost' : loopback.check(host, version === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Makes the user `admin` from the password of the environment when there is no administrator yet.
 * @throws PlatformError http/no-administrator when the address is not loopback and there still is none
 */
export async function requireAdministrator({
  database,
  host,
  adminPassword,
  now,
}: {
  readonly database: Database;
  readonly host: string;
  readonly adminPassword: string | undefined;
  readonly now: () => number;
}): Promise<void> {
  if ((await userStore(database.read).administrators()).length > 0) return;
  if (adminPassword !== undefined) {
    const passwordHash = await hashPassword(adminPassword, 'admin');
    await database.write((tx) =>
      addUser(
        { users: userStore(tx), events: eventStore(tx), now },
        { name: 'admin', role: 'admin', passwordHash },
        { actor: 'rule:first-start', role: 'admin' },
      ),
    );
    return;
  }
  if (isLoopback(host)) return;
  throw new PlatformError('http/no-administrator', host, {
    hint: 'run `rondo users add <name> --role admin`, or set RONDO_ADMIN_PASSWORD for the first start',
  });
}
