"""What a data scientist does with MLflow, start to end, with the client as PyPI has it. Prints each step; fails loudly."""

import math
import os
import tempfile
import warnings

warnings.filterwarnings("ignore")

import mlflow
import numpy as np
import pandas as pd
import skl2onnx
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

client = MlflowClient()
X, y = load_iris(return_X_y=True, as_frame=True)


def step(name):
    print(name, flush=True)


def raises(code, action):
    try:
        action()
    except MlflowException as error:
        assert error.error_code == code, (error.error_code, str(error))
        return str(error)
    raise AssertionError(f"{code} expected")


step(f"mlflow {mlflow.__version__}: fluent logging")
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
    mlflow.log_table({"question": ["a"], "answer": ["b"]}, "table.json")
    mlflow.log_image(np.zeros((8, 8, 3), dtype=np.uint8), key="image", step=1)
    mlflow.log_input(mlflow.data.from_pandas(X, name="iris", targets=None), context="training")
    with mlflow.start_run(nested=True, run_name="child") as child:
        mlflow.log_metric("loss", 0.75)
    run_id = run.info.run_id

found = client.get_run(run_id)
assert found.info.status == "FINISHED" and found.info.end_time
assert found.data.params == {"depth": "3", "lr": "0.1", "kind": "x"}
assert found.data.metrics["loss"] == 0.25 and math.isnan(found.data.metrics["nan"])
assert found.data.metrics["inf"] == np.finfo(np.float64).max
assert found.inputs.dataset_inputs[0].dataset.name == "iris"
assert client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == run_id
assert [(point.step, point.value) for point in client.get_metric_history(run_id, "loss")] == [(1, 0.5), (2, 0.25)]

step("artifacts")
assert sorted(one.path for one in client.list_artifacts(run_id)) == ["images", "notes", "table.json"]
assert sorted(one.path for one in client.list_artifacts(run_id, "notes")) == ["notes/a.json", "notes/a.txt"]
assert mlflow.artifacts.load_text(f"runs:/{run_id}/notes/a.txt") == "hello"
assert len(mlflow.load_table("table.json", run_ids=[run_id])) == 1
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

step("scikit-learn autologging")
mlflow.sklearn.autolog()
with mlflow.start_run(run_name="auto") as auto:
    LogisticRegression(max_iter=200).fit(X, y)
mlflow.sklearn.autolog(disable=True)
auto = client.get_run(auto.info.run_id)
assert auto.data.params["max_iter"] == "200" and auto.data.metrics["training_accuracy_score"] > 0.9
assert len(mlflow.search_logged_models(experiment_ids=[experiment.experiment_id])) == 1

step("log_model, register, alias, load by every URI")
classifier = LogisticRegression(max_iter=200).fit(X, y)
with mlflow.start_run(run_name="model") as run:
    mlflow.log_metric("accuracy", 0.97)
    info = mlflow.sklearn.log_model(classifier, name="model", input_example=X[:2])
version = mlflow.register_model(info.model_uri, "iris", tags={"stage": "candidate"})
assert version.version == "1" and version.run_id == run.info.run_id
client.set_registered_model_alias("iris", "champion", 1)
assert client.get_model_version_by_alias("iris", "champion").version == "1"
uris = ["models:/iris/1", "models:/iris@champion", "models:/iris/latest", info.model_uri, f"runs:/{run.info.run_id}/model"]
for uri in uris:
    assert list(mlflow.pyfunc.load_model(uri).predict(X[:3])) == list(classifier.predict(X[:3])), uri
assert client.get_logged_model(info.model_id).tags["mlflow.modelVersions"]

step("ONNX")
onnx = skl2onnx.to_onnx(classifier, X[:1].to_numpy(dtype=np.float32), options={id(classifier): {"zipmap": False}})
with mlflow.start_run(run_name="onnx"):
    mlflow.onnx.log_model(onnx, name="onnx", registered_model_name="iris-onnx")
