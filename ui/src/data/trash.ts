/** Bringing back what was deleted. */
import { post } from './api.ts';

export async function restoreFromTrash(kind: 'experiment' | 'run', ids: readonly string[]): Promise<void> {
  for (const id of ids) await post(`/api/v1/trash/${kind}/${encodeURIComponent(id)}/restore`);
}
