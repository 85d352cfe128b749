"""Derivatives of fields, in chunks along several axes at once."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import dask.array as da
import numpy as np

from numgrad._arrays import fields
from numgrad._arrays.plan.dtypes import FIELDS
from numgrad._arrays.plan.options import read_samples
from numgrad._arrays.terms import spacing_of_each
from numgrad._checks import refuse_units
from numgrad.interop.dask.coordinates import check_chunks, from_first, stand_in
from numgrad.interop.dask.cuts import boundary_inside, cut_of
from numgrad.interop.dask.tasks import along_several


def field(function: Callable[..., Any], v: Any, spacing: tuple[Any, ...], out: Any, **options: Any) -> Any:
    """Return what a function of fields makes of dask arrays, lazily."""
    refuse(out)
    is_vector = function not in (fields.laplacian, fields.hessian)
    components = _components(v, is_vector)
    for place, x in enumerate(spacing):
        check_chunks(x, f"spacing {place}")
    f = components[0]
    # Wrong shapes, axes and options are refused now, by reading arrays of these shapes without memory behind them.
    empty = [np.broadcast_to(np.zeros((), f.dtype), c.shape) for c in components]
    known = [stand_in(x.shape) if isinstance(x, da.Array) else x for x in spacing]
    read = fields.READERS[function](empty if is_vector else empty[0], *known, **options)
    cuts, boundaries, given = {}, [], []
    for a, formula, x in zip(read.axes, read.formulas, spacing_of_each(spacing, len(read.axes)), strict=True):
        x = from_first(x, 0)
        cuts[a] = cut_of(formula, bool(np.ndim(x)))
        boundaries.append(boundary_inside(f, a, cuts[a], formula.boundary))
        given.append((x, (a,) if np.ndim(x) else ()))
    options |= {
        "axis": tuple([a + is_vector for a in read.axes]),
        "boundary": boundaries,
        "period": [length or None for length in read.periods],
    }
    compute = partial(_of_chunk, function=function, is_vector=is_vector, options=options)
    leading = read.shape[: len(read.shape) - f.ndim]
    return along_several(function.__name__, compute, components, cuts, given, np.dtype(FIELDS[f.dtype]), leading)


def _components(v: Any, is_vector: bool) -> list[Any]:
    """Return the components of a field as dask arrays of one dtype; a scalar field is the only one of its own."""
    name = "v" if is_vector else "f"
    given = list(v) if is_vector else [v]
    for one in given:
        refuse_units(one, name)
    components = [c if isinstance(c, da.Array) else da.asarray(c) for c in given]
    if not components:
        raise ValueError("`v` has no components; give them along its first axis")
    for c in components:
        result_dtype(c)
        check_chunks(c, f"`{name}`")
    dtype = np.result_type(*components)
    return [c.astype(dtype) for c in components]


def _of_chunk(
    v: Sequence[np.ndarray], *spacings: Any, function: Callable[..., Any], is_vector: bool, options: dict[str, Any]
) -> Any:
    return function(list(v) if is_vector else v[0], *spacings, **options)


def refuse(out: Any) -> None:
    if out is not None:
        raise TypeError("`out` is given; leave it away, and store the result by dask.array.store or to_zarr")


def result_dtype(f: Any) -> Any:
    """Return the dtype of derivatives of these samples; refuse samples that have none."""
    return np.dtype(FIELDS[read_samples(np.empty(0, f.dtype), "f").dtype])
