"""Measure everything and write RESULTS.md, sizes.png and the table of the README: `python -m benchmarks.report`."""

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numgrad
from benchmarks import (
    arrays_report,
    certified,
    descent_report,
    exact_report,
    functions_report,
    groups_report,
    history,
    noisy_report,
    peers,
    roofline,
    scripts,
    sparse_report,
    sphere_report,
    sweep,
)
from benchmarks.cases import CASES, Case
from benchmarks.measure import ROOT, fresh, machine, table, unit

NUMPY_IMPORT = "import time; t = time.perf_counter(); import numpy; print(time.perf_counter() - t)"
NUMGRAD_IMPORT = NUMPY_IMPORT.replace("import numpy", "import numgrad")
# Numba imports SciPy where there is one, 0.15 s that numgrad has no use for; most environments of the benchmarks do.
FIRST_CALL = (
    "import sys, time, numpy as np, numgrad as ng; sys.modules['scipy'] = None; f, x = np.arange(10.0) ** 2, "
    "np.arange(10.0) ** 1.5; t = time.perf_counter(); ng.gradient({}); print(time.perf_counter() - t)"
)
# Numba calls this in every program that compiles something; here once it has loaded what it needs itself for that.
EXTENSION = (
    "import numba, numpy, time; from numba.core import entrypoints; entrypoints._already_initialized = True; "
    "numba.njit(lambda x: x + 1)(1); t = time.perf_counter(); "
    "from numgrad.interop.numba.overload import init; init(); print(time.perf_counter() - t)"
)
FIRST_CALLS = {
    "uniform": ("f", "0.8 s", "0.45 s"),
    "coordinates": ("f, x", "", ""),
    "edge_order=2": ("f, edge_order=2", "", ""),
    "20 million points: threads, streaming stores": ("np.zeros(20_000_000)", "", ""),
}
INTERRUPT = """
import signal, sys, time
import numpy as np, numgrad as ng
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit "ignore"
X = np.random.default_rng(0).standard_normal(tuple(map(int, sys.argv[2:])))
y = X.sum(axis=1)
ng.gradient_descent(X[:100], y[:100], learning_rate=1e-6, n_iter=1, method=sys.argv[1])
print("ready", flush=True)
try:
    ng.gradient_descent(X, y, learning_rate=1e-6, n_iter=10**12, record=False, method=sys.argv[1])
except KeyboardInterrupt:
    print(time.time(), flush=True)
"""


HEADER = ["case", "reference", "its time", "numgrad", "ratio", "warm heap", "bound, one thread", "all threads"]
HEADER += ["reached", "at least", ""]
# The README's table: of each kind of work one case, be it won or lost.
SHOWN = (
    "n = 10",
    "n = 1e5",
    "n = 1e8",
    "n = 1e8, out=",
    "n = 1e7, coordinates, out=",
    "256^3, all axes, out=",
    "derivative, n = 1e6, accuracy 8",
    "turning points, n = 1e6",
    "formula, exp(-x^2 - y^2) sin(3xy), 1e6",
    "descent, 1e6 x 10, 100 times, fused",
)
MARK, END = "<!-- results -->", "<!-- end of results -->"


class Medians(NamedTuple):
    """Of a case in a process: seconds of both libraries by the state of the heap, and bandwidths beside them."""

    fresh: tuple[float, float]
    warm: tuple[float, float]
    rates: dict[str, dict[str, float]]

    @property
    def ratio(self) -> float:
        return self.fresh[0] / self.fresh[1]


