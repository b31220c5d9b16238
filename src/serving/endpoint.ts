/** A stable name that clients call. */

export const tasks = ['binary', 'multiclass', 'regression'] as const;
export type Task = (typeof tasks)[number];

/** `durable`: no answer that is not on disk. `buffered`: the answer does not wait. `sampled`: a share of the answers is kept. */
export type LogMode = 'durable' | 'buffered' | { readonly sampled: number };

export type Endpoint = {
  readonly name: string;
  readonly project: string;
  readonly task: Task;
  /** The input whose value joins a label to its prediction. */
  readonly key?: string;
  /** The input that carries event time; absent: the wall clock. */
  readonly time?: string;
  /** The input that names a sticky unit; absent: the unit is the request. */
  readonly assign?: string;
  /** The name of the truth, as training data call it: the label's column in exported rows. */
  readonly target?: string;
  /** What an answer may take, in milliseconds. */
  readonly latencyMs: number;
  readonly log: LogMode;
};

export const endpointSubject = (name: string): string => `endpoint/${name}`;
