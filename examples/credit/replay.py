"""Sends applications as live traffic, day by day, each with its time; what came of them follows after two days.

python replay.py --url http://127.0.0.1:5000 --first 1 --last 10
"""

import argparse
import json
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import requests

FEATURES = ["education", "marriage", "credit_limit", "bill"]
LABEL_DAYS = 2


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--url", default="http://127.0.0.1:5000")
    options.add_argument("--endpoint", default="credit")
    options.add_argument("--first", type=int, default=1, help="day of data/arriving.csv, counted from 1")
    options.add_argument("--last", type=int, default=50)
    given = options.parse_args()
    rows = pd.read_csv("data/arriving.csv", dtype={"application_id": str})
    day = pd.to_datetime(rows["applied_at"]).dt.floor("D")
    rows["day"] = (day - day.iloc[0]).dt.days + 1

    session = requests.Session()
    answered = {"requests": 0, "failed": 0, "labels": 0}
    with ThreadPoolExecutor(8) as pool:
        for number in range(given.first, given.last + 1):
            today = list(rows[rows["day"] == number].itertuples())
            # In the order of their times, a few at once: the endpoint's clock is the greatest it has seen.
            statuses = list(pool.map(lambda row: infer(session, given, row), today))
            answered["requests"] += len(statuses)
            answered["failed"] += sum(status != 200 for status in statuses)
            known = rows[rows["day"] == number - LABEL_DAYS]
            if len(known) > 0:
                labels = [{"key": row.application_id, "value": int(row.defaulted)} for row in known.itertuples()]
                session.post(f"{given.url}/api/v1/endpoints/{given.endpoint}/labels", json={"labels": labels}).raise_for_status()
                answered["labels"] += len(labels)
    print(json.dumps(answered))


def infer(session: requests.Session, given: argparse.Namespace, row) -> int:
    numbers = [
        {"name": name, "shape": [1, 1], "datatype": "FP32", "data": [float(getattr(row, name))]} for name in FEATURES
    ]
    texts = [
        {"name": name, "shape": [1, 1], "datatype": "BYTES", "data": [getattr(row, name)]}
        for name in ("application_id", "applied_at")
    ]
    answer = session.post(f"{given.url}/v2/models/{given.endpoint}/infer", json={"inputs": numbers + texts})
    return answer.status_code


if __name__ == "__main__":
    main()
