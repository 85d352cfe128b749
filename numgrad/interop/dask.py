"""numgrad on dask arrays, lazily: each chunk, with the neighbours it needs, by the functions for arrays in memory."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import dask.array as da
import numpy as np

from numgrad import _derivative, _fields, _formulas, _gradient, _spacing, _threads
from numgrad._fields import spacing_of_each
from numgrad._gradient import MESSAGES
from numgrad._recipe import FIELDS


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
    f: Any, x: Any = 1.0, *, n: int = 1, accuracy: int = 2, axis: int = -1, boundary: str = "one-sided",
    edge_accuracy: int | None = None, period: float | None = None, nan: str = "propagate", out: Any = None,
) -> Any:  # fmt: skip
    """Return the n-th derivative of a dask array along an axis, lazily: `numgrad.derivative`, bit for bit.

    Parameters
    ----------
    f : dask.array.Array
        Samples of a function.
    x : float, array_like or dask.array.Array, default 1.0
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
    axis = np.lib.array_utils.normalize_axis_index(axis, f.ndim)
    if nan not in _derivative.GAPS:
        raise ValueError(f"`nan` is {nan!r}, give one of {', '.join(map(repr, _derivative.GAPS))}")
    formula = _formulas.read_formula(n, accuracy, boundary, edge_accuracy, nan == "one-sided")
    dtype = _dtype(f)
    _known(f, axis)
    _formulas.check_length(formula, axis, f.shape[axis])
    _check_spacing(x, f, axis, formula, period)
    if formula.is_gradient and (not np.ndim(x) or math.prod(np.shape(x)) == f.shape[axis]):
        return _first_along(f, axis, _steps(f, axis, np.ravel(x) if np.ndim(x) > 1 else x), formula.edges)
    cut = _cut(formula, bool(np.ndim(x)))
    options = {
        "n": n, "accuracy": accuracy, "axis": axis, "boundary": _boundary_inside(f, axis, cut, boundary),
        "edge_accuracy": edge_accuracy, "nan": nan, "period": period,
    }  # fmt: skip
    index = ((), (axis,), tuple(range(f.ndim)))[min(np.ndim(x), 2)]
    return _along(partial(_nth, options=options), f, axis, cut, [(x, index)], dtype)


def laplacian(f: Any, *spacing: Any, out: Any = None, **options: Any) -> Any:
    """Return the sum of the second derivatives of a dask array, lazily, as `numgrad.laplacian` does."""
    return _field(_fields.laplacian, f, spacing, out, **options)


def divergence(v: Any, *spacing: Any, out: Any = None, **options: Any) -> Any:
    """Return the divergence of a field of dask arrays, lazily, as `numgrad.divergence` does."""
    return _field(_fields.divergence, v, spacing, out, **options)


def curl(v: Any, *spacing: Any, out: Any = None, **options: Any) -> Any:
    """Return the curl of a field of dask arrays, lazily, as `numgrad.curl` does."""
    return _field(_fields.curl, v, spacing, out, **options)


def jacobian(v: Any, *spacing: Any, out: Any = None, **options: Any) -> Any:
    """Return the first derivatives of a field of dask arrays, lazily, as `numgrad.jacobian` does."""
    return _field(_fields.jacobian, v, spacing, out, **options)


def hessian(f: Any, *spacing: Any, out: Any = None, **options: Any) -> Any:
    """Return the second derivatives of a dask array, lazily, as `numgrad.hessian` does."""
    return _field(_fields.hessian, f, spacing, out, **options)


def refuse(out: Any) -> None:
    if out is not None:
        raise TypeError("`out` is given; leave it away, and store the result by dask.array.store or to_zarr")


def _dtype(f: Any) -> Any:
    return np.dtype(FIELDS[_formulas.read_samples(np.empty(0, f.dtype), "f").dtype])


def _known(f: Any, axis: int) -> None:
    for i, size in enumerate(f.chunks[axis]):
        if size != size:
            raise ValueError(
                f"chunk {i} along axis {axis} has an unknown size, and so have its neighbours; call "
                "compute_chunk_sizes() before"
            )


def _steps(f: Any, axis: int, x: Any) -> Any:
    """Return a number, or coordinates and how far apart they are: a matter of all, not of a chunk."""
    _known(f, axis)
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
    (spacing,), ((_, *rest),) = _spacing.read((x,))
    if type(spacing) is _spacing.NotFast:
        steps = np.diff(x)
        step = steps[0] if (steps == steps[0]).all() else None
    else:
        step = rest[0]
    return Steps(x, False, 0.0) if step is None else step


