import type { EventStore } from '../events/event-store.ts';
import { type Endpoint, endpointSubject } from './endpoint.ts';
import type { EndpointStore } from './endpoint-store.ts';

export type SaveEndpointDeps = {
  readonly endpoints: EndpointStore;
  readonly events: Pick<EventStore, 'append'>;
  readonly now: () => number;
};

/** Adds an endpoint or changes its settings, with an event; nothing happens when they are what they were. @returns whether it changed */
export async function saveEndpoint(
  { endpoints, events, now }: SaveEndpointDeps,
  { endpoint, actor }: { readonly endpoint: Endpoint; readonly actor: string },
): Promise<boolean> {
  const stored = await endpoints.find(endpoint.name);
  if (stored && sameSettings(stored.endpoint, endpoint)) return false;
  const at = now();
  await endpoints.save(endpoint, at);
  const { name, project, ...settings } = endpoint;
  await events.append({
    ...{ type: 'serving.endpoint-changed', project, subject: endpointSubject(name), actor, at },
    data: { endpoint: name, settings, added: stored === undefined },
  });
  return true;
}

function sameSettings(a: Endpoint, b: Endpoint): boolean {
  const ordered = (endpoint: Endpoint) => JSON.stringify(Object.entries(endpoint).sort(([x], [y]) => (x < y ? -1 : 1)));
  return ordered(a) === ordered(b);
}
