/** From rows to a model: airports become rates, rates and numbers become trees. Nothing here reads or writes a file. */
import { airportRates, encode } from './airport-rates.ts';
import { addTrees, type BoostingOptions, boost, type Ensemble } from './boosting.ts';
import { featureNames } from './features.ts';
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
export type FittedModel = FlightModel & { readonly auc: number; readonly logLoss: number };

const reportEvery = 10;

/** @param now seconds on a clock that only goes forward, for the speed that is reported */
export function fitModel(
  { train, test, now }: { train: ModelColumns; test: ModelColumns; now: () => number },
  options: BoostingOptions,
  onProgress: (progress: Progress) => void,
): FittedModel {
  const origins = airportRates(train.origin, train.late);
  const destinations = airportRates(train.destination, train.late);
  const encoders = { origins, destinations };
  const testColumns = trainingColumns(test, encoders);
  const scores = new Float64Array(test.length);
  let scored = 0;
  let since = now();
  const report = (ensemble: Ensemble) => {
    const seconds = now() - since;
    const trees = ensemble.trees.length;
    addTrees(ensemble, testColumns, scores, scored);
    const measured = { auc: areaUnderCurve(scores, test.late), logLoss: logLoss(scores, test.late) };
    onProgress({ trees, ...measured, secondsPerTree: seconds / (trees - scored) });
    scored = trees;
    since = now();
    return measured;
  };
  let last: { auc: number; logLoss: number } | undefined;
  const ensemble = boost(trainingColumns(train, encoders), train.late, options, (count, soFar) => {
    if (count % reportEvery === 0) last = report(soFar);
  });
  if (scored < ensemble.trees.length || !last) last = report(ensemble);
  return { ensemble, origins, destinations, ...last };
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
