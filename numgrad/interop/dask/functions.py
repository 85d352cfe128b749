"""The functions of numgrad for dask arrays."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import dask.array as da
import numpy as np

from numgrad._arrays import fields
from numgrad._arrays import gradient as _gradient
from numgrad._arrays.containers import as_array
from numgrad._arrays.derivative import GAPS, by_stencil, error_of, read_call
from numgrad._arrays.errors import WithError, read_sigma
from numgrad._arrays.gradient import MESSAGES
from numgrad._arrays.plan.dtypes import FIELDS, REAL
from numgrad._arrays.plan.options import check_length, read_formula, read_spacing
from numgrad._arrays.terms import spacing_of_each
from numgrad._checks import choice
from numgrad._system.memory import LARGE, in_large_pages
from numgrad.interop.dask.coordinates import (
    Steps,
    check_known,
    check_spacing,
    from_first,
    kept_uneven,
    sigma_of,
    span,
    steps_of,
)
from numgrad.interop.dask.cuts import Cut, boundary_inside, cut_of
from numgrad.interop.dask.fields import field, refuse, result_dtype
from numgrad.interop.dask.tasks import Line, along, along_each, line_of, of_line


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
    spacings = [steps_of(f, a, x) for a, x in zip(axes, spacing_of_each(varargs, len(axes)), strict=True)]
    if edge_order > 2:
        raise ValueError(MESSAGES["ORDER"])
    if any(f.shape[a] < edge_order + 1 for a in axes):
        raise ValueError(MESSAGES["SHORT"])
    lines = [_first_line(f, a, x, edge_order) for a, x in zip(axes, spacings, strict=True)]
    results = along_each("gradient", partial(_first_of_each, axes=tuple(axes), edge_order=edge_order), lines)
    return results[0] if len(results) == 1 else tuple(results)


def derivative(
    f: Any, x: Any = None, *, n: int = 1, accuracy: int | None = None, axis: int = -1, boundary: str = "one-sided",
    edge_accuracy: int | None = None, period: float | None = None, nan: str | None = None, window: int | None = None,
    degree: int | None = None, sigma: Any = None, out: Any = None,
) -> Any:  # fmt: skip
    """Return the n-th derivative of a dask array along an axis, lazily: `numgrad.derivative`, bit for bit.

    Parameters
    ----------
    f : dask.array.Array
        Samples of a function.
    x : float, array_like or dask.array.Array, optional
        The distance of neighbours or the coordinates, those of each line among them, as in `numgrad.derivative`.
    n, accuracy, axis, boundary, edge_accuracy, period, nan, window, degree
        As in `numgrad.derivative`.
    sigma : float, array_like or dask.array.Array, optional
        As in `numgrad.derivative`; what is wrong with it is said when it is computed.
    out : None
        Not supported, as in `gradient`.

    Returns
    -------
    dask.array.Array, or WithError of two
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
    nan = "propagate" if nan is None else choice("nan", nan, GAPS)
    formula = read_formula(n, accuracy, boundary, edge_accuracy, nan == "one-sided", window, degree)
    dtype = result_dtype(f)
    check_known(f, axis, "`f`")
    check_length(formula, axis, f.shape[axis], has_edges=True)
    spacing = check_spacing(x, f, axis, formula, period)
    x = from_first(x, axis)
    is_first = formula.is_gradient and (not np.ndim(x) or math.prod(np.shape(x)) == f.shape[axis])
    if is_first:
        steps = steps_of(f, axis, np.ravel(x) if np.ndim(x) > 1 else x)
        value = of_line("gradient", _first_line(f, axis, steps, formula.edges, isinstance(x, da.Array)))
        if sigma is None:
            return value
    cut = cut_of(formula, bool(np.ndim(x)))
    options = {
        "n": n, "accuracy": accuracy, "axis": axis, "boundary": boundary_inside(f, axis, cut, boundary),
        "edge_accuracy": edge_accuracy, "nan": nan, "period": period, "window": window, "degree": degree,
    }  # fmt: skip
    index = ((), (axis,), tuple(range(f.ndim)))[min(np.ndim(x), 2)]
    given = [(x, index), *[(step, ()) for step in span(x, spacing)]]
    if not is_first:
        value = along("derivative", partial(_nth, options=options), f, axis, cut, given, dtype)
    if sigma is None:
        return value
    spread = (sigma_of(sigma, f), tuple(range(f.ndim)))
    found = along("error", partial(_error, options=options), f, axis, cut, [spread, *given], np.dtype(REAL[dtype.type]))
    if is_first and np.ndim(x) and f.dtype.kind in "fc":
        # As in memory: the point itself has a weight, if need be of zero.
        found = da.where(da.isnan(value) & da.isnan(f.rechunk(value.chunks)), np.nan, found).astype(found.dtype)
    return WithError(value, found)


