/** What a route lets happen, and which role may do it. */
import { PlatformError } from '../errors.ts';

export const permissions = ['public', 'signed', 'read', 'write', 'deploy', 'admin'] as const;
/**
 * `public`: anybody. `signed`: the route's own `verify` says who calls (webhooks). The others need a role. `deploy` is what
 * changes which version answers in production.
 */
export type Permission = (typeof permissions)[number];

export const roles = ['viewer', 'editor', 'deployer', 'admin'] as const;
/** Each role may do what the ones before it may. */
export type Role = (typeof roles)[number];

const roleFor = {
  read: 'viewer',
  write: 'editor',
  deploy: 'deployer',
  admin: 'admin',
} as const satisfies Record<string, Role>;

/** @param role `undefined` for somebody who has not said who they are */
export function mayCall(permission: Permission, role: Role | undefined): boolean {
  if (permission === 'public' || permission === 'signed') return true;
  return role !== undefined && includesRole(role, roleFor[permission]);
}

/** @throws PlatformError http/unauthenticated, http/forbidden  @param doing for the message: `POST /v2/…` */
export function requirePermission(permission: Permission, who: Somebody | undefined, doing: string): void {
  if (mayCall(permission, who?.role)) return;
  if (who === undefined) {
    throw new PlatformError('http/unauthenticated', `call ${doing}`, {
      hint: 'send a token: `Authorization: Bearer rdo_…`',
    });
  }
  throw new PlatformError('http/forbidden', `call ${doing} as ${who.role ?? who.actor}`, {
    hint: `it needs the permission "${permission}"`,
  });
}

/** Who signed a request has an actor and no role. */
export type Somebody = { readonly actor: string; readonly role: Role | undefined };

/** Whether `role` may do everything that `other` may. */
export function includesRole(role: Role, other: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(other);
}

export function isPermission(value: unknown): value is Permission {
  return permissions.some((permission) => permission === value);
}
