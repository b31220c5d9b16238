"""All that the unmodified client sees of an MLflow, as one JSON document: to be compared before and after a move."""

import hashlib
import json
import os
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")

from mlflow import MlflowClient
from mlflow.entities import ViewType
from mlflow.store.entities import PagedList

client = MlflowClient()


def everything(search, **arguments):
    token, found = None, []
    while True:
        page: PagedList = search(**arguments, page_token=token)
        found.extend(page)
        token = page.token
        if not token:
            return found


def number(value):
    return repr(float(value))


def files(uri, folder):
    found = {}
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = hashlib.sha256(file.read()).hexdigest()
    return found


def artifacts_of(run_id):
    if not client.list_artifacts(run_id):
        return {}
    with tempfile.TemporaryDirectory() as folder:
        return files(run_id, client.download_artifacts(run_id, "", folder))


def metric(one):
    return [one.key, number(one.value), one.timestamp, one.step]


view = {"experiments": {}, "runs": {}, "logged models": {}, "models": {}, "versions": {}}
for experiment in everything(client.search_experiments, view_type=ViewType.ALL):
    view["experiments"][experiment.experiment_id] = {
        "name": experiment.name,
        "lifecycle": experiment.lifecycle_stage,
        "created": experiment.creation_time,
        "updated": experiment.last_update_time,
        "tags": dict(experiment.tags),
        "location": experiment.artifact_location,
    }
ids = list(view["experiments"])
for run in everything(client.search_runs, experiment_ids=ids, run_view_type=ViewType.ALL, max_results=100):
    run = client.get_run(run.info.run_id)
    view["runs"][run.info.run_id] = {
        "info": {key: value for key, value in dict(run.info).items() if key not in ("artifact_uri",)},
        "location": run.info.artifact_uri,
        "params": run.data.params,
        "tags": run.data.tags,
        "metrics": {key: number(value) for key, value in run.data.metrics.items()},
        "histories": {
            key: sorted(metric(point) for point in client.get_metric_history(run.info.run_id, key))
            for key in run.data.metrics
        },
        "datasets": sorted(
            [
                [one.dataset.name, one.dataset.digest, one.dataset.source_type, one.dataset.source, one.dataset.schema,
                 one.dataset.profile, sorted([tag.key, tag.value] for tag in one.tags)]
                for one in run.inputs.dataset_inputs
            ],
            key=str,
        ),
        "inputs": sorted(one.model_id for one in run.inputs.model_inputs),
        "outputs": sorted([one.model_id, one.step] for one in run.outputs.model_outputs),
        "artifacts": artifacts_of(run.info.run_id) if "--artifacts" in sys.argv else {},
    }
for model in everything(client.search_logged_models, experiment_ids=ids):
    one = client.get_logged_model(model.model_id)
    seen = {key: value for key, value in one.to_dictionary().items() if key not in ("metrics", "artifact_location")}
    seen["location"] = one.artifact_location
    seen["metrics"] = sorted(
        ([*metric(point), point.run_id, point.dataset_name, point.dataset_digest] for point in one.metrics or []), key=str
    )
    if "--artifacts" in sys.argv and client.list_logged_model_artifacts(one.model_id):
        import mlflow

        with tempfile.TemporaryDirectory() as folder:
            seen["artifacts"] = files("", mlflow.artifacts.download_artifacts(f"models:/{one.model_id}", dst_path=folder))
            # The client writes this one itself when it downloads a model.
            seen["artifacts"].pop("registered_model_meta", None)
    view["logged models"][one.model_id] = seen
prompts = "tags.`mlflow.prompt.is_prompt` = 'true'"
registered = [(model, False) for model in everything(client.search_registered_models)]
registered += [(model, True) for model in everything(client.search_registered_models, filter_string=prompts)]
for model, is_prompt in registered:
    one = model if is_prompt else client.get_registered_model(model.name)  # the client hides prompts here
    view["models"][one.name] = {
        "description": one.description or "",
        "created": one.creation_timestamp,
        "updated": one.last_updated_timestamp,
        "tags": one.tags,
        "aliases": one.aliases,
        "latest": sorted([version.current_stage, str(version.version)] for version in one.latest_versions),
    }
    only = f" and {prompts}" if is_prompt else ""
    for found in everything(client.search_model_versions, filter_string=f"name = '{one.name}'{only}"):
        version = found if is_prompt else client.get_model_version(found.name, found.version)
        seen = {key: value for key, value in dict(version).items() if key not in ("metrics", "params", "model_id")}
        seen["aliases"], seen["version"] = sorted(version.aliases), str(version.version)
        seen["location"] = None if is_prompt else client.get_model_version_download_uri(found.name, found.version)
        if is_prompt:
            seen.pop("aliases")  # a search in MLflow leaves them out
        view["versions"][f"{found.name}/{found.version}"] = seen
json.dump(view, sys.stdout, default=lambda value: str(value), sort_keys=True, indent=1)
