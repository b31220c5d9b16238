"""The part of the journey that needs arrays, tables and models. What MLflow 2 and 3 call differently is told apart here."""

import os

import mlflow
import numpy as np
import skl2onnx
import xgboost
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

has_logged_models = int(mlflow.__version__.split(".")[0]) >= 3


def named(name):
    return {"name": name} if has_logged_models else {"artifact_path": name}


def run(client, experiment, step):
    X, y = load_iris(return_X_y=True, as_frame=True)
    classifier = LogisticRegression(max_iter=200).fit(X, y)
    expected = list(classifier.predict(X[:3]))

    step("tables, images, data")
    with mlflow.start_run(run_name="tables") as tables:
        mlflow.log_table({"question": ["a"], "answer": ["b"]}, "table.json")
        mlflow.log_image(np.zeros((8, 8, 3), dtype=np.uint8), key="image", step=1)
        mlflow.log_input(mlflow.data.from_pandas(X, name="iris", targets=None), context="training")
    run_id = tables.info.run_id
    assert sorted(one.path for one in client.list_artifacts(run_id)) == ["images", "table.json"]
    assert len(mlflow.load_table("table.json", run_ids=[run_id])) == 1
    [data] = client.get_run(run_id).inputs.dataset_inputs
    assert data.dataset.name == "iris" and data.tags[0].value == "training"
    assert len(mlflow.search_runs(experiment_names=["journey"], filter_string="tags.group = 'search'")) == 5

    step("scikit-learn autologging")
    mlflow.sklearn.autolog()
    with mlflow.start_run(run_name="auto") as auto:
        LogisticRegression(max_iter=200).fit(X, y)
    mlflow.sklearn.autolog(disable=True)
    auto = client.get_run(auto.info.run_id)
    assert auto.data.params["max_iter"] == "200" and auto.data.metrics["training_accuracy_score"] > 0.9
    if has_logged_models:
        assert len(mlflow.search_logged_models(experiment_ids=[experiment.experiment_id])) == 1

    step("XGBoost autologging")
    mlflow.xgboost.autolog()
    table = xgboost.DMatrix(X, y)
    with mlflow.start_run(run_name="boosted") as boosted:
        trees = xgboost.train(
            {"objective": "multi:softmax", "num_class": 3, "max_depth": 3, "nthread": 1},
            table,
            num_boost_round=12,
            evals=[(table, "train")],
            verbose_eval=False,
        )
    mlflow.xgboost.autolog(disable=True)
    found = client.get_run(boosted.info.run_id)
    assert found.data.params["max_depth"] == "3" and found.data.metrics["train-mlogloss"] < 0.5
    history = client.get_metric_history(boosted.info.run_id, "train-mlogloss")
    assert sorted(point.step for point in history) == list(range(12))
    assert "feature_importance_weight.json" in [one.path for one in client.list_artifacts(boosted.info.run_id)]
    loaded = mlflow.pyfunc.load_model(f"runs:/{boosted.info.run_id}/model")
    assert list(loaded.predict(X[:3])) == list(trees.predict(xgboost.DMatrix(X[:3])))

    step("log_model, register, alias, load by every form of URI")
    with mlflow.start_run(run_name="model") as model:
        mlflow.log_metric("accuracy", 0.97)
        info = mlflow.sklearn.log_model(classifier, **named("model"), input_example=X[:2])
    version = mlflow.register_model(info.model_uri, "iris", tags={"kind": "candidate"})
    assert str(version.version) == "1" and version.run_id == model.info.run_id
    client.set_registered_model_alias("iris", "champion", 1)
    client.transition_model_version_stage("iris", "1", "Staging")
    stored = client.get_model_version_download_uri("iris", "1")
    if stored.startswith("models:/"):
        stored = client.get_logged_model(info.model_id).artifact_location
    through_http = f"{mlflow.get_tracking_uri()}/api/2.0/mlflow-artifacts/artifacts/{stored.split(':/', 1)[1].lstrip('/')}"
    uris = [
        "models:/iris/1",
        "models:/iris@champion",
        "models:/iris/latest",
        "models:/iris/Staging",
        f"runs:/{model.info.run_id}/model",
        info.model_uri,
        stored,
        through_http,
        mlflow.artifacts.download_artifacts("models:/iris/1"),
    ]
    for uri in uris:
        assert list(mlflow.pyfunc.load_model(uri).predict(X[:3])) == expected, uri
    assert list(mlflow.sklearn.load_model("models:/iris@champion").predict(X[:3])) == expected
    assert mlflow.models.get_model_info("models:/iris/1").signature is not None
    if has_logged_models:
        assert info.model_uri == f"models:/{info.model_id}"
        logged = client.get_logged_model(info.model_id)
        assert logged.tags["mlflow.modelVersions"] and logged.source_run_id == model.info.run_id
        assert {one.key: one.value for one in logged.metrics} == {"accuracy": 0.97}
    client.copy_model_version("models:/iris/1", "copy")
    assert client.get_model_version("copy", "1").source == "models:/iris/1"
    assert list(mlflow.pyfunc.load_model("models:/copy/1").predict(X[:3])) == expected

    step("ONNX")
    onnx = skl2onnx.to_onnx(classifier, X[:1].to_numpy(dtype=np.float32), options={id(classifier): {"zipmap": False}})
    with mlflow.start_run(run_name="onnx"):
        mlflow.onnx.log_model(onnx, **named("onnx"), registered_model_name="iris-onnx")
    answer = mlflow.pyfunc.load_model("models:/iris-onnx/1").predict(X[:3].to_numpy(dtype=np.float32))
    assert list(answer["label"]) == expected
    fetched = mlflow.artifacts.download_artifacts("models:/iris-onnx/1")
    assert {"MLmodel", "model.onnx"} <= set(os.listdir(fetched))
    assert mlflow.onnx.load_model("models:/iris-onnx/1").graph == onnx.graph

    step("prompts")
    prompts = getattr(mlflow, "genai", mlflow)
    if hasattr(prompts, "register_prompt"):
        prompts.register_prompt("greeting", "Hello {{name}}")
        loaded = prompts.load_prompt("prompts:/greeting/1")
        assert loaded.format(name="you") == "Hello you"
    assert "greeting" not in [one.name for one in client.search_registered_models()]
