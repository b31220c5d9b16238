/** The groups of MLflow's routes that are not here. Everything else that is unknown is a mistake of the caller. */

const groups: readonly (readonly [RegExp, string])[] = [
  [/\/mlflow\/(?:unified-)?traces?\b|\/mlflow\/get-(?:online-)?trace/, 'Traces'],
  [/^\/v1\/traces/, 'Traces'],
  [/\/mlflow\/(?:assessments|issues)/, 'Assessments and issues'],
  [/\/mlflow\/(?:label-schemas|review-queues)/, 'Review queues'],
  [/\/3\.0\/mlflow\/datasets\b/, 'Evaluation datasets'],
  [/\/mlflow\/scorers\b/, 'Scorers'],
  [/\/mlflow\/(?:gateway|gateway-proxy|prompt-optimization|genai|assistant|mcp)/, 'The gateway and the assistant'],
  [/\/mlflow\/runs\/create-promptlab-run/, 'The prompt lab'],
  [/\/mlflow\/jobs\b|\/3\.0\/jobs\b/, 'GenAI jobs'],
  [/\/mlflow\/workspaces\b/, 'Workspaces'],
  [/\/mlflow\/(?:users|permissions)\b|\/permissions\//, "MLflow's users and permissions"],
  [/^\/graphql/, 'GraphQL queries'],
];

/** The name of the group that a path belongs to, as the start of a sentence. */
export const groupOf = (path: string): string | undefined => groups.find(([pattern]) => pattern.test(path))?.[1];
