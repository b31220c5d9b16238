/** Every slice a dot on the metric's axis; hollow ones were too small to judge. The closest call is named. */
import type { Verdict } from '../data/verdict.ts';
import { fixed } from '../format.ts';
import { SectionHead } from './page-head.tsx';

type Slice = { readonly name: string; readonly verdict: Verdict };
type Props = { readonly title: string; readonly slices: readonly Slice[]; readonly threshold: number | undefined };

const width = 736;
const tall = 60;
const dot = 10;

export function SliceDots({ title, slices, threshold }: Props) {
  const valued = slices.filter((slice) => slice.verdict.value !== undefined);
  if (valued.length === 0 || threshold === undefined) return null;
  const values = valued.map((slice) => slice.verdict.value ?? 0);
  const low = Math.min(threshold, ...values) - 0.02;
  const high = Math.max(threshold, ...values) + 0.02;
  const x = (value: number) => ((value - low) / (high - low)) * width;
  const judged = valued.filter((slice) => slice.verdict.outcome !== 'inconclusive');
  const worst = [...judged].sort((a, b) => (a.verdict.value ?? 0) - (b.verdict.value ?? 0))[0];
  const stacks = new Map<number, number>();
  return (
    <>
      <SectionHead title={title} aside={`${judged.length} judged, ${valued.length - judged.length} too small to judge`} />
      {/* biome-ignore lint/a11y/noSvgWithoutTitle: the finding is its label. */}
      <svg width={width} height={tall + 24} viewBox={`0 0 ${width} ${tall + 24}`} role="img" aria-label={`${title}: worst ${worst?.name ?? 'none'} ${fixed(worst?.verdict.value ?? 0, 3)}, limit ${fixed(threshold, 3)}`}>
        <rect x="0" y="0" width={x(threshold)} height={tall} fill="url(#beyond)" />
        <path d={`M${x(threshold)} 0V${tall}`} stroke="var(--fail)" strokeOpacity=".75" strokeWidth="1.5" />
        <path d={`M0 ${tall}H${width}`} stroke="var(--line-2)" />
        {valued.map((slice) => {
          const column = Math.round(x(slice.verdict.value ?? 0) / dot);
          const height = stacks.get(column) ?? 0;
          stacks.set(column, height + 1);
          const hollow = slice.verdict.outcome === 'inconclusive';
          return (
            <circle
              key={slice.name}
              cx={column * dot}
              cy={tall - 7 - height * dot}
              r="4"
              {...(hollow ? { fill: 'var(--canvas)', stroke: 'var(--undecided)', strokeDasharray: '2 1.5' } : { fill: slice.verdict.outcome === 'fail' ? 'var(--fail)' : 'var(--challenger)' })}
            >
              <title>{`${slice.name}: ${fixed(slice.verdict.value ?? 0, 3)}, ${slice.verdict.n} rows`}</title>
            </circle>
          );
        })}
        {worst && (
          <text x={x(worst.verdict.value ?? 0) - 8} y={tall - 3} textAnchor="end" className="t1 halo">
            {worst.name} {fixed(worst.verdict.value ?? 0, 3)}
          </text>
        )}
        <text x={x(threshold)} y={tall + 16} textAnchor="middle" style={{ fill: 'var(--fail)' }}>
          min {fixed(threshold, 3)}
        </text>
      </svg>
    </>
  );
}
