/** Prompts, as MLflow keeps them: registered models with a tag. They are versioned like models and hidden among them. */
import type { Tag } from './model-version.ts';

export const isPromptTag = 'mlflow.prompt.is_prompt';

export const isPrompt = (tags: readonly Tag[]): boolean =>
  tags.findLast(({ key }) => key === isPromptTag)?.value.toLowerCase() === 'true';

/** Prompts have no files; clients name one of these as their source. */
export const isPromptSource = (source: string): boolean => source === 'dummy-source' || source === 'prompt-template';
