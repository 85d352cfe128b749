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

from benchmarks import (
    certified,
    exact_report,
    functions_report,
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


MARK, END = "<!-- results -->", "<!-- end of results -->"


def medians(case: Case, turns: int) -> tuple[float, float]:
    """Return the medians of the turn with the middle ratio.

    In each turn pytest-benchmark times both calls in a fresh process: np.gradient's time depends on what a process has
    allocated before, be it by the benchmark.
    """
    tests = [f"benchmarks/test_speed.py::test_speed[{case.id}-{library}]" for library in ("reference", "numgrad")]
    pairs = []
    for _ in range(turns):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "times.json"
            command = [sys.executable, "-m", "pytest", *tests, "-q", "-p", "no:cacheprovider"]
            command += ["--benchmark-max-time=0.4", f"--benchmark-json={file}"]
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
            reference, numgrad = (b["stats"]["median"] for b in json.loads(file.read_text())["benchmarks"])
        pairs.append((reference, numgrad))
    return sorted(pairs, key=lambda pair: pair[0] / pair[1])[turns // 2]


def interrupt_delay(method: str, *shape: int) -> float:
    command = [sys.executable, "-c", INTERRUPT, method, *map(str, shape)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(1.5)
        sent = time.time()
        process.send_signal(signal.SIGINT)
        return float(process.stdout.readline()) - sent


def speed_table(turns: int) -> list[str]:
    rows = []
    for case in CASES:
        reference, numgrad = medians(case, turns)
        ratio, target = reference / numgrad, case.at_least
        verdict = "" if ratio >= (target or 1) else "short" if target else "slower"
        times = f"{unit(reference)} | {unit(numgrad)} | {ratio:.3g} | {target or ''} | {verdict}"
        rows.append(f"| {case.name} | {case.reference} | {times} |")
        print(rows[-1], flush=True)
    return table("| case | reference | its time | numgrad | ratio | at least | |", rows)


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


def replace_section(results: Path, title: str, lines: list[str]) -> None:
    """Write a section of the results anew; a new one comes last."""
    before, mark, after = results.read_text().partition(f"## {title}\n")
    if mark:
        _, found, rest = after.partition("\n## ")
        rest = found[1:] + rest if found else LAST + "\n"
    else:
        before, rest = before.removesuffix(LAST + "\n"), LAST + "\n"
    results.write_text("\n".join([before + f"## {title}", "", *lines, "", rest]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5, help="processes for each case; the middle ratio counts")
    parser.add_argument("--only", nargs="+", metavar="TITLE", help="measure these sections anew, and leave the others")
    turns, only = (options := parser.parse_args()).turns, options.only
    sections: dict[str, Callable[[], list[str]]] = {
        "From start to first answer": lambda: start_table(turns),
        "Whole scripts": lambda: scripts.report(turns + 2),
        "Sixty shapes": sweep.shapes_report,
        "Sizes": lambda: ["![Nanoseconds a point against the number of points](sizes.png)", "", *sweep.sizes_report()],
        "What memory allows": roofline.report,
        "Threads": sweep.threads_report,
        "Memory": lambda: [*sweep.memory_report(), "", *sweep.descent_memory_report(), "", *sweep.mapped_report()],
        "Growth of a descent": lambda: [
            "![Seconds of a descent against the rows](growth.png)",
            "",
            *sweep.growth_report(),
        ],
        "Sparse descents": sparse_report.report,
        "Other libraries": peers.report,
        "On the sphere": sphere_report.report,
        "Derivatives of functions": functions_report.report,
        "Exact derivatives": exact_report.report,
        "Corners of derivatives of functions": functions_report.corners,
        "Noisy samples": noisy_report.report,
        "Certified regressions": certified.report,
    }
    results = ROOT / "benchmarks" / "RESULTS.md"
    if only:
        for title in only:
            replace_section(results, title, sections[title]())
        return
    speed = speed_table(turns)
    text = [
        "# Results",
        "",
        "Written by `python -m benchmarks.report`; do not edit. " + machine() + ".",
        "",
        "Medians of pytest-benchmark, reference and numgrad in one process; of "
        f"{turns} such processes the one with the middle ratio. All arrays float64 and results fresh unless said.",
        "",
        *speed,
        "",
    ]
    for title, report in sections.items():
        text += [f"## {title}", "", *report(), ""]
    text += [LAST, ""]
    results.write_text("\n".join(text))
    readme = ROOT / "README.md"
    shown = [row.rsplit("|", 3)[0] + "|" for row in (*speed[:2], *(r for r in speed[2:] if r.split("|")[6].strip()))]
    before, _, rest = readme.read_text().partition(MARK)
    _, end, after = rest.partition(END)
    assert end, f"{readme} has no {MARK} ... {END}"
    readme.write_text("\n".join([before + MARK, "", *shown, "", END + after]))


if __name__ == "__main__":
    main()
