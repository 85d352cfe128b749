"""The tasks of a result, one for each chunk, and the graph that they make."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from operator import getitem
from typing import Any, NamedTuple

import dask.array as da
import numpy as np
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph, MaterializedLayer

from numgrad._system.memory import keep
from numgrad._system.threads import one_thread
from numgrad.interop.dask.cuts import Cut, cut_alike, inner_ends, rows, with_neighbours


class Line(NamedTuple):
    """How the chunks of a result along one axis are made: see `along`, which has these arguments."""

    compute: Callable[..., Any]
    f: Any
    axis: int
    cut: Cut
    chunks: Any
    operands: list[tuple[Any, Any]]
    places: list[int | None]
    ends: list[Any]
    dtype: "np.dtype[Any]"

    @property
    def task(self) -> Callable[..., Any]:
        return partial(_of_chunk, compute=self.compute, places=self.places, cut=self.cut)

    @property
    def read(self) -> list[Any]:
        return [*[x for x, _ in self.operands], *self.ends]

    def arguments(self, block: tuple[int, ...]) -> Iterator[Any]:
        axis, count = self.axis, len(self.chunks[self.axis])
        inner = inner_ends(block[axis], count, self.cut)
        yield inner
        for (x, axes), end in zip(self.operands, self.ends, strict=True):
            yield _key(x, axes, block)
            if end is not None:
                for step, has_neighbour in zip((-1, 1), inner, strict=True):
                    there = (*block[:axis], (block[axis] + step) % count, *block[axis + 1 :])
                    yield _key(end, axes, there) if has_neighbour else None


def line_of(
    compute: Callable[..., Any], f: Any, axis: int, cut: Cut, given: Sequence[tuple[Any, Any]], dtype: "np.dtype[Any]"
) -> Line:
    """Return how the chunks along an axis are made, with f cut so that they have points enough."""
    chunks, operands = cut_alike([(f, tuple(range(f.ndim))), *given], f, {axis: cut})
    count = len(chunks[axis])
    places = [axes.index(axis) if count > 1 and axis in axes else None for _, axes in operands]
    ends = [None if p is None else _ends(x, p, cut.depth) for (x, _), p in zip(operands, places, strict=True)]
    return Line(compute, f, axis, cut, chunks, operands, places, ends, dtype)


def along(
    name: str, compute: Callable[..., Any], f: Any, axis: int, cut: Cut, given: Sequence[tuple[Any, Any]],
    dtype: "np.dtype[Any]",
) -> Any:  # fmt: skip
    """Return the array that `compute` makes of chunks, and over their ends, of strips that reach into the neighbours.

    `compute` gets the chunk of `f`, the values that are `given` (each with the axes it is cut along), and which of its
    ends have neighbours. A chunk with its neighbours in one array would be a copy, as slow as its gradient.
    """
    return of_line(name, line_of(compute, f, axis, cut, given, dtype))


def of_line(name: str, line: Line) -> Any:
    """Return the array whose chunks a line makes."""
    return _assembled(name, line.task, line.arguments, line.read, line.chunks, line.dtype)


def along_each(name: str, together: Callable[..., Any], lines: Sequence[Line]) -> list[Any]:
    """Return the arrays of several lines of the same f, whose chunks are read once for those that are asked for.

    `together` gets the chunk of f, for each line that is asked for its number, what is given for its chunk and which of
    its ends have neighbours; it returns what `compute` of each line would. A chunk too small along an axis is merged
    there, and no more the same for all: then each line is done alone.
    """
    first = lines[0]
    if len(lines) == 1 or any(line.chunks != first.f.chunks for line in lines):
        return [of_line(name, line) for line in lines]
    token = tokenize(name, together, [(line.task, line.read, line.chunks) for line in lines])
    whole = f"{name}-{token}"
    blocks = list(np.ndindex(*map(len, first.chunks)))
    tasks: Any = {
        (whole, i, *block): (line.task, *line.arguments(block)) for i, line in enumerate(lines) for block in blocks
    }
    known: list[Any] = [x for line in lines for x in line.read if isinstance(x, da.Array)]
    shared = HighLevelGraph.from_collections(whole, Together(tasks, together), known)
    results = []
    for i, line in enumerate(lines):
        own = f"{name}-{i}-{token}"
        aliases = {(own, *block): (whole, i, *block) for block in blocks}
        layers: Any = {**shared.layers, own: aliases}
        graph = HighLevelGraph(layers, {**shared.dependencies, own: {whole}})
        results.append(da.Array(graph, own, line.chunks, line.dtype))
    return results


class Together(MaterializedLayer):
    """Tasks of several results, (name, number of the result, *block): those asked for of a block become one."""

    def __init__(self, mapping: Any, together: Callable[..., Any], annotations: Any = None) -> None:
        super().__init__(mapping, annotations=annotations)
        self.together = together

    def cull(self, keys: set[Any], all_hlg_keys: Any) -> Any:
        """Return a layer of what these keys need, and what each task of it depends on; dask calls this."""
        asked: dict[Any, list[int]] = {}
        for key in self.mapping:
            if key in keys:
                asked.setdefault(key[2:], []).append(key[1])
        name = next(iter(self.mapping))[0]
        tasks: Any = {}
        for block, numbers in asked.items():
            parts = [self.mapping[name, i, *block] for i in numbers]
            if len(parts) == 1:
                tasks[name, numbers[0], *block] = parts[0]
                continue
            made = (name, "together", *block)
            each = [[i, list(arguments)] for i, (_, *arguments) in zip(numbers, parts, strict=True)]
            tasks[made] = (partial(_of_chunk_for_each, together=self.together, tasks=[t for t, *_ in parts]), each)
            tasks |= {(name, i, *block): (getitem, made, place) for place, i in enumerate(numbers)}
        culled = MaterializedLayer(tasks, annotations=self.annotations)
        known = {*all_hlg_keys, *tasks}
        return culled, {key: culled.get_dependencies(key, known) for key in tasks}


def _of_chunk_for_each(each: Sequence[Any], *, together: Callable[..., Any], tasks: Sequence[Any]) -> list[Any]:
    """A task of several results: `together` for the chunk, then for each result the strips over its ends."""
    given = [_read(arguments, task.keywords["places"]) for (_, (_, *arguments)), task in zip(each, tasks, strict=True)]
    parts = [(i, [x[0] for x in own[1:]], inner) for (i, (inner, *_)), own in zip(each, given, strict=True)]
    with one_thread():
        results = together(given[0][0][0], parts)
        return [task(*arguments, done=done) for (_, arguments), task, done in zip(each, tasks, results, strict=True)]


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


def _read(operands: Iterable[Any], places: Sequence[int | None]) -> list[Any]:
    """An operand that is cut is followed by the ends of its neighbours; `places` tells along which of its axes."""
    queue = iter(operands)
    return [(next(queue),) if p is None else (next(queue), next(queue), next(queue)) for p in places]


def _of_chunk(
    inner: tuple[bool, bool], *operands: Any, compute: Callable[..., Any], places: Sequence[int | None], cut: Cut,
    done: Any = None,
) -> Any:  # fmt: skip
    """A task of `along`, on one thread: the others are dask's to give. What is `done` is right but at the ends."""
    given: Any = _read(operands, places)
    place: Any = places[0]
    depth = cut.depth
    beyond = max(2 * depth, cut.least - depth)  # so many points of the chunk make those of its end right

    def strip(is_low: bool) -> Any:
        """Compute over the end of one chunk and the beginning of the next."""
        parts = []
        for x, p in zip(given, places, strict=True):
            if p is None:
                parts.append(x[0])
            elif is_low:
                parts.append(_joined([x[1][rows(p, slice(depth, None))], x[0][rows(p, slice(beyond))]], p))
            else:
                parts.append(_joined([x[0][rows(p, slice(-beyond, None))], x[2][rows(p, slice(depth))]], p))
        return compute(*parts, inner=(is_low, not is_low))

    with one_thread():
        result = compute(*[x[0] for x in given], inner=inner) if done is None else done
        if place is not None:
            keep(4 * (depth + beyond) * result.nbytes // result.shape[place])  # two strips, and what they are made of
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
