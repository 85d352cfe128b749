"""Short lines, np.gradient inside @njit, and dask arrays, each beside what memory, NumPy and arrays in memory allow."""

from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

import numgrad as ng
from benchmarks import roofline
from benchmarks.cases import grow_heap, samples
from benchmarks.measure import side_by_side, table, unit
from numgrad._arrays.run.flat import cache_size

MANY = 2 * 10**6
SHAPES = [(MANY, 3), (3, MANY), (50, 2000), (MANY // 50, 50), (MANY // 2, 2), (2, MANY // 2)]
SIZES = [10**5, 10**6, 10**7, 10**8]


def short_lines(shapes: Any = SHAPES, seconds: float = 1.0, size: int = 2 * 10**7) -> list[str]:
    """All axes and each of them, into memory that has been touched, beside copies to as many places."""
    rates = roofline.rates(size, seconds)
    fastest, rows = rates[max(rates)], []
    for shape in shapes:
        f = samples(*shape)
        out, copied = np.ones((2, *shape)), np.ones((2, *shape))
        for axes in ((0, 1), (0,), (1,)):
            targets = tuple(out[a] for a in axes)
            calls = {
                "numgrad": partial(ng.gradient, f, axis=axes, out=targets),
                "copies": lambda axes=axes, f=f, to=copied: [np.copyto(to[a], f) for a in axes],
            }
            times = side_by_side(calls, seconds)
            bound = roofline.bound((f.nbytes / 1e6, len(axes) * f.nbytes / 1e6), fastest)
            is_large = 2 * f.nbytes > cache_size()  # smaller ones stay in the cache, which is no bound of memory
            reached = f"{unit(bound)} | {bound / times['numgrad']:.0%}" if is_large else " | "
            words = "all axes" if len(axes) > 1 else f"axis {axes[0]}"
            rows.append(
                f"| {shape[0]:,d} x {shape[1]:,d}, {words} | {unit(times['copies'])} | {unit(times['numgrad'])} | "
                f"{times['copies'] / times['numgrad']:.2f} | {reached} |"
            )
    return table("| float64, `out=` | np.copyto | numgrad | ratio | bound | reached |", rows)


def inside_njit(sizes: Any = SIZES, seconds: float = 2.0) -> list[str]:
    """np.gradient in compiled code, np.gradient and numgrad outside of it, in a process whose heap has grown."""
    from numba import njit

    inside, rows = njit(lambda f: np.gradient(f)), []
    for n in sizes:
        f = samples(n)
        grow_heap()
        calls = {"outside": partial(np.gradient, f), "inside": partial(inside, f), "numgrad": partial(ng.gradient, f)}
        times = side_by_side(calls, seconds)
        row = f"| {n:.0e} | ".replace("e+0", "e") + " | ".join(unit(time) for time in times.values())
        rows.append(row + f" | {times['outside'] / times['inside']:.3g} |")
    return table(
        "| points | np.gradient | np.gradient inside @njit | numgrad.gradient | ratio of the first two |", rows
    )


def dask_arrays(side: int = 200, seconds: float = 4.0, chunks: int = 100) -> list[str]:
    """Eight chunks beside the array in memory, in turns, and what it takes to build a graph."""
    import dask
    import dask.array as da

    f = samples(8 * side, side, side)
    pieces = da.from_array(f, chunks=(side, side, side), name=False).persist()
    rows = []
    for axis in (0, 2, None):
        calls = {
            "memory": partial(ng.gradient, f, axis=axis),
            "dask": lambda axis=axis: dask.persist(ng.gradient(pieces, axis=axis)),
        }
        times = side_by_side(calls, seconds)
        words = "all axes" if axis is None else f"axis {axis}"
        ratio = times["memory"] / times["dask"]
        rows.append(f"| {words} | {unit(times['memory'])} | {unit(times['dask'])} | {ratio:.2f} |")
    lines = table(f"| 8 chunks of {side}^3, the first axis chunked | in memory | dask | ratio |", rows)
    many = da.zeros((4 * chunks, 4 * chunks), chunks=4)
    ng.gradient(many)
    began = perf_counter()
    ng.gradient(many)
    return [*lines, "", f"A graph of {chunks**2} chunks, all axes, is built in {unit(perf_counter() - began)}."]
