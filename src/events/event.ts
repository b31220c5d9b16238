/** A fact about a change. The log of events is the audit log. */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** An event as a use case writes it, in the transaction of the change. */
export type NewEvent = {
  /** `<folder>.<what happened>`, past tense: `registry.version-registered`. */
  readonly type: string;
  readonly project: string;
  /** What it happened to: `model/flight-delay/3`, `endpoint/flights`, `rollout/01J…`, `run/ab12…`. */
  readonly subject: string;
  /** Who did it: `user:ada`, `token:ci`, `rule:rollouts`, `rule:retrain`, `owner` on loopback without accounts. */
  readonly actor: string;
  /** Wall clock, milliseconds since 1970. */
  readonly at: number;
  /** The endpoint's own clock where it has one (`time:` in rondo.yaml), milliseconds. */
  readonly endpointTime?: number;
  /** Why, in words, where a person or a rule gave a reason. */
  readonly reason?: string;
  readonly data: { readonly [key: string]: Json };
};

/** An event with its place in the log. */
export type LoggedEvent = NewEvent & { readonly position: number };
