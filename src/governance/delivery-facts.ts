/** The log of events as facts of delivery. */
import type { LoggedEvent } from '../events/event.ts';
import type { DeliveryFact } from './delivery.ts';

export const deliveryEventTypes = [
  'registry.version-registered',
  'gates.decided',
  'governance.approval-asked',
  'governance.approval-granted',
  'rollouts.started',
  'rollouts.step-entered',
  'rollouts.promoted',
  'rollouts.rolled-back',
  'rollouts.aborted',
  'serving.traffic-set',
] as const;

/** @param events of `deliveryEventTypes`, oldest first */
export function factsOf(events: readonly LoggedEvent[]): readonly DeliveryFact[] {
  const facts: DeliveryFact[] = [];
  /** The champion of each endpoint, to tell a way back by hand from a way forward. */
  const champions = new Map<string, string>();
  for (const event of events) facts.push(...factsOfOne(event, champions));
  return facts;
}

function factsOfOne(event: LoggedEvent, champions: Map<string, string>): readonly DeliveryFact[] {
  const { type, at, endpointTime, data } = event;
  const time = { at, ...(endpointTime !== undefined && { clock: endpointTime }) };
  switch (type) {
    case 'registry.version-registered':
      return [{ kind: 'registered', version: versionOfSubject(event.subject), ...time }];
    case 'gates.decided':
      return data.outcome === 'pass'
        ? [{ kind: 'gates-passed', version: versionOfSubject(event.subject), ...time }]
        : [];
    case 'governance.approval-asked':
      return [{ kind: 'approval-asked', version: versionOfData(data), ...time }];
    case 'governance.approval-granted':
      return [{ kind: 'approved', version: versionOfData(data), ...time }];
    case 'rollouts.step-entered': {
      const version = versionOfData(data);
      const share = Number(data.share ?? 0);
      return share > 0
        ? [
            { kind: 'loaded', version, ...time },
            { kind: 'exposed', version, ...time },
          ]
        : [{ kind: 'loaded', version, ...time }];
    }
    case 'rollouts.promoted':
      return [{ kind: 'live', version: versionOfData(data), ...time }];
    case 'rollouts.rolled-back':
    case 'rollouts.aborted': {
      const version = versionOfData(data);
      const asked = Number(data.decidedAt ?? at);
      return [
        { kind: 'harm-seen', version, at: asked },
        { kind: 'rollback-asked', version, at: asked },
        { kind: 'rollback-effective', version, at: Number(data.swappedAt ?? at) },
      ];
    }
    case 'serving.traffic-set':
      return wayBack(event, champions);
    default:
      return [];
  }
}

/** By hand: the version before serves again, and no rollout brought it. */
function wayBack({ data, at, subject }: LoggedEvent, champions: Map<string, string>): readonly DeliveryFact[] {
  const champion = refOf(data.champion);
  const previous = refOf(data.previous);
  const before = champions.get(subject);
  if (champion !== undefined) champions.set(subject, champion);
  const wentBack =
    before !== undefined && before !== champion && previous === before && everLive(champions, subject, champion);
  champions.set(`${subject} ${champion}`, 'was live');
  return wentBack
    ? [
        { kind: 'rollback-asked', version: before, at },
        { kind: 'rollback-effective', version: before, at },
      ]
    : [];
}

const everLive = (champions: ReadonlyMap<string, string>, subject: string, version: string | undefined) =>
  champions.has(`${subject} ${version}`);

function refOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('model' in value) || !('version' in value)) return undefined;
  return `${value.model}@${value.version}`;
}

const versionOfData = (data: LoggedEvent['data']) => `${data.model}@${data.version}`;

/** `model/flight-delay/3`. */
function versionOfSubject(subject: string): string {
  const [, ...rest] = subject.split('/');
  const version = rest.pop();
  return `${rest.join('/')}@${version}`;
}
