"""The tasks of a result, one for each chunk, and the graph that they make."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from numgrad._system.threads import one_thread
from numgrad.interop.dask.cuts import Cut, cut_alike, inner_ends, rows, with_neighbours


def along(
    name: str, compute: Callable[..., Any], f: Any, axis: int, cut: Cut, given: Sequence[tuple[Any, Any]],
    dtype: "np.dtype[Any]",
) -> Any:  # fmt: skip
    """Return the array that `compute` makes of chunks, and over their ends, of strips that reach into the neighbours.

    `compute` gets the chunk of `f`, the values that are `given` (each with the axes it is cut along), and which of its
    ends have neighbours. A chunk with its neighbours in one array would be a copy, as slow as its gradient.
    """
    chunks, operands = cut_alike([(f, tuple(range(f.ndim))), *given], f, {axis: cut})
    count = len(chunks[axis])
    places = [axes.index(axis) if count > 1 and axis in axes else None for _, axes in operands]
    ends = [None if p is None else _ends(x, p, cut.depth) for (x, _), p in zip(operands, places, strict=True)]
    task = partial(_of_chunk, compute=compute, places=places, cut=cut)

    def arguments(block: tuple[int, ...]) -> Iterator[Any]:
        inner = inner_ends(block[axis], count, cut)
        yield inner
        for (x, axes), end in zip(operands, ends, strict=True):
            yield _key(x, axes, block)
            if end is not None:
                for step, has_neighbour in zip((-1, 1), inner, strict=True):
                    there = (*block[:axis], (block[axis] + step) % count, *block[axis + 1 :])
                    yield _key(end, axes, there) if has_neighbour else None

    return _assembled(name, task, arguments, [*[x for x, _ in operands], *ends], chunks, dtype)


def _ends(x: Any, place: int, depth: int) -> Any:
    """The first and the last points of each chunk, one after the other."""
    chunks = list(x.chunks)
    chunks[place] = (2 * depth,) * x.numblocks[place]
    return x.map_blocks(_both_ends, place, depth, chunks=tuple(chunks), dtype=x.dtype, meta=x._meta)


def _both_ends(x: np.ndarray, place: int, depth: int) -> np.ndarray:
    return _joined([x[rows(place, slice(depth))], x[rows(place, slice(-depth, None))]], place)


def _joined(parts: Sequence[np.ndarray], place: int) -> np.ndarray:
    is_masked = any(isinstance(part, np.ma.MaskedArray) for part in parts)
    return (np.ma.concatenate if is_masked else np.concatenate)(parts, place)


def _of_chunk(
    inner: tuple[bool, bool], *operands: Any, compute: Callable[..., Any], places: Sequence[int | None], cut: Cut
) -> Any:
    """A task of `along`, on one thread: the others are dask's to give.

    An operand that is cut is followed by the ends of its neighbours; `places` tells along which of its axes.
    """
    queue = iter(operands)
    given: Any = [(next(queue),) if p is None else (next(queue), next(queue), next(queue)) for p in places]
    place: Any = places[0]
    depth = cut.depth

    def strip(is_low: bool) -> Any:
        """Compute over the end of one chunk and the beginning of the next."""
        parts = []
        for x, p in zip(given, places, strict=True):
            if p is None:
                parts.append(x[0])
            elif is_low:
                parts.append(_joined([x[1][rows(p, slice(depth, None))], x[0][rows(p, slice(cut.least))]], p))
            else:
                parts.append(_joined([x[0][rows(p, slice(-cut.least, None))], x[2][rows(p, slice(depth))]], p))
        return compute(*parts, inner=(is_low, not is_low))

    with one_thread():
        result = compute(*[x[0] for x in given], inner=inner)
        if inner[0]:
            result[rows(place, slice(depth))] = strip(True)[rows(place, slice(depth, 2 * depth))]
        if inner[1]:
            result[rows(place, slice(-depth, None))] = strip(False)[rows(place, slice(-2 * depth, -depth))]
    return result


def along_several(
    name: str, compute: Callable[..., Any], arrays: Sequence[Any], cuts: dict[int, Cut],
    given: Sequence[tuple[Any, Any]], dtype: "np.dtype[Any]", leading: tuple[int, ...] = (),
) -> Any:  # fmt: skip
    """Return the array that `compute` makes of chunks with the ends of their neighbours, whose results are cut off.

    `compute` gets a list of the arrays, and the values that are `given`, each with the axes it is cut along.
    """
    index = tuple(range(arrays[0].ndim))
    chunks, operands = cut_alike([*[(x, index) for x in arrays], *given], arrays[0], cuts)
    operands = [(with_neighbours(x, axes, cuts, chunks) if axes else x, axes) for x, axes in operands]
    task = partial(_of_chunk_with_neighbours, compute=compute, count=len(arrays), cuts=cuts, leading=len(leading))

    def arguments(block: tuple[int, ...]) -> Iterator[Any]:
        yield [inner_ends(block[a], len(chunks[a]), cut) for a, cut in cuts.items()]
        for x, axes in operands:
            yield _key(x, axes, block)

    return _assembled(name, task, arguments, [x for x, _ in operands], chunks, dtype, leading)


def _of_chunk_with_neighbours(
    inner: Sequence[tuple[bool, bool]], *operands: Any, compute: Any, count: int, cuts: dict[int, Cut], leading: int
) -> Any:
    """A task of `along_several`, on one thread."""
    with one_thread():
        result = compute(operands[:count], *operands[count:])
    for (axis, cut), (has_low, has_high) in zip(cuts.items(), inner, strict=True):
        size = result.shape[axis + leading]
        result = result[rows(axis + leading, slice(cut.depth * has_low, size - cut.depth * has_high))]
    return result


def _key(x: Any, axes: tuple[int, ...], block: tuple[int, ...]) -> Any:
    """Return the key of the chunk of a dask array for a block; any other value stands in a task for itself."""
    return (x.name, *[block[a] for a in axes]) if isinstance(x, da.Array) else x


def _assembled(
    name: str, task: Callable[..., Any], arguments: Callable[[tuple[int, ...]], Iterable[Any]], arrays: Sequence[Any],
    chunks: Any, dtype: "np.dtype[Any]", leading: tuple[int, ...] = (),
) -> Any:  # fmt: skip
    """Return the array whose blocks are made by one task each, of the arguments for it. Dask shows the name."""
    # Written as a graph: no function of dask gives a task the chunks beside its own without a task for each of them,
    # which would take as long as a gradient.
    name = f"{name}-{tokenize(task, arrays, chunks, leading)}"
    first = (0,) * len(leading)
    tasks: Any = {(name, *first, *block): (task, *arguments(block)) for block in np.ndindex(*map(len, chunks))}
    known: list[Any] = [x for x in arrays if isinstance(x, da.Array)]
    graph = HighLevelGraph.from_collections(name, tasks, known)
    return da.Array(graph, name, (*[(n,) for n in leading], *chunks), dtype)
