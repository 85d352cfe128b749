"""A plan, run over compact memory: in what order, in which pieces, on how many threads, by which kind of stores."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from numgrad._arrays.plan.compose import compiled, drafted, has_streaming_stores, past_the_cache
from numgrad._arrays.plan.dispatch import is_done_at_once, known_calls
from numgrad._arrays.plan.types import PIECE, AxisPlan, Plan, Recipe
from numgrad._compile.jit import Kernel, entry_point
from numgrad._compile.tiers import STEP, Account
from numgrad._system.memory import pages_of
from numgrad._system.threads import get_num_threads, share

# Less work than this, in results of float64, is done in one thread: waking another takes as long as it would save.
PARALLEL = 1 << 20
# A part of the whole for each thread would make the fastest wait for the slowest; this many do not.
PARTS = 4
# Elements done by one call of a kernel, at most.
LONGEST = 1 << 21
# Bytes of the buffer of a streaming kernel.
BUFFER = 2048


def fill(sources: list[np.ndarray], results: list[np.ndarray], plan: Plan, spacings: tuple[Any, ...]) -> bool:
    """Fill the results, flat as the sources are. False: coordinates met of which NumPy must warn."""
    met = False
    if plan.calls:
        for (kernel, arguments, make, place), axis in zip(plan.calls, plan.axes, strict=True):
            made = () if make is None else make(spacings[place])
            met |= kernel(sources[axis.source], results[axis.target], *arguments, *made)
        return not met
    axes, size = plan.axes, sources[0].size
    threads = thread_count(plan, size)
    streaming = is_streaming(sum(r.nbytes for r in results))
    steps = [_step(i, axes, sources, results, spacings, streaming) for i in range(len(axes))]
    has_sums = any(step.total is not None for step in steps)
    piece = PIECE
    if streaming and not has_sums:  # each call waits for what it has written past the cache: half as many are better
        piece = min(2 * PIECE, max(PIECE, size // (threads * PARTS)))
    ranges = pieces(size, [axis.inner for axis in axes], [axis.n for axis in axes], threads, piece)
    is_at_once = len(ranges) == 1 or is_done_at_once(size, len(axes))
    if is_at_once and not streaming and not is_shared(plan, size):
        plan.calls = known_calls(axes, size)

    pages = pages_of([*sources, *results, *spacings])

    def work(parts: Iterator[list[tuple[int, int]]]) -> bool:
        buffer = _buffer(plan.dtype) if streaming else 0
        scratch = np.empty(max(stop - start for start, stop in ranges) if has_sums else 0, plan.dtype)
        met = False
        for part in parts:
            for start, stop in part:
                for kernel, f, out, n, inner, constants, total in steps:
                    if total is None:
                        met |= kernel(f, out, n, inner, start, stop, buffer, *constants)
                        continue
                    met |= kernel(f, scratch, n, inner, start, stop, start, *constants)
                    if out is not None:
                        total(scratch, out, 1, 1, start, stop, buffer, (start,))
                if pages is not None:
                    pages.touch(stop - start)
        return met

    length = -(-len(ranges) // (threads * PARTS))
    parts = [ranges[i : i + length] for i in range(0, len(ranges), length)]
    return not any(share(work, parts, threads))


@lru_cache(1024)
def account_of(plan: Plan, streaming: bool, rate: float = STEP, gain: float = 1.0) -> Account:
    """Return the account of the kernels of a plan, which it shares with all plans that have the same kernels."""
    return account_of_recipes(frozenset(axis.recipe for axis in plan.axes), streaming, rate, gain)


@cache
def account_of_recipes(recipes: frozenset[Recipe], streaming: bool, rate: float, gain: float = 1.0) -> Account:
    return Account(tuple(drafted(recipe, streaming) for recipe in recipes), rate, gain=gain)


def steps_of(plan: Plan, size: int) -> int:
    """Return how many steps plain kernels do for arrays of so many elements."""
    return size * sum(1 + a.recipe.taps * max(1, a.recipe.order and a.recipe.taps) for a in plan.axes)


def fill_plainly(sources: list[np.ndarray], results: list[np.ndarray], plan: Plan, spacings: tuple[Any, ...]) -> bool:
    """As `fill`, by the kernels as plain functions."""
    met = False
    for axis in plan.axes:
        f, out = sources[axis.source], results[axis.target]
        kernel = drafted(axis.recipe, False).plain
        met |= kernel(f, out, axis.n, axis.inner, 0, f.size, 0, *constants_of(axis, spacings))
    return not met


class Step(NamedTuple):
    """One kernel, ready for any piece. A sum of streamed terms comes about in scratch memory; `total` copies it out."""

    kernel: Kernel
    f: np.ndarray
    out: np.ndarray | None
    n: int
    inner: int
    constants: tuple[Any, ...]
    total: Kernel | None = None


def _step(
    i: int, axes: tuple[AxisPlan, ...], sources: list[np.ndarray], results: list[np.ndarray], spacings: tuple[Any, ...],
    streaming: bool,
) -> Step:  # fmt: skip
    axis = axes[i]
    f, result = sources[axis.source], results[axis.target]
    is_last = i + 1 == len(axes) or axes[i + 1].target != axis.target
    if not streaming or (is_last and not axis.recipe.adds):
        return bind(axis, f, result, spacings, streaming)
    step = bind(axis, f, result, spacings, False)
    total = AxisPlan(0, 0, 1, 1, past_the_cache(result.dtype), (0,))
    return step._replace(out=result if is_last else None, total=bind(total, result, result, (), True).kernel)


def bind(axis: AxisPlan, f: np.ndarray, out: np.ndarray, spacings: tuple[Any, ...], streaming: bool) -> Step:
    constants = constants_of(axis, spacings)
    if streaming:
        constants = (constants,)
    seventh = _buffer(out.dtype) if streaming else 0
    kernel = compiled(axis.recipe, streaming)
    entry = entry_point(kernel, f, out, axis.n, axis.inner, 0, f.size, seventh, *constants)
    return Step(entry, f, out, axis.n, axis.inner, constants)


def constants_of(axis: AxisPlan, spacings: tuple[Any, ...]) -> tuple[Any, ...]:
    given = axis.constants
    return given if type(given) is tuple else given(spacings[axis.place])


def thread_count(plan: Plan, size: int) -> int:
    """Return the number of threads for arrays of so many elements."""
    return get_num_threads() if is_shared(plan, size) else 1


def is_shared(plan: Plan, size: int) -> bool:
    """Whether arrays of so many elements are worth more than one thread."""
    return size * sum(map(_cost, plan.axes)) * plan.dtype.itemsize // 8 >= PARALLEL


def _cost(axis: AxisPlan) -> int:
    return axis.recipe.schemes[0].cost(axis.inner, axis.recipe.taps)


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


def pieces(size: int, inners: list[int], lengths: list[int], threads: int, piece: int) -> list[tuple[int, int]]:
    """Return ranges that cover the array once, in an order that reads f from memory once, whatever the axes.

    Neighbours along an axis are `inner` elements apart. While a piece and all that lies between its neighbours fit the
    cache, the order of the memory will do. Beyond, the pieces go down in columns: all rows for one range of columns,
    then the next, so that a piece finds the row behind it in the cache, and fetches the row ahead for the next one.
    """
    line = next((n for n, inner in zip(lengths, inners, strict=True) if inner == 1), 1)
    reach = max(inners)
    if len(inners) == 1 and reach <= piece:
        step = min(LONGEST, size if threads == 1 else max(piece, -(-size // (threads * PARTS))))
        return [(i, min(i + step, size)) for i in range(0, size, step)]
    step = piece // line * line or piece  # whole lines of the innermost axis, if they fit: kernels are faster on those
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
