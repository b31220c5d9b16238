/** What an endpoint writes down: its answers, what other models would have answered, and the truth that came later. */

/** `control` is the champion serving the cohort that the challenger is compared with. */
export const roles = ['champion', 'challenger', 'control', 'shadow'] as const;
export type Role = (typeof roles)[number];

/** One raw column of a request, as the client sent it. */
export type Scalar = string | number | boolean | null;

/** One ordered log per endpoint. `seq` counts from 1 without gaps; a record with a seq is on disk. */
export type LogRecord = PredictionRecord | MirrorRecord | LabelRecord;

type Common = {
  readonly seq: number;
  readonly endpoint: string;
  /** Wall clock, milliseconds since 1970. */
  readonly at: number;
  /** The endpoint's own time, milliseconds since 1970; equal to `at` where it names none. */
  readonly eventTime: number;
};

/** One answered row. A request with several rows is one unit, has one variant, and leaves one record per row. */
export type PredictionRecord = Common & {
  readonly kind: 'prediction';
  readonly id: string;
  /** Joins the label that comes later. */
  readonly key?: string;
  /** What was assigned: the value of the endpoint's `assign` input, else the id of the request. */
  readonly unit: string;
  readonly rollout?: string;
  /** The generation of the traffic that was in force. */
  readonly generation: number;
  readonly role: Role;
  readonly model: string;
  readonly version: number;
  readonly outcome: 'ok' | 'error';
  readonly errorCode?: string;
  /** From the parsed request to the model's answer, waiting included. */
  readonly latencyMs: number;
  /** Every input with one value a row by its name; wider ones as `name[0]`, `name[1]`, …; key, unit and time too. */
  readonly inputs: Readonly<Record<string, Scalar>>;
  /** One value a row, or the row as an array, by output name; empty when the model failed. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Probability of the positive class (binary) or the value (regression). */
  readonly score?: number;
  /** The batch the row was computed in, since kernels may round differently at another size: `replay` repeats it. */
  readonly batch?: { readonly rows: number; readonly row: number };
  /** What computed it: `runtimeId` of a description that is kept beside the log. */
  readonly runtime?: string;
};

/** What another model said about the same row, after the answer had left. */
export type MirrorRecord = Common & {
  readonly kind: 'mirror';
  readonly predictionId: string;
  readonly key?: string;
  readonly rollout: string;
  /**
   * Of the model that scored it here: `shadow` is the challenger in stage shadow; in stage canary `challenger` scores what the
   * control cohort got, and `control` is the champion scoring what the canary cohort got.
   */
  readonly role: Role;
  readonly model: string;
  readonly version: number;
  readonly outcome: 'ok' | 'error';
  readonly errorCode?: string;
  readonly latencyMs: number;
  readonly score?: number;
};

/** The truth about a key. The last label of a key counts; the same label twice is written once. */
export type LabelRecord = Common & {
  readonly kind: 'label';
  readonly key: string;
  readonly value: number | string;
};

/** Reads on after a position, in order; an empty answer means that there is no more yet. At most `limit` records. */
export type ReadLog = (
  endpoint: string,
  page: { readonly after: number; readonly limit: number },
) => Promise<readonly LogRecord[]>;

/** Says "look now" after records became readable, at most once a group; a poll is the fallback. */
export type LogSignal = { onAppend(listener: (endpoint: string, lastSeq: number) => void): Disposable };
