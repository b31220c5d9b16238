/** Runs with everything logged to them, whatever their number, in a fixed number of queries. */
import type { Db } from '../storage/database.ts';
import { loadedValue } from './metric.ts';
import type { MetricTables } from './metric-store.ts';
import type { Tag } from './names.ts';
import type { Run } from './run.ts';
import type { RunInputTables } from './run-input-store.ts';
import { type RunTables, toRunInfo } from './run-store.ts';

type Tables = RunTables & MetricTables & RunInputTables;

/** The runs of these ids, in their order; an id without a run is left out. */
export async function runDetails(database: Db, ids: readonly string[]): Promise<readonly Run[]> {
  const chunks: Promise<readonly Run[]>[] = [];
  for (let at = 0; at < ids.length; at += chunkSize) chunks.push(chunkOf(database, ids.slice(at, at + chunkSize)));
  return (await Promise.all(chunks)).flat();
}

/** Well below the number of parameters that either database takes. */
const chunkSize = 1000;

async function chunkOf(database: Db, ids: readonly string[]): Promise<readonly Run[]> {
  const db = database.withTables<Tables>();
  const keyValues = (table: 'run_params' | 'run_tags') =>
    db.selectFrom(table).selectAll().where('run_id', 'in', ids).orderBy('run_id').orderBy('key').execute();
  const [infos, params, tags, metrics, datasets, models] = await Promise.all([
    db.selectFrom('runs').selectAll().where('id', 'in', ids).execute(),
    keyValues('run_params'),
    keyValues('run_tags'),
    db.selectFrom('metric_series').selectAll().where('run_id', 'in', ids).orderBy('run_id').orderBy('key').execute(),
    db
      .selectFrom('run_datasets')
      .innerJoin('logged_datasets', 'logged_datasets.id', 'run_datasets.dataset_id')
      .selectAll('logged_datasets')
      .select(['run_datasets.run_id', 'run_datasets.tags'])
      .where('run_datasets.run_id', 'in', ids)
      .orderBy('run_datasets.position')
      .execute(),
    db.selectFrom('run_models').selectAll().where('run_id', 'in', ids).orderBy('position').execute(),
  ]);
  const infoOf = new Map(infos.map((row) => [row.id, toRunInfo(row)]));
  const of = {
    params: Map.groupBy(params, ({ run_id }) => run_id),
    tags: Map.groupBy(tags, ({ run_id }) => run_id),
    metrics: Map.groupBy(metrics, ({ run_id }) => run_id),
    datasets: Map.groupBy(datasets, ({ run_id }) => run_id),
    models: Map.groupBy(models, ({ run_id }) => run_id),
  };
  return ids.flatMap((id) => {
    const info = infoOf.get(id);
    if (!info) return [];
    const links = of.models.get(id) ?? [];
    return {
      ...info,
      params: (of.params.get(id) ?? []).map(({ key, value }) => ({ key, value })),
      tags: (of.tags.get(id) ?? []).map(({ key, value }) => ({ key, value })),
      metrics: (of.metrics.get(id) ?? []).map((row) => ({
        key: row.key,
        value: loadedValue(row),
        timestamp: row.timestamp,
        step: row.step,
      })),
      datasets: (of.datasets.get(id) ?? []).map((row) => ({
        dataset: {
          name: row.name,
          digest: row.digest,
          sourceType: row.source_type,
          source: row.source,
          ...(row.schema === null ? {} : { schema: row.schema }),
          ...(row.profile === null ? {} : { profile: row.profile }),
        },
        tags: JSON.parse(row.tags) as readonly Tag[], // written by run-input-store.ts only
      })),
      modelInputs: links.filter(({ direction }) => direction === 'input').map(({ model_id }) => model_id),
      modelOutputs: links
        .filter(({ direction }) => direction === 'output')
        .map(({ model_id, step }) => ({ modelId: model_id, step })),
    };
  });
}
