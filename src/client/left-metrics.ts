/** Sends what programs left behind in files when they ended. */
import { closeSync, globSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isLeftBehind, type LeftFile, linesOf, type SpoolHeader } from './metric-spool.ts';
import { isRefusal, type Rest } from './rest-client.ts';
import { sendMetrics } from './send-metrics.ts';
import type { WireMetric } from './wire-metric.ts';

const batchSize = 1000;

/**
 * The file is gone afterwards. To send one twice, or two at once, does no harm: a point that the server has is the same point.
 * @throws what may pass, and the file stays
 */
export async function sendLeftFile(rest: Rest, { path, from }: LeftFile): Promise<void> {
  const { runId } = headerOf(path);
  const file = openSync(path, 'r');
  try {
    let batch: WireMetric[] = [];
    const send = async () => {
      const [refusal] = await sendMetrics(rest, runId, batch);
      if (refusal) process.emitWarning(`metrics of run ${runId} were refused: ${refusal.error.message}`);
      batch = [];
    };
    for (const { line } of linesOf(file, from)) {
      if ('key' in line) batch.push(line);
      if (batch.length === batchSize) await send();
      if (!('status' in line)) continue;
      await send();
      const ending = { run_id: runId, status: line.status, end_time: line.endTime };
      await rest.call('POST', 'runs/update', ending, { isBackground: true });
    }
    if (batch.length > 0) await send();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    process.emitWarning(`the end of run ${runId} was refused: ${error.message}`);
  } finally {
    closeSync(file);
  }
  rmSync(path, { force: true });
}

/** All that programs of this machine left for this server. Failures are told as warnings: they concern other runs. */
export async function sendLeftBehind(rest: Rest, folder: string): Promise<void> {
  for (const name of globSync('*.jsonl', { cwd: folder })) {
    const path = join(folder, name);
    try {
      if (isLeftBehind(path) && headerOf(path).url === rest.url) await sendLeftFile(rest, { path, from: 0 });
    } catch (error) {
      process.emitWarning(`${path} waits for another time: ${error instanceof Error ? error.message : error}`);
    }
  }
}

function headerOf(path: string): SpoolHeader {
  const file = openSync(path, 'r');
  try {
    for (const { line } of linesOf(file, 0)) if ('url' in line) return line;
    throw new Error('it does not say which run it belongs to');
  } finally {
    closeSync(file);
  }
}
