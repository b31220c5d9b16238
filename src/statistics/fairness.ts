/** Gaps between groups of people or things: in how often they are selected, and in how often the deserving ones are. */
import { requireLevel, requireSameLength } from './argument.ts';
import { newcombeDifference, type Proportion, wilsonInterval } from './proportion.ts';

export const fairnessMetrics = ['demographic_parity_difference', 'equal_opportunity_difference'] as const;
export type FairnessMetric = (typeof fairnessMetrics)[number];

/** What is counted in one group; merge by adding. */
export type GroupCounts = {
  readonly rows: number;
  /** Rows whose truth is 1. */
  readonly positives: number;
  /** Rows with a score at or above the threshold. */
  readonly selected: number;
  /** Rows with both. */
  readonly found: number;
};

/** Counts per group. @param group one name per row */
export function countGroups(
  { group, truth, score }: { group: readonly string[]; truth: Float64Array; score: Float64Array },
  { threshold }: { readonly threshold: number },
): Map<string, GroupCounts> {
  requireSameLength('group and truth', group, truth);
  requireSameLength('group and score', group, score);
  const counts = new Map<string, { rows: number; positives: number; selected: number; found: number }>();
  for (const [i, name] of group.entries()) {
    let count = counts.get(name);
    if (!count) {
      count = { rows: 0, positives: 0, selected: 0, found: 0 };
      counts.set(name, count);
    }
    const positive = truth[i] === 1;
    const selected = (score[i] as number) >= threshold; // as long as group, checked above
    count.rows += 1;
    if (positive) count.positives += 1;
    if (selected) count.selected += 1;
    if (positive && selected) count.found += 1;
  }
  return counts;
}

export type GroupRate = {
  readonly group: string;
  readonly rows: number;
  /** Rows that the rate is a share of: all of them, or the positives. */
  readonly trials: number;
  /** Absent where nothing could be counted: undefined is neither 0 nor 1. */
  readonly rate?: number;
  readonly lower?: number;
  readonly upper?: number;
  /** Too small to be judged; listed, and left out of the gap. */
  readonly tooSmall: boolean;
};

export type Gap = {
  /** Greatest rate minus least, among groups that are large enough. */
  readonly value: number;
  /** The gap is greater than this with the level asked for, corrected for the number of pairs looked at. */
  readonly lower: number;
  /** It is less than this. No correction: "no pair is further apart" is an intersection of statements (Berger 1982). */
  readonly upper: number;
  readonly highest: string;
  readonly lowest: string;
  readonly n: number;
};

export type GroupLimits = {
  /** Groups with fewer rows are listed, not judged. */
  readonly minRows?: number;
  /** The same for the rows a rate is a share of: 10 late flights say little about the late flights found. */
  readonly minTrials?: number;
  /** One-sided confidence of each bound. */
  readonly level?: number;
};

/**
 * The gap between the groups furthest apart (max − min, as fairlearn's `between_groups`), with Newcombe bounds.
 * @returns `gap` undefined when fewer than two groups are large enough
 */
export function fairnessGap(
  metric: FairnessMetric,
  counts: ReadonlyMap<string, GroupCounts>,
  { minRows = 30, minTrials = 10, level = 0.95 }: GroupLimits = {},
): { readonly groups: readonly GroupRate[]; readonly gap: Gap | undefined } {
  requireLevel('level', level);
  const all = [...counts].map(([group, count]) => ({
    group,
    rows: count.rows,
    proportion: proportionOf(metric, count),
  }));
  const large = all.filter(({ rows, proportion }) => rows >= minRows && proportion.trials >= Math.max(minTrials, 1));
  const groups = all.map(({ group, rows, proportion }): GroupRate => {
    const base = { group, rows, trials: proportion.trials, tooSmall: !large.some((one) => one.group === group) };
    if (proportion.trials === 0) return base;
    const rate = proportion.successes / proportion.trials;
    return { ...base, rate, ...wilsonInterval(proportion, { level: 2 * level - 1 }) };
  });
  return { groups: groups.sort((a, b) => b.rows - a.rows), gap: widest(large, level) };
}

type Counted = { readonly group: string; readonly rows: number; readonly proportion: Proportion };

const proportionOf = (metric: FairnessMetric, count: GroupCounts): Proportion =>
  metric === 'demographic_parity_difference'
    ? { successes: count.selected, trials: count.rows }
    : { successes: count.found, trials: count.positives };

function widest(groups: readonly Counted[], level: number): Gap | undefined {
  const ordered = [...groups].sort((a, b) => rateOf(b) - rateOf(a));
  const highest = ordered[0];
  const lowest = ordered.at(-1);
  if (!highest || !lowest || ordered.length < 2) return undefined;
  const pairs = (ordered.length * (ordered.length - 1)) / 2;
  let lower = 0;
  let upper = 0;
  for (const [i, first] of ordered.entries()) {
    for (const second of ordered.slice(i + 1)) {
      const proving = newcombeDifference(first.proportion, second.proportion, { level: 2 * level - 1 });
      // Two-sided: which of the two is ahead was read off the same data.
      const corrected = newcombeDifference(first.proportion, second.proportion, { level: 1 - (1 - level) / pairs });
      lower = Math.max(lower, corrected?.lower ?? 0);
      upper = Math.max(upper, proving?.upper ?? 0, -(proving?.lower ?? 0));
    }
  }
  const n = ordered.reduce((sum, group) => sum + group.proportion.trials, 0);
  return { value: rateOf(highest) - rateOf(lowest), lower, upper, highest: highest.group, lowest: lowest.group, n };
}

const rateOf = ({ proportion }: Counted) => proportion.successes / proportion.trials;
