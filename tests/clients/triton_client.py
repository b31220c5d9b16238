"""Everything that Triton's own client asks of a server of the Open Inference Protocol, and what it understood, as JSON."""
import json
import sys

import numpy as np
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

client = http.InferenceServerClient(sys.argv[1])
model = client.get_model_metadata("flights")
names = [output["name"] for output in model["outputs"]]


def columns(binary=True):
    distance = http.InferInput("distance", [2, 1], "FP32")
    distance.set_data_from_numpy(np.array([[500], [0]], dtype=np.float32), binary_data=binary)
    origin = http.InferInput("origin", [2, 1], "BYTES")
    origin.set_data_from_numpy(np.array([["ORD"], ["LAX"]], dtype=object), binary_data=binary)
    return [distance, origin]


def infer(inputs, name="flights", **options):
    try:
        answer = client.infer(name, inputs, **options)
        return {output: answer.as_numpy(output).round(4).tolist() for output in names}
    except InferenceServerException as error:
        return [error.status(), error.message()]


def asking_for(binary):
    return [http.InferRequestedOutput(name, binary_data=binary) for name in names]


narrow = http.InferInput("distance", [1, 1], "FP64")
narrow.set_data_from_numpy(np.array([[1.0]]))

said = {
    "server": [client.is_server_live(), client.is_server_ready(), client.get_server_metadata()["extensions"]],
    "model": [client.is_model_ready("flights"), client.is_model_ready("flights", "1"), client.is_model_ready("flights", "9")],
    "metadata": model,
    "usual": infer(columns()),
    "json": infer(columns(binary=False), outputs=asking_for(binary=False)),
    "binary": infer(columns(), outputs=asking_for(binary=True), model_version="1"),
    "gzip": infer(columns(), request_compression_algorithm="gzip", response_compression_algorithm="gzip"),
    "deflate": infer(columns(), request_compression_algorithm="deflate"),
    "later": client.async_infer("flights", columns()).get_result().as_numpy(names[0]).tolist(),
    "wrong": infer([narrow]),
    "unknown": infer(columns(), name="nothing"),
}
print(json.dumps(said))
