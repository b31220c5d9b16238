/** `retrain:` of rondo.yaml: what starts the pipeline again, and who ships the result. */
import { type Static, Type } from 'typebox';
import { duration, durationMs } from '../rollouts/quantity.ts';

const closed = { additionalProperties: false } as const;

const Trigger = Type.Union([
  Type.Object(
    { drift: Type.Object({ features: Type.Integer({ minimum: 1 }) }, closed) },
    { ...closed, description: 'An open drift alert on at least so many features.' },
  ),
  Type.Object({ quality: Type.Literal('fail') }, { ...closed, description: 'An open quality alert.' }),
  Type.Object(
    { schedule: Type.String({ minLength: 1, maxLength: 100 }) },
    { ...closed, description: 'A cron line of five fields, in UTC, read on the clock of the endpoint.' },
  ),
  Type.Object(
    { labels: Type.Integer({ minimum: 1 }) },
    { ...closed, description: 'So many new labels since the last training.' },
  ),
]);

export const retrainSchema = Type.Object(
  {
    when: Type.Array(Trigger, { minItems: 1, maxItems: 10, description: 'Any of them starts it.' }),
    cooldown: Type.Optional(duration('Since the last retraining began, on the clock of the endpoint; 7d when absent.')),
    ship: Type.Optional(
      Type.Union([Type.Literal('auto'), Type.Literal('approve')], {
        description: 'auto: through the gates and the rollout at once. approve, when absent: a person is asked first.',
      }),
    ),
  },
  { ...closed, description: 'What starts the pipeline again, and who ships what comes out.' },
);
export type RetrainConfig = Static<typeof retrainSchema>;

/** Five fields, each a list of numbers, names and ranges with their strides. */
export function isCronLine(text: string): boolean {
  const fields = text.trim().split(/\s+/);
  return (
    fields.length === cronFields.length && fields.every((field, i) => isCronField(field, cronFields[i] as CronField))
  );
}

type CronField = { readonly from: number; readonly to: number; readonly names?: readonly string[] };
const cronFields: readonly CronField[] = [
  { from: 0, to: 59 },
  { from: 0, to: 23 },
  { from: 1, to: 31 },
  { from: 1, to: 12, names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] },
  { from: 0, to: 7, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

function isCronField(field: string, { from, to, names = [] }: CronField): boolean {
  const numberOf = (text: string) => {
    const named = names.indexOf(text.toLowerCase());
    if (named !== -1) return named + from;
    return /^\d{1,2}$/.test(text) && Number(text) >= from && Number(text) <= to ? Number(text) : undefined;
  };
  return field.split(',').every((part) => {
    const [range = '', stride, more] = part.split('/');
    if (more !== undefined || (stride !== undefined && !/^[1-9]\d?$/.test(stride))) return false;
    if (range === '*') return true;
    const [low, high, rest] = range.split('-').map(numberOf);
    if (low === undefined || rest !== undefined) return false;
    return range.includes('-') ? high !== undefined && low <= high : stride === undefined;
  });
}

export type RetrainTrigger =
  | { readonly kind: 'drift'; readonly features: number }
  | { readonly kind: 'quality' }
  | { readonly kind: 'schedule'; readonly cron: string }
  | { readonly kind: 'labels'; readonly count: number };

export type RetrainPlan = {
  readonly when: readonly RetrainTrigger[];
  /** Since the last retraining began, on the endpoint's clock. */
  readonly cooldownMs: number;
  readonly ship: 'auto' | 'approve';
};

export function retrainPlan({ when, cooldown = '7d', ship = 'approve' }: RetrainConfig): RetrainPlan {
  return { when: when.map(triggerOf), cooldownMs: durationMs(cooldown), ship };
}

function triggerOf(trigger: RetrainConfig['when'][number]): RetrainTrigger {
  if ('drift' in trigger) return { kind: 'drift', features: trigger.drift.features };
  if ('quality' in trigger) return { kind: 'quality' };
  if ('schedule' in trigger) return { kind: 'schedule', cron: trigger.schedule };
  return { kind: 'labels', count: trigger.labels };
}
