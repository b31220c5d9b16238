/** What webhooks tell of models and prompts besides what is in the log. */
import type { RegistryFacts } from '../notify/webhook-message.ts';
import { modelStore } from '../registry/model-store.ts';
import type { Tag } from '../registry/model-version.ts';
import { versionStore } from '../registry/version-store.ts';
import type { Db } from '../storage/database.ts';

export const registryFacts = (tx: Db): RegistryFacts => ({
  model: async (name) => {
    const model = await modelStore(tx).find(name);
    return model && { tags: record(model.tags), description: model.description ?? '' };
  },
  version: async (name, number) => {
    const version = await versionStore(tx).find(name, number);
    return version && { tags: record(version.tags), description: version.description ?? '' };
  },
});

const record = (tags: readonly Tag[]) => Object.fromEntries(tags.map(({ key, value }) => [key, value]));
