"""Logs and fetches files with the unmodified client; the environment says from which size on it asks for parts."""

import hashlib
import os
import tempfile

import mlflow
from mlflow.artifacts import download_artifacts, list_artifacts


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


with tempfile.TemporaryDirectory() as folder:
    files = {"big model.bin": 23 * 2**20 + 7, "small.bin": 11, "empty.bin": 0}
    for name, size in files.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(os.urandom(size))
    with mlflow.start_run() as run:
        for name in files:
            mlflow.log_artifact(os.path.join(folder, name), "d")
    root = f"runs:/{run.info.run_id}/d"
    listed = {item.path: item.file_size for item in list_artifacts(root)}
    assert listed == {f"d/{name}": size for name, size in files.items()}, listed
    for name in files:
        back = download_artifacts(f"{root}/{name}", dst_path=os.path.join(folder, "back"))
        assert digest(back) == digest(os.path.join(folder, name)), name
    try:
        download_artifacts(f"{root}/none.bin")
    except Exception as error:
        print(f"missing: {error}")
    else:
        raise AssertionError("a file that is not there was downloaded")
    print("artifact_uri:", run.info.artifact_uri)
print("all steps passed")
