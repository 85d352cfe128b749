"""How axes are cut into chunks, and how many of its neighbours' points each chunk needs."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import dask.array as da
import numpy as np

from numgrad._arrays.plan.coefficients import reach_of


class Cut(NamedTuple):
    """How an axis is cut: chunks of at least `least` points, each with `depth` neighbours of the chunks beside it."""

    depth: int
    least: int
    is_periodic: bool = False


def cut_of(formula: Any, has_coordinates: bool) -> Cut:
    is_periodic = formula.boundary == "periodic"
    if is_periodic and has_coordinates:
        return Cut(0, 0, True)  # one chunk: the distance of neighbours over the end is rounded in another way
    reach = max(reach_of(formula, is_even=False))
    # A gap ends an interval; that of a point is known once the formula would have points enough on either side.
    depth = 2 * formula.most_points if formula.gaps else reach
    return Cut(depth, max(formula.most_points, 2 * depth), is_periodic)


def boundary_inside(f: Any, axis: int, cut: Cut, boundary: str) -> str:
    """Return the boundary for the parts of an axis: of a periodic axis in parts, their ends are never seen."""
    is_one = len(merged(f.chunks[axis], cut)) == 1
    return "nan" if boundary == "periodic" and not is_one else boundary


def inner_ends(i: int, count: int, cut: Cut) -> tuple[bool, bool]:
    """Whether the low and the high end of the i-th of so many chunks have a neighbour."""
    is_wrapped = cut.is_periodic and count > 1
    return is_wrapped or i > 0, is_wrapped or i + 1 < count


def merged(sizes: tuple[int, ...], cut: Cut) -> tuple[int, ...]:
    """Return sizes of chunks: small ones are joined to the next, and all to one where the whole axis is needed."""
    if not cut.depth:
        return (sum(sizes),)
    chunks: list[int] = []
    for size in sizes:
        if chunks and chunks[-1] < cut.least:
            chunks[-1] += size
        else:
            chunks.append(size)
    if len(chunks) > 1 and chunks[-1] < cut.least:
        chunks[-2:] = [chunks[-2] + chunks[-1]]
    return tuple(chunks)


def cut_alike(given: Sequence[tuple[Any, Any]], f: Any, cuts: dict[int, Cut]) -> tuple[Any, list[tuple[Any, Any]]]:
    """Return chunks of f that are large enough, and all values that are given, cut likewise along their axes."""
    chunks = tuple([merged(f.chunks[a], cuts[a]) if a in cuts else f.chunks[a] for a in range(f.ndim)])
    operands = []
    for value, axes in given:
        x = value
        if axes:
            own = tuple([chunks[a] for a in axes])
            x = x.rechunk(own) if isinstance(x, da.Array) else da.from_array(np.asarray(x), own)
        operands.append((x, axes))
    return chunks, operands


def with_neighbours(array: Any, axes: Sequence[int], cuts: dict[int, Cut], chunks: tuple[Any, ...]) -> Any:
    """Return the array with chunks that have the ends of their neighbours too; on a periodic axis, around the end."""
    depths = {}
    for place, a in enumerate(axes):
        depth = cuts[a].depth if a in cuts else 0
        depths[place] = depth if len(chunks[a]) > 1 else 0
        if depths[place] and cuts[a].is_periodic:
            low, high = array[rows(place, slice(-depth, None))], array[rows(place, slice(depth))]
            sizes = list(chunks[a])
            sizes[0] += depth
            sizes[-1] += depth
            array = da.concatenate([low, array, high], axis=place).rechunk({place: tuple(sizes)})
    if not any(depths.values()):
        return array  # overlap would copy it
    return da.overlap.overlap(array, depths, dict.fromkeys(depths, "none"), allow_rechunk=False)


def rows(place: int, part: slice) -> tuple[slice, ...]:
    """Return the index of some rows along an axis."""
    return (slice(None),) * place + (part,)
