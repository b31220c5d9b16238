/** An event as the bytes that the log commits to. */
import { canonicalJson } from './canonical-json.ts';
import type { Json, LoggedEvent } from './event.ts';
import { type Hash, leafHash } from './merkle-tree.ts';

/** tlog-tiles give an entry's length 16 bits. */
export const maxEntryBytes = 65_535;

/** Canonical JSON; fields that an event does not have are left out. */
export function logEntry(event: LoggedEvent): Uint8Array {
  const fields: Record<string, Json> = {
    position: event.position,
    type: event.type,
    project: event.project,
    subject: event.subject,
    actor: event.actor,
    at: event.at,
    data: event.data,
  };
  if (event.endpointTime !== undefined) fields.endpointTime = event.endpointTime;
  if (event.reason !== undefined) fields.reason = event.reason;
  return new TextEncoder().encode(canonicalJson(fields));
}

export function entryHash(event: LoggedEvent): Hash {
  return leafHash(logEntry(event));
}
