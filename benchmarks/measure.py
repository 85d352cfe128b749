"""How the report measures: calls that take turns in one process, code in fresh processes; and how it writes numbers."""

import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).parent.parent
PACKAGES = (
    "numpy",
    "numba",
    "llvmlite",
    "pytest-benchmark",
    "scikit-learn",
    "scipy",
    "findiff",
    "numdifftools",
    "jacobi",
    "sympy",
    "torch",
    "jax",
    "dask",
    "xarray",
    "pandas",
    "narwhals",
    "metpy",
)


def side_by_side(calls: dict[str, Callable[[], Any]], seconds: float = 0.5) -> dict[str, float]:
    """Return the median time of each call. They take turns, so that a machine that slows down slows all of them."""
    repeats = {}
    for name, call in calls.items():
        call()
        start = perf_counter()
        call()
        repeats[name] = max(1, int(1e-4 / (perf_counter() - start)))
    times: dict[str, list[float]] = {name: [] for name in calls}
    end = perf_counter() + seconds
    while perf_counter() < end or len(times[name]) < 5:
        for name, call in calls.items():
            start = perf_counter()
            for _ in range(repeats[name]):
                call()
            times[name].append((perf_counter() - start) / repeats[name])
    return {name: statistics.median(t) for name, t in times.items()}


def fresh(code: str, **environment: str) -> float:
    """Run Python code in a fresh process and return the number it prints."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, check=True)
    return float(done.stdout)


def unit(seconds: float) -> str:
    for scale, name in ((1, "s"), (1e3, "ms")):
        if seconds * scale >= 0.9995:  # which is rounded up
            return f"{seconds * scale:.3g} {name}"
    return f"{seconds * 1e6:.3g} µs"


def machine() -> str:
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    python = platform.python_version()
    return f"{os.cpu_count()} cores of {model}, {platform.system()}; Python {python}, {', '.join(found)}"


def printed(rows: Iterable[str]) -> list[str]:
    """Return rows that are measured one by one; each is shown as soon as it is there."""
    found = []
    for row in rows:
        print(row, flush=True)
        found.append(row)
    return found


def table(header: str, rows: list[str]) -> list[str]:
    return [header, "|" + "---|" * (header.count("|") - 1), *rows]
