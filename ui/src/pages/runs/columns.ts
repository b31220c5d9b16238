/** The columns of a run list: which there are, which are shown, and how wide they are. Pure. */
import { decimalsOf, leadingMetric, type Run, sayMetric } from '../../data/runs.ts';
import { field } from './view.ts';

export type Column = {
  /** As it stands in the address: `started`, `params.depth`. */
  readonly id: string;
  readonly kind: 'attribute' | 'param' | 'metric' | 'tag' | 'curve';
  /** The key of a param, metric or tag. */
  readonly key: string;
  readonly title: string;
  /** What the server orders by. */
  readonly order?: string;
  readonly numeric: boolean;
  readonly width: number;
};

export const nameWidth = 216;
const metricsShown = 4;
const paramsShown = 6;

type Attribute = { readonly title: string; readonly order?: string; readonly numeric?: true; readonly width: number };

/** What every run has. */
export const attributes: Readonly<Record<string, Attribute>> = {
  started: { title: 'Started', order: 'attributes.start_time', width: 112 },
  took: { title: 'Took', numeric: true, width: 84 },
  status: { title: 'Status', order: 'attributes.status', width: 96 },
  user: { title: 'User', order: 'attributes.user_id', width: 110 },
  experiment: { title: 'Experiment', width: 150 },
  datasets: { title: 'Data', width: 150 },
  became: { title: 'Became', width: 150 },
};

/** @param sample runs that show how long the values are */
export function columnOf(id: string, sample: readonly Run[]): Column | undefined {
  const attribute = attributes[id];
  if (attribute) return { id, kind: 'attribute', key: id, numeric: false, ...attribute };
  const dot = id.indexOf('.');
  const key = id.slice(dot + 1);
  const title = sayMetric(key);
  switch (id.slice(0, dot)) {
    case 'params': {
      const values = sample.flatMap((run) => run.params[key] ?? []);
      const numeric = values.every((value) => Number.isFinite(Number(value)));
      return { id, kind: 'param', key, title, order: field('params', key), numeric, width: widthOf(title, values) };
    }
    case 'tags': {
      const values = sample.flatMap((run) => run.tags[key] ?? []);
      return {
        id,
        kind: 'tag',
        key,
        title: key,
        order: field('tags', key),
        numeric: false,
        width: widthOf(key, values),
      };
    }
    case 'metrics': {
      const values = sample.flatMap((run) => run.metrics[key]?.toFixed(decimalsOf(key)) ?? []);
      return {
        id,
        kind: 'metric',
        key,
        title,
        order: field('metrics', key),
        numeric: true,
        width: widthOf(title, values),
      };
    }
    case 'curve':
      return {
        id,
        kind: 'curve',
        key,
        title: `${title} by step`,
        numeric: false,
        width: Math.max(104, 24 + 7 * (title.length + 8)),
      };
    default:
      return undefined;
  }
}

function widthOf(title: string, values: readonly string[]): number {
  const longest = Math.max(title.length + 2, ...values.slice(0, 50).map(({ length }) => length));
  return Math.min(200, Math.max(72, 22 + 7 * longest));
}

/** What is shown when nobody chose: when, how long, what the runs differ in, and what came out. */
export function usualColumns(
  sample: readonly Run[],
  options: { readonly experiment: boolean; readonly equal: boolean },
) {
  const lead = leadingMetric(sample);
  const all = paramKeys(sample);
  const differing = differences(sample);
  // Of one run alone nothing differs.
  const params = options.equal || sample.length < 2 ? all : differing;
  return {
    hidden: all.length - params.length,
    columns: [
      'started',
      'took',
      ...(options.experiment ? ['experiment'] : []),
      ...params.slice(0, options.equal ? 50 : paramsShown).map((key) => `params.${key}`),
      ...(lead && sample.some((run) => run.metrics[lead.key] !== undefined) ? [`curve.${lead.key}`] : []),
      ...metricKeys(sample, lead?.key).map((key) => `metrics.${key}`),
      'became',
    ],
  };
}

export const paramKeys = (runs: readonly Run[]): readonly string[] => [
  ...new Set(runs.flatMap((run) => Object.keys(run.params))),
];

/** Params whose values are not the same in all runs. */
export const differences = (runs: readonly Run[]): readonly string[] =>
  paramKeys(runs).filter((key) => new Set(runs.map((run) => run.params[key])).size > 1);

/** What most runs have, the leading one first. */
function metricKeys(runs: readonly Run[], lead: string | undefined): readonly string[] {
  const counts = new Map<string, number>();
  for (const key of runs.flatMap((run) => Object.keys(run.metrics)))
    if (!key.startsWith('system/')) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts]
    .toSorted(([a, many], [b, more]) => Number(b === lead) - Number(a === lead) || more - many)
    .slice(0, metricsShown)
    .map(([key]) => key);
}

/** Under which heading a column stands. */
export const sideOf = ({ kind, key }: Column): 'run' | 'in' | 'out' =>
  kind === 'param' || key === 'datasets'
    ? 'in'
    : kind === 'metric' || kind === 'curve' || key === 'became'
      ? 'out'
      : 'run';

const sides = ['run', 'in', 'out'] as const;

/** Columns of one heading stand together, otherwise as they were chosen. */
export const inOrder = (columns: readonly Column[]): readonly Column[] =>
  columns.toSorted((a, b) => sides.indexOf(sideOf(a)) - sides.indexOf(sideOf(b)));
