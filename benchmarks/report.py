"""Measure everything and write RESULTS.md: `python -m benchmarks.report [--turns N]`."""

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks.cases import CASES, Case

ROOT = Path(__file__).parent.parent
NUMPY_IMPORT = "import time; t = time.perf_counter(); import numpy; print(time.perf_counter() - t)"
NUMGRAD_IMPORT = NUMPY_IMPORT.replace("numpy", "numgrad")
FIRST_CALL = (
    "import time, numpy as np, numgrad as ng; f = np.arange(10.0) ** 2;"
    "t = time.perf_counter(); ng.gradient(f); print(time.perf_counter() - t)"
)
INTERRUPT = """
import signal, sys, time
import numpy as np, numgrad as ng
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit "ignore"
X = np.random.default_rng(0).standard_normal(tuple(map(int, sys.argv[1:])))
y = X.sum(axis=1)
ng.gradient_descent(X, y, learning_rate=1e-6, n_iter=1)
print("ready", flush=True)
try:
    ng.gradient_descent(X, y, learning_rate=1e-6, n_iter=10**12, record=False)
except KeyboardInterrupt:
    print(time.time(), flush=True)
"""


MARK, END = "<!-- results -->", "<!-- end of results -->"


def fresh(code: str, **environment: str) -> float:
    """Run Python code in a fresh process and return the number it prints."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, check=True)
    return float(done.stdout)


def medians(case: Case, turns: int) -> tuple[float, float]:
    """Return the medians of the turn with the middle ratio.

    pytest-benchmark times both calls, turn by turn, in a process of the case's own: np.gradient's time depends on what
    the process has allocated before.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "times.json"
        tests = [
            f"benchmarks/test_speed.py::test_speed[{case.id}-{turn}-{library}]"
            for turn in range(turns)
            for library in ("numpy", "numgrad")
        ]
        command = [sys.executable, "-m", "pytest", *tests, "-q", "-p", "no:cacheprovider"]
        command += ["--benchmark-max-time=0.4", f"--benchmark-json={file}"]
        environment = {**os.environ, "BENCHMARK_TURNS": str(turns)}
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
        times: dict[int, dict[str, float]] = {}
        for result in json.loads(file.read_text())["benchmarks"]:
            times.setdefault(result["params"]["turn"], {})[result["params"]["library"]] = result["stats"]["median"]
    pairs = sorted(((t["numpy"], t["numgrad"]) for t in times.values()), key=lambda pair: pair[0] / pair[1])
    assert len(pairs) == turns
    return pairs[turns // 2]


def interrupt_delay(*shape: int) -> float:
    command = [sys.executable, "-c", INTERRUPT, *map(str, shape)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(1.5)
        sent = time.time()
        process.send_signal(signal.SIGINT)
        return float(process.stdout.readline()) - sent


def unit(seconds: float) -> str:
    for scale, name in ((1, "s"), (1e3, "ms")):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {name}"
    return f"{seconds * 1e6:.3g} µs"


def machine() -> str:
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "llvmlite", "pytest-benchmark"))
    return f"{os.cpu_count()} cores of {model}, {platform.system()}; Python {platform.python_version()}, {packages}"


def speed_table(turns: int) -> list[str]:
    rows = ["| case | np.gradient, or the plain loop | numgrad | ratio | at least | |", "|---|---|---|---|---|---|"]
    for case in CASES:
        numpy, numgrad = medians(case, turns)
        ratio, target = numpy / numgrad, case.at_least
        verdict = "" if ratio >= (target or 1) else "short" if target else "slower"
        rows.append(f"| {case.name} | {unit(numpy)} | {unit(numgrad)} | {ratio:.3g} | {target or ''} | {verdict} |")
        print(rows[-1], flush=True)
    return rows


def start_table(turns: int) -> list[str]:
    numpy, numgrad, cold, cached = [], [], [], []
    for _ in range(turns):
        numpy += [fresh(NUMPY_IMPORT) for _ in range(5)]
        numgrad += [fresh(NUMGRAD_IMPORT) for _ in range(5)]
        with tempfile.TemporaryDirectory() as folder:
            cold.append(fresh(FIRST_CALL, NUMBA_CACHE_DIR=folder))
            cached += [fresh(FIRST_CALL, NUMBA_CACHE_DIR=folder) for _ in range(3)]
    ratio = statistics.median(numgrad) / statistics.median(numpy)
    delays = [max(interrupt_delay(*shape) for _ in range(turns)) for shape in ((100, 2), (2_000_000, 60))]
    rows = [
        "| | measured | at most |",
        "|---|---|---|",
        f"| `import numgrad` over `import numpy` | {ratio:.2f} ({unit(statistics.median(numgrad))}) | 1.2 |",
        f"| first fast call, cold cache | {unit(statistics.median(cold))} | 0.8 s |",
        f"| first fast call, later process | {unit(statistics.median(cached))} | 0.45 s |",
        f"| Ctrl-C in a descent, 100 x 2, slowest | {unit(delays[0])} | 0.2 s |",
        f"| Ctrl-C in a descent, 2,000,000 x 60, slowest | {unit(delays[1])} | 0.2 s |",
    ]
    print("\n".join(rows), flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=7, help="turns of NumPy and numgrad; the middle ratio counts")
    turns = parser.parse_args().turns
    start, speed = start_table(turns), speed_table(turns)
    text = [
        "# Results",
        "",
        "Written by `python -m benchmarks.report`; do not edit. " + machine() + ".",
        "",
        "Medians of pytest-benchmark. NumPy and numgrad take turns in one process, a fresh one for each case; of "
        f"{turns} turns the one with the middle ratio. All arrays float64 and results fresh unless said.",
        "",
        *speed,
        "",
        "## From start to first answer",
        "",
        *start,
        "",
        "Why some fall short, and what np.gradient's own time depends on: [NOTES.md](NOTES.md).",
        "",
    ]
    (ROOT / "benchmarks" / "RESULTS.md").write_text("\n".join(text))
    readme = ROOT / "README.md"
    shown = [row.rsplit("|", 3)[0] + "|" for row in (*speed[:2], *(r for r in speed[2:] if r.split("|")[5].strip()))]
    before, _, rest = readme.read_text().partition(MARK)
    _, end, after = rest.partition(END)
    assert end, f"{readme} has no {MARK} ... {END}"
    readme.write_text("\n".join([before + MARK, "", *shown, "", END + after]))


if __name__ == "__main__":
    main()
