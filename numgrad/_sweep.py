"""A plan, run over compact memory: in what order, in which pieces, on how many threads, by which kind of stores."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np

from numgrad import _threads
from numgrad._dispatch import PIECE, AxisPlan, Plan, known_calls
from numgrad._jit import Kernel, entry_point
from numgrad._kernels.nonuniform import nonuniform
from numgrad._recipe import compiled, has_streaming_stores

# Less work than this, in results of float64, is done in one thread: waking another takes as long as it would save.
PARALLEL = 1 << 20
# The work for a result that has coordinates of its own, with three divisions.
DIVISIONS = 4
# A part of the whole for each thread would make the fastest wait for the slowest; this many do not.
PARTS = 4
# Bytes of the buffer of a streaming kernel.
BUFFER = 2048


def fill(f: np.ndarray, results: list[np.ndarray], plan: Plan, spacings: tuple[Any, ...]) -> bool:
    """Fill the results, flat as f is. False: a step of zero was met, and NumPy must warn of it."""
    met = False
    if plan.calls:
        for (kernel, arguments, make, place), result in zip(plan.calls, results, strict=True):
            met |= kernel(f, result, *arguments, *(() if make is None else make(spacings[place])))
        return not met
    axes, size = plan.axes, f.size
    threads = thread_count(plan, size)
    streaming = is_streaming(sum(r.nbytes for r in results))
    calls = [bind(axis, f, r, spacings, streaming) for axis, r in zip(axes, results, strict=True)]
    ranges = pieces(size, [axis.inner for axis in axes], [axis.n for axis in axes], threads)
    if len(ranges) == 1 and not streaming and not is_shared(plan, size):
        plan.calls = known_calls(axes, size)

    def work(parts: Iterator[list[tuple[int, int]]]) -> bool:
        seventh = _buffer(results[0].dtype) if streaming else 0
        met = False
        for part in parts:
            for start, stop in part:
                for (kernel, n, inner, constants), result in zip(calls, results, strict=True):
                    met |= kernel(f, result, n, inner, start, stop, seventh, *constants)
        return met

    length = -(-len(ranges) // (threads * PARTS))
    parts = [ranges[i : i + length] for i in range(0, len(ranges), length)]
    return not any(_threads.share(work, parts, threads))


def bind(
    axis: AxisPlan, f: np.ndarray, result: np.ndarray, spacings: tuple[Any, ...], streaming: bool
) -> tuple[Kernel, int, int, tuple[Any, ...]]:
    """Return the kernel of an axis, n, inner, and what follows the seventh argument."""
    constants = constants_of(axis, spacings)
    if streaming:
        constants = (constants,)
    kernel = compiled(axis.recipe, streaming)
    seventh = _buffer(result.dtype) if streaming else 0
    entry = entry_point(kernel, f, result, axis.n, axis.inner, 0, f.size, seventh, *constants)
    return entry, axis.n, axis.inner, constants


def constants_of(axis: AxisPlan, spacings: tuple[Any, ...]) -> tuple[Any, ...]:
    given = axis.constants
    return given if type(given) is tuple else given(spacings[axis.place])


def thread_count(plan: Plan, size: int) -> int:
    """Return the number of threads for arrays of so many elements."""
    return _threads.get_num_threads() if is_shared(plan, size) else 1


def is_shared(plan: Plan, size: int) -> bool:
    """Whether arrays of so many elements are worth more than one thread."""
    costs = [DIVISIONS if a.recipe.functions[0] is nonuniform and a.inner == 1 else 1 for a in plan.axes]
    return size * sum(costs) * plan.dtype.itemsize // 8 >= PARALLEL


def is_streaming(nbytes: int) -> bool:
    """Whether results of so many bytes in all are written past the cache, which they and f could not share."""
    return 2 * nbytes >= cache_size() and has_streaming_stores()


@cache
def cache_size() -> int:
    """Bytes of the last-level cache of the first CPU; 32 MiB where the system does not tell."""
    sizes = []
    for level in range(5):
        with suppress(OSError, ValueError), open(f"/sys/devices/system/cpu/cpu0/cache/index{level}/size") as file:
            sizes.append(int(file.read().strip().removesuffix("K")) << 10)
    return max(sizes, default=32 << 20)


def pieces(size: int, inners: list[int], lengths: list[int], threads: int) -> list[tuple[int, int]]:
    """Return ranges that cover the array once, in an order that reads f from memory once, whatever the axes.

    Neighbours along an axis are `inner` elements apart. While a piece and all that lies between its neighbours fit the
    cache, the order of the memory will do. Beyond, the pieces go down in columns: all rows for one range of columns,
    then the next, so that a piece finds the row behind it in the cache, and fetches the row ahead for the next one.
    """
    line = next((n for n, inner in zip(lengths, inners, strict=True) if inner == 1), 1)
    reach = max(inners)
    if len(inners) == 1 and reach <= PIECE:
        step = size if threads == 1 else max(PIECE, -(-size // (threads * PARTS)))
        return [(i, min(i + step, size)) for i in range(0, size, step)]
    step = PIECE // line * line or PIECE  # whole lines of the innermost axis, if they fit: kernels are faster on those
    row = min((inner for inner in inners if inner > step), default=size)
    return [
        (start, min(start + step, base + row))
        for column in range(0, row, step)
        for base in range(0, size, row)
        for start in (base + column,)
    ]


def _buffer(dtype: "np.dtype[Any]") -> np.ndarray:
    """Return BUFFER bytes that begin a line of the cache."""
    memory = np.empty(BUFFER + 64, np.uint8)
    skip = -memory.ctypes.data % 64
    return memory[skip : skip + BUFFER].view(dtype)