def _first_along(f: Any, axis: int, spacing: Any, edge_order: int) -> Any:
    """The gradient along one axis."""
    dtype = _gradient.gradient(np.zeros(3, f.dtype)).dtype
    cut = Cut(1, 3)
    given: list[tuple[Any, Any]] = [(spacing, ())]
    if isinstance(spacing, Steps):
        cut = Cut(2, 4)  # and an end whose coordinate may be moved, so that steps differ
        given = [(spacing.x, (axis,)), (spacing.are_equal, ()), (spacing.first, ())]
    return _along(partial(_first, axis=axis, edge_order=edge_order), f, axis, cut, given, dtype)


def _first(f: np.ndarray, x: Any, *steps: Any, axis: int, edge_order: int, inner: tuple[bool, bool]) -> Any:
    spacing = x
    if steps:
        are_equal, first = steps
        spacing = first[()] if are_equal else _uneven(x, *inner)
    return _gradient.gradient(f, spacing, axis=axis, edge_order=edge_order)


def _uneven(x: np.ndarray, low: bool, high: bool) -> np.ndarray:
    """Coordinates of a part of an uneven axis: if its own steps are equal, that at an inner end is made another."""
    steps = np.diff(x)
    if (steps != steps[0]).any() or not (low or high):
        return x
    x = x.copy()
    if low:
        x[0] = x[1] - 2 * steps[0] if steps[0] else x[1] - 1
    else:
        x[-1] = x[-2] + 2 * steps[0] if steps[0] else x[-2] + 1
    return x


def _nth(f: np.ndarray, x: Any, *, options: dict[str, Any], inner: tuple[bool, bool]) -> Any:
    return _derivative.by_stencil(_derivative.read_call(f, x, **options))


def _check_spacing(x: Any, f: Any, axis: int, formula: Any, period: Any) -> None:
    """Refuse what is wrong now; the coordinates of a dask array are seen when they are computed."""
    is_lazy = _is_lazy(x)
    if is_lazy:
        # Those of each line are as long as the axis.
        x = _stand_in(f.shape[axis : axis + 1] if x.shape == f.shape else x.shape)
    spacing = _formulas.read_spacing(x, "x", f.shape, axis, None, lines=True)
    _formulas.read_period(period, spacing, formula, f.shape[axis])
    if not is_lazy:
        _formulas.key_and_values(spacing, "x", formula.n, formula.points_needed, f.dtype)


def _is_lazy(x: Any) -> bool:
    """Whether these are coordinates of which the shape is all that is known."""
    return isinstance(x, da.Array) and x.ndim > 0


def _stand_in(shape: tuple[int, ...]) -> np.ndarray:
    """Coordinates that rise, of so small a span that no period is shorter."""
    return np.broadcast_to(np.arange(shape[-1]) * 1e-300, shape)


def _cut(formula: Any, has_coordinates: bool) -> Cut:
    is_periodic = formula.boundary == "periodic"
    if is_periodic and has_coordinates:
        return Cut(0, 0, True)  # as one: the distance of neighbours over the end is rounded in another way
    reach = max(_formulas.reach_of(formula, is_even=False))
    # A gap ends an interval; that of a point is known once the formula would have points enough on either side.
    depth = 2 * formula.points_needed if formula.gaps else reach
    return Cut(depth, max(formula.points_needed, 2 * depth), is_periodic)


def _boundary_inside(f: Any, axis: int, cut: Cut, boundary: str) -> str:
    """What the ends of a part do: those of a periodic axis in parts are never seen."""
    is_one = len(_merged(f.chunks[axis], cut)) == 1
    return "nan" if boundary == "periodic" and not is_one else boundary


def _field(
    function: Callable[..., Any], v: Any, spacing: tuple[Any, ...], out: Any, *, axis: Any = None, accuracy: int = 2,
    boundary: Any = "one-sided", period: Any = None,
) -> Any:  # fmt: skip
    refuse(out)
    is_vector = function not in (_fields.laplacian, _fields.hessian)
    components = [c if isinstance(c, da.Array) else da.asarray(c) for c in (list(v) if is_vector else [v])]
    if not components:
        raise ValueError("`v` has no components; give them along its first axis")
    for c in components:
        _dtype(c)
        for a in range(c.ndim):
            _known(c, a)
    dtype = np.result_type(*components)
    components = [c.astype(dtype) for c in components]
    f = components[0]
    # What is wrong with shapes, axes and options shows on arrays without memory behind them.
    empty = [np.broadcast_to(np.zeros((), dtype), c.shape) for c in components]
    read = _fields.READERS[function](
        empty if is_vector else empty[0], *[_stand_in(x.shape) if _is_lazy(x) else x for x in spacing],
        axis=axis, accuracy=accuracy, boundary=boundary, period=period,
    )  # fmt: skip
    count = len(read.axes)
    cuts, boundaries, periods, given = {}, [], [], []
    for a, formula, x, length in zip(
        read.axes, read.formulas, spacing_of_each(spacing, count), read.periods, strict=True
    ):
        cuts[a] = _cut(formula, bool(np.ndim(x)))
        boundaries.append(_boundary_inside(f, a, cuts[a], formula.boundary))
        periods.append(length or None)
        given.append((x, (a,) if np.ndim(x) else ()))
    compute = partial(
        _of_field, function=function, axes=read.axes, is_vector=is_vector, accuracy=accuracy, boundary=boundaries,
        period=periods,
    )  # fmt: skip
    leading = read.shape[: len(read.shape) - f.ndim]
    return _run(compute, components, cuts, given, np.dtype(FIELDS[dtype]), leading)


