"""Step 2: an ordinary program of the mlflow client. It trains with scikit-learn, lets mlflow log what it does, and writes ONNX."""

import argparse
import os
import pathlib

import mlflow
import numpy as np
import onnx
import pandas as pd
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

FEATURES = ["education", "marriage", "credit_limit", "bill"]
TARGET = "defaulted"


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--kind", choices=["limit", "boosted"], default="limit")
    kind = options.parse_args().kind
    seed = int(os.environ.get("RONDO_SEED", 42))
    train, test = pd.read_parquet("out/train.parquet"), pd.read_parquet("out/test.parquet")

    mlflow.sklearn.autolog(log_models=False, log_datasets=False, log_post_training_metrics=False, silent=True)
    with mlflow.start_run(run_name=kind):
        # Rondo finds the run of its step by this tag, and registers the model under it.
        if "RONDO_EXECUTION" in os.environ:
            mlflow.set_tag("rondo.execution", os.environ["RONDO_EXECUTION"])
        mlflow.log_input(mlflow.data.from_pandas(train, source="out/train.parquet", targets=TARGET), context="training")
        model = pipeline(kind, seed).fit(train[FEATURES], train[TARGET])
        answers = model.predict_proba(test[FEATURES])[:, 1]
        mlflow.log_metrics({"auc": roc_auc_score(test[TARGET], answers), "log_loss": log_loss(test[TARGET], answers)})

        inputs = [(name, FloatTensorType([None, 1])) for name in FEATURES]
        file = to_onnx(model, initial_types=inputs, options={"zipmap": False}, target_opset=18)
        # Without them mlflow loads the model in another process to see what it imports, which takes seconds.
        packages = mlflow.onnx.get_default_pip_requirements()
        mlflow.onnx.log_model(file, name="model", pip_requirements=packages)
        onnx.save(file, pathlib.Path("out/model.onnx"))
    # What the trainer itself answers: the file must answer the same wherever it runs.
    expected = test[FEATURES].astype(np.float32).assign(score=answers)
    expected.to_parquet("out/expected.parquet", index=False)


def pipeline(kind: str, seed: int) -> Pipeline:
    if kind == "limit":
        scaled = ColumnTransformer([("limit", StandardScaler(), ["credit_limit"])], remainder="drop")
        return Pipeline([("columns", scaled), ("classifier", LogisticRegression())])
    columns = ColumnTransformer([("all", "passthrough", FEATURES)])
    trees = GradientBoostingClassifier(
        n_estimators=60, learning_rate=0.08, max_depth=3, min_samples_leaf=40, subsample=0.8, random_state=seed
    )
    return Pipeline([("columns", columns), ("classifier", trees)])


if __name__ == "__main__":
    main()
