/** One codec for 64-bit integers on both databases. */

/**
 * How an integer comes out of a row: as a number, or as a bigint where a number cannot hold it (beyond 2^53 − 1 either way).
 * SQLite and PostgreSQL agree on this by value, not by column: `count(*)` is a number, a step of 2^60 is a bigint.
 */
export type Int64 = number | bigint;

export function narrowInteger(value: bigint): Int64 {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}
