/** What the main thread and the log thread say to each other. */

import type { LineGroup } from './line-group.ts';
import type { Segment } from './log-segment.ts';
import type { ReferenceBins } from './reference-bins.ts';
import type { SegmentLimits } from './segment-log-adapter.ts';
import type { Summary } from './summary.ts';

export type LogThreadOptions = { readonly folder: string; readonly limits: SegmentLimits };

export type AppendOrder = { readonly endpoint: string; readonly group: LineGroup };

export type LogQuestion =
  | { readonly kind: 'open'; readonly endpoint: string }
  | { readonly kind: 'append'; readonly orders: readonly AppendOrder[] }
  | { readonly kind: 'read'; readonly endpoint: string; readonly after: number; readonly limit: number }
  | { readonly kind: 'search'; readonly text: string; readonly at: number }
  | { readonly kind: 'segments'; readonly endpoint: string; readonly seal: boolean }
  | {
      readonly kind: 'compacted';
      readonly endpoint: string;
      readonly first: number;
      readonly tables: readonly string[];
    }
  | { readonly kind: 'bins'; readonly version: string; readonly bins: ReferenceBins }
  | { readonly kind: 'summaries'; readonly endpoint: string; readonly from: number; readonly to: number }
  | { readonly kind: 'close' };

export type AppendResult = Appended | { readonly failure: string };

export type Appended = {
  /** Number of the first line. */
  readonly first: number;
  /** Places of labels in the group that were in the log already, and are not written again. */
  readonly skipped: readonly number[];
  readonly watermark: number | undefined;
  /** What was written in place of the group, where its numbers had to be others. */
  readonly renumbered: Pick<LineGroup, 'bytes' | 'starts'> | undefined;
};

export type LogAnswers = {
  open: { readonly last: number; readonly watermark: number | undefined };
  append: readonly AppendResult[];
  read: { readonly lines: readonly string[] } | { readonly tables: Segment };
  search: readonly {
    readonly endpoint: string;
    readonly lines: readonly string[];
    readonly tables: readonly string[];
  }[];
  segments: readonly Segment[];
  compacted: undefined;
  bins: undefined;
  summaries: readonly Summary[];
  close: undefined;
};

export type ToLog = { readonly id: number; readonly question: LogQuestion };

export type FromLog =
  | { readonly kind: 'answer'; readonly id: number; readonly answer: LogAnswers[keyof LogAnswers] }
  | { readonly kind: 'failure'; readonly id: number; readonly message: string }
  | { readonly kind: 'sealed'; readonly endpoint: string; readonly segment: Segment };
