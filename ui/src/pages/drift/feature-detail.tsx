/** One feature in place: training against the window, its quantiles over time, and why it counts. */
import {
  type Bins,
  type DriftCell,
  type DriftWindow,
  type Monitors,
  type Moved,
  useFeatureCounts,
  useFeatureReference,
} from '../../data/monitors.ts';
import { count, day, fixed, percent, pValue } from '../../format.ts';
import { Loaded } from '../../parts/states.tsx';

type Props = {
  readonly monitors: Monitors;
  readonly feature: string;
  /** The windows of the grid, by place. */
  readonly shown: readonly number[];
  /** The one that is told about. */
  readonly told: number | undefined;
};

export function FeatureDetail({ monitors, feature, shown, told: index }: Props) {
  const reference = useFeatureReference(monitors.endpoint, feature);
  const row = monitors.drift.features.find((one) => one.feature === feature);
  const cell = index === undefined ? undefined : row?.cells[index];
  const window = index === undefined ? undefined : monitors.drift.windows[index];
  if (!row || !cell || !window)
    return (
      <p className="i2 unjudged">
        {index === undefined
          ? 'No window of this feature was judged against the version that serves.'
          : 'This feature was not judged in that window.'}
      </p>
    );
  const over = shown.map((place) => ({
    at: monitors.drift.windows[place]?.start ?? 0,
    quantiles: row.cells[place]?.quantiles,
  }));
  const known = reference.data?.reference;
  const training = known?.bins.kind === 'numeric' ? quantilesOf(known.bins.edges, known.counts) : undefined;
  const name = feature.replaceAll('_', ' ');
  return (
    <div className="panel x">
      <div>
        <h3>{cell.moved ? capital(`${name} ${sayMoved(cell.moved)}`) : `${capital(name)} looks as in training`}</h3>
        <p>Shares of the rows, training and the window from {day(window.start)}</p>
        <Loaded query={reference} what="the training profile">
          {({ reference: { bins, counts } }) => (
            <Distribution
              endpoint={monitors.endpoint}
              feature={feature}
              bins={bins}
              counts={counts}
              cell={cell}
              window={window}
            />
          )}
        </Loaded>
      </div>
      <div>
        <h3>
          {training && cell.quantiles
            ? `Median ${short(training.p50)} in training, ${short(cell.quantiles.p50)} in this window`
            : 'Middle and tails per window'}
        </h3>
        <p>Quantiles of each window against the training range</p>
        <Quantiles over={over} training={training} told={window.start} />
      </div>
      <div>
        <h3>{cell.state === 'over' ? 'Why this counts as drift' : 'Why this does not count'}</h3>
        <p>
          Window from {day(window.start)} to {day(window.end)}
        </p>
        <Why cell={cell} method={row.method} because={row.because} features={monitors.drift.features.length} />
      </div>
    </div>
  );
}

export function sayMoved(moved: Moved): string {
  if ('category' in moved)
    return `has ${moved.kind} ${moved.category}: ${percent(moved.to, 1)} after ${percent(moved.from, 1)}`;
  return `is ${moved.kind}: median ${short(moved.to)} after ${short(moved.from)}`;
}

