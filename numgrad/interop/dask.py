"""numgrad on dask arrays, lazily: each chunk, with the neighbours it needs, by the functions for arrays in memory."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import dask.array as da
import numpy as np
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from numgrad._arrays import fields
from numgrad._arrays import gradient as _gradient
from numgrad._arrays.containers import as_array
from numgrad._arrays.derivative import GAPS, by_stencil, read_call
from numgrad._arrays.gradient import MESSAGES
from numgrad._arrays.plan import spacing as _spacing
from numgrad._arrays.plan.coefficients import reach_of
from numgrad._arrays.plan.dtypes import FIELDS
from numgrad._arrays.plan.options import (
    check_length,
    key_and_values,
    read_formula,
    read_period,
    read_samples,
    read_spacing,
)
from numgrad._arrays.terms import spacing_of_each
from numgrad._checks import choice, refuse_units
from numgrad._system.threads import one_thread

# What `containers.home_of` sends here; all else of dask is read as arrays are.
KINDS = (da.Array,)


class Cut(NamedTuple):
    """How an axis is cut: chunks of at least `least` points, each with `depth` neighbours of the chunks beside it."""

    depth: int
    least: int
    is_periodic: bool = False


class Steps(NamedTuple):
    """Coordinates of an axis whose steps are decided for all of it: 0-d dask arrays, equal or not, and the first."""

    x: Any
    are_equal: Any
    first: Any


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1, out: Any = None) -> Any:
    """Return the gradient of a dask array, lazily: `numgrad.gradient` of the array in memory, bit for bit.

    Parameters
    ----------
    f : dask.array.Array
        Samples of a function.
    *varargs : float, array_like or dask.array.Array, optional
        Spacing, as in `numgrad.gradient`.
    axis : None, int or tuple of int, optional
        The axes to differentiate along. All by default.
    edge_order : {1, 2}, default 1
        Order of accuracy at the ends.
    out : None
        Not supported; `dask.array.store` writes results to where they belong.

    Returns
    -------
    dask.array.Array or tuple of dask.array.Array
        One for each axis, of f's shape. Chunks are those of `f`, those of less than 3 points along the axis merged,
        of 4 with coordinates.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As `numpy.gradient` does; and if `out` is given, or a chunk is of unknown size.

    Examples
    --------
    >>> import dask.array as da
    >>> import numgrad as ng
    >>> ng.gradient(da.from_array([1, 2, 4, 7, 11, 16], chunks=3), 2.0).compute()
    array([0.5 , 0.75, 1.25, 1.75, 2.25, 2.5 ])
    """
    refuse(out)
    varargs = tuple([as_array(x) for x in varargs])  # a dask Series is computed, as by np.gradient
    axes = range(f.ndim) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, f.ndim)
    if len(varargs) not in (0, 1, len(axes)) or (len(varargs) == 1 < len(axes) and np.ndim(varargs[0])):
        raise TypeError(MESSAGES["COUNT"])
    spacings = [_steps(f, a, x) for a, x in zip(axes, spacing_of_each(varargs, len(axes)), strict=True)]
    if edge_order > 2:
        raise ValueError(MESSAGES["ORDER"])
    if any(f.shape[a] < edge_order + 1 for a in axes):
        raise ValueError(MESSAGES["SHORT"])
    results = [_first_along(f, a, x, edge_order) for a, x in zip(axes, spacings, strict=True)]
    return results[0] if len(results) == 1 else tuple(results)


def derivative(
    f: Any, x: Any = None, *, n: int = 1, accuracy: int = 2, axis: int = -1, boundary: str = "one-sided",
    edge_accuracy: int | None = None, period: float | None = None, nan: str = "propagate", out: Any = None,
) -> Any:  # fmt: skip
    """Return the n-th derivative of a dask array along an axis, lazily: `numgrad.derivative`, bit for bit.

    Parameters
    ----------
    f : dask.array.Array
        Samples of a function.
    x : float, array_like or dask.array.Array, optional
        The distance of neighbours or the coordinates, those of each line among them, as in `numgrad.derivative`.
    n, accuracy, axis, boundary, edge_accuracy, period, nan
        As in `numgrad.derivative`.
    out : None
        Not supported, as in `gradient`.

    Returns
    -------
    dask.array.Array
        Of f's shape. Chunks with fewer points along the axis than the formula needs are merged; an axis that is
        periodic and has coordinates becomes one chunk.

    Raises
    ------
    TypeError, ValueError, numpy.exceptions.AxisError
        As `numgrad.derivative` does, of dask coordinates when they are computed; and as `gradient` does.

    Examples
    --------
    >>> import dask.array as da
    >>> import numgrad as ng
    >>> ng.derivative(da.arange(12, chunks=4) ** 3, n=3).compute()
    array([6., 6., 6., 6., 6., 6., 6., 6., 6., 6., 6., 6.])
    """
    refuse(out)
    x = 1.0 if x is None else x
    axis = np.lib.array_utils.normalize_axis_index(axis, f.ndim)
    choice("nan", nan, GAPS)
    formula = read_formula(n, accuracy, boundary, edge_accuracy, nan == "one-sided")
    dtype = _dtype(f)
    _known(f, axis, "`f`")
    check_length(formula, axis, f.shape[axis], has_edges=True)
    spacing = _check_spacing(x, f, axis, formula, period)
    x = _from_first(x, axis)
    if formula.is_gradient and (not np.ndim(x) or math.prod(np.shape(x)) == f.shape[axis]):
        steps = _steps(f, axis, np.ravel(x) if np.ndim(x) > 1 else x)
        return _first_along(f, axis, steps, formula.edges, is_strict=isinstance(x, da.Array))
    cut = _cut(formula, bool(np.ndim(x)))
    options = {
        "n": n, "accuracy": accuracy, "axis": axis, "boundary": _boundary_inside(f, axis, cut, boundary),
        "edge_accuracy": edge_accuracy, "nan": nan, "period": period,
    }  # fmt: skip
    index = ((), (axis,), tuple(range(f.ndim)))[min(np.ndim(x), 2)]
    given = [(x, index), *[(step, ()) for step in _span(x, spacing)]]
    return _along("derivative", partial(_nth, options=options), f, axis, cut, given, dtype)


def laplacian(f: Any, *spacing: Any, out: Any = None, **options: Any) -> Any:
    """Return the sum of the second derivatives of a dask array, lazily, as `numgrad.laplacian` does."""
    return _field(fields.laplacian, f, spacing, out, **options)


def divergence(v: Any, *spacing: Any, out: Any = None, **options: Any) -> Any:
    """Return the divergence of a field of dask arrays, lazily, as `numgrad.divergence` does."""
    return _field(fields.divergence, v, spacing, out, **options)


def curl(v: Any, *spacing: Any, out: Any = None, **options: Any) -> Any:
    """Return the curl of a field of dask arrays, lazily, as `numgrad.curl` does."""
    return _field(fields.curl, v, spacing, out, **options)


def jacobian(v: Any, *spacing: Any, out: Any = None, **options: Any) -> Any:
    """Return the first derivatives of a field of dask arrays, lazily, as `numgrad.jacobian` does."""
    return _field(fields.jacobian, v, spacing, out, **options)


def hessian(f: Any, *spacing: Any, out: Any = None, **options: Any) -> Any:
    """Return the second derivatives of a dask array, lazily, as `numgrad.hessian` does."""
    return _field(fields.hessian, f, spacing, out, **options)


def refuse(out: Any) -> None:
    if out is not None:
        raise TypeError("`out` is given; leave it away, and store the result by dask.array.store or to_zarr")


def _dtype(f: Any) -> Any:
    return np.dtype(FIELDS[read_samples(np.empty(0, f.dtype), "f").dtype])


def _known(given: Any, axis: int, name: str) -> None:
    for i, size in enumerate(given.chunks[axis]):
        if size != size:
            raise ValueError(
                f"{name} has chunks of unknown size along axis {axis}, chunk {i} the first of them; call its "
                "compute_chunk_sizes() before"
            )


def _steps(f: Any, axis: int, x: Any) -> Any:
    """Return a number, or coordinates and how far apart they are: a matter of all, not of a chunk."""
    _known(f, axis, "`f`")
    _check_chunks(x, f"the coordinates of axis {axis}")
    if np.ndim(x) == 0:
        return x
    if np.ndim(x) > 1:
        raise ValueError(MESSAGES["DIMENSIONS"])
    if np.shape(x) != (f.shape[axis],):
        raise ValueError(MESSAGES["MISMATCH"])
    if isinstance(x, da.Array):
        x = x.astype(np.float64) if x.dtype.kind in "iu" else x
        steps = x[1:] - x[:-1]
        return Steps(x, (steps == steps[0]).all(), steps[0])
    x = np.asarray(x)
    if x.dtype.kind in "iu":
        x = x.astype(np.float64)  # NumPy's rule
    step = _step_of(x)
    return Steps(x, False, 0.0) if step is None else step


def _step_of(x: np.ndarray) -> Any:
    """Return the step of coordinates whose steps are all equal, else None, as `gradient` finds it."""
    (spacing,), ((_, *rest),) = _spacing.read((x,))
    if type(spacing) is not _spacing.NotFast:
        return rest[0]
    steps = np.diff(x)
    return steps[0] if (steps == steps[0]).all() else None


def _first_along(f: Any, axis: int, spacing: Any, edge_order: int, is_strict: bool = False) -> Any:
    """The gradient along one axis; `is_strict` refuses coordinates that `derivative` refuses."""
    like = (np.array([0.0, 1.0, 3.0]), edge_order) if isinstance(spacing, Steps) else (1.0, 1)
    dtype = _gradient.gradient(np.zeros(3, f.dtype), like[0], edge_order=like[1]).dtype
    cut = Cut(1, 3)
    given: list[tuple[Any, Any]] = [(spacing, ())]
    if isinstance(spacing, Steps):
        cut = Cut(2, 4)  # and an end whose coordinate may be moved, so that steps differ
        given = [(spacing.x, (axis,)), (spacing.are_equal, ()), (spacing.first, ())]
    compute = partial(_first, axis=axis, edge_order=edge_order, is_strict=is_strict)
    return _along("gradient", compute, f, axis, cut, given, dtype)


def _first(
    f: np.ndarray, x: Any, *steps: Any, axis: int, edge_order: int, is_strict: bool, inner: tuple[bool, bool]
) -> Any:
    spacing = x
    if is_strict:
        read_spacing(x, "x", f.shape, axis, None, lines=False)
    if steps:
        are_equal, first = steps
        spacing = first[()] if are_equal else _uneven(x, *inner)
    return _gradient.gradient(f, spacing, axis=axis, edge_order=edge_order)


def _uneven(x: np.ndarray, low: bool, high: bool) -> np.ndarray:
    """Coordinates of a part of an uneven axis: if its own steps are equal, that at an inner end is made another."""
    step = _step_of(x) if low or high else None
    if step is None:
        return x
    x = x.copy()
    if low:
        x[0] = x[1] - 2 * step if step else x[1] - 1
    else:
        x[-1] = x[-2] + 2 * step if step else x[-2] + 1
    return x


def _nth(f: np.ndarray, x: Any, *span: Any, options: dict[str, Any], inner: tuple[bool, bool]) -> Any:
    call = read_call(f, x, **options)
    if span:
        spacing: Any = call.spacing
        shortest, longest = map(float, span)
        call = call._replace(spacing=spacing._replace(shortest=shortest, longest=longest))
    return by_stencil(call)


def _check_spacing(x: Any, f: Any, axis: int, formula: Any, period: Any) -> Any:
    """Return the spacing as it is read; refuse what is wrong now. For what is lazy something else stands in."""
    is_lazy = isinstance(x, da.Array)
    _check_chunks(x, "`x`")
    if is_lazy:
        # Those of each line are as long as the axis.
        x = _stand_in(f.shape[axis : axis + 1] if x.shape == f.shape else x.shape)
    spacing = read_spacing(x, "x", f.shape, axis, None, lines=True)
    read_period(period, spacing, formula, f.shape[axis])
    if not is_lazy:
        key_and_values(spacing, "x", formula.n, formula.most_points, f.dtype)
    return spacing


def _from_first(x: Any, axis: int) -> Any:
    """Coordinates, of all of which it is known what is subtracted from integers, before they are cut."""
    if np.ndim(x) == 0:
        return x
    place = axis if np.ndim(x) > 1 else 0
    if not isinstance(x, da.Array):
        x = _spacing.exact(x)
        return _spacing.relative(x, place)[0] if x.dtype.kind in "iuO" else x
    if x.dtype.kind not in "iu" or not x.shape[place]:
        return x
    ends = [x[_rows(place, part)] for part in (slice(1), slice(-1, None))]
    # As broad as the blocks of x that they belong to.
    return da.map_blocks(_values_from_first, x, *ends, dtype=np.float64, chunks=x.chunks)


def _values_from_first(*given: np.ndarray) -> np.ndarray:
    return _spacing.from_first(*given)[0]


def _span(x: Any, spacing: Any) -> tuple[Any, ...]:
    """Return the shortest and the longest step of all of the axis, by which weights are found one way or another."""
    if isinstance(spacing, float):
        return ()
    if not isinstance(x, da.Array):
        return spacing.shortest, spacing.longest
    if x.ndim > 1:
        return ()  # as large as the samples: all of them would have to be read before the first result
    steps = abs(da.diff(x.astype(np.float64)))
    return steps.min(), steps.max()


def _check_chunks(x: Any, name: str) -> None:
    for a in range(x.ndim if isinstance(x, da.Array) else 0):
        _known(x, a, name)


def _stand_in(shape: tuple[int, ...]) -> Any:
    """Coordinates that rise, of so small a span that no period is shorter; a number for one that is not known yet."""
    return np.broadcast_to(np.arange(shape[-1]) * 1e-300, shape) if shape else 1.0


def _cut(formula: Any, has_coordinates: bool) -> Cut:
    is_periodic = formula.boundary == "periodic"
    if is_periodic and has_coordinates:
        return Cut(0, 0, True)  # as one: the distance of neighbours over the end is rounded in another way
    reach = max(reach_of(formula, is_even=False))
    # A gap ends an interval; that of a point is known once the formula would have points enough on either side.
    depth = 2 * formula.most_points if formula.gaps else reach
    return Cut(depth, max(formula.most_points, 2 * depth), is_periodic)


def _boundary_inside(f: Any, axis: int, cut: Cut, boundary: str) -> str:
    """What the ends of a part do: those of a periodic axis in parts are never seen."""
    is_one = len(_merged(f.chunks[axis], cut)) == 1
    return "nan" if boundary == "periodic" and not is_one else boundary


def _field(
    function: Callable[..., Any], v: Any, spacing: tuple[Any, ...], out: Any, *, axis: Any = None, accuracy: int = 2,
    boundary: Any = "one-sided", period: Any = None,
) -> Any:  # fmt: skip
    refuse(out)
    is_vector = function not in (fields.laplacian, fields.hessian)
    given = list(v) if is_vector else [v]
    for one in given:
        refuse_units(one, "v" if is_vector else "f")
    components = [c if isinstance(c, da.Array) else da.asarray(c) for c in given]
    if not components:
        raise ValueError("`v` has no components; give them along its first axis")
    for c in components:
        _dtype(c)
        _check_chunks(c, "`v`" if is_vector else "`f`")
    for place, x in enumerate(spacing):
        _check_chunks(x, f"spacing {place}")
    dtype = np.result_type(*components)
    components = [c.astype(dtype) for c in components]
    f = components[0]
    # What is wrong with shapes, axes and options shows on arrays without memory behind them.
    empty = [np.broadcast_to(np.zeros((), dtype), c.shape) for c in components]
    read = fields.READERS[function](
        empty if is_vector else empty[0], *[_stand_in(x.shape) if isinstance(x, da.Array) else x for x in spacing],
        axis=axis, accuracy=accuracy, boundary=boundary, period=period,
    )  # fmt: skip
    count = len(read.axes)
    cuts, boundaries, periods, given = {}, [], [], []
    for a, formula, x, length in zip(
        read.axes, read.formulas, spacing_of_each(spacing, count), read.periods, strict=True
    ):
        x = _from_first(x, 0)
        cuts[a] = _cut(formula, bool(np.ndim(x)))
        boundaries.append(_boundary_inside(f, a, cuts[a], formula.boundary))
        periods.append(length or None)
        given.append((x, (a,) if np.ndim(x) else ()))
    compute = partial(
        _of_field, function=function, axes=read.axes, is_vector=is_vector, accuracy=accuracy, boundary=boundaries,
        period=periods,
    )  # fmt: skip
    leading = read.shape[: len(read.shape) - f.ndim]
    return _run(function.__name__, compute, components, cuts, given, np.dtype(FIELDS[dtype]), leading)


def _of_field(
    v: Sequence[np.ndarray], *spacings: Any, function: Any, axes: Any, is_vector: bool, accuracy: int, boundary: Any,
    period: Any,
) -> Any:  # fmt: skip
    f = list(v) if is_vector else v[0]
    axis = tuple([a + is_vector for a in axes])
    return function(f, *spacings, axis=axis, accuracy=accuracy, boundary=boundary, period=period)


def _along(
    name: str, compute: Callable[..., Any], f: Any, axis: int, cut: Cut, given: Sequence[tuple[Any, Any]],
    dtype: "np.dtype[Any]",
) -> Any:  # fmt: skip
    """Return what `compute` makes of each chunk, and over its ends what it makes of strips with the neighbours.

    It gets the array, what is `given` with the axes it belongs to, and which ends are not those of the axis. A chunk
    with its neighbours in one array would be a copy, which takes as long as its gradient.
    """
    chunks, operands = _cut_alike([(f, tuple(range(f.ndim))), *given], f, {axis: cut})
    count = len(chunks[axis])
    places = [axes.index(axis) if count > 1 and axis in axes else None for _, axes in operands]
    ends = [None if p is None else _ends(x, p, cut.depth) for (x, _), p in zip(operands, places, strict=True)]
    task = partial(_of_chunk, compute=compute, places=places, cut=cut)

    def arguments(block: tuple[int, ...]) -> Iterator[Any]:
        inner = _inner_ends(block[axis], count, cut)
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
    return _joined([x[_rows(place, slice(depth))], x[_rows(place, slice(-depth, None))]], place)


def _joined(parts: Sequence[np.ndarray], place: int) -> np.ndarray:
    is_masked = any(isinstance(part, np.ma.MaskedArray) for part in parts)
    return (np.ma.concatenate if is_masked else np.concatenate)(parts, place)


def _rows(place: int, part: slice) -> tuple[slice, ...]:
    """The index of some rows along an axis."""
    return (slice(None),) * place + (part,)


def _of_chunk(
    inner: tuple[bool, bool], *operands: Any, compute: Callable[..., Any], places: Sequence[int | None], cut: Cut
) -> Any:
    """A task of `_along`, on one thread: the others are dask's to give.

    Of an operand that is cut, the ends of its neighbours come after it; `places` tells along which of its axes.
    """
    queue = iter(operands)
    given: Any = [(next(queue),) if p is None else (next(queue), next(queue), next(queue)) for p in places]
    place: Any = places[0]
    depth = cut.depth

    def strip(is_low: bool) -> Any:
        """What comes of the end of one chunk and the beginning of the next."""
        parts = []
        for x, p in zip(given, places, strict=True):
            if p is None:
                parts.append(x[0])
            elif is_low:
                parts.append(_joined([x[1][_rows(p, slice(depth, None))], x[0][_rows(p, slice(cut.least))]], p))
            else:
                parts.append(_joined([x[0][_rows(p, slice(-cut.least, None))], x[2][_rows(p, slice(depth))]], p))
        return compute(*parts, inner=(is_low, not is_low))

    with one_thread():
        result = compute(*[x[0] for x in given], inner=inner)
        if inner[0]:
            result[_rows(place, slice(depth))] = strip(True)[_rows(place, slice(depth, 2 * depth))]
        if inner[1]:
            result[_rows(place, slice(-depth, None))] = strip(False)[_rows(place, slice(-2 * depth, -depth))]
    return result


def _run(
    name: str, compute: Callable[..., Any], arrays: Sequence[Any], cuts: dict[int, Cut],
    given: Sequence[tuple[Any, Any]], dtype: "np.dtype[Any]", leading: tuple[int, ...] = (),
) -> Any:  # fmt: skip
    """Return what `compute` makes of each chunk and its neighbours, without what it makes of these.

    It gets a list of the arrays, and what is `given` with the axes it belongs to.
    """
    index = tuple(range(arrays[0].ndim))
    chunks, operands = _cut_alike([*[(x, index) for x in arrays], *given], arrays[0], cuts)
    operands = [(_with_neighbours(x, axes, cuts, chunks) if axes else x, axes) for x, axes in operands]
    task = partial(_of_chunk_with_neighbours, compute=compute, count=len(arrays), cuts=cuts, leading=len(leading))

    def arguments(block: tuple[int, ...]) -> Iterator[Any]:
        yield [_inner_ends(block[a], len(chunks[a]), cut) for a, cut in cuts.items()]
        for x, axes in operands:
            yield _key(x, axes, block)

    return _assembled(name, task, arguments, [x for x, _ in operands], chunks, dtype, leading)


def _of_chunk_with_neighbours(
    inner: Sequence[tuple[bool, bool]], *operands: Any, compute: Any, count: int, cuts: dict[int, Cut], leading: int
) -> Any:
    """A task of `_run`, on one thread."""
    with one_thread():
        result = compute(operands[:count], *operands[count:])
    for (axis, cut), (has_low, has_high) in zip(cuts.items(), inner, strict=True):
        size = result.shape[axis + leading]
        result = result[_rows(axis + leading, slice(cut.depth * has_low, size - cut.depth * has_high))]
    return result


def _cut_alike(given: Sequence[tuple[Any, Any]], f: Any, cuts: dict[int, Cut]) -> tuple[Any, list[tuple[Any, Any]]]:
    """Return chunks of f that are large enough, and what is given in them, with the axes it belongs to."""
    chunks = tuple([_merged(f.chunks[a], cuts[a]) if a in cuts else f.chunks[a] for a in range(f.ndim)])
    operands = []
    for value, axes in given:
        x = value
        if axes:
            own = tuple([chunks[a] for a in axes])
            x = x.rechunk(own) if isinstance(x, da.Array) else da.from_array(np.asarray(x), own)
        operands.append((x, axes))
    return chunks, operands


def _inner_ends(i: int, count: int, cut: Cut) -> tuple[bool, bool]:
    """Whether the low and the high end of the i-th of so many chunks have a neighbour."""
    is_wrapped = cut.is_periodic and count > 1
    return is_wrapped or i > 0, is_wrapped or i + 1 < count


def _key(x: Any, axes: tuple[int, ...], block: tuple[int, ...]) -> Any:
    """What stands in a task for the part of an array that belongs to a block; what is no dask array, for itself."""
    return (x.name, *[block[a] for a in axes]) if isinstance(x, da.Array) else x


def _assembled(
    name: str, task: Callable[..., Any], arguments: Callable[[tuple[int, ...]], Iterable[Any]], arrays: Sequence[Any],
    chunks: Any, dtype: "np.dtype[Any]", leading: tuple[int, ...] = (),
) -> Any:  # fmt: skip
    """Return the array that a task makes, one for each block, of the arguments for it. Dask shows the name."""
    # Written as a graph: no function of dask gives a task the chunks beside its own without a task for each of them,
    # which would take as long as a gradient.
    name = f"{name}-{tokenize(task, arrays, chunks, leading)}"
    first = (0,) * len(leading)
    tasks: Any = {(name, *first, *block): (task, *arguments(block)) for block in np.ndindex(*map(len, chunks))}
    known: list[Any] = [x for x in arrays if isinstance(x, da.Array)]
    graph = HighLevelGraph.from_collections(name, tasks, known)
    return da.Array(graph, name, (*[(n,) for n in leading], *chunks), dtype)


def _merged(sizes: tuple[int, ...], cut: Cut) -> tuple[int, ...]:
    """Chunks, the small ones with those after them; one chunk if all would not do."""
    if not cut.depth:
        return (sum(sizes),)
    merged: list[int] = []
    for size in sizes:
        if merged and merged[-1] < cut.least:
            merged[-1] += size
        else:
            merged.append(size)
    if len(merged) > 1 and merged[-1] < cut.least:
        merged[-2:] = [merged[-2] + merged[-1]]
    return tuple(merged)


def _with_neighbours(array: Any, axes: Sequence[int], cuts: dict[int, Cut], chunks: tuple[Any, ...]) -> Any:
    """The array, whose chunks have the ends of those beside them; on a periodic axis, around the end."""
    depths = {}
    for place, a in enumerate(axes):
        depth = cuts[a].depth if a in cuts else 0
        depths[place] = depth if len(chunks[a]) > 1 else 0
        if depths[place] and cuts[a].is_periodic:
            low, high = array[_rows(place, slice(-depth, None))], array[_rows(place, slice(depth))]
            sizes = list(chunks[a])
            sizes[0] += depth
            sizes[-1] += depth
            array = da.concatenate([low, array, high], axis=place).rechunk({place: tuple(sizes)})
    if not any(depths.values()):
        return array  # overlap would copy it
    return da.overlap.overlap(array, depths, dict.fromkeys(depths, "none"), allow_rechunk=False)