def medians(case: Case, turns: int) -> Medians:
    """Return the medians of the turn with the middle ratio.

    In each turn pytest-benchmark times the calls in a fresh process: np.gradient's time depends on what a process has
    allocated before, be it by the benchmark. Then both once more, in a heap that is warm.
    """
    kinds = [f"{heap}-{library}" for heap in ("fresh", "warm") for library in ("reference", "numgrad")]
    tests = [f"benchmarks/test_speed.py::test_speed[{case.id}-{kind}]" for kind in kinds]
    found = []
    for _ in range(turns):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "times.json"
            command = [sys.executable, "-m", "pytest", *tests, "-q", "-p", "no:cacheprovider"]
            command += ["--benchmark-max-time=0.4", f"--benchmark-json={file}"]
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
            timed = json.loads(file.read_text())["benchmarks"]
        times = [b["stats"]["median"] for b in timed]
        found.append(Medians((times[0], times[1]), (times[2], times[3]), timed[1]["extra_info"].get("rates", {})))
    return sorted(found, key=lambda one: one.ratio)[turns // 2]


def interrupt_delay(method: str, *shape: int) -> float:
    command = [sys.executable, "-c", INTERRUPT, method, *map(str, shape)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(1.5)
        sent = time.time()
        process.send_signal(signal.SIGINT)
        return float(process.stdout.readline()) - sent


def speed_table(turns: int, cases: list[Case] = CASES) -> tuple[list[list[str]], dict[str, float]]:
    """Return the rows of the table, and for each large case the part of its bound that it reaches."""
    rows, reached = [], {}
    for case in cases:
        found = medians(case, turns)
        warm = found.warm[0] / found.warm[1]
        bounds = [roofline.bound(case.moves, rates) for rates in found.rates.values()] if case.moves else []
        if bounds:
            reached[case.name] = min(bounds) / found.fresh[1]
        row = [case.name, case.reference, *map(unit, found.fresh), f"{found.ratio:.3g}", f"{warm:.3g}"]
        row += [*map(unit, (bounds[0], bounds[-1])), f"{reached[case.name]:.0%}"] if bounds else [""] * 3
        rows.append([*row, str(case.at_least or ""), case.losses(found.ratio, warm)])
        print(line(rows[-1]), flush=True)
    return rows, reached


def line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def start_table(turns: int) -> list[str]:
    numpy = statistics.median(fresh(NUMPY_IMPORT) for _ in range(5 * turns))
    numgrad = statistics.median(fresh(NUMGRAD_IMPORT) for _ in range(5 * turns))
    rows = [f"| `import numgrad` over `import numpy` | {numgrad / numpy:.2f} ({unit(numgrad)}) | 1.2 |"]
    for name, (arguments, *most) in FIRST_CALLS.items():
        code, cold, cached = FIRST_CALL.format(arguments), [], []
        for _ in range(turns):
            with tempfile.TemporaryDirectory() as folder:
                cold.append(fresh(code, NUMBA_CACHE_DIR=folder))
                cached += [fresh(code, NUMBA_CACHE_DIR=folder) for _ in range(2)]
        rows.append(f"| first call, {name}, cold cache | {unit(statistics.median(cold))} | {most[0]} |")
        rows.append(f"| first call, {name}, later process | {unit(statistics.median(cached))} | {most[1]} |")
    others = statistics.median(fresh(EXTENSION) for _ in range(5 * turns))
    rows.append(f"| what numgrad adds to the first @njit of a program without it | {unit(others)} | 20 ms |")
    cases = {
        "100 x 2, fused": ("fused", 100, 2),
        "100 x 2, modes": ("modes", 100, 2),
        "2,000,000 x 60, fused": ("fused", 2_000_000, 60),
        "500,000 x 300, decomposition": ("modes", 500_000, 300),
    }
    for name, (method, *shape) in cases.items():
        delay = max(interrupt_delay(method, *shape) for _ in range(turns))
        rows.append(f"| Ctrl-C in a descent, {name}, slowest | {unit(delay)} | 0.2 s |")
    print("\n".join(rows), flush=True)
    return table("| | measured | at most |", rows)


LAST = "Why some fall short, and what np.gradient's own time depends on: [NOTES.md](NOTES.md)."


def cases_report(turns: int) -> list[str]:
    """Return the table of all cases; the README and the history get their parts of it."""
    rows, reached = speed_table(turns)
    history.record(numgrad.__version__, reached)
    show_in_readme({row[0]: row for row in rows})
    text = (
        f"Medians of pytest-benchmark, reference and numgrad in one process; of {turns} such processes the one with "
        "the middle ratio. All arrays float64 and results fresh unless said. Times and the first ratio are those of "
        "a fresh process; the other ratio is in a warm heap, where temporaries cost no page faults. Bounds, of what "
        "does not fit the cache: the least time in which one thread, and all, can move what must be read and written, "
        "by the bandwidths of the same process, and what part of the lesser one numgrad reaches."
    )
    lines = [text, "", *table(line(HEADER), [line(row) for row in rows])]
    return [*lines, "", *worse] if (worse := history.regressions()) else lines


def show_in_readme(rows: dict[str, list[str]]) -> None:
    readme = ROOT / "README.md"
    header = ["case", "compared with", "times as fast", "in a warm process", "of the speed of memory"]
    shown = table(line(header), [line([rows[name][k] for k in (0, 1, 4, 5, 8)]) for name in SHOWN])
    before, _, rest = readme.read_text().partition(MARK)
    _, end, after = rest.partition(END)
    assert end, f"{readme} has no {MARK} ... {END}"
    readme.write_text("\n".join([before + MARK, "", *shown, "", END + after]))


def replace_section(results: Path, title: str, lines: list[str]) -> None:
    """Write a section of the results anew; a new one comes last."""
    before, mark, after = results.read_text().partition(f"## {title}\n")
    if mark:
        _, found, rest = after.partition("\n## ")
        rest = found[1:] + rest if found else LAST + "\n"
    else:
        before, rest = before.removesuffix(LAST + "\n"), LAST + "\n"
    results.write_text("\n".join([before + f"## {title}", "", *lines, "", rest]))


def replace_head(results: Path) -> None:
    """Write anew what the results begin with: on which machine, and with which versions."""
    _, mark, rest = results.read_text().partition("\n## ")
    head = ["# Results", "", f"Written by `python -m benchmarks.report`; do not edit. {machine()}."]
    results.write_text("\n".join([*head, mark + rest]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5, help="processes for each case; the middle ratio counts")
    parser.add_argument("--only", nargs="+", metavar="TITLE", help="measure these sections anew, and leave the others")
    parser.add_argument("--history", action="store_true", help="measure large cases only, for history.csv; 1 if worse")
    turns, only = (options := parser.parse_args()).turns, options.only
    if options.history:
        history.record(numgrad.__version__, history.measure([case.name for case in CASES if case.moves], turns))
        print("\n".join(worse := history.regressions()))
        raise SystemExit(bool(worse))
    sections: dict[str, Callable[[], list[str]]] = {
        "Cases": lambda: cases_report(turns),
        "From start to first answer": lambda: start_table(turns),
        "Whole scripts": lambda: scripts.report(turns + 2),
        "Sixty shapes": sweep.shapes_report,
        "Sizes": lambda: ["![Nanoseconds a point against the number of points](sizes.png)", "", *sweep.sizes_report()],
        "What memory allows": roofline.report,
        "Threads": sweep.threads_report,
        "Short lines": arrays_report.short_lines,
        "np.gradient inside @njit": arrays_report.inside_njit,
        "Dask arrays": arrays_report.dask_arrays,
        "Memory": lambda: [*sweep.memory_report(), "", *sweep.descent_memory_report(), "", *sweep.mapped_report()],
        "Growth of a descent": lambda: [
            "![Seconds of a descent against the rows](growth.png)",
            "",
            *sweep.growth_report(),
        ],
        "Descents of many shapes": descent_report.report,
        "Sparse descents": sparse_report.report,
        "Other libraries": peers.report,
        "On the sphere": sphere_report.report,
        "Derivatives of functions": functions_report.report,
        "Exact derivatives": exact_report.report,
        "Corners of derivatives of functions": functions_report.corners,
        "Noisy samples": noisy_report.report,
        "Groups of rows of a data frame": groups_report.report,
        "Certified regressions": certified.report,
    }
    results = ROOT / "benchmarks" / "RESULTS.md"
    replace_head(results)
    for title in only or sections:
        replace_section(results, title, sections[title]())


if __name__ == "__main__":
    main()
