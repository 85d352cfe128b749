"""A plan, run over arrays that are not compact, or not in the same order: box by box, without copies."""

from collections.abc import Iterator
from functools import cache
from itertools import product
from math import prod
from typing import Any

import numpy as np

from numgrad._arrays.plan.coefficients import end_weights
from numgrad._arrays.plan.compose import drafted_strided
from numgrad._arrays.plan.dtypes import ARGUMENT
from numgrad._arrays.plan.schemes import EDGES, NONUNIFORM
from numgrad._arrays.plan.spacing import ready
from numgrad._arrays.plan.types import PIECE, AxisPlan, Recipe, Request
from numgrad._arrays.run.flat import constants_of, thread_count
from numgrad._compile.jit import entry_point
from numgrad._compile.tiers import Account
from numgrad._system.memory import pages_of, shares_memory, store
from numgrad._system.threads import share

# Elements along the axis of the rows that stay together, where they can; less where f and the results are in different
# orders, whose boxes must be short of both. Shorter rows take longer to find than to fill.
RUN, RUN_ACROSS, SHORTEST = 1024, 64, 16
# Strides of f and of a result along the rows that have a kernel of their own. More of them gain nothing: kernels for
# (2, 1), (3, 1) and (-1, 1), which vectorise by shuffling, took as long as the one for any strides.
USUAL = (1, 1)

Box = tuple[tuple[int, int], ...]
"""For each axis where a box begins and ends."""


