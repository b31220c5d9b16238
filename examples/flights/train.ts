/** Step 2: rows become a model, its file, and what its file must answer. With a tracking server, also a run that tells how. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { Run } from 'rondo/client';
import { readOptions } from './options.ts';
import { startTracking } from './track-run.ts';
import type { BoostingOptions } from './trees/boosting.ts';
import { writeExpected } from './trees/expected-answers.ts';
import { fitModel, type Progress } from './trees/fit-model.ts';
import { modelFile, modelSignature } from './trees/model-file.ts';
import { readRows } from './trees/read-rows.ts';

if (import.meta.main) {
  await train(
    readOptions({
      train: 'out/train.parquet',
      test: 'out/test.parquet',
      out: 'out',
      trees: 150,
      leaves: 63,
      depth: 8,
      learningRate: 0.1,
      minRows: 20,
      l2: 0,
      recentUnit: 'share',
      seed: Number(process.env.RONDO_SEED ?? 42),
    }),
  );
}

export type TrainOptions = BoostingOptions & {
  /** Files that `prepare.ts` wrote, and the folder for what this writes. */
  readonly train: string;
  readonly test: string;
  readonly out: string;
  /** `percent` makes the mistake of version 3: the file multiplies the recent shares by 100, where the trees know shares. */
  readonly recentUnit: string;
  /** Draws the rows of expected.parquet; the trees themselves leave nothing to chance. */
  readonly seed: number;
};

export async function train({ train, test, out, recentUnit, seed, ...options }: TrainOptions): Promise<Progress> {
  const log = trainingLog();
  await using run = await startTracking({
    runName: `trees-${options.trees}x${options.leaves}`,
    tags: { target: 'late' },
  });
  const { minRows: min_rows, learningRate: learning_rate, ...shape } = options;
  await run?.logParams({ ...shape, learning_rate, min_rows, recent_unit: recentUnit, seed });
  const [rows, testRows] = await Promise.all([readRows(train), readRows(test)]);
  await run?.logInput({ name: 'train', digest: await digestOf(train), source: train, context: 'training' });
  log.say(`${rows.length} rows to train on, ${testRows.length} to judge by`);

  const now = () => performance.now() / 1000;
  const model = await fitModel({ train: rows, test: testRows, now }, options, async (progress) => {
    const { trees, auc, logLoss, secondsPerTree } = progress;
    log.say(`${trees} trees: AUC ${auc.toFixed(4)}, log-loss ${logLoss.toFixed(4)}`);
    run?.logMetrics({ auc, log_loss: logLoss, seconds_per_tree: secondsPerTree }, { step: trees });
    await setImmediate(); // training keeps the thread busy: let the metrics out
  });

  await mkdir(out, { recursive: true });
  const bytes = modelFile({ ...model, badUnits: recentUnit === 'percent' });
  await writeFile(`${out}/model.onnx`, bytes);
  await writeExpected({ model, rows: testRows, rowsFile: test, seed }, `${out}/expected.parquet`);
  log.say(`${out}/model.onnx: ${bytes.length} bytes`);
  await writeFile(`${out}/train.log`, log.text());
  if (run) await logFiles(run, { out, test, bytes });
  await run?.end();
  return model.progress;
}

async function logFiles(run: Run, { out, test, bytes }: { out: string; test: string; bytes: Uint8Array }) {
  await run.logArtifact(`${out}/train.log`);
  await run.logArtifact(test, 'gates');
  await run.logArtifact(`${out}/expected.parquet`, 'gates');
  await run.logModel({ name: 'flight-delay', files: { 'model.onnx': bytes }, signature: modelSignature });
}

async function digestOf(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
    .slice(0, 32);
}

function trainingLog() {
  const lines: string[] = [];
  return {
    say(line: string) {
      console.log(line);
      lines.push(line);
    },
    text: () => `${lines.join('\n')}\n`,
  };
}
