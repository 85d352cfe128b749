"""Arrays that no kernel can run over as they lie: tile by tile, through contiguous copies."""

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np

from numgrad import _sweep, _threads
from numgrad._dispatch import Order, Request, is_compact, plan_for
from numgrad._spacing import ready

# Bytes of all copies alive at a time, shared among the threads; a call may take 1 MiB.
BUDGET = 3 << 18
# With more threads than this the tiles would be too small to be worth the calls.
MOST_THREADS = 8
# Elements along the innermost axis that stay together, so that copies have something to run along.
RUN = 64

Box = list[tuple[int, int]]
"""For each axis where a tile begins and ends."""


def fill(request: Request, results: list[np.ndarray]) -> bool:
    """Fill the results. False: a step of zero was met, and NumPy must warn of it."""
    f, plan, spacings, order = request.f, request.plan, request.spacings, request.order
    if all(is_compact(r, None) for r in results):
        order = None  # f lies in another order than all results: it is less work to turn f than to turn each of them
    margins = [0] * f.ndim
    for axis in plan.axes:
        margins[axis.axis] = request.edge_order
    threads = min(_sweep.thread_count(f.size * len(results)), MOST_THREADS)
    boxes = tiles(f.shape, margins, order, BUDGET // threads // (f.itemsize + plan.dtype.itemsize))
    inputs = [f, *(x for x in spacings if type(x) is np.ndarray)]
    if any(np.may_share_memory(r, i) for r in results for i in inputs):
        # As NumPy's own functions do where input and output overlap. Nothing else here is of the size of f.
        f = f.copy() if len(boxes) > 1 else f
        spacings = tuple(x.copy() if type(x) is np.ndarray else x for x in spacings)
    request = request._replace(f=f, order=order, spacings=spacings)

    def work(items: Iterator[Box]) -> bool:
        buffers = [np.empty(0, f.dtype), np.empty(0, plan.dtype)]
        met = False
        for box in items:
            outer = [(max(b - m, 0), min(e + m, n)) for (b, e), m, n in zip(box, margins, f.shape, strict=True)]
            met |= _one(request, results, box, outer, buffers)
        return met

    return not any(_threads.share(work, boxes, threads))


def _one(request: Request, results: list[np.ndarray], box: Box, outer: Box, buffers: list[np.ndarray]) -> bool:
    """Compute the results of a box from f in the outer one: the box, with the neighbours that it needs."""
    f, order = request.f, request.order
    shape = tuple([end - begin for begin, end in outer])
    size = prod(shape)
    if buffers[0].size < size:
        buffers[:] = [np.empty(size, buffer.dtype) for buffer in buffers]
    source, computed = (b[:size] for b in buffers)
    _shaped(source, shape, order)[...] = f[tuple([slice(*bounds) for bounds in outer])]
    spacings, keys = list(request.spacings), list(request.keys)
    for axis in request.plan.axes:
        if type(axis.constants) is not tuple or (axis.place < len(keys) and len(keys[axis.place]) == 3):
            spacings[axis.place] = ready(spacings[axis.place][slice(*outer[axis.axis])])
            keys[axis.place] = (*keys[axis.place][:2], shape[axis.axis])
    here = tuple([slice(*bounds) for bounds in box])
    inside = tuple([slice(b - o, e - o) for (b, e), (o, _) in zip(box, outer, strict=True)])
    met = False
    axes = plan_for(f.dtype, shape, order, request.axis, request.edge_order, *keys).axes  # type: ignore[union-attr]
    for axis, result in zip(axes, results, strict=True):
        target = result[here]
        is_direct = box == outer and is_compact(target, order)
        out = flat(target, order) if is_direct else computed
        kernel, n, inner, constants = _sweep.bind(axis, source, out, tuple(spacings), False)
        met |= kernel(source, out, n, inner, 0, size, 0, *constants)
        if not is_direct:
            target[...] = _shaped(computed, shape, order)[inside]
    return met


def tiles(shape: tuple[int, ...], margins: list[int], order: Order, limit: int) -> list[Box]:
    """Cut a shape into boxes that have, with the margins, up to `limit` elements: as cubic as RUN allows."""
    extents, innermost = list(shape), order[-1] if order else len(shape) - 1
    while prod(min(n, e + 2 * m) for n, e, m in zip(shape, extents, margins, strict=True)) > limit:
        long = [a for a, e in enumerate(extents) if e > (RUN if a == innermost else 1)]
        if not long:
            break
        a = max(long, key=lambda a: extents[a])
        extents[a] = -(-extents[a] // 2)
    cuts = [[(i, min(i + e, n)) for i in range(0, n, e)] for n, e in zip(shape, extents, strict=True)]
    return [list(box) for box in product(*cuts)]


def flat(array: np.ndarray, order: Order) -> np.ndarray:
    """The elements of a compact array in the order of memory, as a view."""
    return array if array.ndim == 1 else array.transpose(order or range(array.ndim)).reshape(-1)


def _shaped(memory: np.ndarray, shape: tuple[int, ...], order: Order) -> np.ndarray:
    """The inverse of `flat`."""
    if order is None:
        return memory.reshape(shape)
    return memory.reshape([shape[a] for a in order]).transpose(np.argsort(order))