answer = mlflow.pyfunc.load_model("models:/iris-onnx/1").predict(X[:3].to_numpy(dtype=np.float32))
assert list(answer["label"]) == list(classifier.predict(X[:3]))

step("registry")
mlflow.register_model(info.model_uri, "iris")
client.transition_model_version_stage("iris", "2", "Production")
client.transition_model_version_stage("iris", "1", "Production", archive_existing_versions=True)
assert [one.version for one in client.get_latest_versions("iris", ["Production"])] == ["1"]
assert client.get_model_version("iris", "2").current_stage == "Archived"
client.update_registered_model("iris", "the flowers")
client.update_model_version("iris", "1", "the first")
client.set_model_version_tag("iris", "1", "k", "v")
client.set_registered_model_tag("iris", "k", "v")
assert client.get_registered_model("iris").tags == {"k": "v"}
client.delete_model_version_tag("iris", "1", "k")
client.delete_registered_model_tag("iris", "k")
client.copy_model_version("models:/iris/1", "copy")
client.rename_registered_model("copy", "copied")
assert client.get_model_version("copied", "1").source == "models:/iris/1"
assert {one.name for one in client.search_registered_models("name LIKE 'iris%'")} == {"iris", "iris-onnx"}
assert [one.version for one in client.search_model_versions("name='iris'", order_by=["version_number ASC"])] == ["1", "2"]
client.delete_registered_model_alias("iris", "champion")
client.delete_model_version("iris", "2")
client.delete_registered_model("copied")
mlflow.genai.register_prompt("greeting", "Hello {{name}}") if hasattr(mlflow, "genai") else None

step("search")
for index in range(5):
    with mlflow.start_run(run_name=f"s{index}", tags={"group": "search"}):
        mlflow.log_metric("score", index)
names = lambda **query: [one.info.run_name for one in client.search_runs([experiment.experiment_id], **query)]
assert names(filter_string="tags.group = 'search' and metrics.score >= 2", order_by=["metrics.score DESC"]) == ["s4", "s3", "s2"]
assert names(filter_string="attributes.run_name = 's1'") == ["s1"]
page = client.search_runs([experiment.experiment_id], "tags.group = 'search'", max_results=2)
rest = client.search_runs([experiment.experiment_id], "tags.group = 'search'", max_results=9, page_token=page.token)
assert len(page) == 2 and len(rest) == 3 and rest.token is None
assert len(mlflow.search_runs(experiment_names=["journey"], filter_string="tags.group = 'search'")) == 5
assert [one.name for one in client.search_experiments(filter_string="name = 'journey'")] == ["journey"]

step("what a client may get wrong")
raises("RESOURCE_DOES_NOT_EXIST", lambda: client.get_run("0" * 32))
raises("RESOURCE_ALREADY_EXISTS", lambda: client.create_experiment("journey"))
raises("INVALID_PARAMETER_VALUE", lambda: client.search_runs([experiment.experiment_id], "metrics.m = 'x'"))
assert "Changing param values is not allowed" in raises("INVALID_PARAMETER_VALUE", lambda: client.log_param(run_id, "depth", 4))
raises("RESOURCE_DOES_NOT_EXIST", lambda: client.get_model_version("iris", "2"))
raises("INVALID_PARAMETER_VALUE", lambda: client.get_model_version_by_alias("iris", "nobody"))

step("deleting and restoring")
client.delete_run(run_id)
assert client.get_run(run_id).info.lifecycle_stage == "deleted"
raises("INVALID_PARAMETER_VALUE", lambda: client.log_metric(run_id, "loss", 1))
client.restore_run(run_id)
client.set_tag(run_id, "back", "yes")
client.delete_tag(run_id, "back")
client.delete_experiment(experiment.experiment_id)
client.restore_experiment(experiment.experiment_id)

print("all steps passed")
