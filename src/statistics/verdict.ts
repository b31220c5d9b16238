/** A judgement with its reason; gates, rollouts and monitors all give this. */
import { Type } from 'typebox';

export const outcomes = ['pass', 'fail', 'inconclusive'] as const;
export type Outcome = (typeof outcomes)[number];

/** No data is `inconclusive`, never `pass`. */
export type Verdict = {
  readonly outcome: Outcome;
  /** One sentence with value, threshold and n, as a person reads it. */
  readonly reason: string;
  /** The estimate, in the metric's own unit and sign. */
  readonly value?: number;
  /** Bounds of the estimate; one-sided ones are infinite on the other side and written as `undefined` there. */
  readonly lower?: number;
  readonly upper?: number;
  /** What `value` or its bound was compared with. */
  readonly threshold?: number;
  /** Rows, requests or pairs it rests on. */
  readonly n: number;
  /** What the sample covers: `22–28 Feb`, `the traffic of these 9 days`. */
  readonly window?: string;
  /** The method by name with its parameters: `DeLong paired, 95 %`. */
  readonly method: string;
};

const number = (description: string) => Type.Optional(Type.Number({ description }));

/** As answers tell it. */
export const verdictView = Type.Object(
  {
    outcome: Type.Enum([...outcomes], { description: 'No data is `inconclusive`, never `pass`' }),
    reason: Type.String({ description: 'One sentence with value, threshold and n' }),
    value: number('The estimate, in the unit and with the sign of what is measured'),
    lower: number('Bound of the estimate; absent where it is open on this side'),
    upper: number('Bound of the estimate; absent where it is open on this side'),
    threshold: number('What the value or its bound was compared with'),
    n: Type.Number({ description: 'Rows, requests or pairs it rests on' }),
    window: Type.Optional(Type.String({ description: 'What the sample covers, in words' })),
    method: Type.String({ description: 'By name, with its parameters' }),
  },
  { title: 'Verdict' },
);
