"""Sizes from 10 to 10^8, 60 shapes, threads and memory: `python -m benchmarks.sweep` draws sizes.png."""

import tempfile
import tracemalloc
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import numgrad as ng
from benchmarks.cases import SHAPES, plain_descent, regression, samples
from benchmarks.measure import fresh, side_by_side, table, unit

FIGURE = Path(__file__).parent / "sizes.png"
GROWTH = Path(__file__).parent / "growth.png"
MIB = 2**20
MAPPED = """
import numpy as np, numgrad as ng
def most():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) << 10
f, out = (np.memmap("{folder}/" + name, "f8", "w+", shape=({planes}, 256, 256)) for name in ("f", "out"))
ng.gradient(np.zeros((3, 10**6)), axis=0, out=np.zeros((3, 10**6)))
before = most()
ng.gradient(f, axis={axis}, out=out)
print(most() - before)
"""


def sizes(largest: int = 10**8, seconds: float = 0.7) -> tuple[list[int], dict[str, list[float]]]:
    """Return sizes, and nanoseconds a point of each call."""
    counts = [n for e in range(1, 9) for n in (10**e, 3 * 10**e) if n <= largest]
    series: dict[str, list[float]] = {}
    for n in counts:
        f, out = samples(n), np.zeros(n)
        calls = {
            "np.gradient": partial(np.gradient, f),
            "numgrad": partial(ng.gradient, f),
            "numgrad, out=": partial(ng.gradient, f, out=out),
            "np.copyto": partial(np.copyto, out, f),
        }
        for name, time in side_by_side(calls, seconds).items():
            series.setdefault(name, []).append(time / n * 1e9)
    return counts, series


def draw(counts: list[int], series: dict[str, list[float]], path: Path = FIGURE) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    ax = figure.add_subplot()
    styles = {"np.gradient": "o-C1", "numgrad": "o-C0", "numgrad, out=": "s--C0", "np.copyto": ":C7"}
    for name, times in series.items():
        ax.loglog(counts, times, styles[name], label=name, markersize=4)
    ax.set(xlabel="points (float64, uniform spacing)", ylabel="nanoseconds a point", title="Gradient of a 1-D array")
    ax.grid(which="major", alpha=0.3)
    ax.legend()
    figure.savefig(path, dpi=110)


def sizes_report(largest: int = 10**8, seconds: float = 0.7, path: Path = FIGURE) -> list[str]:
    counts, series = sizes(largest, seconds)
    draw(counts, series, path)
    rows = [
        f"| {n:.0e} | ".replace("e+0", "e") + " | ".join(f"{times[i]:.3g}" for times in series.values()) + " |"
        for i, n in enumerate(counts)
    ]
    return table("| points | " + " | ".join(f"{name}, ns a point" for name in series) + " |", rows)


