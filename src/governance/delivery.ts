/** How models get to production and out of it again: measured from facts, so that nobody has to report them. */
import { Type } from 'typebox';
import { list, maybe } from '../http/view.ts';
import { quantile, sorted } from '../statistics/quantile.ts';

/** Something that happened to one version on its way. A change is one version reaching production. */
export type DeliveryFact = {
  readonly kind:
    | 'registered'
    | 'gates-passed'
    | 'approval-asked'
    | 'approved'
    | 'loaded'
    /** First share of real answers. */
    | 'exposed'
    /** All traffic. */
    | 'live'
    /** The first answers that were worse, found afterwards. */
    | 'harm-began'
    | 'harm-seen'
    | 'rollback-asked'
    /** After this no answer comes from it. */
    | 'rollback-effective';
  /** `model@version`. */
  readonly version: string;
  /** Milliseconds since 1970, of the server's clock; `clock` is the endpoint's own. */
  readonly at: number;
  readonly clock?: number;
};

export type Parts = {
  readonly gates?: number;
  readonly people?: number;
  readonly load?: number;
  readonly ramp?: number;
};

export type TimeToProduction = {
  readonly version: string;
  /** Milliseconds from registration to all traffic. */
  readonly total: number;
  /** The same on the endpoint's clock, where that is another one. */
  readonly clock?: number;
  readonly parts: Parts;
};

export type RollbackTimes = {
  readonly version: string;
  /** It had all traffic: then the change failed. Otherwise it was caught on the way. */
  readonly wasLive: boolean;
  /** From the first worse answer to the first signal. */
  readonly detection?: number;
  /** From the decision to the last answer of the bad version. */
  readonly rollback?: number;
  /** From the first signal to the last bad answer. */
  readonly recovery?: number;
  /** From the first worse answer to the last one. */
  readonly fromHarm?: number;
};

export type Delivery = {
  readonly changes: number;
  readonly perWeek: number;
  readonly timeToProduction: {
    readonly each: readonly TimeToProduction[];
    readonly p50?: number;
    readonly p90?: number;
  };
  /** Registered and never live: not left out of the count, since they would be the slowest. */
  readonly neverLive: number;
  readonly rollbacks: readonly RollbackTimes[];
  /** Rolled back after they were live, of the changes. */
  readonly failed: number;
  readonly failRate?: number;
  /** Stopped before they had all traffic. */
  readonly caught: number;
};

const ms = (description: string) => Type.Number({ description: `Milliseconds ${description}` });

/** `Delivery` as answers tell it. */
export const deliveryView = Type.Object({
  changes: Type.Integer({ description: 'Versions that reached all traffic' }),
  perWeek: Type.Number(),
  timeToProduction: Type.Object({
    each: list(
      Type.Object({
        version: Type.String({ description: '`model@version`' }),
        total: ms('from registration to all traffic'),
        clock: maybe(ms("of the same on the endpoint's clock, where that is another one")),
        parts: Type.Object(
          {
            gates: maybe(Type.Number()),
            people: maybe(Type.Number()),
            load: maybe(Type.Number()),
            ramp: maybe(Type.Number()),
          },
          { description: 'Milliseconds that each took; a part that there was not is absent' },
        ),
      }),
    ),
    p50: maybe(ms('that half of the changes took at most')),
    p90: maybe(ms('that nine of ten changes took at most')),
  }),
  neverLive: Type.Integer({ description: 'Registered and never live' }),
  rollbacks: list(
    Type.Object({
      version: Type.String({ description: '`model@version`' }),
      wasLive: Type.Boolean({
        description: 'It had all traffic: the change failed. Otherwise it was caught on the way',
      }),
      detection: maybe(ms('from the first worse answer to the first signal')),
      rollback: maybe(ms('from the decision to the last answer of the bad version')),
      recovery: maybe(ms('from the first signal to the last bad answer')),
      fromHarm: maybe(ms('from the first worse answer to the last one')),
    }),
  ),
  failed: Type.Integer({ description: 'Rolled back after they were live, of the changes' }),
  failRate: maybe(Type.Number({ description: '0 to 1; absent without changes' })),
  caught: Type.Integer({ description: 'Stopped before they had all traffic' }),
});

const weekMs = 7 * 86_400_000;

/** @param facts in the order of the log  @param span of the period that is looked at, milliseconds */
export function measureDelivery(
  facts: readonly DeliveryFact[],
  span: { readonly from: number; readonly to: number },
): Delivery {
  const versions = Map.groupBy(facts, ({ version }) => version);
  const each = [...versions].flatMap(([version, own]) => timeOf(version, own) ?? []);
  const rollbacks = [...versions].flatMap(([version, own]) => rollbackOf(version, own) ?? []);
  const live = [...versions.values()].filter((own) => own.some(({ kind }) => kind === 'live'));
  const failed = rollbacks.filter(({ wasLive }) => wasLive).length;
  const totals = sorted(each.map(({ total }) => total));
  return {
    changes: live.length,
    perWeek: live.length / Math.max((span.to - span.from) / weekMs, 1),
    timeToProduction: {
      each,
      ...(totals.length > 0 && { p50: quantile(totals, 0.5), p90: quantile(totals, 0.9) }),
    },
    neverLive: versions.size - live.length,
    rollbacks,
    failed,
    ...(live.length > 0 && { failRate: failed / live.length }),
    caught: rollbacks.length - failed,
  };
}

function timeOf(version: string, facts: readonly DeliveryFact[]): TimeToProduction | undefined {
  const registered = first(facts, 'registered');
  const live = first(facts, 'live');
  if (!registered || !live) return undefined;
  const gates = first(facts, 'gates-passed');
  const asked = first(facts, 'approval-asked');
  const approved = first(facts, 'approved');
  const loaded = first(facts, 'loaded');
  const clear = approved ?? gates ?? registered;
  return {
    version,
    total: live.at - registered.at,
    ...(live.clock !== undefined && registered.clock !== undefined && { clock: live.clock - registered.clock }),
    parts: {
      ...between('gates', registered, gates),
      ...between('people', asked, approved),
      ...between('load', clear, loaded),
      // With the wait between being loaded and the first answer.
      ...between('ramp', loaded ?? clear, live),
    },
  };
}

function rollbackOf(version: string, facts: readonly DeliveryFact[]): RollbackTimes | undefined {
  const effective = first(facts, 'rollback-effective');
  if (!effective) return undefined;
  const seen = first(facts, 'harm-seen');
  const began = first(facts, 'harm-began');
  const asked = first(facts, 'rollback-asked');
  return {
    version,
    wasLive: facts.some(({ kind, at }) => kind === 'live' && at <= effective.at),
    ...between('detection', began, seen),
    ...between('rollback', asked, effective),
    ...between('recovery', seen, effective),
    ...between('fromHarm', began, effective),
  };
}

const first = (facts: readonly DeliveryFact[], kind: DeliveryFact['kind']) => facts.find((fact) => fact.kind === kind);

function between<Name extends string>(
  name: Name,
  start: DeliveryFact | undefined,
  end: DeliveryFact | undefined,
): Partial<Record<Name, number>> {
  // The log's order is the truth: a clock that was set back makes a part 0, not negative.
  return start && end ? ({ [name]: Math.max(0, end.at - start.at) } as Record<Name, number>) : {}; // TypeScript widens computed keys
}
