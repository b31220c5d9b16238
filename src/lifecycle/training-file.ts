/** Which of a pipeline's files holds the rows that the model was trained on. */
import type { ProjectConfig } from './project-schema.ts';

/**
 * Among the Parquet files that the model's step reads, directly or by way of a step that writes them, the first that is not for
 * the gates.
 * @returns its path below the project folder; undefined when there is none, and then drift cannot be judged
 */
export function trainingFileOf({
  pipeline = {},
  gates,
}: Pick<ProjectConfig, 'pipeline' | 'gates'>): string | undefined {
  const step = Object.values(pipeline).find((one) => one.model !== undefined);
  const parity = gates?.tests.find((test) => 'parity' in test);
  const forGates = new Set([gates?.data, parity && 'parity' in parity ? parity.parity : undefined]);
  return (step?.reads ?? [])
    .flatMap((read) => pipeline[read]?.writes ?? [read])
    .find((path) => path.endsWith('.parquet') && !forGates.has(path));
}
