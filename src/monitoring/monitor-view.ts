/** What the monitoring pages show: features by windows, and the other monitors over time. */
import type { FeatureDrift } from './drift.ts';
import type { StoredWindow } from './monitor-store.ts';

export function driftView(windows: readonly StoredWindow[]) {
  const ofDrift = windows.flatMap(({ result, ...window }) =>
    result.monitor === 'drift' ? [{ ...window, features: result.features }] : [],
  );
  const names = [...new Set(ofDrift.flatMap((window) => window.features.map((one) => one.feature)))];
  const features = names.map((feature) => {
    const cells = ofDrift.map((window) => window.features.find((one) => one.feature === feature));
    const last = cells.findLast((cell) => cell !== undefined);
    return {
      feature,
      method: last?.method,
      state: last?.state,
      moved: last?.moved,
      because: last?.because,
      sinceEnd: sinceOf(
        ofDrift.map((window) => window.end),
        cells,
      ),
      cells: cells.map(cellOf),
    };
  });
  return {
    windows: ofDrift.map(({ start, end, rows, version }) => ({ start, end, rows, version })),
    // The most drifted first; what cannot be judged last.
    features: features.sort((a, b) => greatestOf(b.cells) - greatestOf(a.cells)),
  };
}

export function seriesView(windows: readonly StoredWindow[]) {
  return windows.map(({ start, end, rows, version, result }) => ({ start, end, rows, version, ...result }));
}

const cellOf = (cell: FeatureDrift | undefined) =>
  cell && {
    state: cell.state,
    n: cell.n,
    value: cell.value,
    threshold: cell.threshold,
    ratio: cell.ratio,
    p: cell.p,
    noise: cell.noise,
    moved: cell.moved,
    missing: cell.missing,
    quantiles: cell.quantiles,
  };

/** The end of the first window of the present run over the threshold. */
function sinceOf(ends: readonly number[], cells: readonly (FeatureDrift | undefined)[]): number | undefined {
  let since: number | undefined;
  for (const [i, cell] of cells.entries()) since = cell?.state === 'over' ? (since ?? ends[i]) : undefined;
  return since;
}

const greatestOf = (cells: readonly ({ readonly ratio: number | undefined } | undefined)[]) =>
  Math.max(0, ...cells.map((cell) => cell?.ratio ?? 0));
