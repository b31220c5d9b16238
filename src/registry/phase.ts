/** Where a version stands between training and retirement: derived from events, never typed in. */
import type { Json, LoggedEvent } from '../events/event.ts';
import { versionSubject } from './model-version.ts';

export const phases = [
  'development',
  'testing',
  'staging',
  'production',
  'monitoring',
  'retraining',
  'archived',
] as const;
export type Phase = (typeof phases)[number];

/** What `phaseOf` looks at; everything else can stay unread. */
export const phaseEventTypes: readonly string[] = [
  'registry.model-created',
  'registry.version-registered',
  'registry.version-sealed',
  'registry.version-deleted',
  'registry.version-restored',
  'registry.stage-set',
  'gates.decided',
  'serving.traffic-set',
  'monitoring.alert-opened',
  'monitoring.alert-resolved',
  'lifecycle.retraining-started',
  'lifecycle.retraining-ended',
];

type Ref = { readonly model: string; readonly version: number };
/** What the version does on each endpoint that has it. */
type Standing = {
  readonly phase: Phase;
  readonly endpoints: ReadonlyMap<string, 'champion' | 'challenger'>;
  /** Where a deleted version stood. */
  readonly before?: Phase;
};

/** @param events oldest first; those about other versions change nothing */
export function phaseOf(version: Ref, events: readonly Pick<LoggedEvent, 'type' | 'subject' | 'data'>[]): Phase {
  let standing: Standing = { phase: 'development', endpoints: new Map() };
  for (const event of events) standing = after(standing, version, event);
  return standing.phase;
}

function after(
  standing: Standing,
  version: Ref,
  { type, subject, data }: Pick<LoggedEvent, 'type' | 'subject' | 'data'>,
): Standing {
  const { phase, endpoints } = standing;
  const about = subject === versionSubject(version.model, version.version) || isRef(data, version);
  const here = typeof data.endpoint === 'string' && endpoints.get(data.endpoint) === 'champion';
  switch (type) {
    case 'registry.version-sealed':
    case 'gates.decided':
      return about && phase === 'development' ? { ...standing, phase: 'testing' } : standing;
    case 'registry.version-deleted':
      return about ? { ...standing, phase: 'archived', before: phase } : standing;
    case 'registry.version-restored':
      return about ? { ...standing, phase: standing.before ?? phase } : standing;
    case 'registry.model-created':
      // Deleted and made anew: its versions are others.
      return subject === `model/${version.model}` ? { phase: 'development', endpoints: new Map() } : standing;
    case 'registry.stage-set':
      return about && data.stage === 'Archived' && endpoints.size === 0 ? { ...standing, phase: 'archived' } : standing;
    case 'serving.traffic-set':
      return afterTraffic(standing, version, data);
    case 'monitoring.alert-opened':
      return here && phase === 'production' ? { ...standing, phase: 'monitoring' } : standing;
    case 'monitoring.alert-resolved':
      return here && phase === 'monitoring' ? { ...standing, phase: 'production' } : standing;
    case 'lifecycle.retraining-started':
      return here ? { ...standing, phase: 'retraining' } : standing;
    case 'lifecycle.retraining-ended':
      return here && phase === 'retraining' ? { ...standing, phase: 'monitoring' } : standing;
    default:
      return standing;
  }
}

function afterTraffic({ phase, endpoints }: Standing, version: Ref, data: LoggedEvent['data']): Standing {
  const { endpoint, champion, rollout } = data;
  if (typeof endpoint !== 'string') return { phase, endpoints };
  const before = endpoints.get(endpoint);
  const next = new Map(endpoints);
  if (isRef(champion, version)) next.set(endpoint, 'champion');
  else if (isRef(memberOf(rollout, 'challenger'), version)) next.set(endpoint, 'challenger');
  else next.delete(endpoint);

  const roles = [...next.values()];
  if (roles.includes('champion')) {
    const stays = before === 'champion' && ['production', 'monitoring', 'retraining'].includes(phase);
    return { phase: stays ? phase : 'production', endpoints: next };
  }
  if (roles.includes('challenger')) return { phase: 'staging', endpoints: next };
  // A champion that was replaced has had its time; a challenger that was sent back may try again.
  if (before === 'champion') return { phase: 'archived', endpoints: next };
  return { phase: before === 'challenger' ? 'testing' : phase, endpoints: next };
}

const isRef = (json: Json | undefined, { model, version }: Ref): boolean =>
  memberOf(json, 'model') === model && memberOf(json, 'version') === version;

const memberOf = (json: Json | undefined, name: string): Json | undefined =>
  typeof json === 'object' && json !== null && !Array.isArray(json)
    ? (json as { readonly [key: string]: Json })[name]
    : undefined;
