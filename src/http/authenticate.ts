import type { Role } from './permission.ts';

/** Somebody, and the role they act in. */
export type Caller = { readonly actor: string; readonly role: Role };

export type Credentials = {
  /** The `Authorization` header as it came. */
  readonly authorization: string | undefined;
  /** Where the connection comes from. */
  readonly address: string;
};

/** `undefined`: said nothing about themselves, where that is not enough. @throws PlatformError http/unauthenticated, http/too-many-attempts */
export type Authenticate = (credentials: Credentials) => Caller | undefined | Promise<Caller | undefined>;
