/**
 * For the environment of an MLflow client: it does not load each model that it logs in one more process, to see which packages that
 * imports, which takes as long as all the rest. All that it asks the server there is once what it is; without, it names the flavor's
 * own packages.
 */
export const withoutInference = { MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT: '0' } as const;
