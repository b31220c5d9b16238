"""Fills an MLflow with what teams have in one: run with the unmodified client against a server, a database or a folder."""

import os
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from sklearn.linear_model import LogisticRegression

client = MlflowClient()
points = int(sys.argv[1]) if len(sys.argv) > 1 else 26_000  # more than one page of a history
X = pd.DataFrame({"a": np.arange(40.0), "b": np.arange(40.0) % 7})
y = (X["a"] > 20).astype(int)

default = client.create_run("0", run_name="in Default")
client.log_metric(default.info.run_id, "m", 1.5)
client.set_terminated(default.info.run_id)

name = "Versuche – größer 試験 1e3"
experiment = client.create_experiment(name, tags={"team": "größe", "mlflow.note.content": "# Notiz\nzwei Zeilen", "rondo.exported_from": "9"})
mlflow.set_experiment(name)
with mlflow.start_run(run_name="Über 🚀 'quoted' \"twice\"", description="what it is for") as parent:
    mlflow.log_params({"depth": 3, "lr": 0.1, "long": "x" * 5000, "empty": "", "multi/key with space": "line\nbreak: #"})
    mlflow.log_metrics({"loss": 0.25, "nan": float("nan"), "inf": float("inf"), "minus": float("-inf"), "nested/a": 1e-300})
    mlflow.log_metric("big step", 1.0, step=2**62, timestamp=1)
    mlflow.log_metric("negative", -0.1, step=-5)
    mlflow.set_tags({"team": "ml", "empty": "", "yes": "yes", "number": "1e3", "rondo.exported_from": "an export before"})
    mlflow.log_text("hello", "notes/a.txt")
    mlflow.log_text("", "notes/empty.txt")
    mlflow.log_dict({"ä": [1, 2]}, "notes/ö ü.json")
    mlflow.log_input(mlflow.data.from_pandas(X, name="iris", targets=None), context="training", tags={"part": "all"})
    mlflow.log_input(mlflow.data.from_pandas(X[:10], name="other"), context="eval")
    for at in range(3):
        with mlflow.start_run(nested=True, run_name=f"child {at}"):
            mlflow.log_metric("loss", 0.5 + at)
            with mlflow.start_run(nested=True, run_name=f"grandchild {at}"):
                mlflow.log_param("at", at)
    with tempfile.TemporaryDirectory() as folder:
        for file in ["ä ö.txt", "a+b=c.bin", "deep"]:
            with open(os.path.join(folder, file), "wb") as out:
                out.write(os.urandom(50_000))
        mlflow.log_artifacts(folder, "named")

long = client.create_run(experiment, run_name="long", start_time=1_700_000_000_000)
batch = []
for step in range(points):
    value = float("nan") if step % 1000 == 7 else float(np.sin(step / 50) * 1.0000000001)
    batch.append(Metric("curve", value, 1_700_000_000_000 + step, step))
    if step % 30 == 0:
        batch.append(Metric("same step", step / 3, 1_700_000_000_000 + step, 0))
for at in range(0, len(batch), 1000):
    client.log_batch(long.info.run_id, metrics=batch[at : at + 1000])
client.set_terminated(long.info.run_id, status="FAILED", end_time=1_700_000_100_000)

running = client.create_run(experiment, run_name="still running")
client.log_batch(running.info.run_id, params=[Param("p", "1")], tags=[RunTag("t", "v")])
deleted = client.create_run(experiment, run_name="deleted")
client.log_metric(deleted.info.run_id, "m", 2.0)
client.delete_run(deleted.info.run_id)
gone = client.create_experiment("gone")
client.create_run(gone, run_name="with it")
client.delete_experiment(gone)
client.create_experiment("empty")

mlflow.set_experiment("models")
mlflow.sklearn.autolog()
with mlflow.start_run(run_name="auto"):
    LogisticRegression(max_iter=200).fit(X, y)
mlflow.sklearn.autolog(disable=True)
classifier = LogisticRegression(max_iter=200).fit(X, y)
with mlflow.start_run(run_name="model") as run:
    mlflow.log_metric("accuracy", 0.97)
    info = mlflow.sklearn.log_model(classifier, name="model", input_example=X[:2], params={"C": 1}, tags={"kind": "linear", "rondo.exported_from": "m-1"})
    mlflow.log_metric("auc", 0.9, model_id=info.model_id, dataset=mlflow.data.from_pandas(X, name="iris"))
for _ in range(4):
    mlflow.register_model(info.model_uri, "iris", tags={"stage": "candidate"})
mlflow.register_model(f"runs:/{run.info.run_id}/model", "from run")
client.update_registered_model("iris", description="Iris – 分類")
client.set_registered_model_tag("iris", "owner", "ada")
client.set_registered_model_tag("iris", "rondo.exported_from", "an export before")
client.update_model_version("iris", "1", description="the first")
client.set_model_version_tag("iris", "1", "validated", "true")
client.transition_model_version_stage("iris", "1", "Archived")
client.transition_model_version_stage("iris", "2", "Production")
client.set_registered_model_alias("iris", "champion", "2")
client.set_registered_model_alias("iris", "challenger", "3")
client.set_registered_model_alias("iris", "newest", "3")
client.delete_model_version("iris", "4")
mlflow.create_external_model(name="external", params={"a": "b"})
if os.environ.get("WITH_PROMPTS") == "yes":
    mlflow.genai.register_prompt("greeting", "Hello {{name}}", commit_message="first", tags={"lang": "en"})
    mlflow.genai.register_prompt("greeting", "Good day {{name}}", commit_message="second")
    mlflow.genai.set_prompt_alias("greeting", alias="live", version=1)
if os.environ.get("WITH_WHAT_STAYS") == "yes":
    from mlflow.entities.webhook import WebhookAction, WebhookEntity, WebhookEvent

    created = WebhookEvent(WebhookEntity.MODEL_VERSION, WebhookAction.CREATED)
    client.create_webhook(name="hook", url="https://127.0.0.1/hook", events=[created])
    with mlflow.start_span("traced"):
        pass
    mlflow.flush_trace_async_logging()
print("done")
