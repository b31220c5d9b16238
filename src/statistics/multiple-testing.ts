/** p-values adjusted for how many were looked at; each stays in its place. */
import { requireShare } from './argument.ts';

/** For "any of them": the chance of even one false alarm stays below α. @see Holm (1979), Scand. J. Statist. 6 */
export function holmAdjusted(pValues: readonly number[]): number[] {
  const count = pValues.length;
  const adjusted = new Array<number>(count);
  let running = 0;
  for (const [rank, index] of ascending(pValues).entries()) {
    running = Math.max(running, Math.min(1, (count - rank) * (pValues[index] ?? 1)));
    adjusted[index] = running;
  }
  return adjusted;
}

/** For "which of them": of those below q, a share of at most q is false. @see Benjamini & Hochberg (1995), JRSS-B 57 */
export function benjaminiHochbergAdjusted(pValues: readonly number[]): number[] {
  const count = pValues.length;
  const adjusted = new Array<number>(count);
  let running = 1;
  for (const [back, index] of ascending(pValues).reverse().entries()) {
    running = Math.min(running, ((pValues[index] ?? 1) * count) / (count - back));
    adjusted[index] = running;
  }
  return adjusted;
}

function ascending(pValues: readonly number[]): number[] {
  for (const p of pValues) requireShare('a p-value', p);
  return pValues.map((_, index) => index).sort((a, b) => (pValues[a] ?? 1) - (pValues[b] ?? 1));
}