def shapes_report(shapes: Any = SHAPES, seconds: float = 0.4) -> list[str]:
    ratios = []
    for shape in shapes:
        f = samples(*shape)
        times = side_by_side({"numpy": partial(np.gradient, f), "numgrad": partial(ng.gradient, f)}, seconds)
        ratios.append((times["numpy"] / times["numgrad"], shape))
    ratios.sort()
    below = sum(ratio < 1 for ratio, _ in ratios)
    middle = ratios[len(ratios) // 2][0]
    text = f"Of {len(ratios)} shapes {below} are slower than np.gradient; the median ratio is {middle:.3g}. The least:"
    return [text, "", *table("| shape | ratio |", [f"| {shape} | {ratio:.3g} |" for ratio, shape in ratios[:6]])]


def threads_report(size: int = 10**8, seconds: float = 2) -> list[str]:
    """From one thread to sixteen, as far as the machine has them."""
    most, rows = ng.get_num_threads(), []
    cases = {
        "1-D, out=": lambda: (samples(size), ()),
        "1-D, coordinates, out=": lambda: (samples(size // 10), (np.cumsum(samples(size // 10) + 1),)),
        "3-D, all axes, out=": lambda: (samples(*[round((size / 6) ** (1 / 3))] * 3), ()),
        "lines of 50, out=": lambda: (samples(max(2, size // 400), 50), ()),
    }
    for name, make in cases.items():
        f, given = make()
        out = np.zeros((f.ndim, *f.shape))

        def on(threads: int, f: Any = f, given: Any = given, out: Any = out) -> None:
            ng.set_num_threads(threads)
            ng.gradient(f, *given, out=out)

        counts = sorted({t for t in (1, 2, 4, 8, 16) if t <= most} | {1, most})
        times = side_by_side({str(t): partial(on, t) for t in counts}, seconds)
        rows.append(f"| {name} | " + " | ".join(f"{times['1'] / times[str(t)]:.3g}" for t in counts[1:]) + " |")
    ng.set_num_threads(None)
    return table("| speedup over one thread | " + " | ".join(f"{t} threads" for t in counts[1:]) + " |", rows)


def growth(largest: int = 10**7, seconds: float = 0.5) -> tuple[list[int], dict[str, list[float]]]:
    """Return numbers of rows, and seconds of 100 iterations, and of one more, over ten features."""
    counts = [m for e in range(2, 8) for m in (10**e, 3 * 10**e) if m <= largest]
    series: dict[str, list[float]] = {}
    for m in counts:
        X, y = regression(m, 10)

        rows = ng.CompressedRows().update(X, y)

        def run(method: str, n_iter: int, *data: Any) -> None:
            ng.gradient_descent(*data, learning_rate=0.1, n_iter=n_iter, method=method)

        some = max(1, min(100, 10**8 // X.size))
        more = 1100 if m < 10**5 else 20  # fused: one more is the difference to 100, of large data between 10 and 20
        calls = {
            "plain": partial(plain_descent, X, y, np.zeros(10), 0.1, some),
            "fused": partial(run, "fused", 100, X, y),
            "modes": partial(run, "modes", 100, X, y),
            "less": partial(run, "fused", 100 if m < 10**5 else 10, X, y),
            "more": partial(run, "fused", more, X, y),
            "rows": partial(run, "modes", 100, rows),  # without the compression, which would hide an iteration
            "rows more": partial(run, "modes", 20_100, rows),
        }
        times = side_by_side(calls, seconds)
        found = {
            "plain NumPy, 100 iterations": times["plain"] / some * 100,
            "fused, 100 iterations": times["fused"],
            "modes, 100 iterations": times["modes"],
            "fused, each one more": (times["more"] - times["less"]) / (1000 if m < 10**5 else 10),
            "modes, each one more": (times["rows more"] - times["rows"]) / 20_000,
        }
        for name, time in found.items():
            series.setdefault(name, []).append(max(time, 1e-9))
    return counts, series


def growth_report(largest: int = 10**7, seconds: float = 0.5, path: Path = GROWTH) -> list[str]:
    from matplotlib.figure import Figure

    counts, series = growth(largest, seconds)
    figure = Figure(figsize=(7, 4.6), layout="constrained")
    ax = figure.add_subplot()
    styles = ("o-C1", "o-C0", "o-C2", "s:C0", "s:C2")
    for (name, times), style in zip(series.items(), styles, strict=True):
        ax.loglog(counts, times, style, label=name, markersize=4)
    ax.set(xlabel="rows of ten features", ylabel="seconds", title="Gradient descent, with the cost of each iteration")
    ax.grid(which="major", alpha=0.3)
    ax.legend()
    figure.savefig(path, dpi=110)
    rows = [
        f"| {m:.0e} | ".replace("e+0", "e") + " | ".join(unit(times[i]) for times in series.values()) + " |"
        for i, m in enumerate(counts)
    ]
    return table("| rows | " + " | ".join(series) + " |", rows)


def descent_memory_report(rows: int = 10**6) -> list[str]:
    """Peak over the data; the bound is 64 MiB."""
    lines = []
    cases = {
        "in place": regression(rows, 10),
        "packed in each pass": regression(rows, 10, order="F"),
        "copied": regression(rows // 2, 10),
        "int32": tuple((100 * a).astype(np.int32) for a in regression(rows, 10)),
    }
    for name, (X, y) in cases.items():
        peaks = []
        for method in ("fused", "modes"):
            ng.gradient_descent(X, y, n_iter=3, method=method)
            tracemalloc.start()
            ng.gradient_descent(X, y, n_iter=3, method=method)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        lines.append(
            f"| {len(X)} x 10, {name} | {X.nbytes / MIB:.3g} | " + " | ".join(f"{p / MIB:.3g}" for p in peaks) + " |"
        )
    return table("| peak over the data, MiB | X | fused | modes |", lines)


def memory_report(size: int = 2 * 10**6) -> list[str]:
    side = round(size ** (1 / 3))
    cases = {
        "1-D": (samples(size), ()),
        "3-D, all axes": (samples(side, side, side), ()),
        "1-D, coordinates": (samples(size), (np.cumsum(samples(size) + 1),)),
        "int32": (samples(size, dtype=np.int32), ()),
        "every other column": (samples(1000, size // 500)[:, ::2], ()),
    }
    rows = []
    for name, (f, given) in cases.items():
        out = np.zeros((f.ndim, *f.shape))
        peaks = []
        for function, target in ((np.gradient, None), (ng.gradient, None), (ng.gradient, out)):
            options = {} if target is None else {"out": target}
            function(f, *given, **options)
            tracemalloc.start()
            result = function(f, *given, **options)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            del result
        over = [peaks[0] - out.nbytes, peaks[1] - out.nbytes, peaks[2]]
        rows.append(f"| {name} | {out.nbytes / MIB:.3g} | " + " | ".join(f"{o / MIB:.3g}" for o in over) + " |")
    return table("| peak over the results, MiB | results | np.gradient | numgrad | numgrad, out= |", rows)


def mapped_report(planes: int = 4096) -> list[str]:
    """What a process comes to hold of two files, of which one is the gradient of the other."""
    rows = []
    for axis in range(3):
        with tempfile.TemporaryDirectory() as folder:
            grown = fresh(MAPPED.format(folder=folder, planes=planes, axis=axis))
        rows.append(f"| axis {axis} | {planes / 2:.3g} + {planes / 2:.3g} | {grown / MIB:.3g} |")
    return table("| gradient of a mapped file, MiB | files | memory grows by |", rows)


if __name__ == "__main__":
    print(*sizes_report(), sep="\n")
