/** The loop of an endpoint: versions stand on a closed track where they are now; cobalt traces how the challenger came back round. */
export const stations = ['Data', 'Run', 'Gates', 'Shadow', 'Canary', 'Live', 'Monitor'] as const;
export type Station = (typeof stations)[number];

export type LoopProps = {
  readonly finding: string;
  /** A word above each station that has one: `recent@3`, `14 s`, `7 of 7 pass`. */
  readonly notes: Partial<Record<Station, { readonly text: string; readonly bad?: boolean }>>;
  readonly champion: { readonly label: string } | undefined;
  readonly challenger: { readonly label: string; readonly at: Station } | undefined;
  /** Why the challenger exists, written along the way back. */
  readonly because: string | undefined;
};

const xs: Readonly<Record<Station, number>> = {
  Data: 54,
  Run: 154,
  Gates: 254,
  Shadow: 354,
  Canary: 474,
  Live: 614,
  Monitor: 706,
};
const track = 'M706 62c36 0 36 56 0 56H54c-30 0-30-56 0-56';

export function Loop({ finding, notes, champion, challenger, because }: LoopProps) {
  const reached = challenger ? xs[challenger.at] : 0;
  return (
    <svg width="752" height="132" viewBox="0 0 752 132" role="img" aria-label={finding}>
      <path d={track} fill="none" stroke="var(--line-2)" strokeWidth="1.5" />
      <path d="M54 62H706" stroke="var(--line-2)" strokeWidth="1.5" />
      {challenger && (
        <path d={`${because ? track : 'M54 62'}H${reached}`} fill="none" stroke="var(--challenger)" strokeWidth="2" />
      )}
      {because && (
        <text x="382" y="110" textAnchor="middle" className="tw" style={{ fill: 'var(--accent)' }}>
          {because}
        </text>
      )}
      {stations.map((station) => {
        const note = notes[station];
        const passed = challenger !== undefined && xs[station] <= reached;
        return (
          <g key={station}>
            <circle
              cx={xs[station]}
              cy="62"
              r="4.5"
              fill="var(--canvas)"
              stroke={passed ? 'var(--challenger)' : 'var(--control-line)'}
              strokeWidth="2"
            />
            <text
              x={xs[station]}
              y="84"
              textAnchor="middle"
              className="t1 tw halo"
              style={{ fontSize: 12, stroke: 'var(--canvas)' }}
            >
              {station}
            </text>
            {note && (
              <text
                x={xs[station]}
                y="48"
                textAnchor="middle"
                className="t3"
                style={note.bad ? { fill: 'var(--fail)' } : {}}
              >
                {note.text}
              </text>
            )}
          </g>
        );
      })}
      {challenger && <Flag x={reached} label={challenger.label} fill="var(--accent-wash)" ink="var(--accent)" />}
      {champion && <Flag x={xs.Live} label={champion.label} fill="var(--champion)" ink="var(--canvas)" />}
    </svg>
  );
}

function Flag({ x, label, fill, ink }: { x: number; label: string; fill: string; ink: string }) {
  const half = Math.max(24, label.length * 3.6 + 6);
  return (
    <g>
      <rect x={x - half} y="14" width={half * 2} height="24" rx="4" fill={fill} />
      <path d={`M${x - 4} 38h8l-4 5z`} fill={fill} />
      <text x={x} y="30" textAnchor="middle" className="tb" style={{ fill: ink, fontSize: 12 }}>
        {label}
      </text>
    </g>
  );
}