def laplacian(f: Any, *spacing: Any, out: Any = None, **options: Any) -> Any:
    """Return the sum of the second derivatives of a dask array, lazily, as `numgrad.laplacian` does."""
    return field(fields.laplacian, f, spacing, out, **options)


def divergence(v: Any, *spacing: Any, out: Any = None, **options: Any) -> Any:
    """Return the divergence of a field of dask arrays, lazily, as `numgrad.divergence` does."""
    return field(fields.divergence, v, spacing, out, **options)


def curl(v: Any, *spacing: Any, out: Any = None, **options: Any) -> Any:
    """Return the curl of a field of dask arrays, lazily, as `numgrad.curl` does."""
    return field(fields.curl, v, spacing, out, **options)


def jacobian(v: Any, *spacing: Any, out: Any = None, **options: Any) -> Any:
    """Return the first derivatives of a field of dask arrays, lazily, as `numgrad.jacobian` does."""
    return field(fields.jacobian, v, spacing, out, **options)


def hessian(f: Any, *spacing: Any, out: Any = None, **options: Any) -> Any:
    """Return the second derivatives of a dask array, lazily, as `numgrad.hessian` does."""
    return field(fields.hessian, f, spacing, out, **options)


def _first_line(f: Any, axis: int, spacing: Any, edge_order: int, is_strict: bool = False) -> Line:
    """The gradient along one axis; `is_strict` refuses coordinates that `derivative` refuses."""
    like = (np.array([0.0, 1.0, 3.0]), edge_order) if isinstance(spacing, Steps) else (1.0, 1)
    dtype = _gradient.gradient(np.zeros(3, f.dtype), like[0], axis=0, edge_order=like[1]).dtype
    cut = Cut(1, 3)
    given: list[tuple[Any, Any]] = [(spacing, ())]
    if isinstance(spacing, Steps):
        cut = Cut(2, 4)  # and an end whose coordinate may be moved, so that steps differ
        given = [(spacing.x, (axis,)), (spacing.are_equal, ()), (spacing.first, ())]
    compute = partial(_first, axis=axis, edge_order=edge_order, is_strict=is_strict)
    return line_of(compute, f, axis, cut, given, dtype)


def _first(f: np.ndarray, *given: Any, axis: int, edge_order: int, is_strict: bool, inner: tuple[bool, bool]) -> Any:
    if is_strict:
        read_spacing(given[0], "x", f.shape, axis, None, lines=False)
    spacing = _spacing_inside(*given, inner=inner)
    return _gradient.gradient(f, spacing, axis=axis, edge_order=edge_order, out=_room(f, 1))


def _first_of_each(f: np.ndarray, parts: Sequence[Any], *, axes: tuple[int, ...], edge_order: int) -> Any:
    """The gradient along several axes, in one sweep."""
    spacings = [_spacing_inside(*given, inner=inner) for _, given, inner in parts]
    own = tuple([axes[i] for i, *_ in parts])
    return _gradient.gradient(f, *spacings, axis=own, edge_order=edge_order, out=_room(f, len(own)))


def _room(f: np.ndarray, count: int) -> Any:
    """Return where to write so many large results: a chunk has a fresh one each time. None: as it comes."""
    if type(f) is not np.ndarray or not f.flags.c_contiguous or f.dtype not in FIELDS:
        return None
    dtype = np.dtype(FIELDS[f.dtype])
    if f.size * dtype.itemsize < 2 * LARGE:
        return None
    results = [in_large_pages(f.shape, dtype) for _ in range(count)]
    return results[0] if count == 1 else tuple(results)


def _spacing_inside(x: Any, *steps: Any, inner: tuple[bool, bool]) -> Any:
    """Return the spacing of a chunk: that of the whole axis if its steps are equal."""
    if not steps:
        return x
    are_equal, first = steps
    return first[()] if are_equal else kept_uneven(x, *inner)


def _nth(f: np.ndarray, *given: Any, options: dict[str, Any], inner: tuple[bool, bool]) -> Any:
    return by_stencil(_read(f, *given, options=options), _room(f, 1))


def _error(f: np.ndarray, sigma: Any, *given: Any, options: dict[str, Any], inner: tuple[bool, bool]) -> Any:
    return error_of(_read(f, *given, options=options), read_sigma(sigma, f))


def _read(f: np.ndarray, x: Any, *span: Any, options: dict[str, Any]) -> Any:
    call = read_call(f, x, **options)
    if span:
        spacing: Any = call.spacing
        shortest, longest = map(float, span)
        call = call._replace(spacing=spacing._replace(shortest=shortest, longest=longest))
    return call
