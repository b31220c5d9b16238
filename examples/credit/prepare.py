"""Step 1: applications, and those that were served since with what came of them, become rows to train on and rows to judge by."""

import os
import pathlib

import pandas as pd

COLUMNS = ["application_id", "applied_at", "education", "marriage", "credit_limit", "bill", "defaulted"]
GATE_SHARE = 1 / 3


def main() -> None:
    applications = read("APPLICATIONS", "data/applications.csv")
    served = read("RECENT", "data/recent.parquet")
    rows = pd.concat([applications[COLUMNS], known(served)]).drop_duplicates("application_id", keep="last")
    rows = rows.sort_values("applied_at", kind="stable")
    gate = rows.sample(frac=GATE_SHARE, random_state=int(os.environ.get("RONDO_SEED", 42)))
    train = rows.drop(gate.index) if rows.index.is_unique else rows[~rows["application_id"].isin(gate["application_id"])]
    out = pathlib.Path("out")
    out.mkdir(exist_ok=True)
    for name, part in {"train": train, "test": gate.sort_values("applied_at")}.items():
        part.to_parquet(out / f"{name}.parquet", index=False)
        print(f"{name}: {len(part)} rows, {part['defaulted'].mean():.3f} defaulted")


def read(name: str, otherwise: str) -> pd.DataFrame:
    """A dataset that Rondo has laid out, a file or a folder; empty where there is none yet."""
    place = pathlib.Path(os.environ.get(f"RONDO_DATA_{name}", otherwise))
    files = sorted(place.rglob("*.*")) if place.is_dir() else [place] if place.exists() else []
    parts = [pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file) for file in files]
    return pd.concat(parts) if parts else pd.DataFrame(columns=COLUMNS)


def known(served: pd.DataFrame) -> pd.DataFrame:
    """Logged predictions whose outcome is known; a label that has not come yet is missing."""
    label = "defaulted" if "defaulted" in served.columns else "label"
    if label not in served.columns:
        return pd.DataFrame(columns=COLUMNS)
    rows = served.rename(columns={label: "defaulted"}).dropna(subset=["defaulted"])
    times = pd.to_datetime(rows["applied_at"], utc=True, format="ISO8601", errors="coerce")
    rows = rows.assign(defaulted=rows["defaulted"].astype(float).astype(int), applied_at=times.dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return rows[COLUMNS]


if __name__ == "__main__":
    main()
