import type { Bins } from '../statistics/histogram.ts';

/** The cells of a version's reference profile: what is counted here is counted over the same. */
export type ReferenceBins = { readonly features: Readonly<Record<string, Bins>>; readonly score?: Bins };
