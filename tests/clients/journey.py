"""What one does with MLflow, start to end, with the client as PyPI has it. Prints each step; fails loudly. Works with mlflow-skinny, too:
what needs arrays and tables is in model_journey.py."""

import importlib.util
import math
import os
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

client = MlflowClient()
is_skinny = importlib.util.find_spec("sklearn") is None


def step(name):
    print(name, flush=True)


def raises(code, action):
    try:
        action()
    except MlflowException as error:
        assert error.error_code == code, (error.error_code, str(error))
        return str(error)
    raise AssertionError(f"{code} expected")


step(f"mlflow {mlflow.__version__}{' (skinny)' if is_skinny else ''}: fluent logging, nested runs")
experiment = mlflow.set_experiment("journey")
assert mlflow.set_experiment("journey").experiment_id == experiment.experiment_id
with mlflow.start_run(run_name="first", description="what it is for") as run:
    mlflow.log_param("depth", 3)
    mlflow.log_params({"lr": 0.1, "kind": "x"})
    mlflow.log_metric("loss", 0.5, step=1)
    mlflow.log_metrics({"loss": 0.25, "nan": float("nan"), "inf": float("inf")}, step=2)
    mlflow.set_tags({"team": "ml", "mlflow.note.content": "note"})
    mlflow.log_text("hello", "notes/a.txt")
    mlflow.log_dict({"a": [1, 2]}, "notes/a.json")
    with mlflow.start_run(nested=True, run_name="child") as child:
        mlflow.log_metric("loss", 0.75)
        with mlflow.start_run(nested=True, run_name="grandchild") as grandchild:
            mlflow.log_metric("loss", 0.875)
    run_id = run.info.run_id

found = client.get_run(run_id)
assert found.info.status == "FINISHED" and found.info.end_time
assert found.data.params == {"depth": "3", "lr": "0.1", "kind": "x"}
assert found.data.metrics["loss"] == 0.25 and math.isnan(found.data.metrics["nan"])
assert found.data.metrics["inf"] == sys.float_info.max
assert client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == run_id
assert client.get_run(grandchild.info.run_id).data.tags["mlflow.parentRunId"] == child.info.run_id
assert [(point.step, point.value) for point in client.get_metric_history(run_id, "loss")] == [(1, 0.5), (2, 0.25)]
try:
    with mlflow.start_run(run_name="failing") as failing:
        raise ZeroDivisionError
except ZeroDivisionError:
    assert client.get_run(failing.info.run_id).info.status == "FAILED"
with mlflow.start_run(run_id=run_id):
    mlflow.log_metric("late", 1)
assert client.get_run(run_id).data.metrics["late"] == 1

step("artifacts")
assert sorted(one.path for one in client.list_artifacts(run_id)) == ["notes"]
assert sorted(one.path for one in client.list_artifacts(run_id, "notes")) == ["notes/a.json", "notes/a.txt"]
assert mlflow.artifacts.load_text(f"runs:/{run_id}/notes/a.txt") == "hello"
assert mlflow.artifacts.load_dict(f"{run.info.artifact_uri}/notes/a.json") == {"a": [1, 2]}
with tempfile.TemporaryDirectory() as folder:
    for name in ["ä ö.txt", "100%.txt", "a+b=c.txt"]:
        with open(os.path.join(folder, name), "w") as file:
            file.write(name)
    client.log_artifacts(run_id, folder, "named")
    fetched = client.download_artifacts(run_id, "named")
    assert sorted(os.listdir(fetched)) == sorted(["ä ö.txt", "100%.txt", "a+b=c.txt"])
    big = os.path.join(folder, "big.bin")
    with open(big, "wb") as file:
        file.write(os.urandom(20_000_000))
    client.log_artifact(run_id, big)
    with open(client.download_artifacts(run_id, "big.bin"), "rb") as one, open(big, "rb") as other:
        assert one.read() == other.read()
try:
    mlflow.artifacts.load_text(f"runs:/{run_id}/none.txt")
    raise AssertionError("a missing artifact was found")
except MlflowException:
    pass

