/** Every slice a dot on the metric's axis; hollow ones were too small to judge. The closest call is named. */
import type { GateTest } from '../data/models.ts';
import { count, fixed } from '../format.ts';
import { SectionHead } from './page-head.tsx';

const width = 736;
const tall = 60;
const dot = 10;

export function SliceDots({ title, test }: { title: string; test: GateTest }) {
  const { threshold } = test.verdict;
  const valued = (test.slices ?? []).flatMap((slice) =>
    slice.value === undefined ? [] : [{ ...slice, value: slice.value }],
  );
  if (valued.length === 0 || threshold === undefined) return null;
  const values = valued.map((slice) => slice.value);
  const low = Math.min(threshold, ...values) - 0.02;
  const high = Math.max(threshold, ...values) + 0.02;
  const x = (value: number) => ((value - low) / (high - low)) * width;
  const small = (test.slices ?? []).filter(({ outcome }) => outcome === 'small').length;
  const judged = valued.filter(({ outcome }) => outcome !== 'small');
  const worst = judged.toSorted((a, b) => a.value - b.value)[0];
  const stacks = new Map<number, number>();
  return (
    <div className="slices">
      <SectionHead title={title} aside={`${count(judged.length)} judged, ${count(small)} too small to judge`} />
      <svg
        width={width}
        height={tall + 24}
        viewBox={`0 0 ${width} ${tall + 24}`}
        role="img"
        aria-label={`${title}: worst ${worst?.slice ?? 'none'} ${fixed(worst?.value ?? 0, 3)}, limit ${fixed(threshold, 3)}`}
      >
        <defs>
          <pattern id="beyond" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width="6" height="6" fill="var(--zone)" />
            <path d="M0 0V6" stroke="var(--zone-line)" />
          </pattern>
        </defs>
        <rect x="0" y="0" width={x(threshold)} height={tall} fill="url(#beyond)" />
        <path d={`M${x(threshold)} 0V${tall}`} stroke="var(--fail)" strokeOpacity=".75" strokeWidth="1.5" />
        <path d={`M0 ${tall}H${width}`} stroke="var(--line-2)" />
        {valued.map((slice) => {
          const column = Math.round(x(slice.value) / dot);
          const height = stacks.get(column) ?? 0;
          stacks.set(column, height + 1);
          const hollow = slice.outcome === 'inconclusive' || slice.outcome === 'small';
          return (
            <circle
              key={slice.slice}
              cx={column * dot}
              cy={tall - 7 - height * dot}
              r="4"
              {...(hollow
                ? { fill: 'var(--canvas)', stroke: 'var(--undecided)', strokeDasharray: '2 1.5' }
                : { fill: slice.outcome === 'fail' ? 'var(--fail)' : 'var(--challenger)' })}
            >
              <title>{`${slice.slice}: ${fixed(slice.value, 3)}, ${count(slice.rows)} rows`}</title>
            </circle>
          );
        })}
        {worst && (
          <text x={x(worst.value) - 8} y={tall - 3} textAnchor="end" className="t1 halo">
            {worst.slice} {fixed(worst.value, 3)}
          </text>
        )}
        <text x={x(threshold)} y={tall + 16} textAnchor="middle" style={{ fill: 'var(--fail)' }}>
          min {fixed(threshold, 3)}
        </text>
      </svg>
    </div>
  );
}