def _of_field(
    v: Sequence[np.ndarray], *spacings: Any, function: Any, axes: Any, is_vector: bool, accuracy: int, boundary: Any,
    period: Any,
) -> Any:  # fmt: skip
    f = list(v) if is_vector else v[0]
    axis = tuple([a + is_vector for a in axes])
    return function(f, *spacings, axis=axis, accuracy=accuracy, boundary=boundary, period=period)


def _along(
    compute: Callable[..., Any], f: Any, axis: int, cut: Cut, given: Sequence[tuple[Any, Any]], dtype: "np.dtype[Any]"
) -> Any:
    """Return what `compute` makes of each chunk, and over its ends what it makes of strips with the neighbours.

    It gets the array, what is `given` with the axes it belongs to, and which ends are not those of the axis. A chunk
    with its neighbours in one array would be a copy, which takes as long as its gradient.
    """
    index = tuple(range(f.ndim))
    chunks = list(f.chunks)
    chunks[axis] = _merged(chunks[axis], cut)
    count = len(chunks[axis])
    # Which ends of each chunk are not those of the axis.
    inner = np.ones((count, 2), bool)
    if not cut.is_periodic or count == 1:
        inner[0, 0] = inner[-1, 1] = False
    operands: list[Any] = [da.from_array(inner, chunks=(1, 2)), (axis, -1)]
    places: list[int | None] = []
    for value, axes in [(f, index), *given]:
        if not axes:
            operands += [value, () if isinstance(value, da.Array) else None]
            places.append(None)
            continue
        x = value if isinstance(value, da.Array) else da.from_array(np.asarray(value), chunks=-1)
        x = x.rechunk(tuple([chunks[a] for a in axes]))
        place = axes.index(axis)
        places.append(place if count > 1 else None)
        for part in (x, *_ends(x, place, cut)) if count > 1 else (x,):
            operands += [part, axes]
    return da.blockwise(
        _of_chunk, index, *operands, compute=compute, places=places, cut=cut, adjust_chunks={axis: chunks[axis]},
        align_arrays=False, concatenate=True, dtype=dtype, meta=np.empty((0,) * f.ndim, dtype),
    )  # fmt: skip


def _ends(x: Any, place: int, cut: Cut) -> tuple[Any, Any]:
    """For each chunk the last points of the one before and the first points of the one after."""
    chunks = list(x.chunks)
    chunks[place] = (cut.depth,) * x.numblocks[place]
    lasts, firsts = (
        x.map_blocks(_rows, place, part, chunks=tuple(chunks), dtype=x.dtype, meta=x._meta)
        for part in (slice(-cut.depth, None), slice(cut.depth))
    )
    first, last = _blocks(firsts, place, 0, 1), _blocks(lasts, place, -1, None)
    # Where nothing is before or after, the chunk's own end takes the place, which no other chunk has to be read for.
    before, after = (last, first) if cut.is_periodic else (first, last)
    return (
        da.concatenate([before, _blocks(lasts, place, 0, -1)], axis=place),
        da.concatenate([_blocks(firsts, place, 1, None), after], axis=place),
    )


def _rows(x: Any, place: int, part: slice) -> Any:
    return x[(slice(None),) * place + (part,)]


def _blocks(x: Any, place: int, start: int, stop: int | None) -> Any:
    return x.blocks[(slice(None),) * place + (slice(start, stop),)]


