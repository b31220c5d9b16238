/** The tag in which a logged model lists the versions it became. */
import type { Tag } from '../tracking/names.ts';
import { pythonJson } from './json.ts';

export const versionsTag = 'mlflow.modelVersions';

/** The tag's new value. */
export function addVersionNote(
  tags: readonly Tag[],
  added: { readonly name: string; readonly version: number },
): string {
  const known = listOf(tags.find(({ key }) => key === versionsTag)?.value);
  const others = known.filter((one) => pythonJson(one) !== pythonJson(added));
  return pythonJson([...others, added]);
}

function listOf(value: string | undefined): readonly unknown[] {
  if (value === undefined) return [];
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) ? list : [];
  } catch {
    return []; // clients write this tag too; what is no list is replaced
  }
}
