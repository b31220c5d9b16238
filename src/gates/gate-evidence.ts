/** What is measured about a candidate, before anything is judged. */
import type { Grouping } from './gates-config.ts';

/** Everything that was measured about a candidate, columns of equal length. */
export type GateEvidence = {
  /** Rows with truth and scores; absent when the version came without gate rows. */
  readonly rows?: {
    readonly truth: Float64Array;
    readonly candidate: Float64Array;
    readonly champion?: Float64Array;
    /** The slices of each row, by column: for a grouping with cuts the group's name. */
    readonly groups: ReadonlyMap<string, readonly string[]>;
  };
  readonly dataChecks?: { readonly passed: number; readonly total: number; readonly failing: readonly string[] };
  /** Milliseconds per batch, by size of the batch. */
  readonly latencies: ReadonlyMap<number, readonly number[]>;
  readonly parity?: {
    readonly rows: number;
    readonly greatest: number;
    readonly beyond: (tolerance: number) => number;
  };
};

export type GateRows = NonNullable<GateEvidence['rows']>;

/** The name under which a grouping's slices lie in the evidence. */
export const groupingKey = ({ column, cuts }: Grouping): string => JSON.stringify([column, cuts ?? null]);
