/** What runs read and made: datasets, and logged models as inputs and outputs. */
import type { Db } from '../storage/database.ts';
import type { Int64 } from '../storage/int64.ts';
import { parseExperimentId } from './experiment.ts';
import { type DatasetInput, datasetContextTag } from './run.ts';

export type RunInputTables = {
  logged_datasets: {
    id: string;
    experiment_id: Int64;
    name: string;
    digest: string;
    source_type: string;
    source: string;
    schema: string | null;
    profile: string | null;
  };
  run_datasets: { run_id: string; dataset_id: string; position: number; tags: string; context: string | null };
  run_models: { run_id: string; direction: 'input' | 'output'; model_id: string; step: Int64; position: number };
};

export type DatasetSummary = {
  readonly experimentId: string;
  readonly name: string;
  readonly digest: string;
  readonly context?: string;
};

export const runInputStore = (database: Db) => {
  const db = database.withTables<RunInputTables>();

  async function nextPosition(table: 'run_datasets' | 'run_models', runId: string): Promise<number> {
    const { last } = await db
      .selectFrom(table)
      .select(({ fn }) => fn.max('position').as('last'))
      .where('run_id', '=', runId)
      .executeTakeFirstOrThrow();
    return last === null ? 0 : Number(last) + 1;
  }

  /** The id of a dataset within its experiment, added when it is new. */
  async function datasetId(experimentId: bigint, { dataset }: DatasetInput, newId: () => string): Promise<string> {
    await db
      .insertInto('logged_datasets')
      .values({
        id: newId(),
        experiment_id: experimentId,
        name: dataset.name,
        digest: dataset.digest,
        source_type: dataset.sourceType,
        source: dataset.source,
        schema: dataset.schema ?? null,
        profile: dataset.profile ?? null,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const { id } = await db
      .selectFrom('logged_datasets')
      .select('id')
      .where('experiment_id', '=', experimentId)
      .where('name', '=', dataset.name)
      .where('digest', '=', dataset.digest)
      .executeTakeFirstOrThrow();
    return id;
  }

  return {
    /** Adds datasets to a run; one that the run has already keeps its first tags. */
    async addDatasets(
      run: { readonly id: string; readonly experimentId: string },
      inputs: readonly DatasetInput[],
      newId: () => string,
    ): Promise<void> {
      let position = await nextPosition('run_datasets', run.id);
      for (const input of inputs) {
        await db
          .insertInto('run_datasets')
          .values({
            run_id: run.id,
            dataset_id: await datasetId(parseExperimentId(run.experimentId), input, newId),
            position: position++,
            tags: JSON.stringify(input.tags),
            context: input.tags.findLast(({ key }) => key === datasetContextTag)?.value ?? null,
          })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      }
    },

    async addModels(
      runId: string,
      direction: 'input' | 'output',
      models: readonly { readonly modelId: string; readonly step: Int64 }[],
    ): Promise<void> {
      if (models.length === 0) return;
      const first = await nextPosition('run_models', runId);
      await db
        .insertInto('run_models')
        .values(
          models.map(({ modelId, step }, index) => ({
            run_id: runId,
            direction,
            model_id: modelId,
            step,
            position: first + index,
          })),
        )
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },

    /** The datasets that runs of these experiments read, each with each context, at most a thousand. */
    async summaries(experimentIds: readonly string[]): Promise<readonly DatasetSummary[]> {
      const rows = await db
        .selectFrom('logged_datasets')
        .innerJoin('run_datasets', 'run_datasets.dataset_id', 'logged_datasets.id')
        .select(['experiment_id', 'name', 'digest', 'context'])
        .distinct()
        .where('experiment_id', 'in', experimentIds.map(parseExperimentId))
        .limit(1000)
        .execute();
      return rows.map((row) => ({
        experimentId: String(row.experiment_id),
        name: row.name,
        digest: row.digest,
        ...(row.context === null ? {} : { context: row.context }),
      }));
    },
  };
};

export type RunInputStore = ReturnType<typeof runInputStore>;
