/** Twelve small trainings over a grid, each a run of its own: something to compare. `node sweep.ts` after `node prepare.ts`. */

import { readOptions } from './options.ts';
import { startTracking } from './track-run.ts';
import { fitModel } from './trees/fit-model.ts';
import { type ModelColumns, readRows } from './trees/read-rows.ts';

const depths = [3, 5, 8];
const rates = [0.1, 0.3];
const counts = [20, 50];

if (import.meta.main) await sweep(readOptions({ train: 'out/train.parquet', test: 'out/test.parquet', rows: 40_000 }));

/** @param rows that each run is trained on; few, since it is the order of the runs that counts */
export async function sweep({ train, test, rows }: { train: string; test: string; rows: number }): Promise<void> {
  const everyRow = await readRows(train);
  const fewer = everyNth(everyRow, Math.max(1, Math.floor(everyRow.length / rows)));
  const testRows = await readRows(test);
  const now = () => performance.now() / 1000;
  for (const depth of depths) {
    for (const learningRate of rates) {
      for (const trees of counts) {
        const options = { trees, learningRate, depth, leaves: 2 ** depth, minRows: 20, l2: 0 };
        await using run = await startTracking({
          runName: `depth-${depth}-rate-${learningRate}-trees-${trees}`,
          tags: { sweep: 'grid' },
        });
        await run?.logParams({ trees, depth, leaves: options.leaves, learning_rate: learningRate, rows: fewer.length });
        const { progress } = await fitModel(
          { train: fewer, test: testRows, now },
          options,
          async ({ trees: step, auc, logLoss }) => {
            run?.logMetrics({ auc, log_loss: logLoss }, { step });
          },
        );
        await run?.end();
        console.log(JSON.stringify({ depth, learningRate, trees, auc: progress.auc, logLoss: progress.logLoss }));
      }
    }
  }
}

function everyNth(rows: ModelColumns, n: number): ModelColumns {
  const kept = <T>(_: T, row: number) => row % n === 0;
  const { hour, weekday, distance, recent_origin, recent_destination } = rows.numbers;
  return {
    length: Math.ceil(rows.length / n),
    numbers: {
      hour: hour.filter(kept),
      weekday: weekday.filter(kept),
      distance: distance.filter(kept),
      recent_origin: recent_origin.filter(kept),
      recent_destination: recent_destination.filter(kept),
    },
    origin: rows.origin.filter(kept),
    destination: rows.destination.filter(kept),
    late: rows.late.filter(kept),
  };
}
