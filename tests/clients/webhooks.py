"""The unmodified mlflow client makes, tests and changes webhooks; a FastAPI receiver verifies every signature with mlflow's own code."""

import hmac
import os
import threading
import time

import fastapi
import mlflow
import uvicorn
from mlflow.entities.webhook import WebhookEvent, WebhookStatus
from mlflow.exceptions import MlflowException
from mlflow.webhooks.constants import (
    WEBHOOK_DELIVERY_ID_HEADER,
    WEBHOOK_SIGNATURE_HEADER,
    WEBHOOK_TIMESTAMP_HEADER,
)
from mlflow.webhooks.delivery import _generate_hmac_signature
from mlflow.webhooks.types import EVENT_TO_PAYLOAD_CLASS

SECRET = "only the two of us"
received = []
app = fastapi.FastAPI()


@app.post("/signed")
async def signed(request: fastapi.Request):
    body = (await request.body()).decode()
    headers = request.headers
    delivery, at = headers[WEBHOOK_DELIVERY_ID_HEADER], headers[WEBHOOK_TIMESTAMP_HEADER]
    expected = _generate_hmac_signature(SECRET, delivery, at, body)
    if not hmac.compare_digest(headers[WEBHOOK_SIGNATURE_HEADER], expected):
        raise fastapi.HTTPException(401, "wrong signature")
    if abs(time.time() - int(at)) > 300:
        raise fastapi.HTTPException(400, "too old")
    received.append(await request.json())
    return {"seen": len(received)}


server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
threading.Thread(target=server.run, daemon=True).start()
while not server.started:
    time.sleep(0.05)
port = server.servers[0].sockets[0].getsockname()[1]
url = f"http://127.0.0.1:{port}/signed"
client = mlflow.MlflowClient()

# made, read, listed
everything = [str(WebhookEvent(entity, action)) for entity, action in EVENT_TO_PAYLOAD_CLASS]
webhook = client.create_webhook(name="all", url=url, events=everything, secret=SECRET, description="d")
assert [str(e) for e in client.get_webhook(webhook.webhook_id).events] == sorted(everything)
assert [w.webhook_id for w in client.list_webhooks()] == [webhook.webhook_id]
assert client.get_webhook(webhook.webhook_id).secret is None

# every example is as upstream's own
for event, payload in EVENT_TO_PAYLOAD_CLASS.items():
    result = client.test_webhook(webhook.webhook_id, event=WebhookEvent(*event))
    assert result.success and result.response_status == 200, result
    assert received[-1]["data"] == payload.example(), received[-1]
    assert (received[-1]["entity"], received[-1]["action"]) == (event[0].value, event[1].value)
received.clear()

# a wrong secret is noticed
client.update_webhook(webhook.webhook_id, secret="another")
result = client.test_webhook(webhook.webhook_id)
assert not result.success and result.response_status == 401, result
client.update_webhook(webhook.webhook_id, secret=SECRET)

# what happens in the registry
client.create_registered_model("m", tags={"a": "b"}, description="about")
client.create_model_version("m", "s3://bucket/path", tags={"q": "1"}, description="first")
try:
    client.create_model_version("m", "s3://elsewhere/path")
    raise AssertionError("a source was taken that the server does not allow")
except MlflowException as error:
    assert "Invalid model version source: 's3://elsewhere/path'." in str(error), error
client.set_model_version_tag("m", "1", "k", "v")
client.delete_model_version_tag("m", "1", "k")
client.set_registered_model_alias("m", "champion", "1")
client.delete_registered_model_alias("m", "champion")
client.set_registered_model_tag("m", "not", "told")
mlflow.genai.register_prompt(name="greeting", template="Hello {{name}}", commit_message="first", tags={"by": "ada"})
mlflow.genai.set_prompt_alias("greeting", "live", 1)
mlflow.genai.delete_prompt_alias("greeting", "live")
client.set_prompt_tag("greeting", "t", "1")
client.delete_prompt_tag("greeting", "t")
client.set_prompt_version_tag("greeting", "1", "u", "2")
client.delete_prompt_version_tag("greeting", "1", "u")

expected = [
    ("registered_model.created", {"name": "m", "tags": {"a": "b"}, "description": "about"}),
    (
        "model_version.created",
        {
            "name": "m",
            "version": "1",
            "source": "s3://bucket/path",
            "run_id": None,
            "tags": {"q": "1"},
            "description": "first",
        },
    ),
    ("model_version_tag.set", {"name": "m", "version": "1", "key": "k", "value": "v"}),
    ("model_version_tag.deleted", {"name": "m", "version": "1", "key": "k"}),
    ("model_version_alias.created", {"name": "m", "alias": "champion", "version": "1"}),
    ("model_version_alias.deleted", {"name": "m", "alias": "champion"}),
    ("prompt_alias.created", {"name": "greeting", "alias": "live", "version": "1"}),
    ("prompt_alias.deleted", {"name": "greeting", "alias": "live"}),
    ("prompt_tag.set", {"name": "greeting", "key": "t", "value": "1"}),
    ("prompt_tag.deleted", {"name": "greeting", "key": "t"}),
    ("prompt_version_tag.set", {"name": "greeting", "version": "1", "key": "u", "value": "2"}),
    ("prompt_version_tag.deleted", {"name": "greeting", "version": "1", "key": "u"}),
]
# Of the tags that the client itself sets on a prompt, only those that are checked here are known beforehand.
for _ in range(600):
    told = [(f"{one['entity']}.{one['action']}", one["data"]) for one in received]
    if all(one in told for one in expected) and any(event == "prompt_version.created" for event, _ in told):
        break
    time.sleep(0.05)
missing = [one for one in expected if one not in told]
assert not missing, f"missing {missing}\ntold {told}"
(version,) = [data for event, data in told if event == "prompt_version.created"]
assert (version["name"], version["version"], version["template"]) == ("greeting", "1", "Hello {{name}}"), version
assert version["description"] == "first" and "mlflow.prompt.text" not in version["tags"], version
(prompt,) = [data for event, data in told if event == "prompt.created"]
assert prompt["name"] == "greeting" and "mlflow.prompt.is_prompt" not in prompt["tags"], prompt
assert not any(data.get("key") == "not" for _, data in told), "tags of models are told by no event"

# changed and deleted
changed = client.update_webhook(webhook.webhook_id, name="some", events=["prompt.created"], status=WebhookStatus.DISABLED)
assert (changed.name, changed.status, [str(e) for e in changed.events]) == ("some", WebhookStatus.DISABLED, ["prompt.created"])
for bad in ("ftp://example.com", "nonsense"):
    try:
        client.create_webhook(name="bad", url=bad, events=["prompt.created"])
        raise AssertionError(f"{bad} was taken")
    except MlflowException as error:
        assert error.error_code == "INVALID_PARAMETER_VALUE", error
client.delete_webhook(webhook.webhook_id)
assert list(client.list_webhooks()) == []
print("all steps passed", flush=True)
os._exit(0)  # without waiting for the receiver's thread