step("registry")
client.create_registered_model("notes", tags={"kind": "text"}, description="not a model of anything")
first = client.create_model_version("notes", f"{run.info.artifact_uri}/notes", run_id, tags={"k": "v"})
assert (first.version, first.run_id, first.status) == ("1", run_id, "READY")
assert client.create_model_version("notes", f"{run.info.artifact_uri}/notes", run_id).version == "2"
client.set_registered_model_alias("notes", "champion", "1")
assert client.get_model_version_by_alias("notes", "champion").version == "1"
assert client.get_registered_model("notes").aliases == {"champion": "1"}
client.transition_model_version_stage("notes", "2", "Production")
client.transition_model_version_stage("notes", "1", "Production", archive_existing_versions=True)
assert [one.version for one in client.get_latest_versions("notes", ["Production"])] == ["1"]
assert client.get_model_version("notes", "2").current_stage == "Archived"
client.update_registered_model("notes", "texts")
client.update_model_version("notes", "1", "the first")
assert client.get_model_version("notes", "1").description == "the first"
client.set_model_version_tag("notes", "2", "k", "w")
client.delete_model_version_tag("notes", "1", "k")
client.set_registered_model_tag("notes", "k", "v")
client.delete_registered_model_tag("notes", "kind")
assert client.get_registered_model("notes").tags == {"k": "v"}
client.rename_registered_model("notes", "texts")
assert [one.name for one in client.search_registered_models("name LIKE 'tex%'")] == ["texts"]
versions = client.search_model_versions("name='texts'", order_by=["version_number ASC"])
assert [one.version for one in versions] == ["1", "2"]
client.delete_registered_model_alias("texts", "champion")
client.delete_model_version("texts", "2")
raises("RESOURCE_DOES_NOT_EXIST", lambda: client.get_model_version("texts", "2"))
raises("INVALID_PARAMETER_VALUE", lambda: client.get_model_version_by_alias("texts", "nobody"))
client.delete_registered_model("texts")
assert client.search_registered_models("name = 'texts'") == []

step("search")
for index in range(5):
    with mlflow.start_run(run_name=f"s{index}", tags={"group": "search"}):
        mlflow.log_metric("score", index)
names = lambda **query: [one.info.run_name for one in client.search_runs([experiment.experiment_id], **query)]
assert names(filter_string="tags.group = 'search' and metrics.score >= 2", order_by=["metrics.score DESC"]) == ["s4", "s3", "s2"]
assert names(filter_string="attributes.run_name = 's1'") == ["s1"]
page = client.search_runs([experiment.experiment_id], "tags.group = 'search'", max_results=2)
rest = client.search_runs([experiment.experiment_id], "tags.group = 'search'", max_results=9, page_token=page.token)
assert len(page) == 2 and len(rest) == 3 and not rest.token
assert [one.name for one in client.search_experiments(filter_string="name = 'journey'")] == ["journey"]

if not is_skinny:
    import model_journey

    model_journey.run(client, experiment, step)

step("what a client may get wrong")
raises("RESOURCE_DOES_NOT_EXIST", lambda: client.get_run("0" * 32))
raises("RESOURCE_ALREADY_EXISTS", lambda: client.create_experiment("journey"))
raises("INVALID_PARAMETER_VALUE", lambda: client.search_runs([experiment.experiment_id], "metrics.m = 'x'"))
message = raises("INVALID_PARAMETER_VALUE", lambda: client.log_param(run_id, "depth", 4))
assert "Changing param values is not allowed" in message

step("deleting and restoring")
client.delete_run(run_id)
assert client.get_run(run_id).info.lifecycle_stage == "deleted"
raises("INVALID_PARAMETER_VALUE", lambda: client.log_metric(run_id, "loss", 1))
client.restore_run(run_id)
client.set_tag(run_id, "back", "yes")
client.delete_tag(run_id, "back")
client.delete_experiment(experiment.experiment_id)
assert client.get_experiment_by_name("journey").lifecycle_stage == "deleted"
client.restore_experiment(experiment.experiment_id)

print("all steps passed")
