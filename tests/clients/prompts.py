"""Prompts through the unmodified client: they are registry entries, and the client does the rest."""

import mlflow
from mlflow import genai

client = mlflow.MlflowClient()


def raises(words, work):
    try:
        work()
    except mlflow.MlflowException as error:
        assert words in str(error), str(error)
        return
    raise AssertionError(f"nothing was raised, expected: {words}")


def load(name, **options):
    return genai.load_prompt(name, cache_ttl_seconds=0, **options)


first = genai.register_prompt("greeting", "Hello {{name}}", commit_message="first", tags={"team": "a"})
second = genai.register_prompt("greeting", "Hi {{name}}, {{question}}", commit_message="second")
assert (first.version, second.version) == (1, 2)
assert second.variables == {"name", "question"}
assert load("prompts:/greeting/1").template == "Hello {{name}}"
assert load("greeting", version=2).commit_message == "second"
assert load("prompts:/greeting@latest").version == 2
assert load("greeting").version == 2
assert load("greeting", version=1).format(name="Ada") == "Hello Ada"
assert load("prompts:/nothing/1", allow_missing=True) is None
raises("not found", lambda: load("prompts:/nothing/1"))

genai.set_prompt_alias("greeting", "live", 1)
assert load("prompts:/greeting@live").version == 1
genai.set_prompt_alias("greeting", "live", 2)
assert load("prompts:/greeting@live").version == 2
genai.delete_prompt_alias("greeting", "live")
raises("live not found", lambda: load("prompts:/greeting@live"))

messages = [{"role": "system", "content": "You are {{role}}."}, {"role": "user", "content": "{{question}}"}]
chat = genai.register_prompt("chat", messages, response_format={"type": "object"}, model_config={"temperature": 0.2})
assert load("prompts:/chat/1").template == messages
assert load("prompts:/chat/1").response_format == {"type": "object"}
assert load("prompts:/chat/1").model_config == {"temperature": 0.2}
text = "ü" * 90_000
genai.register_prompt("long", text)
assert load("prompts:/long/1").template == text

assert [prompt.name for prompt in genai.search_prompts()] == ["chat", "greeting", "long"]
assert [prompt.name for prompt in genai.search_prompts(filter_string="name LIKE 'gre%'")] == ["greeting"]
assert [prompt.name for prompt in genai.search_prompts(filter_string="tags.team = 'a'")] == ["greeting"]
assert [version.version for version in client.search_prompt_versions("greeting")] == [2, 1]
assert client.search_registered_models() == []

genai.set_prompt_tag("greeting", "owner", "ada")
assert genai.get_prompt_tags("greeting")["owner"] == "ada"
genai.delete_prompt_tag("greeting", "owner")
assert "owner" not in genai.get_prompt_tags("greeting")
genai.set_prompt_version_tag("greeting", 1, "reviewed", "yes")
assert load("prompts:/greeting/1").tags["reviewed"] == "yes"
genai.delete_prompt_version_tag("greeting", 1, "reviewed")
genai.set_prompt_model_config("greeting", 1, {"model_name": "small"})
assert load("prompts:/greeting/1").model_config == {"model_name": "small"}

with mlflow.start_run() as run:
    client.link_prompt_version_to_run(run.info.run_id, "prompts:/greeting/2")
assert '"greeting"' in client.get_run(run.info.run_id).data.tags["mlflow.linkedPrompts"]

raises("already taken by a prompt", lambda: client.create_registered_model("greeting"))
client.create_registered_model("model")
raises("exists with the same name", lambda: genai.register_prompt("model", "x"))
client.delete_prompt_version("greeting", "1")
raises("not found", lambda: load("prompts:/greeting/1"))
client.delete_prompt("greeting")
raises("not found", lambda: load("prompts:/greeting/2"))
assert genai.register_prompt("greeting", "Once more").version == 1

print("all steps passed")
