/** From rows to a model: airports become rates, rates and numbers become trees. Nothing here reads or writes a file. */

import { featureNames } from '../features/features.ts';
import { airportRates, encode } from './airport-rates.ts';
import { addTrees, type BoostingOptions, boost, type Ensemble } from './boosting.ts';
import { areaUnderCurve, logLoss } from './judge.ts';
import type { FlightModel } from './model-file.ts';
import type { ModelColumns } from './read-rows.ts';

/** What is known after some trees, on rows the model is not trained on. */
export type Progress = {
  readonly trees: number;
  readonly auc: number;
  readonly logLoss: number;
  readonly secondsPerTree: number;
};
export type FittedModel = FlightModel & { readonly progress: Progress };

const reportEvery = 10;

/** @param now seconds on a clock that only goes forward. @param onProgress awaited every ten trees and after the last */
export async function fitModel(
  { train, test, now }: { train: ModelColumns; test: ModelColumns; now: () => number },
  options: BoostingOptions,
  onProgress: (progress: Progress) => Promise<void>,
): Promise<FittedModel> {
  const origins = airportRates(train.origin, train.late);
  const destinations = airportRates(train.destination, train.late);
  const encoders = { origins, destinations };
  const testColumns = trainingColumns(test, encoders);
  const scores = new Float64Array(test.length);
  let ensemble: Ensemble = { base: 0, trees: [] };
  let progress: Progress = { trees: 0, auc: 0.5, logLoss: Math.LN2, secondsPerTree: 0 };
  let since = now();
  const report = async () => {
    const seconds = now() - since;
    const trees = ensemble.trees.length;
    addTrees(ensemble, testColumns, scores, progress.trees);
    progress = {
      trees,
      auc: areaUnderCurve(scores, test.late),
      logLoss: logLoss(scores, test.late),
      secondsPerTree: seconds / (trees - progress.trees),
    };
    await onProgress(progress);
    since = now();
  };
  for (ensemble of boost(trainingColumns(train, encoders), train.late, options)) {
    if (ensemble.trees.length % reportEvery === 0) await report();
  }
  if (ensemble.trees.length > progress.trees) await report();
  return { ensemble, origins, destinations, progress };
}

/** The columns in the order of the features, as the trees see them. */
export function trainingColumns(
  { numbers, origin, destination }: ModelColumns,
  { origins, destinations }: Pick<FlightModel, 'origins' | 'destinations'>,
): Float32Array[] {
  return featureNames.map((name) => {
    if (name === 'origin') return encode(origin, origins);
    if (name === 'destination') return encode(destination, destinations);
    return numbers[name];
  });
}
