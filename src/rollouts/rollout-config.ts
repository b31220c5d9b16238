/** `rollout:` of rondo.yaml, and the plan it becomes: numbers, frozen into the rollout when it starts. */
import { type Static, Type } from 'typebox';
import type { RowLoss } from '../statistics/loss.ts';
import { duration, durationMs, percent, shareOf } from './quantity.ts';

const closed = { additionalProperties: false } as const;

const ErrorsGuardrail = Type.Object(
  {
    errors: Type.Object(
      {
        margin: percent('How much higher the rate may be.'),
        ratio: Type.Optional(
          Type.Number({
            minimum: 1,
            description: 'So many times as many errors are still no reason to roll back; 1.1 when absent.',
          }),
        ),
      },
      closed,
    ),
  },
  { ...closed, description: 'Failed answers: the rate may be at most this much higher.' },
);

const SlowGuardrail = Type.Object(
  {
    slow: Type.Object(
      { above: duration('What is slow: 100ms.'), margin: percent('How much higher the share may be.') },
      closed,
    ),
  },
  { ...closed, description: 'The share of answers slower than this may be at most so much higher.' },
);

const MetricGuardrail = Type.Object(
  {
    metric: Type.Union([Type.Literal('log_loss'), Type.Literal('brier'), Type.Literal('mae')], {
      description: 'Of each request, so that both versions are compared on the same ones.',
    }),
    margin: Type.Number({ minimum: 0, description: 'How much worse the mean loss may be.' }),
    maturity: Type.Optional(duration('The age from which a prediction has its label, if it gets one; 0 when absent.')),
  },
  { ...closed, description: 'A loss on the same requests, once their labels are in; labels this old count as proof.' },
);

export const rolloutSchema = Type.Object(
  {
    alias: Type.Optional(
      Type.String({
        pattern: '^[a-zA-Z0-9_-]{1,255}$',
        description:
          'Whoever moves this alias of the model, through MLflow or here, ships the version it names: through the gates and the ' +
          'steps below, never past them.',
      }),
    ),
    shadow: Type.Optional(
      Type.Object(
        { requests: Type.Integer({ minimum: 1 }) },
        { ...closed, description: 'Score so many requests with the new version before anyone gets its answers.' },
      ),
    ),
    steps: Type.Optional(
      Type.Array(
        Type.Object(
          {
            to: percent('The share of traffic, rising from step to step, at most 50%.'),
            min: Type.Integer({ minimum: 1, description: 'Requests in each arm before the next step.' }),
          },
          closed,
        ),
        {
          minItems: 1,
          description:
            'Shares of traffic; a control cohort as large is compared with each. 1 %, 5 %, 25 %, 50 % when absent.',
        },
      ),
    ),
    guardrails: Type.Optional(
      Type.Array(Type.Union([ErrorsGuardrail, SlowGuardrail, MetricGuardrail]), {
        minItems: 1,
        maxItems: 10,
        description: 'What must not get worse; all are proved before the move to 100 %. Errors by 1 % when absent.',
      }),
    ),
    undecidedAfter: Type.Optional(duration('How long one step may stay undecided, on the clock of the endpoint; 14d.')),
    onInconclusive: Type.Optional(
      Type.Union([Type.Literal('pause'), Type.Literal('promote'), Type.Literal('rollback')], {
        description: 'What happens then: pause when absent.',
      }),
    ),
  },
  { ...closed, description: 'How a new version takes over an endpoint, and what stops it.' },
);
export type RolloutConfig = Static<typeof rolloutSchema>;

export type Guardrail =
  | { readonly kind: 'errors'; readonly margin: number; readonly ratio: number }
  | { readonly kind: 'slow'; readonly margin: number; readonly aboveMs: number }
  | { readonly kind: 'loss'; readonly margin: number; readonly metric: RowLoss; readonly maturityMs: number };

export type Step = {
  /** Of all units, above 0 and up to 0.5. */
  readonly share: number;
  /** Requests in each arm before the next step. */
  readonly min: number;
};

export const inconclusiveActions = ['pause', 'promote', 'rollback'] as const;
export type InconclusiveAction = (typeof inconclusiveActions)[number];

export type RolloutPlan = {
  /** 0: no shadow. */
  readonly shadowRequests: number;
  readonly steps: readonly Step[];
  readonly guardrails: readonly Guardrail[];
  /** How long one step may stay undecided, on the endpoint's clock. */
  readonly undecidedAfterMs: number;
  readonly onInconclusive: InconclusiveAction;
  /** Chance of a wrong rollback over the whole rollout, and of a wrong promotion: split over the guardrails, spent once. */
  readonly alpha: number;
};

/** @throws RangeError when steps do not rise or go beyond a half */
export function rolloutPlan(config: RolloutConfig = {}): RolloutPlan {
  const steps = (config.steps ?? defaultSteps).map(({ to, min }) => ({ share: shareOf(to), min }));
  for (const [i, { share }] of steps.entries()) {
    if (!(share > (steps[i - 1]?.share ?? 0)))
      throw new RangeError(`rollout.steps[${i}].to must rise from step to step`);
    if (share > 0.5)
      throw new RangeError(`rollout.steps[${i}].to is above 50%: a control cohort as large needs the rest`);
  }
  return {
    shadowRequests: config.shadow?.requests ?? 0,
    steps,
    guardrails: (config.guardrails ?? defaultGuardrails).map(guardrailOf),
    undecidedAfterMs: durationMs(config.undecidedAfter ?? '14d'),
    onInconclusive: config.onInconclusive ?? 'pause',
    alpha: 0.05,
  };
}

const defaultSteps = [
  { to: '1%', min: 20 },
  { to: '5%', min: 100 },
  { to: '25%', min: 250 },
  { to: '50%', min: 500 },
];

/** What every endpoint has without labels and without an objective. */
const defaultGuardrails: NonNullable<RolloutConfig['guardrails']> = [{ errors: { margin: '1%' } }];

function guardrailOf(config: NonNullable<RolloutConfig['guardrails']>[number]): Guardrail {
  if ('errors' in config) {
    return { kind: 'errors', margin: shareOf(config.errors.margin), ratio: config.errors.ratio ?? 1.1 };
  }
  if ('slow' in config) {
    return { kind: 'slow', margin: shareOf(config.slow.margin), aboveMs: durationMs(config.slow.above) };
  }
  return {
    kind: 'loss',
    metric: config.metric,
    margin: config.margin,
    maturityMs: config.maturity === undefined ? 0 : durationMs(config.maturity),
  };
}
