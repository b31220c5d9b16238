"""Sends the same requests to this server and to MLflow's own, and prints where the answers differ.

python compare.py <url of this server> <url of `mlflow server`>; both with empty data. Exits with 1 when an answer differs that is
not among the known differences below.
"""

import base64
import json
import re
import sys

import requests

servers = sys.argv[1:3]
names = [{}, {}]  # per server: ids that it gave -> placeholders
failures = []
count = 0

# Where we answer otherwise on purpose: the label of the request -> why.
KNOWN = {
    "filter with OR": "a superset of the grammar",
    "filter in parentheses": "a superset of the grammar",
    "filter with NOT": "a superset of the grammar",
    "history of an unknown run": "404 is what the method promises",
    "rename an experiment to a taken name": "no SQL in messages",
    "an experiment of a taken name": "no SQL in messages",
    "rename a model to a taken name": "no SQL in messages",
    "rename a deleted experiment": "a client's mistake is no 500",
    "search versions": "with their aliases",
    "search versions by run": "with their aliases",
    "search versions in a list": "with their aliases",
    "search versions by number": "with their aliases",
    "search versions by source": "with their aliases",
    "duplicate order": "a client's mistake is no 500",
    "get-artifact of a missing file": "404, not 500",
    "unknown route": "JSON, not a page",
    "wrong verb": "JSON, not a page",
    "archive others from Archived": "a client's mistake is no 500",
    "a metric with a value that is no number": "refused, not stored as 0",
    "a string where a list belongs": "names the field",
    "search logged models with a bad operator": "one wording for all searches",
    "search logged models with a bad prefix": "one wording for all searches",
    "filter params.p =": "the whole clause is named",
    "filter AND": "a clause is missing",
    "filter metrics.m > 0 AND": "a clause is missing",
    "search logged models by dataset": "a dataset without digest means any digest",
    "search logged models in bad order": "without a finer error class",
    "in camelCase": "also where a field is required",
    "bulk history": "NaN as text, because JSON has no NaN",
    "create a run at half past": "refused, not started at 0",
    "create a run without anything": "in the default experiment, no error of the database",
    "log a time too big": "refused, not stored at 0",
}