function Why({
  cell,
  method,
  because,
  features,
}: {
  cell: DriftCell;
  method: string | undefined;
  because: string | undefined;
  features: number;
}) {
  const facts: readonly (readonly [string, string | undefined])[] = [
    [`Distance${method ? ` (${method})` : ''}`, cell.value === undefined ? undefined : fixed(cell.value, 3)],
    ['Threshold', fixed(cell.threshold, 3)],
    ['Set by', because],
    ['Sampling noise at this n', cell.noise === undefined ? undefined : fixed(cell.noise, 3)],
    ['Rows in the window', count(cell.n)],
    [
      'Missing, training and window',
      cell.missing && `${percent(cell.missing.reference, 1)} and ${percent(cell.missing.current, 1)}`,
    ],
    [`Holm over ${features} features`, cell.p === undefined ? undefined : `p ${pValue(cell.p)}`],
  ];
  return (
    <dl className="facts">
      {facts.map(([name, value]) =>
        value === undefined ? null : (
          <div key={name} style={{ display: 'contents' }}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}

const width = 308;
const tall = 128;
const bars = 16;

type DistributionProps = {
  readonly endpoint: string;
  readonly feature: string;
  readonly bins: Bins;
  readonly counts: readonly number[];
  readonly cell: DriftCell;
  readonly window: DriftWindow;
};

/** The training data as a stepped outline in ink, the window as bars in cobalt. */
function Distribution({ endpoint, feature, bins, counts, cell, window }: DistributionProps) {
  const current = useFeatureCounts(endpoint, feature, window).data ?? undefined;
  const from = day(window.start);
  if (bins.kind === 'categorical')
    return (
      <Categories categories={bins.categories} counts={counts} current={current} moved={cell.moved} window={from} />
    );
  const range = rangeOf(bins.edges, counts);
  const training = coarse(bins.edges, counts, range);
  const now = current && coarse(bins.edges, current, range);
  const top = Math.max(...training, ...(now ?? []), 1e-9);
  const wide = width / bars;
  const y = (share: number) => tall - (share / top) * (tall - 16);
  const outline = training.map((share, bar) => `V${y(share).toFixed(1)}H${((bar + 1) * wide).toFixed(1)}`);
  // The words stand where the plot is empty.
  const half = bars / 2;
  const weight = (from: number, to: number) => Math.max(...training.slice(from, to), ...(now ?? []).slice(from, to), 0);
  const atRight = weight(half, bars) <= weight(0, half);
  const words = { x: atRight ? width : 0, textAnchor: atRight ? 'end' : 'start' } as const;
  return (
    <svg
      width={width}
      height={tall + 18}
      viewBox={`0 0 ${width} ${tall + 18}`}
      role="img"
      aria-label={`${feature}: training against the window from ${from}${cell.moved ? `, it ${sayMoved(cell.moved)}` : ''}`}
    >
      {now?.map((share, bar) => (
        <rect
          // biome-ignore lint/suspicious/noArrayIndexKey: bars have no other name.
          key={bar}
          x={bar * wide + 1}
          y={y(share)}
          width={wide - 2}
          height={tall - y(share)}
          fill="var(--challenger)"
          opacity=".75"
        />
      ))}
      <path d={`M0 ${tall}${outline.join('')}V${tall}`} fill="none" stroke="var(--champion)" strokeWidth="1.4" />
      <path d={`M0 ${tall + 0.5}H${width}`} stroke="var(--line-2)" />
      <text x="0" y={tall + 14} className="t3">
        {short(range.low)}
      </text>
      <text x={width} y={tall + 14} textAnchor="end" className="t3">
        {short(range.high)}
      </text>
      {now && (
        <text {...words} y="10" className="tw halo" style={{ fill: 'var(--challenger)' }}>
          window from {from}
        </text>
      )}
      <text {...words} y="26" className="tw halo" style={{ fill: 'var(--champion)' }}>
        training, outlined
      </text>
    </svg>
  );
}

const categoriesShown = 6;

type CategoriesProps = {
  readonly categories: readonly string[];
  readonly counts: readonly number[];
  readonly current: readonly number[] | undefined;
  readonly moved: Moved | undefined;
  readonly window: string;
};

function Categories({ categories, counts, current, moved, window }: CategoriesProps) {
  const training = sharesOf(counts);
  const now = current && sharesOf(current);
  const changed = moved && 'category' in moved ? moved.category : undefined;
  const all = categories.map((category, place) => ({ category, was: training[place] ?? 0, is: now?.[place] }));
  const shown = all
    .toSorted((a, b) => Number(b.category === changed) - Number(a.category === changed) || b.was - a.was)
    .slice(0, categoriesShown);
  const top = Math.max(...shown.flatMap(({ was, is = 0 }) => [was, is]), 1e-9);
  return (
    <svg
      width={width}
      height={categoriesShown * 22 + 18}
      viewBox={`0 0 ${width} ${categoriesShown * 22 + 18}`}
      role="img"
      aria-label={`Shares in training and in the window from ${window}: ${shown.map(({ category, was, is }) => `${category} ${percent(was, 1)}${is === undefined ? '' : ` and ${percent(is, 1)}`}`).join(', ')}`}
    >
      {shown.map(({ category, was, is }, row) => {
        const y = row * 22;
        return (
          <g key={category}>
            <text x="0" y={y + 13} className={category === changed ? 't1 tw' : 't3'}>
              {category.slice(0, 12)}
            </text>
            <rect
              x="76"
              y={y + 3}
              width={(was / top) * 126}
              height={is === undefined ? 11 : 5}
              fill="var(--champion)"
              fillOpacity=".45"
            />
            {is !== undefined && <rect x="76" y={y + 9} width={(is / top) * 126} height="5" fill="var(--challenger)" />}
            <text x="212" y={y + 13} className={category === changed ? 't1 tw' : 't3'}>
              {is === undefined ? percent(was, 1) : `${percent(was, 1)}, now ${percent(is, 1)}`}
            </text>
          </g>
        );
      })}
      <text x="76" y={categoriesShown * 22 + 12} className="t3">
        ink: training, cobalt: window from {window}
      </text>
    </svg>
  );
}

/** Without the missing ones, which are counted last. */
function sharesOf(counts: readonly number[]): readonly number[] {
  const present = counts.slice(0, -1);
  const total = present.reduce((sum, one) => sum + one, 0) || 1;
  return present.map((one) => one / total);
}

type QuantilesProps = {
  readonly over: readonly { readonly at: number; readonly quantiles: DriftCell['quantiles'] }[];
  readonly training: { readonly p10: number; readonly p50: number; readonly p90: number } | undefined;
  /** Start of the window that the others stand beside. */
  readonly told: number;
};

function Quantiles({ over, training, told }: QuantilesProps) {
  const points = over.flatMap(({ at, quantiles }) => (quantiles ? [{ at, ...quantiles }] : []));
  if (points.length === 0) return <p className="i2 small">Categories have no quantiles; the change is on the left.</p>;
  const right = 202;
  const all = training ? [...points, training] : points;
  const [low, high] = [Math.min(...all.map(({ p10 }) => p10)), Math.max(...all.map(({ p90 }) => p90))];
  const x = (place: number) => (points.length === 1 ? right / 2 : (place / (points.length - 1)) * (right - 6) + 3);
  const y = (value: number) => 120 - ((value - low) / Math.max(1e-12, high - low)) * 104;
  const line = (pick: (point: (typeof points)[number]) => number) =>
    points.map((point, place) => `${x(place).toFixed(1)} ${y(pick(point)).toFixed(1)}`);
  const place = Math.max(
    0,
    points.findIndex(({ at }) => at === told),
  );
  const here = points[place];
  return (
    <svg
      width="278"
      height="146"
      viewBox="0 0 278 146"
      role="img"
      aria-label={`Median per window: ${points.map(({ at, p50 }) => `${day(at)} ${short(p50)}`).join(', ')}${training ? `; in training ${short(training.p50)}` : ''}`}
    >
      {training && (
        <>
          <rect
            x="0"
            y={y(training.p90)}
            width={right + 6}
            height={Math.max(1, y(training.p10) - y(training.p90))}
            fill="var(--champion)"
            opacity=".1"
          />
          <path d={`M0 ${y(training.p50)}H${right + 6}`} stroke="var(--champion)" strokeDasharray="4 3" />
          <text
            x={right + 2}
            y={y(training.p90) < 24 ? y(training.p90) + 12 : y(training.p90) - 4}
            textAnchor="end"
            className="t3"
          >
            training, p10 to p90
          </text>
        </>
      )}
      <path d={`M${[...line(({ p90 }) => p90), ...line(({ p10 }) => p10).reverse()].join('L')}Z`} fill="var(--band)" />
      <path d={`M${line(({ p50 }) => p50).join('L')}`} fill="none" stroke="var(--challenger)" strokeWidth="2" />
      <path d={`M0 124.5H${right + 6}`} stroke="var(--line-2)" />
      {here && (
        <>
          <circle
            cx={x(place)}
            cy={y(here.p50)}
            r="3.5"
            fill="var(--challenger)"
            stroke="var(--surface)"
            strokeWidth="1.5"
          />
          {spread([
            { word: `p90 ${short(here.p90)}`, y: y(here.p90), strong: false },
            { word: `p50 ${short(here.p50)}`, y: y(here.p50), strong: true },
            { word: `p10 ${short(here.p10)}`, y: y(here.p10), strong: false },
          ]).map(({ word, y: at, strong }) => (
            <text
              key={word}
              x={right + 14}
              y={at + 4}
              className={strong ? 'tw' : ''}
              style={{ fill: 'var(--challenger)' }}
            >
              {word}
            </text>
          ))}
        </>
      )}
      <text x="0" y="140" className="t3">
        {day(points[0]?.at ?? 0)}
      </text>
      {here && place > 1 && place < points.length - 1 && (
        <text x={x(place)} y="140" textAnchor="middle" className="t3">
          {day(here.at)}
        </text>
      )}
      {(place < points.length - 3 || place === points.length - 1) && (
        <text x={right} y="140" textAnchor="end" className="t3">
          {day(points.at(-1)?.at ?? 0)}
        </text>
      )}
    </svg>
  );
}

/** Of the training data, between the edges of its cells. */
function quantilesOf(edges: readonly number[], counts: readonly number[]) {
  const shares = sharesOf(counts);
  const at = (wanted: number): number => {
    let seen = 0;
    for (const [cell, share] of shares.entries()) {
      const upper = edges[Math.min(cell, edges.length - 1)] ?? 0;
      const lower = edges[Math.max(0, cell - 1)] ?? upper;
      if (share > 0 && seen + share >= wanted) return lower + ((wanted - seen) / share) * (upper - lower);
      seen += share;
    }
    return edges.at(-1) ?? 0;
  };
  return { p10: at(0.1), p50: at(0.5), p90: at(0.9) };
}

/** Labels keep 12 px between them, from top to bottom. */
function spread<T extends { readonly y: number }>(labels: readonly T[]): readonly T[] {
  let free = Number.NEGATIVE_INFINITY;
  return labels.map((label) => {
    const y = Math.max(label.y, free);
    free = y + 13;
    return { ...label, y };
  });
}

type Range = { readonly low: number; readonly high: number };

/** Where nearly all of the training data lies: an outlier does not squeeze the rest. */
function rangeOf(edges: readonly number[], counts: readonly number[]): Range {
  const shares = sharesOf(counts);
  let seen = 0;
  let low = 0;
  let high = edges.length - 1;
  for (const [cell, share] of shares.entries()) {
    if (seen <= 0.002) low = Math.max(0, cell - 1);
    seen += share;
    if (seen < 0.995) high = Math.min(edges.length - 1, cell + 1);
  }
  return { low: edges[low] ?? 0, high: edges[high] ?? 1 };
}

/** Shares of a thousand fine cells in a few bars of equal width; what lies beyond belongs to the outermost. */
function coarse(edges: readonly number[], counts: readonly number[], { low, high }: Range): readonly number[] {
  const heights = new Array<number>(bars).fill(0);
  for (const [cell, share] of sharesOf(counts).entries()) {
    const upper = edges[Math.min(cell, edges.length - 1)] ?? high;
    const middle = cell === 0 ? upper : ((edges[cell - 1] ?? upper) + upper) / 2;
    const bar = Math.min(bars - 1, Math.max(0, Math.floor(((middle - low) / Math.max(1e-12, high - low)) * bars)));
    heights[bar] = (heights[bar] ?? 0) + share;
  }
  return heights;
}

const short = (value: number): string => fixed(value, Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 3);
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
