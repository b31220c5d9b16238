/** What the trainer itself answers to some of the gate rows: the model file must give the same wherever it runs. */
import { DOUBLE, DuckDBDataChunk, DuckDBInstance, INTEGER } from '@duckdb/node-api';
import { featureNames } from '../features/features.ts';
import { quoted } from '../features/read-flights.ts';
import { sampleRows } from '../random.ts';
import { addTrees, probability } from './boosting.ts';
import { trainingColumns } from './fit-model.ts';
import type { FlightModel } from './model-file.ts';
import type { ModelColumns } from './read-rows.ts';

const wanted = 2_000;

/** Columns: the model's inputs, and `score`, the probability of being late. @param rowsFile where `rows` were read from */
export async function writeExpected(
  { model, rows, rowsFile, seed }: { model: FlightModel; rows: ModelColumns; rowsFile: string; seed: number },
  path: string,
): Promise<void> {
  const scores = addTrees(model.ensemble, trainingColumns(rows, model), new Float64Array(rows.length));
  const sample = sampleRows(
    new Uint32Array(rows.length).map((_, row) => row),
    wanted,
    seed,
  );
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run('CREATE TEMP TABLE answers (row INTEGER, score DOUBLE)');
  const appender = await connection.createAppender('answers');
  const chunk = DuckDBDataChunk.create([INTEGER, DOUBLE], sample.length);
  chunk.setColumns([[...sample], Array.from(sample, (row) => probability(scores[row] ?? 0))]);
  appender.appendDataChunk(chunk);
  appender.closeSync();
  await connection.run(
    `COPY (SELECT ${featureNames.join(', ')}, score
           FROM read_parquet(${quoted(rowsFile)}, file_row_number = true) JOIN answers ON row = file_row_number ORDER BY row)
     TO ${quoted(path)} (FORMAT parquet)`,
  );
  connection.closeSync();
  instance.closeSync();
}
