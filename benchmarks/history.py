"""What part of its bound each large case reached in each release: history.csv, and what has become worse.

`python -m benchmarks.history CASE` prints that of one case in a process of its own, which `measure` starts.
"""

import csv
import statistics
import sys
from datetime import date
from pathlib import Path
from time import perf_counter

from benchmarks.measure import ROOT, fresh

PATH = ROOT / "benchmarks" / "history.csv"
FIELDS = ["version", "date", "case", "reached"]
Release = dict[str, float]


def measure(cases: list[str], turns: int) -> Release:
    """Return what part of its bound each case reaches: the median of so many fresh processes, of numgrad's time alone.

    The reference is left away, which takes most of the time of a whole report.
    """
    found = {}
    for case in cases:
        code = f"from benchmarks import history; print(history.reached({case!r}))"
        found[case] = statistics.median(fresh(code) for _ in range(turns))
        print(f"{found[case]:.0%} {case}", flush=True)
    return found


def reached(name: str, seconds: float = 0.4) -> float:
    """Return what part of its bound a case reaches, here and now."""
    from benchmarks import roofline
    from benchmarks.cases import CASES

    (case,) = (case for case in CASES if case.name == name)
    assert case.moves, f"{name} has no bound"
    _, call = case.make()
    call()
    times: list[float] = []
    end = perf_counter() + seconds
    while perf_counter() < end or len(times) < 5:
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    bounds = [roofline.bound(case.moves, rates) for rates in roofline.rates().values()]
    return min(bounds) / statistics.median(times)


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


if __name__ == "__main__":
    print(reached(sys.argv[1]))