def fill_strided(request: Request, results: list[np.ndarray], inputs: tuple[Any, ...]) -> bool:
    """Fill the results. False: coordinates met of which NumPy must warn."""
    f = request.f if is_strided(request.f) else request.f.copy(order="K")
    results = [np.asarray(r) for r in results]
    working = [r if is_strided(r) and not shares_memory(r, inputs) else np.empty(r.shape, r.dtype) for r in results]
    threads = thread_count(request.plan, f.size)
    order = _row_order(working[0])
    run = RUN if abs(f.strides[order[-1]]) == min(map(abs, f.strides)) else RUN_ACROSS
    source, targets = _memory(f), [_memory(w) for w in working]
    calls = []
    for axis, target in zip(request.plan.axes, targets, strict=True):
        calls.append(_bind(axis, request, source, target, order))
        if calls[-1] is None:
            return False

    pages = pages_of([f, *working, *request.spacings])
    # Elements apart may lie in a page each.
    apart = max(min(map(abs, a.strides), default=1) // a.itemsize for a in (f, *working))

    def work(boxes: Iterator[Box]) -> bool:
        met = False
        for box in boxes:
            bounds = [[box[a][end] for a in order] for end in (0, 1)]
            for kernel, arguments, strides in calls:
                grid = np.array([*bounds, *strides, strides[0]])
                met |= kernel(*arguments, grid)
            if pages is not None:
                pages.touch(PIECE * apart)
        return met

    done = not any(share(work, boxes(f.shape, order[-1], run, PIECE), threads))
    return done and store(working, results)


def account_of_strided(request: Request, rate: float, gain: float) -> Account:
    """Return the account of the kernels for the rows of f and of results that lie as they do by default."""
    f = request.f
    rows = USUAL if min(map(abs, f.strides)) == f.itemsize else (0, 0)
    kinds = [
        (a.recipe, request.spacings[a.place].dtype if a.recipe.schemes[0] is NONUNIFORM else np.dtype(np.float64))
        for a in request.plan.axes
    ]
    return _account(frozenset(kinds), rows, rate, gain)


@cache
def _account(kinds: frozenset[Any], rows: tuple[int, int], rate: float, gain: float) -> Account:
    return Account(tuple(drafted_strided(*kind, rows) for kind in kinds), rate, gain=gain)


def is_strided(array: np.ndarray) -> bool:
    """Whether all elements lie at multiples of their size from the first one."""
    return array.flags.aligned and not any(s % array.itemsize for s in array.strides)


def _row_order(result: np.ndarray) -> list[int]:
    """The axes, the last one that along which rows run: the innermost of the result; the longest if that is short."""
    order = sorted(range(result.ndim), key=lambda a: -abs(result.strides[a]))
    if result.shape[order[-1]] < SHORTEST:
        longest = max(order, key=lambda a: result.shape[a])
        order = [*(a for a in order if a != longest), longest]
    return order


def _memory(array: np.ndarray) -> tuple[np.ndarray, int, list[int]]:
    """Return the memory around a strided array, as elements; the place of the first; and the strides."""
    strides = [s // array.itemsize for s in array.strides]
    if array.flags.c_contiguous:
        return array.reshape(-1), 0, strides
    reach = [s * (n - 1) for s, n in zip(strides, array.shape, strict=True)]
    begin = -sum(r for r in reach if r < 0)
    first = array[tuple([slice(None, None, -1 if s < 0 else 1) for s in strides])] if begin else array
    size = sum(map(abs, reach)) + 1
    return np.lib.stride_tricks.as_strided(first, (size,), (array.itemsize,)), begin, strides


def _bind(axis: AxisPlan, request: Request, source: Any, target: Any, order: list[int]) -> Any:
    """Return the kernel of an axis, its arguments but the grid, and the strides; None if a step at an end is zero."""
    (f, begin, f_strides), (out, origin, out_strides) = source, target
    recipe = axis.recipe
    x, place, hop = np.zeros(1), 0, 0
    if recipe.schemes[0] is NONUNIFORM:
        given = request.spacings[axis.place]
        constants = _of_coordinates(recipe, given)
        x, place, (hop,) = _memory(given if is_strided(given) else given.copy())
    else:
        constants = _of_number(recipe, constants_of(axis, request.spacings))
    if constants is None:
        return None
    scalars = np.array([axis.n, order.index(axis.axis), begin, origin, place, hop])
    strides = [[f_strides[a] for a in order], [out_strides[a] for a in order]]
    arguments = (f, out, scalars, x, *constants)
    grid = np.zeros((5, len(order)), np.int64)
    row = strides[0][-1], strides[1][-1]
    kernel = drafted_strided(recipe, x.dtype, row if row == USUAL else (0, 0)).compiled
    kernel = entry_point(kernel, *arguments, grid)
    return kernel, arguments, strides


def _of_number(recipe: Recipe, constants: tuple[Any, ...]) -> Any:
    """Weights at the ends, if there are any, and the divisors: what other kernels have around one another."""
    ends = np.zeros(6, recipe.real)
    for scheme in recipe.schemes[:0:-1]:
        first, constants = constants
        ends = first if scheme is EDGES else ends
    width, step = constants
    return ends, (width, step, step)


def _of_coordinates(recipe: Recipe, x: np.ndarray) -> Any:
    """The same for coordinates; None if a step at an end is zero."""
    low, high = ready(x[:3]), ready(x[-3:])
    steps = low[1] - low[0], high[-1] - high[-2]
    if not all(steps):
        return None
    argument = ARGUMENT[recipe.work]
    ends = end_weights(low, high) if EDGES in recipe.schemes else np.zeros(6, recipe.real)
    return ends, (argument(1), *map(argument, steps))


def boxes(shape: tuple[int, ...], row: int, run: int, limit: int) -> list[Box]:
    """Cut a shape into boxes of up to `limit` elements, as cubic as can be; rows of up to `run` are cut last."""
    extents = list(shape)
    while prod(extents) > limit:
        a = max(range(len(extents)), key=lambda a: extents[a] if a != row or extents[a] > run else 1.5)
        extents[a] = -(-extents[a] // 2)
    cuts = [[(i, min(i + e, n)) for i in range(0, n, e)] for n, e in zip(shape, extents, strict=True)]
    return list(product(*cuts))