def normal(side, value):
    if isinstance(value, dict):
        return {key: normal(side, one) for key, one in value.items()}
    if isinstance(value, list):
        return [normal(side, one) for one in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "<time>" if 1.7e12 < value < 2e12 else float(value)
    if isinstance(value, str):
        for known, placeholder in names[side].items():
            value = value.replace(known, placeholder)
        value = re.sub(r"^[a-z]+-[a-z]+-\d{1,3}$", "<name>", value)
        value = re.sub(r"\{('[\w .<>=!]+'(, )?)+\}?'?", "<set>", value)
        return value
    return value


def ask(label, method, path, *, body=None, params=None, headers=None, data=None, keep=None, raw=False):
    """Asks both; `keep` takes (answer) and gives (id, placeholder) to remember. Gives both bodies."""
    global count
    count += 1
    answers = []
    for side, server in enumerate(servers):
        fill = lambda value: substitute(side, value)
        response = requests.request(
            method,
            server + fill(path),
            json=fill(body) if body is not None else None,
            params=fill(params),
            data=fill(data) if isinstance(data, str) else data,
            headers=headers,
            timeout=60,
        )
        try:
            parsed = response.json()
        except ValueError:
            parsed = response.text
        answers.append((response, parsed))
    for side, (_, parsed) in enumerate(answers):
        if keep and isinstance(parsed, dict):
            try:
                found, placeholder = keep(parsed)
                names[side][found] = placeholder
            except (KeyError, TypeError, IndexError):
                pass
    shown = [(response.status_code, normal(side, parsed)) for side, (response, parsed) in enumerate(answers)]
    for side, (status, parsed) in enumerate(shown):
        if isinstance(parsed, dict):
            for lists in parsed.values():
                if isinstance(lists, list):
                    for one in lists:
                        order_free(one)
            order_free(parsed)
    if shown[0] != shown[1] and label not in KNOWN:
        failures.append(label)
        print(f"--- {label}: {method} {path} {json.dumps(body) if body is not None else params or ''}"[:400])
        for path, ours, theirs in list(differences(shown[0], shown[1]))[:4]:
            print(f"  {path}\n    ours   {json.dumps(ours)[:300]}\n    theirs {json.dumps(theirs)[:300]}")
    return [parsed for _, parsed in answers]


def differences(ours, theirs, path=""):
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            yield from differences(ours.get(key, "<absent>"), theirs.get(key, "<absent>"), f"{path}.{key}")
    elif isinstance(ours, (list, tuple)) and isinstance(theirs, (list, tuple)) and len(ours) == len(theirs):
        for index, (one, other) in enumerate(zip(ours, theirs)):
            yield from differences(one, other, f"{path}[{index}]")
    elif ours != theirs:
        yield path, ours, theirs


def order_free(value):
    """Tags, params and metrics have no order of their own."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key in ("tags", "params", "metrics", "aliases", "latest_versions", "model_versions", "dataset_summaries") and isinstance(one, list):
                if key != "model_versions":
                    one.sort(key=lambda item: json.dumps(item, sort_keys=True))
            order_free(one)
    elif isinstance(value, list):
        for one in value:
            order_free(one)


def substitute(side, value):
    if isinstance(value, dict):
        return {key: substitute(side, one) for key, one in value.items()}
    if isinstance(value, list):
        return [substitute(side, one) for one in value]
    if isinstance(value, str):
        for known, placeholder in names[side].items():
            value = value.replace(placeholder, known)
    return value


API = "/api/2.0/mlflow"
post = lambda label, path, body, **more: ask(label, "POST", API + path, body=body, **more)
get = lambda label, path, params=None, **more: ask(label, "GET", API + path, params=params, **more)
patch = lambda label, path, body, **more: ask(label, "PATCH", API + path, body=body, **more)
delete = lambda label, path, body=None, **more: ask(label, "DELETE", API + path, body=body, **more)

# experiments
post("create an experiment", "/experiments/create", {"name": "q", "tags": [{"key": "a", "value": "1"}]})
get("get an experiment", "/experiments/get", {"experiment_id": "1"})
get("get by name", "/experiments/get-by-name", {"experiment_name": "q"})
get("get by an unknown name", "/experiments/get-by-name", {"experiment_name": "zz"})
get("get an unknown experiment", "/experiments/get", {"experiment_id": "77"})
get("get an experiment by a word", "/experiments/get", {"experiment_id": "abc"})
get("get an experiment without id", "/experiments/get")
post("an experiment of a taken name", "/experiments/create", {"name": "q"})
post("an experiment without name", "/experiments/create", {})
post("an experiment with a number as name", "/experiments/create", {"name": 5})
post("an experiment with a bad tag list", "/experiments/create", {"name": "w", "tags": 5})
post("an experiment with a long name", "/experiments/create", {"name": "x" * 501})
post("an experiment with a long tag", "/experiments/create", {"name": "lt", "tags": [{"key": "k", "value": "v" * 20001}]})
post("an experiment with a bad tag key", "/experiments/create", {"name": "lt", "tags": [{"key": "k{}", "value": "v"}]})
post("an experiment at runs:/", "/experiments/create", {"name": "rr", "artifact_location": "runs:/abc"})
post("an experiment elsewhere", "/experiments/create", {"name": "s3", "artifact_location": "s3://bucket/path?x=1"})
post("search experiments without size", "/experiments/search", {})
post("search experiments", "/experiments/search", {"max_results": 10})
post("search experiments of one", "/experiments/search", {"max_results": 1})
post("search experiments by name", "/experiments/search", {"max_results": 10, "filter": "name LIKE 'q%'"})
post("search experiments by case", "/experiments/search", {"max_results": 10, "filter": "name LIKE 'Q%'"})
post("search experiments without case", "/experiments/search", {"max_results": 10, "filter": "name ILIKE 'Q%'"})
post("search experiments by tag", "/experiments/search", {"max_results": 10, "filter": "tags.a = '1'"})
post("search experiments by bad key", "/experiments/search", {"max_results": 10, "filter": "foo = '1'"})
post("search experiments by id", "/experiments/search", {"max_results": 10, "filter": "experiment_id IN ('0','1')", "order_by": ["experiment_id"]})
post("search experiments in order", "/experiments/search", {"max_results": 10, "order_by": ["name DESC"]})
post("search experiments in bad order", "/experiments/search", {"max_results": 10, "order_by": ["bogus"]})
post("search too many experiments", "/experiments/search", {"max_results": 50001})
get("search experiments by GET", "/experiments/search", {"max_results": 10, "view_type": "ALL"})
post("tag an experiment", "/experiments/set-experiment-tag", {"experiment_id": "1", "key": "b", "value": ""})
post("tag an experiment without key", "/experiments/set-experiment-tag", {"experiment_id": "1", "value": ""})
post("untag an experiment", "/experiments/delete-experiment-tag", {"experiment_id": "1", "key": "b"})
post("untag an experiment twice", "/experiments/delete-experiment-tag", {"experiment_id": "1", "key": "b"})
post("rename an experiment", "/experiments/update", {"experiment_id": "1", "new_name": "q2"})
post("rename an experiment to a taken name", "/experiments/update", {"experiment_id": "1", "new_name": "Default"})
post("rename an experiment to nothing", "/experiments/update", {"experiment_id": "1"})
post("delete an experiment", "/experiments/delete", {"experiment_id": "2"})
post("delete an experiment twice", "/experiments/delete", {"experiment_id": "2"})
post("rename a deleted experiment", "/experiments/update", {"experiment_id": "2", "new_name": "q9"})
post("tag a deleted experiment", "/experiments/set-experiment-tag", {"experiment_id": "2", "key": "b", "value": ""})
post("run in a deleted experiment", "/runs/create", {"experiment_id": "2"})
post("restore an experiment", "/experiments/restore", {"experiment_id": "2"})
post("restore an experiment twice", "/experiments/restore", {"experiment_id": "2"})

# runs
def run(name, at):
    return post(f"create run {name}", "/runs/create", {"experiment_id": "1", "user_id": "ada", "run_name": name, "start_time": at, "tags": [{"key": "x", "value": name}]}, keep=lambda a: (a["run"]["info"]["run_id"], f"RUN_{name.upper()}_"))

for index, name in enumerate("abcde"):
    run(name, 10 * (index + 1))
post("create a run in an unknown experiment", "/runs/create", {"experiment_id": "999"})
post("create a run with two names", "/runs/create", {"experiment_id": "1", "run_name": "a", "tags": [{"key": "mlflow.runName", "value": "b"}]})
post("create a run named by its tag", "/runs/create", {"experiment_id": "0", "start_time": "7", "tags": [{"key": "mlflow.runName", "value": "tagged"}]}, keep=lambda a: (a["run"]["info"]["run_id"], "RUN_T_"))
get("get a run", "/runs/get", {"run_id": "RUN_A_"})
get("get a run by uuid", "/runs/get", {"run_uuid": "RUN_A_"})
get("get an unknown run", "/runs/get", {"run_id": "nope"})
get("get no run", "/runs/get")
R = "RUN_A_"
values = {"A": 0.75, "B": "NaN", "D": -1, "E": 2.5}
for key, value in values.items():
    post(f"log {value}", "/runs/log-metric", {"run_id": f"RUN_{key}_", "key": "m", "value": value, "timestamp": 5, "step": 1})
post("log infinity", "/runs/log-metric", {"run_id": R, "key": "inf", "value": "-Infinity", "timestamp": 5})
post("log a big step", "/runs/log-metric", {"run_id": R, "key": "big", "value": 1, "timestamp": 9007199254740993, "step": "9223372036854775807"})
post("log at a negative time", "/runs/log-metric", {"run_id": R, "key": "neg", "value": 1, "timestamp": -1})
post("log a bool", "/runs/log-metric", {"run_id": R, "key": "bool", "value": True, "timestamp": 1})
post("log without value", "/runs/log-metric", {"run_id": R, "key": "v", "timestamp": 1})
post("log without time", "/runs/log-metric", {"run_id": R, "key": "v", "value": 1})
post("log without key", "/runs/log-metric", {"run_id": R, "key": "", "value": 1, "timestamp": 1})
post("log without run", "/runs/log-metric", {"key": "m", "value": 1, "timestamp": 1})
post("log to an unknown run", "/runs/log-metric", {"run_id": "zz", "key": "m", "value": 1, "timestamp": 1})
post("a metric with a value that is no number", "/runs/log-metric", {"run_id": R, "key": "m", "value": "abc", "timestamp": 1})
for bad in ["a{b", "../x", "a//b", "/a", ".", "a/../b", "ä", "x:y", "x" * 251]:
    post(f"log key {bad[:9]}", "/runs/log-metric", {"run_id": R, "key": bad, "value": 1, "timestamp": 1})
    post(f"param key {bad[:9]}", "/runs/log-parameter", {"run_id": R, "key": bad, "value": "1"})
    post(f"tag key {bad[:9]}", "/runs/set-tag", {"run_id": R, "key": bad, "value": "1"})
get("a series", "/metrics/get-history", {"run_id": R, "metric_key": "m"})
get("a big series", "/metrics/get-history", {"run_id": R, "metric_key": "big"})
get("an unknown series", "/metrics/get-history", {"run_id": R, "metric_key": "none"})
get("history of an unknown run", "/metrics/get-history", {"run_id": "zz", "metric_key": "none"})
get("history of size 0", "/metrics/get-history", {"run_id": R, "metric_key": "m", "max_results": 0})
points = [{"key": "s", "value": v, "timestamp": t, "step": s} for v, t, s in [(3, 5, 0), (1, 1, 2), (2, 1, 1), (9, 1, 2), (1, 1, 2), ("NaN", 7, 3), (4, 8, -2)]]
post("log a batch", "/runs/log-batch", {"run_id": R, "metrics": points, "params": [{"key": "lr", "value": "0.1"}], "tags": [{"key": "t", "value": "1"}, {"key": "t", "value": "2"}]})
post("log a batch again", "/runs/log-batch", {"run_id": R, "metrics": points, "params": [{"key": "lr", "value": "0.1"}]})
get("its series", "/metrics/get-history", {"run_id": R, "metric_key": "s"})
get("its first page", "/metrics/get-history", {"run_id": R, "metric_key": "s", "max_results": 2})
get("its next page", "/metrics/get-history", {"run_id": R, "metric_key": "s", "max_results": 2, "page_token": base64.b64encode(b'{"offset": 2}').decode()})
ask("bulk history", "GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk", params={"run_id": [R, "RUN_B_"], "metric_key": "m"})
ask("bulk history of nothing", "GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk", params={"metric_key": "m"})
ask("bulk history without key", "GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk", params={"run_id": R})
for size in [1, 2, 3, 4, 5, 6, 7, 20]:
    get(f"a sample of {size}", "/metrics/get-history-bulk-interval", {"run_ids": [R], "metric_key": "s", "max_results": size})
get("a sample of steps", "/metrics/get-history-bulk-interval", {"run_ids": [R], "metric_key": "s", "start_step": 1, "end_step": 2})
get("a sample from one side", "/metrics/get-history-bulk-interval", {"run_ids": [R], "metric_key": "s", "start_step": 1})
get("a sample backwards", "/metrics/get-history-bulk-interval", {"run_ids": [R], "metric_key": "s", "start_step": 3, "end_step": 1})
get("a sample too large", "/metrics/get-history-bulk-interval", {"run_ids": [R], "metric_key": "s", "max_results": 2501})
get("a sample of no runs", "/metrics/get-history-bulk-interval", {"metric_key": "s"})
get("a run with metrics", "/runs/get", {"run_id": R})

post("log a param", "/runs/log-parameter", {"run_id": R, "key": "p", "value": "A"})
post("log a param again", "/runs/log-parameter", {"run_id": R, "key": "p", "value": "A"})
post("log another value", "/runs/log-parameter", {"run_id": R, "key": "p", "value": "B"})
post("log another value in a batch", "/runs/log-batch", {"run_id": R, "params": [{"key": "p", "value": "it's"}, {"key": "n", "value": "1"}]})
post("log a param twice in a batch", "/runs/log-batch", {"run_id": R, "params": [{"key": "d", "value": "1"}, {"key": "d", "value": "1"}]})
post("log an empty param", "/runs/log-parameter", {"run_id": R, "key": "empty"})
post("log a long param", "/runs/log-parameter", {"run_id": R, "key": "long", "value": "x" * 6001})
post("log a long tag", "/runs/set-tag", {"run_id": R, "key": "long", "value": "x" * 8001})
for key, value in {"B": "B", "C": "xyz", "D": "D", "E": "E"}.items():
    post(f"log param {value}", "/runs/log-parameter", {"run_id": f"RUN_{key}_", "key": "p", "value": value})
post("log 1001 metrics", "/runs/log-batch", {"run_id": R, "metrics": [{"key": f"k{i}", "value": 1, "timestamp": 1} for i in range(1001)]})
post("log 101 params", "/runs/log-batch", {"run_id": R, "params": [{"key": f"k{i}", "value": "1"} for i in range(101)]})
post("log 101 tags", "/runs/log-batch", {"run_id": R, "tags": [{"key": f"k{i}", "value": "1"} for i in range(101)]})
post("log 1001 things", "/runs/log-batch", {"run_id": R, "metrics": [{"key": f"k{i}", "value": 1, "timestamp": 1} for i in range(1000)], "tags": [{"key": "z", "value": "1"}]})
post("a metric without key", "/runs/log-batch", {"run_id": R, "metrics": [{"value": 1, "timestamp": 1}]})
post("a metric without time", "/runs/log-batch", {"run_id": R, "metrics": [{"key": "a", "value": 1, "timestamp": 1}, {"key": "a", "value": 1}]})
post("a param without key", "/runs/log-batch", {"run_id": R, "params": [{"value": "1"}]})
post("a bad key in a batch", "/runs/log-batch", {"run_id": R, "metrics": [{"key": "a{", "value": 1, "timestamp": 1}]})
post("a negative time in a batch", "/runs/log-batch", {"run_id": R, "metrics": [{"key": "a", "value": 1, "timestamp": -7}]})
post("a batch for a bad run id", "/runs/log-batch", {"run_id": "a b"})
post("a string where a list belongs", "/runs/log-batch", {"run_id": R, "metrics": "x"})
post("an empty batch", "/runs/log-batch", {"run_id": R})
post("set a tag", "/runs/set-tag", {"run_id": R, "key": "tag", "value": "1"})
post("set an empty tag", "/runs/set-tag", {"run_id": R, "key": "tag0"})
post("delete a tag", "/runs/delete-tag", {"run_id": R, "key": "tag"})
post("delete a tag twice", "/runs/delete-tag", {"run_id": R, "key": "tag"})
post("rename by tag", "/runs/set-tag", {"run_id": "RUN_T_", "key": "mlflow.runName", "value": "renamed"})
get("renamed by tag", "/runs/get", {"run_id": "RUN_T_"})
post("update a run", "/runs/update", {"run_id": "RUN_T_", "status": "FINISHED", "end_time": 99, "run_name": "again"})
get("updated run", "/runs/get", {"run_id": "RUN_T_"})
post("update with a bogus status", "/runs/update", {"run_id": "RUN_T_", "status": "BOGUS"})
post("update with a number", "/runs/update", {"run_id": "RUN_T_", "status": 4})
post("update nothing at all", "/runs/update", {"run_id": "RUN_T_"})
post("log inputs", "/runs/log-inputs", {"run_id": R, "datasets": [{"tags": [{"key": "mlflow.data.context", "value": "train"}], "dataset": {"name": "ds", "digest": "d1", "source_type": "local", "source": "s", "schema": "sc"}}, {"dataset": {"name": "ds", "digest": "d1", "source_type": "x", "source": "y"}}, {"dataset": {"name": "ds2", "digest": "d2", "source_type": "local", "source": "s"}}]})
post("log inputs again", "/runs/log-inputs", {"run_id": R, "datasets": [{"tags": [{"key": "mlflow.data.context", "value": "eval"}], "dataset": {"name": "ds", "digest": "d1", "source_type": "local", "source": "s"}}]})
post("log a dataset with a long name", "/runs/log-inputs", {"run_id": R, "datasets": [{"dataset": {"name": "x" * 501, "digest": "d1", "source_type": "local", "source": "s"}}]})
get("a run with inputs", "/runs/get", {"run_id": R})
ask("search datasets", "POST", "/ajax-api/2.0/mlflow/experiments/search-datasets", body={"experiment_ids": ["1"]})
ask("search datasets of nothing", "POST", "/ajax-api/2.0/mlflow/experiments/search-datasets", body={})

ids = lambda answer: [one["info"]["run_name"] for one in answer.get("runs", [])] if isinstance(answer, dict) else answer

def search(label, **query):
    post(label, "/runs/search", {"experiment_ids": ["1"], **query})

for order in [["metrics.m ASC"], ["metrics.m DESC"], ["metrics.m"], ["params.p DESC"], ["start_time"], ["attributes.start_time ASC"], ["bogus"], ["metrics.m foo"], ["Created"], ["tags.`mlflow.runName` desc"], ["params.p", "metrics.m DESC"], ["metrics.m", "params.p DESC"], ["end_time"], ["status", "start_time desc"], ["metrics.none"], ["metrics.none", "start_time"], ["foo.bar"], [" "], ["params.`p` ASC"]]:
    search(f"order {order}", order_by=order)
search("duplicate order", order_by=["metrics.m", "metrics.m DESC"])
filters = ["metrics.m = 0", "metrics.m != 0", "metrics.m > 0.5", "metric.m<1 AND params.p='D'", "metrics.m >= -1e0", "params.p LIKE 'x%'", "params.p LIKE 'X%'", "params.p ILIKE 'a'", "params.p ilike 'A'", "params.p = A", "params.p = \"A\"", "run_name = 'a'", "attributes.run_name LIKE '%'", "attributes.`run name` = 'a'", "status = 'RUNNING'", "status='running'", "start_time >= 20", "start_time = '10'", "run_id IN ('RUN_A_')", "run_id NOT IN ('RUN_A_')", "run_id IN ('RUN_A_', 'RUN_B_')", "params.p IN ('A')", "metrics.`m` > 0", "metrics.\"m\" > 0", "param.p != 'A'", "params.nokey != 'A'", "user_id = 'ada'", "user_id != 'ada'", "artifact_uri LIKE '%'", "end_time > 0", "dataset.name = 'ds'", "dataset.context='train'", "datasets.digest IN ('d1','d9')", "dataset.foo = 'x'", "tags.mlflow.runName = 'a'", "attribute.foo = 'x'", "foo.bar='x'", "params.p == 'A'", "params.p <> 'A'", "created > 10", "params.p IS NULL", "params.p IS NOT NULL", "tags.x is null", "metrics.m IS NULL", "params.p LIKE '%_%'", "run_id IN ()", "run_id IN (1)", "status IN ('RUNNING')", "params.p =", "metrics.m", "AND", "metrics.m > 0 AND", "tags.x = ''", "params.p = 'it''s'", "run.status = 'RUNNING'"]
for text in filters:
    search(f"filter {text}", filter=text)
search("metric filter with a text", filter="metrics.m = 'x'")
search("filter with OR", filter="params.p='A' OR params.p='B'")
search("filter in parentheses", filter="(params.p='A')")
search("filter with NOT", filter="not params.p='A'")
search("page", max_results=2)
search("exact page", max_results=5)
search("all but one", max_results=4)
search("next page", max_results=2, page_token=base64.b64encode(b'{"offset": 4}').decode())
search("bad token", page_token="%%%")
search("odd token", page_token=base64.b64encode(b"x").decode())
search("zero runs", max_results=0)
search("too many runs", max_results=50001)
search("negative runs", max_results=-1)
search("three runs", max_results="3")
search("a bad order list", order_by="x")
post("search nowhere", "/runs/search", {})
post("search in an unknown experiment", "/runs/search", {"experiment_ids": ["88"]})
post("search in a word", "/runs/search", {"experiment_ids": ["abc"]})
post("delete a run", "/runs/delete", {"run_id": "RUN_E_"})
post("delete a run twice", "/runs/delete", {"run_id": "RUN_E_"})
post("log to a deleted run", "/runs/log-metric", {"run_id": "RUN_E_", "key": "m", "value": 1, "timestamp": 1})
post("tag a deleted run", "/runs/set-tag", {"run_id": "RUN_E_", "key": "m", "value": "1"})
post("update a deleted run", "/runs/update", {"run_id": "RUN_E_", "status": "FAILED"})
get("get a deleted run", "/runs/get", {"run_id": "RUN_E_"})
search("deleted runs", run_view_type="DELETED_ONLY")
search("all runs", run_view_type="ALL")
post("restore a run", "/runs/restore", {"run_id": "RUN_E_"})
post("delete an unknown run", "/runs/delete", {"run_id": "zz"})
post("log a legacy model", "/runs/log-model", {"run_id": R, "model_json": json.dumps({"artifact_path": "m", "flavors": {"sklearn": {"config": 1, "x": 2}}, "utc_time_created": "2026", "run_id": "z", "model_uuid": "u"})})
post("log a legacy model badly", "/runs/log-model", {"run_id": R, "model_json": "{"})
post("log half a legacy model", "/runs/log-model", {"run_id": R, "model_json": '{"artifact_path": "m", "flavors": {}, "run_id": "z"}'})

# logged models
post("create a logged model", "/logged-models", {"experiment_id": "1", "name": "lm", "source_run_id": R, "params": [{"key": "a", "value": "1"}], "tags": [{"key": "t", "value": "v"}]}, keep=lambda a: (a["model"]["info"]["model_id"], "MODEL_1_"))
post("create another logged model", "/logged-models", {"experiment_id": "1", "model_type": "x"}, keep=lambda a: (a["model"]["info"]["model_id"], "MODEL_2_"))
post("a logged model with a bad name", "/logged-models", {"experiment_id": "1", "name": "a/b"})
post("a logged model without experiment", "/logged-models", {"name": "a"})
M = "/logged-models/MODEL_1_"
get("get a logged model", M)
get("get an unknown logged model", "/logged-models/m-nope")
patch("finalize", M, {"model_id": "MODEL_1_", "status": "LOGGED_MODEL_READY"})
patch("finalize without status", M, {"model_id": "MODEL_1_"})
post("a metric of a model", "/runs/log-metric", {"run_id": R, "key": "acc", "value": 0.9, "timestamp": 5, "model_id": "MODEL_1_", "dataset_name": "ds", "dataset_digest": "dg"})
post("metrics of a model", "/runs/log-batch", {"run_id": R, "metrics": [{"key": "acc", "value": 0.95, "timestamp": 6, "step": 1, "model_id": "MODEL_1_"}]})
get("a model with metrics", M)
patch("tag a logged model", M + "/tags", {"tags": [{"key": "t", "value": "w"}, {"key": "t2", "value": ""}]})
delete("untag a logged model", M + "/tags/t2")
delete("untag a logged model twice", M + "/tags/t2")
post("more params", M + "/params", {"model_id": "MODEL_1_", "params": [{"key": "b", "value": "2"}]})
get("a whole logged model", M)
post("outputs", "/runs/outputs", {"run_id": R, "models": [{"model_id": "MODEL_1_", "step": 3}]})
post("outputs of nothing", "/runs/outputs", {"run_id": R})
get("a run with outputs", "/runs/get", {"run_id": R})
lm = lambda label, **query: post(label, "/logged-models/search", {"experiment_ids": ["1"], **query})
lm("search logged models")
lm("search logged models by name", filter="name = 'lm'")
lm("search logged models by metric", filter="metrics.acc > 0.92")
lm("search logged models by param", filter="params.a = '1' AND tags.t = 'w'")
lm("search logged models by dataset", datasets=[{"dataset_name": "ds"}])
lm("search logged models by no dataset", datasets=[{}])
lm("search logged models in order", order_by=[{"field_name": "metrics.acc", "ascending": False}])
lm("search logged models by age", order_by=[{"field_name": "creation_time", "ascending": True}])
lm("search logged models in bad order", order_by=[{"field_name": "foo"}])
lm("search logged models in params", order_by=[{"field_name": "params.a"}])
lm("search logged models with a bad operator", filter="metrics.acc LIKE 'x'")
lm("search logged models with a bad prefix", filter="metric.acc > 1")
post("search logged models nowhere", "/logged-models/search", {})
get("artifacts of a model", M + "/artifacts/directories")
delete("delete a logged model", "/logged-models/MODEL_2_")
get("get a deleted logged model", "/logged-models/MODEL_2_")
get("get it all the same", "/logged-models/MODEL_2_", {"allow_deleted": "true"})
get("with a bad flag", "/runs/get", {"run_id": R, "x": "y"})

# registry
post("create a model", "/registered-models/create", {"name": "M", "tags": [{"key": "k", "value": "v"}, {"key": "k", "value": "w"}], "description": "d"})
post("create a model twice", "/registered-models/create", {"name": "M"})
post("create a prompt of that name", "/registered-models/create", {"name": "M", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]})
post("create a model without name", "/registered-models/create", {"name": ""})
post("create a blank model", "/registered-models/create", {"name": "  "})
post("create a model with a slash", "/registered-models/create", {"name": "a/b"})
post("create a model with a colon", "/registered-models/create", {"name": "a:b"})
post("create a model of dots", "/registered-models/create", {"name": ".."})
post("create another model", "/registered-models/create", {"name": "N"})
get("get a model", "/registered-models/get", {"name": "M"})
get("get an unknown model", "/registered-models/get", {"name": "zz"})
patch("describe a model", "/registered-models/update", {"name": "M", "description": "e"})
mv = lambda label, **body: post(label, "/model-versions/create", {"name": "M", **body})
mv("a version from nowhere", source="/etc/passwd")
mv("a version from s3", source="s3://b/p", run_id=R, tags=[{"key": "q", "value": "1"}], description="first")
mv("a version from above", source="s3://b/../p")
mv("a version from encoded above", source="mlflow-artifacts:/1/%252e%252e/x")
mv("a version of a run", source="runs:/RUN_A_/model", run_id=R)
mv("a version of another run", source="runs:/RUN_A_/model", run_id="RUN_B_")
mv("a version of a run unnamed", source="runs:/RUN_A_/model")
mv("a version of a model", source="models:/MODEL_1_", model_id="MODEL_1_")
mv("a version of a model unnamed", source="models:/MODEL_1_")
mv("a version of a version", source="models:/M/1")
mv("a version of an unknown version", source="models:/M/77")
mv("a version of artifacts", source="mlflow-artifacts:/1/RUN_A_/artifacts/model", run_id=R)
mv("a version of foreign artifacts", source="mlflow-artifacts:/1/RUN_B_/artifacts/model", run_id=R)
mv("a version without source")
post("a version of an unknown model", "/model-versions/create", {"name": "ZZ", "source": "s3://b/p"})
get("get a version", "/model-versions/get", {"name": "M", "version": "1"})
get("get a version by a word", "/model-versions/get", {"name": "M", "version": "abc"})
get("get an unknown version", "/model-versions/get", {"name": "M", "version": "99"})
get("download uri", "/model-versions/get-download-uri", {"name": "M", "version": "2"})
get("download uri of a model", "/model-versions/get-download-uri", {"name": "M", "version": "3"})
get("the logged model again", M)
patch("describe a version", "/model-versions/update", {"name": "M", "version": "1", "description": "new"})
patch("describe a version not", "/model-versions/update", {"name": "M", "version": "1"})
A = "/registered-models/alias"
post("set an alias", A, {"name": "M", "alias": "champ", "version": "1"})
post("move an alias", A, {"name": "M", "alias": "champ", "version": "2"})
post("alias v1", A, {"name": "M", "alias": "v1", "version": "1"})
post("alias latest", A, {"name": "M", "alias": "Latest", "version": "1"})
post("alias with a space", A, {"name": "M", "alias": "a b", "version": "1"})
post("a long alias", A, {"name": "M", "alias": "a" * 256, "version": "1"})
post("alias of an unknown version", A, {"name": "M", "alias": "x", "version": "99"})
post("alias of an unknown model", A, {"name": "ZZ", "alias": "x", "version": "1"})
get("by alias", A, {"name": "M", "alias": "champ"})
get("by an unknown alias", A, {"name": "M", "alias": "zz"})
get("by alias of an unknown model", A, {"name": "ZZ", "alias": "zz"})
get("a model with versions", "/registered-models/get", {"name": "M"})
get("search models", "/registered-models/search")
get("search models by name", "/registered-models/search", {"filter": "name LIKE 'M%'"})
get("search models in a list", "/registered-models/search", {"filter": "name IN ('M','Q')"})
get("search models by tag", "/registered-models/search", {"filter": "tags.k = 'w'"})
get("search models in order", "/registered-models/search", {"order_by": ["name DESC"]})
get("search models in bad order", "/registered-models/search", {"order_by": ["foo"]})
get("search models by bad key", "/registered-models/search", {"filter": "foo = 'x'"})
get("search models of one", "/registered-models/search", {"max_results": 1})
get("search too many models", "/registered-models/search", {"max_results": 1001})
get("search versions", "/model-versions/search")
get("search versions by run", "/model-versions/search", {"filter": "run_id='RUN_A_'"})
get("search versions in a list", "/model-versions/search", {"filter": "run_id IN ('RUN_A_')"})
get("search versions by tag", "/model-versions/search", {"filter": "tags.q='1'"})
get("search versions by number", "/model-versions/search", {"filter": "name='M' and version_number>1"})
get("search versions by source", "/model-versions/search", {"filter": "source_path='s3://b/p'"})
get("search versions by age", "/model-versions/search", {"filter": "creation_timestamp>0"})
get("search versions by half", "/model-versions/search", {"filter": "version_number = 1.5"})
get("search versions by quoted number", "/model-versions/search", {"filter": "version_number = '1'"})
get("search versions by nothing", "/model-versions/search", {"filter": "tags.zz='1'"})
get("search no versions", "/model-versions/search", {"max_results": 0})
T = "/model-versions/transition-stage"
post("to Production", T, {"name": "M", "version": "1", "stage": "production"})
post("to Production too", T, {"name": "M", "version": "2", "stage": "Production", "archive_existing_versions": True})
post("to QA", T, {"name": "M", "version": "1", "stage": "QA"})
post("archive others from Archived", T, {"name": "M", "version": "1", "stage": "Archived", "archive_existing_versions": True})
post("latest versions", "/registered-models/get-latest-versions", {"name": "M"})
post("latest in Production", "/registered-models/get-latest-versions", {"name": "M", "stages": ["Production"]})
get("latest by GET", "/registered-models/get-latest-versions", {"name": "M", "stages": ["None"]})
post("latest in QA", "/registered-models/get-latest-versions", {"name": "M", "stages": ["QA"]})
post("tag a version", "/model-versions/set-tag", {"name": "M", "version": "1", "key": "k", "value": "v"})
post("tag a version badly", "/model-versions/set-tag", {"name": "M", "version": "1", "key": "k{", "value": "v"})
post("tag an unknown version", "/model-versions/set-tag", {"name": "M", "version": "77", "key": "k", "value": "v"})
delete("untag a version", "/model-versions/delete-tag", {"name": "M", "version": "1", "key": "k"})
delete("untag a version twice", "/model-versions/delete-tag", {"name": "M", "version": "1", "key": "k"})
post("tag a model", "/registered-models/set-tag", {"name": "M", "key": "k", "value": "v"})
delete("untag a model", "/registered-models/delete-tag", {"name": "M", "key": "zz"})
delete("delete an alias", A, {"name": "M", "alias": "champ"})
delete("delete an alias twice", A, {"name": "M", "alias": "champ"})
post("alias for deletion", A, {"name": "M", "alias": "gone", "version": "2"})
delete("delete a version", "/model-versions/delete", {"name": "M", "version": "2"})
get("get a deleted version", "/model-versions/get", {"name": "M", "version": "2"})
get("by alias of a deleted version", A, {"name": "M", "alias": "gone"})
mv("the next version", source="s3://b/p2")
post("rename a model", "/registered-models/rename", {"name": "M", "new_name": "M2"})
post("rename a model to a taken name", "/registered-models/rename", {"name": "M2", "new_name": "N"})
post("rename a model to nothing", "/registered-models/rename", {"name": "M2"})
get("a renamed version", "/model-versions/get", {"name": "M2", "version": "1"})
post("create a prompt", "/registered-models/create", {"name": "prompt", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]})
post("a prompt's version", "/model-versions/create", {"name": "prompt", "source": "prompt-template", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}, {"key": "mlflow.prompt.text", "value": "hi"}]})
post("a prompt's bad source", "/model-versions/create", {"name": "prompt", "source": "s3://x", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]})
get("search without prompts", "/registered-models/search")
get("search for prompts", "/registered-models/search", {"filter": "tags.`mlflow.prompt.is_prompt` = 'true'"})
get("search for no prompts", "/registered-models/search", {"filter": "tags.`mlflow.prompt.is_prompt` != 'true'"})
delete("delete a model", "/registered-models/delete", {"name": "M2"})
delete("delete a model twice", "/registered-models/delete", {"name": "M2"})

# artifacts
F = "/api/2.0/mlflow-artifacts/artifacts"
base = F + "/1/RUN_A_/artifacts"
ask("put", "PUT", base + "/d/x.txt", data=b"hello")
ask("put with a percent", "PUT", base + "/d/100%25.txt", data=b"hello")
ask("list the root", "GET", F, params={"path": "1/RUN_A_/artifacts"})
ask("list a folder", "GET", F, params={"path": "1/RUN_A_/artifacts/d"})
ask("list nothing", "GET", F, params={"path": "1/RUN_A_/artifacts/none"})
ask("list a file", "GET", F, params={"path": "1/RUN_A_/artifacts/d/x.txt"})
ask("list above", "GET", F, params={"path": "../x"})
ask("get", "GET", base + "/d/x.txt")
ask("get with a percent", "GET", base + "/d/100%25.txt")
ask("list of a run", "GET", API + "/artifacts/list", params={"run_id": R})
ask("list of a run's folder", "GET", API + "/artifacts/list", params={"run_id": R, "path": "d"})
ask("list above a run", "GET", API + "/artifacts/list", params={"run_id": R, "path": "../x"})
ask("get-artifact", "GET", "/get-artifact", params={"run_id": R, "path": "d/x.txt"})
ask("get-artifact of a missing file", "GET", "/get-artifact", params={"run_id": R, "path": "d/none.txt"})
ask("delete a file", "DELETE", base + "/d/x.txt")
ask("list after", "GET", F, params={"path": "1/RUN_A_/artifacts/d"})
ask("multipart", "POST", "/api/2.0/mlflow-artifacts/mpu/create/1/x", body={"path": "x", "num_parts": 2})

# transport
ask("no content type", "POST", API + "/runs/search", data=b"{}")
ask("a form", "POST", API + "/runs/search", data=b"{}", headers={"content-type": "text/plain"})
ask("broken JSON", "POST", API + "/runs/log-metric", data=b"{", headers={"content-type": "application/json"})
ask("double JSON", "POST", API + "/runs/set-tag", data=json.dumps(json.dumps({"run_id": "x", "key": "k", "value": "v"})), headers={"content-type": "application/json; charset=utf-8"})
ask("a list", "POST", API + "/runs/search", data=b"null", headers={"content-type": "application/json"})
ask("unknown route", "GET", API + "/bogus")
ask("wrong verb", "DELETE", API + "/runs/search")
ask("version", "GET", "/version")
ask("health", "GET", "/health")
camel = {"runId": "RUN_A_", "key": "camel", "value": "v"}
post("in camelCase", "/runs/set-tag", camel)

post("create a run at half past", "/runs/create", {"experiment_id": "1", "start_time": 7.5})
post("create a run without anything", "/runs/create", {})
post("log a time too big", "/runs/log-metric", {"run_id": R, "key": "big", "value": 1, "timestamp": 9223372036854775808})

print(f"{count} requests, {len(failures)} answers differ, {len(KNOWN)} known differences")
sys.exit(1 if failures else 0)
