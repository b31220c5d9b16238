import { datasetContextTag, type Run } from '../tracking/run.ts';
import type { Lineage } from './model-version.ts';

/** What a run says about where its models came from: the datasets it read and the commit it ran. */
export function lineageOfRun(run: Pick<Run, 'datasets' | 'tags'> | undefined): Lineage {
  const commit = run?.tags.find(({ key }) => key === 'mlflow.source.git.commit')?.value;
  return {
    datasets: (run?.datasets ?? []).map(({ dataset, tags }) => ({
      name: dataset.name,
      version: dataset.digest,
      context: tags.findLast(({ key }) => key === datasetContextTag)?.value ?? '',
    })),
    ...(commit === undefined ? {} : { code: commit }),
  };
}