def _of_chunk(
    inner: np.ndarray, *operands: Any, compute: Callable[..., Any], places: Sequence[int | None], cut: Cut
) -> Any:
    """A task of `_along`, on one thread: the others are dask's to give.

    Of an operand that is cut, the ends of its neighbours come after it; `places` tells along which of its axes.
    """
    queue = iter(operands)
    given = [(next(queue),) if p is None else (next(queue), next(queue), next(queue)) for p in places]

    def strip(before: int, after: int, part: slice, inner: tuple[bool, bool]) -> Any:
        """What comes of the end of one chunk and the beginning of the next."""
        parts = [
            x[0] if p is None else np.concatenate([_rows(x[before], p, part), _rows(x[after], p, part)], p)
            for x, p in zip(given, places, strict=True)
        ]
        return compute(*parts, inner=inner)

    has_low, has_high = inner[0].tolist()
    place: Any = places[0]
    depth = cut.depth
    with _threads.one_thread():
        result = compute(*[x[0] for x in given], inner=(has_low, has_high))
        if has_low:
            low = strip(1, 0, slice(cut.least), (True, False))
            _rows(result, place, slice(depth))[...] = _rows(low, place, slice(depth, 2 * depth))
        if has_high:
            high = strip(0, 2, slice(-cut.least, None), (False, True))
            _rows(result, place, slice(-depth, None))[...] = _rows(high, place, slice(-2 * depth, -depth))
    return result


def _run(
    compute: Callable[..., Any], arrays: Sequence[Any], cuts: dict[int, Cut], given: Sequence[tuple[Any, Any]],
    dtype: "np.dtype[Any]", leading: tuple[int, ...] = (),
) -> Any:  # fmt: skip
    """Return what `compute` makes of each chunk and its neighbours, without what it makes of these.

    It gets a list of the arrays, and what is `given` with the axes it belongs to.
    """
    f = arrays[0]
    chunks = tuple([_merged(f.chunks[a], cuts[a]) if a in cuts else f.chunks[a] for a in range(f.ndim)])
    arrays = [_with_neighbours(array.rechunk(chunks), range(f.ndim), cuts, chunks) for array in arrays]
    trims = {a: _trims(len(chunks[a]), cut) for a, cut in cuts.items()}
    index = tuple(range(len(leading), len(leading) + f.ndim))
    shift = len(leading)
    operands: list[Any] = []
    for array in arrays:
        operands += [array, index]
    for value, axes in given:
        if axes:
            x = value if isinstance(value, da.Array) else da.from_array(np.asarray(value), chunks=-1)
            x = x.rechunk(tuple([chunks[a] for a in axes]))
            operands += [_with_neighbours(x, axes, cuts, chunks), tuple([a + shift for a in axes])]
        elif isinstance(value, da.Array):
            operands += [value, ()]
        else:
            operands += [value, None]
    for a, trim in trims.items():
        operands += [da.from_array(trim, chunks=(1, 2)), (a + shift, -1 - a)]
    return da.blockwise(
        _chunk, (*range(shift), *index), *operands,
        compute=compute, count=len(arrays), axes=tuple(trims), leading=shift,
        new_axes=dict(enumerate(leading)), adjust_chunks={a + shift: chunks[a] for a in cuts}, align_arrays=False,
        concatenate=True, dtype=dtype, meta=np.empty((0,) * (shift + f.ndim), dtype),
    )  # fmt: skip


def _chunk(*operands: Any, compute: Any, count: int, axes: tuple[int, ...], leading: int) -> Any:
    """What is done in a task, on one thread: the others are dask's to give."""
    arrays, given = operands[:count], operands[count : len(operands) - len(axes)]
    trims = [(a, *trim[0].tolist()) for a, trim in zip(axes, operands[len(operands) - len(axes) :], strict=True)]
    with _threads.one_thread():
        result = compute(arrays, *given)
    keep = [slice(None)] * result.ndim
    for a, low, high in trims:
        keep[a + leading] = slice(low, result.shape[a + leading] - high)
    return result[tuple(keep)]


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


def _trims(count: int, cut: Cut) -> np.ndarray:
    """How many points at the low and the high end of each chunk are those of its neighbours."""
    trims = np.full((count, 2), cut.depth)
    if not cut.is_periodic or count == 1:
        trims[0, 0] = trims[-1, 1] = 0
    return trims


def _with_neighbours(array: Any, axes: Sequence[int], cuts: dict[int, Cut], chunks: tuple[Any, ...]) -> Any:
    """The array, whose chunks have the ends of those beside them; on a periodic axis, around the end."""
    depths = {}
    for place, a in enumerate(axes):
        depth = cuts[a].depth if a in cuts else 0
        depths[place] = depth if len(chunks[a]) > 1 else 0
        if depths[place] and cuts[a].is_periodic:
            low, high = _rows(array, place, slice(-depth, None)), _rows(array, place, slice(depth))
            sizes = list(chunks[a])
            sizes[0] += depth
            sizes[-1] += depth
            array = da.concatenate([low, array, high], axis=place).rechunk({place: tuple(sizes)})
    if not any(depths.values()):
        return array  # overlap would copy it
    return da.overlap.overlap(array, depths, dict.fromkeys(depths, "none"), allow_rechunk=False)
