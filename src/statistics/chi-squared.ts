/** The chi-squared distribution, and the test that two or more rows of counts share one distribution. */
import { requireLevel, requirePositive } from './argument.ts';
import { lowerGamma, upperGamma } from './gamma.ts';
import { crossing } from './root.ts';

export const chiSquaredCdf = (x: number, df: number): number => lowerGamma(df / 2, Math.max(x, 0) / 2);

/** P(X > x): the p-value of a statistic. */
export const chiSquaredSurvival = (x: number, df: number): number => upperGamma(df / 2, Math.max(x, 0) / 2);

/** The x with P(X ≤ x) = p. */
export function chiSquaredQuantile(p: number, df: number): number {
  requireLevel('p', p);
  requirePositive('df', df);
  // The upper half goes by the survival function, which keeps its digits there.
  const rising = p < 0.5 ? (x: number) => chiSquaredCdf(x, df) - p : (x: number) => 1 - p - chiSquaredSurvival(x, df);
  return crossing(rising, { low: 0, high: 2 * df + 2, lowest: 0 });
}

/**
 * Pearson's test of homogeneity: do the rows of counts come from one distribution? No continuity correction.
 * @param rows counts, one row a sample, columns aligned; columns that are empty everywhere are left out
 * @returns undefined when fewer than two columns or rows hold anything
 */
export function homogeneityTest(rows: readonly (readonly number[])[]): HomogeneityTest | undefined {
  const filled = rows.filter((row) => row.some((count) => count > 0));
  const width = Math.max(0, ...filled.map((row) => row.length));
  const columns = Array.from({ length: width }, (_, j) => filled.reduce((sum, row) => sum + (row[j] ?? 0), 0));
  const used = columns.filter((sum) => sum > 0).length;
  if (filled.length < 2 || used < 2) return undefined;
  const total = columns.reduce((sum, count) => sum + count, 0);
  let statistic = 0;
  for (const row of filled) {
    const rowSum = row.reduce((sum, count) => sum + count, 0);
    for (const [j, columnSum] of columns.entries()) {
      if (columnSum === 0) continue;
      const expected = (rowSum * columnSum) / total;
      statistic += ((row[j] ?? 0) - expected) ** 2 / expected;
    }
  }
  const df = (filled.length - 1) * (used - 1);
  return { statistic, df, p: chiSquaredSurvival(statistic, df) };
}

export type HomogeneityTest = { readonly statistic: number; readonly df: number; readonly p: number };
