/** What clients of MLflow 2 send when they log a model: a note in a tag of the run. */
import { pythonJson } from './json.ts';
import { invalidRequest } from './message.ts';

export const logHistoryTag = 'mlflow.log-model.history';

/** The tag's value with one model more. @param history the value until now */
export function appendLoggedModel(history: string | undefined, modelJson: string): string {
  const model = parse(modelJson);
  const missing = ['artifact_path', 'flavors', 'utc_time_created', 'run_id'].filter((name) => !(name in model));
  if (missing.length > 0) {
    const names = missing.map((name) => `'${name}'`).join(', ');
    throw invalidRequest(`Model json is missing mandatory fields: {${names}}`);
  }
  const { run_id, artifact_path, utc_time_created, model_uuid, flavors } = model;
  const entry = {
    run_id,
    artifact_path,
    utc_time_created,
    model_uuid: model_uuid ?? null,
    flavors: withoutConfigs(flavors),
  };
  const before: unknown = history === undefined ? [] : JSON.parse(history);
  return pythonJson([...(Array.isArray(before) ? before : []), entry]);
}

/** A flavor's configuration may hold secrets and is large; the tag has neither. */
function withoutConfigs(flavors: unknown): unknown {
  if (typeof flavors !== 'object' || flavors === null) return flavors;
  return Object.fromEntries(
    Object.entries(flavors).map(([name, flavor]: [string, unknown]) => {
      if (typeof flavor !== 'object' || flavor === null) return [name, flavor];
      return [name, Object.fromEntries(Object.entries(flavor).filter(([key]) => key !== 'config'))];
    }),
  );
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const model: unknown = JSON.parse(text);
    if (typeof model === 'object' && model !== null) return { ...model };
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw invalidRequest(`Malformed model info. \n ${text} \n is not a valid JSON.`);
}
