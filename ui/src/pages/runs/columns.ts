/** The columns of a run list: which there are, which are shown, and how wide they are. Pure. */
import { decimalsOf, leadingMetric, type Run, sayMetric, sayMetricValue } from '../../data/runs.ts';
import { wallMoment } from '../../format.ts';
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

export const nameWidth = 200;
const metricsShown = 4;
type Came = { readonly shown: number; readonly curve: boolean };

/** From much room to little. */
const cameOut: readonly Came[] = [
  ...[metricsShown, 3, 2].map((shown) => ({ shown, curve: true })),
  ...[2, 1].map((shown) => ({ shown, curve: false })),
];
/** As many params as these always stand; others where there is room, so that what came out is in sight. */
const leastParams = 2;
const pickWidth = 34;

type Attribute = { readonly title: string; readonly order?: string; readonly numeric?: true; readonly width: number };

/** What every run has. */
export const attributes: Readonly<Record<string, Attribute>> = {
  started: { title: 'Started', order: 'attributes.start_time', width: 106 },
  took: { title: 'Took', numeric: true, width: 74 },
  status: { title: 'Status', order: 'attributes.status', width: 96 },
  user: { title: 'User', order: 'attributes.user_id', width: 110 },
  experiment: { title: 'Experiment', width: 150 },
  datasets: { title: 'Data', width: 150 },
  became: { title: 'Became', width: 122 },
};

/** @param sample runs that show how long the values are */
export function columnOf(id: string, sample: readonly Run[]): Column | undefined {
  const attribute = attributes[id];
  if (attribute) {
    const moments = id === 'started' ? sample.map(({ startedAt }) => wallMoment(startedAt).length) : [];
    const width = Math.max(attribute.width, ...moments.map((length) => 22 + 6.6 * length));
    return { id, kind: 'attribute', key: id, numeric: false, ...attribute, width };
  }
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
      const values = sample.flatMap((run) => sayIfAny(run.metrics[key], key));
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

const sayIfAny = (value: number | null | undefined, key: string): readonly string[] =>
  typeof value === 'number' ? [sayMetricValue(value, decimalsOf(key))] : [];

function widthOf(title: string, values: readonly string[]): number {
  const longest = Math.max(title.length + 1, ...values.slice(0, 50).map(({ length }) => length));
  return Math.min(200, Math.max(64, 22 + 6.4 * longest));
}

/**
 * What is shown when nobody chose: when, how long, what the runs differ in, and what came out.
 * @param width of the page: what has no room in it waits in the picker
 */
export function usualColumns(
  sample: readonly Run[],
  { experiment, equal, width }: { readonly experiment: boolean; readonly equal: boolean; readonly width: number },
) {
  const lead = leadingMetric(sample);
  const all = paramKeys(sample);
  // Of one run alone nothing differs.
  const params = equal || sample.length < 2 ? all : differences(sample);
  const hasCurve = lead && sample.some((run) => run.metrics[lead.key] !== undefined);
  const run = ['started', 'took', ...(experiment ? ['experiment'] : [])];
  const metrics = metricKeys(sample, lead?.key).map((key) => `metrics.${key}`);
  const out = ({ shown, curve }: Came) => [
    ...(hasCurve && curve ? [`curve.${lead.key}`] : []),
    ...metrics.slice(0, shown),
    'became',
  ];
  const widthOfAll = (ids: readonly string[]) => ids.reduce((sum, id) => sum + (columnOf(id, sample)?.width ?? 0), 0);
  const rest = width - pickWidth - nameWidth - widthOfAll(run);
  const wanted = params.map((key) => `params.${key}`);
  const least = widthOfAll(wanted.slice(0, leastParams));
  // The leading metrics first, as long as they leave room for the least of the params.
  const fitting = cameOut.find((came) => least + widthOfAll(out(came)) <= rest) ?? { shown: 1, curve: false };
  let room = rest - widthOfAll(out(fitting));
  const shown = equal
    ? wanted.slice(0, 50)
    : wanted.filter((id, index) => {
        room -= widthOfAll([id]);
        return room >= 0 || index < leastParams;
      });
  return {
    /** Equal in all runs. */
    hidden: all.length - params.length,
    /** Different, but without room. */
    more: wanted.length - shown.length,
    columns: [...run, ...shown, ...out(fitting)],
  };
}

/** Params whose values are not the same in all runs. */
export const differences = (runs: readonly Run[]): readonly string[] =>
  paramKeys(runs).filter((key) => new Set(runs.map((run) => run.params[key])).size > 1);

/** Those that most runs have first. */
export function paramKeys(runs: readonly Run[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const key of runs.flatMap((run) => Object.keys(run.params))) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts].toSorted(([, many], [, more]) => more - many).map(([key]) => key);
}

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
