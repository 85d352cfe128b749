"""What part of its bound each large case reached in each release: history.csv, and what has become worse."""

import csv
from datetime import date
from pathlib import Path

from benchmarks.measure import ROOT

PATH = ROOT / "benchmarks" / "history.csv"
FIELDS = ["version", "date", "case", "reached"]
Release = dict[str, float]


def read(path: Path = PATH) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def record(version: str, reached: Release, path: Path = PATH) -> None:
    """Write the lines of a version, the last ones, in the place of those it has."""
    today = date.today().isoformat()
    rows = [row for row in read(path) if row["version"] != version]
    rows += [dict(zip(FIELDS, (version, today, case, f"{part:.3f}"), strict=True)) for case, part in reached.items()]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def regressions(path: Path = PATH, tolerance: float = 0.1) -> list[str]:
    """Return a line for each case that reaches less of its bound than in the release before, beyond a tolerance."""
    releases: dict[str, Release] = {}
    for row in read(path):
        releases.setdefault(row["version"], {})[row["case"]] = float(row["reached"])
    if len(releases) < 2:
        return []
    before, now = list(releases)[-2:]
    return [
        f"- {case} reaches {part:.0%} of its bound; in {before} it was {releases[before][case]:.0%}."
        for case, part in releases[now].items()
        if part < releases[before].get(case, 0) * (1 - tolerance)
    ]
