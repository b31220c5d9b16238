/** The groups of MLflow's routes that are not here. Everything else that is unknown is a mistake of the caller. */

/** Each with parts of addresses that tell it. */
export const leftOut: readonly { readonly name: string; readonly paths: readonly string[] }[] = [
  {
    name: 'Traces',
    paths: [
      ...['/mlflow/traces', '/mlflow/unified-traces', '/v1/traces'],
      ...['/mlflow/get-trace-artifact', '/mlflow/get-online-trace-details'],
    ],
  },
  { name: 'Assessments and issues', paths: ['/mlflow/assessments', '/mlflow/issues'] },
  { name: 'Label schemas and review queues', paths: ['/mlflow/label-schemas', '/mlflow/review-queues'] },
  { name: 'Evaluation datasets', paths: ['/3.0/mlflow/datasets'] },
  { name: 'Scorers', paths: ['/mlflow/scorers', '/mlflow/scorer', '/mlflow/genai'] },
  {
    name: 'The gateway, the assistant and the registry of MCP servers',
    paths: ['/gateway', '/mlflow/gateway-proxy', '/mlflow/assistant', '/mlflow/mcp-servers'],
  },
  {
    name: 'The prompt lab and the optimization of prompts',
    paths: ['/runs/create-promptlab-run', '/mlflow/prompt-optimization'],
  },
  { name: 'GenAI jobs', paths: ['/mlflow/jobs', '/3.0/jobs'] },
  { name: 'Workspaces', paths: ['/mlflow/workspaces'] },
  { name: "MLflow's users and permissions", paths: ['/mlflow/users', '/permissions'] },
  { name: 'GraphQL queries', paths: ['/graphql'] },
  { name: "Demos and telemetry of MLflow's page", paths: ['/mlflow/demo', '/mlflow/ui-telemetry'] },
];

/** The name of the group that a path belongs to, as the start of a sentence. */
export const groupOf = (path: string): string | undefined =>
  leftOut.find(({ paths }) => paths.some((one) => `${path}/`.includes(`${one}/`)))?.name;
