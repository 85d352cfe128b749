"""The functions of numgrad for objects of xarray.

Results have the attributes of the samples, unless ``xarray.set_options(keep_attrs=False)`` says otherwise. Derivatives
of vector fields have none: each component has attributes of its own.
"""

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import xarray as xr

from numgrad._arrays import fields
from numgrad._arrays import gradient as _gradient
from numgrad._arrays import turning_points as _turning_points
from numgrad._arrays.containers import as_array
from numgrad.interop.options import listed
from numgrad.interop.times import as_times
from numgrad.interop.xarray.places import place_along, read, refuse
from numgrad.interop.xarray.results import components, nth, scalar, vector
from numgrad.interop.xarray.times import first_of_lines, samples
from numgrad.smoothing import _smooth


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1, out: Any = None) -> Any:
    """Return what np.gradient gives for a DataArray: arrays, by spacings of 1.0 or those given.

    Coordinates are those of the accessor: ``f.numgrad.gradient("x")``, ``f.numgrad.differentiate("x")``. A name, which
    np.gradient does not know, and a Dataset, which is no array, are a TypeError that says so.

    >>> f = xr.DataArray([0, 1, 9, 16.0], {"x": [0, 1, 3, 4.0]})
    >>> gradient(f)
    array([1. , 4.5, 7.5, 7. ])
    >>> gradient(f, f.x)
    array([1., 2., 6., 7.])
    """
    names = [one for one in (*varargs, *(axis if isinstance(axis, (list, tuple)) else [axis])) if isinstance(one, str)]
    if names or isinstance(f, xr.Dataset):
        what = f"a name, {names[0]!r}, is given" if names else "`f` is a Dataset"
        raise TypeError(
            f"{what}: `gradient` takes what np.gradient takes; for derivatives by coordinates import "
            f"numgrad.interop.xarray, and write f.numgrad.gradient({names[0] if names else list(f.sizes)!r})"
        )
    return _gradient.gradient(as_array(f), *varargs, axis=axis, edge_order=edge_order, out=out)


def derivative(
    f: Any, x: Any = None, *, axis: Any = -1, out: Any = None, dim: Hashable | None = None,
    datetime_unit: str | None = None, **options: Any,
) -> Any:  # fmt: skip
    """Return the n-th derivative of a DataArray or Dataset, as `numgrad.derivative` does, whose options it has.

    `x` is the name of a coordinate or dimension, a coordinate, a number or an array; by default the coordinate of the
    dimension, or 1.0 if it has none. `axis` may be a name, for which `dim` is another word; a coordinate of one
    dimension says it itself, one of several needs it. `datetime_unit` is the unit of time: by default that of a
    datetime64, seconds of cftime. `out` is not supported. Name, dimensions and coordinates are those of `f`, as are
    attributes, but under ``xarray.set_options(keep_attrs=False)``.

    >>> import numpy as np
    >>> t = np.array([0, 1, 2, 4, 7.0])
    >>> derivative(xr.DataArray(t**2, {"time": t}), "time", n=2).values
    array([2., 2., 2., 2., 2.])
    """
    refuse(out)
    return nth(f, place_along(f, x, axis, dim, datetime_unit), options)


def turning_points(
    y: Any, x: Any = None, *, axis: Any = -1, dim: Hashable | None = None, datetime_unit: str | None = None,
    **options: Any,
) -> Any:  # fmt: skip
    """Return the minima and maxima of a DataArray along a dimension, as `numgrad.turning_points` does.

    `x`, `axis`, `dim` and `datetime_unit` are those of `derivative`. By a coordinate of times positions are times, to
    the nanosecond where these reach so far, and slopes are per `datetime_unit`. Lazy samples are computed.

    >>> import numpy as np
    >>> t = np.array([0, 1, 2, 4, 7.0])
    >>> turning_points(xr.DataArray((t - 3) ** 2, {"time": t})).position
    array([3.])
    """
    place, x = _of_samples(y, x, axis, dim, datetime_unit)
    found = _turning_points.turning_points(y.data, x, axis=y.get_axis_num(place.dim), **options)
    if place.times is None:
        return found
    first = first_of_lines(place.times, place.dim)
    if first is not None:
        others = {dim: size for dim, size in y.sizes.items() if dim != place.dim}
        first = first.isel({place.dim: 0}).set_dims(others).transpose(*others).values[tuple(found.line.T)]
    return replace(found, position=as_times(found.position, place.times.values, place.unit, first))


def smooth(
    y: Any, x: Any = None, *, axis: Any = -1, dim: Hashable | None = None, datetime_unit: str | None = None,
    **options: Any,
) -> Any:  # fmt: skip
    """Return a smooth function through noisy samples of a DataArray along a dimension, as `numgrad.smooth` does.

    `x`, `axis`, `dim` and `datetime_unit` are those of `derivative`. The result has arrays; by a coordinate of times it
    counts from the first of them, in units of `datetime_unit`. Lazy samples are computed.

    >>> import numpy as np
    >>> t = np.array([0, 1, 2, 4, 7, 9, 10.0])
    >>> smooth(xr.DataArray((t - 3) ** 2, {"time": t})).derivative().round(3) + 0.0
    array([-6., -4., -2.,  2.,  8., 12., 14.])
    """
    place, x = _of_samples(y, x, axis, dim, datetime_unit)
    return _smooth.smooth(y.data, x, axis=y.get_axis_num(place.dim), **options)


def _of_samples(y: Any, x: Any, axis: Any, dim: Any, datetime_unit: Any) -> tuple[Any, Any]:
    """Return where the samples of a DataArray lie along a dimension, and the coordinates as arrays have them."""
    if not isinstance(y, xr.DataArray):
        raise TypeError(f"`y` is a {type(y).__name__}; give one of its variables: {listed(y.data_vars)}")
    place = place_along(y, x, axis, dim, datetime_unit)
    x = place.x
    if isinstance(x, xr.Variable):
        if not set(x.dims) <= set(y.dims):
            raise ValueError(f"{place.name!r} has dimensions {listed(x.dims)}, and `y` {listed(y.dims)}")
        x = x.set_dims(y.sizes).data
    return place, x


def laplacian(f: Any, *spacing: Any, **options: Any) -> Any:
    """Return the sum of the second derivatives of a DataArray or Dataset, as `numgrad.laplacian` does.

    `spacing` is names of coordinates or dimensions, or coordinates; or numbers and arrays for the axes, as for arrays.
    Without any, each dimension has its coordinate, or 1.0 if it has none. `axis` is numbers or names of dimensions, not
    with names as spacings, which say it themselves. `out` and `datetime_unit` are those of `derivative`; the other
    options `accuracy`, `boundary` and `period`. Raises ValueError for another number of spacings, an unknown name, a
    coordinate of more dimensions than one; TypeError for one that is neither numbers nor times; and ValueError for a
    variable of a Dataset that has some of the dimensions only.

    >>> import numpy as np
    >>> x = xr.DataArray(np.arange(4.0), dims="x")
    >>> y = xr.DataArray(np.arange(4.0), dims="y")
    >>> laplacian(x**2 + 3 * y**2, "x", "y").values[0]
    array([8., 8., 8., 8.])
    """
    return scalar(fields.laplacian, f, *read(f, spacing, **options))


def hessian(f: Any, *spacing: Any, **options: Any) -> Any:
    """Return all second derivatives of a DataArray or Dataset, as `numgrad.hessian` does; arguments as in `laplacian`.

    It has two dimensions more, in front: "derivative_1" and "derivative_2", labelled by the names of coordinates.

    >>> import numpy as np
    >>> x = xr.DataArray(np.arange(4.0), dims="x")
    >>> y = xr.DataArray(np.arange(4.0), dims="y")
    >>> hessian(x**2 * y).sel(derivative_1="x", derivative_2="y").values[1]
    array([2., 2., 2., 2.])
    """
    return scalar(fields.hessian, f, *read(f, spacing, **options))


def divergence(v: Any, *spacing: Any, **options: Any) -> Any:
    """Return the divergence of a field, as `numgrad.divergence` does; arguments as in `laplacian`.

    `v` is a sequence of DataArrays with the same dimensions and indexes, or one whose first dimension holds the
    components. `axis`, if it is numbers, counts that of the components, which is 0. The result is a DataArray with the
    dimensions and coordinates of the first component, and the name and attributes of none.

    >>> import numpy as np
    >>> x = xr.DataArray(np.arange(4.0), dims="x")
    >>> y = xr.DataArray(np.arange(3.0), dims="y")
    >>> divergence([x**2 + 0 * y, -2 * x * y], "x", "y").values[1]
    array([0., 0., 0.])
    """
    return vector(fields.divergence, v := components(v), *read(v[0], spacing, offset=1, **options))


def curl(v: Any, *spacing: Any, **options: Any) -> Any:
    """Return the curl of a field of two or three components, as `numgrad.curl` does; arguments as in `divergence`.

    In three dimensions it has one more, in front: "component", labelled by the names of coordinates.

    >>> import numpy as np
    >>> x = xr.DataArray(np.arange(4.0), dims="x")
    >>> y = xr.DataArray(np.arange(3.0), dims="y")
    >>> curl([0 * x - y, x + 0 * y], "x", "y").values[1]
    array([2., 2., 2.])
    """
    return vector(fields.curl, v := components(v), *read(v[0], spacing, offset=1, **options))


def jacobian(v: Any, *spacing: Any, **options: Any) -> Any:
    """Return the first derivatives of all components, as `numgrad.jacobian` does; arguments as in `divergence`.

    It has two dimensions more, in front: "component", and "derivative", labelled by the names of coordinates.

    >>> import numpy as np
    >>> x = xr.DataArray(np.arange(4.0), dims="x")
    >>> y = xr.DataArray(np.arange(3.0), dims="y")
    >>> jacobian([3 * x + 0 * y, x - y], "x", "y").sel(derivative="x").values[:, 0, 0]
    array([3., 1.])
    """
    return vector(fields.jacobian, v := components(v), *read(v[0], spacing, offset=1, **options))


def in_arrays(function: Any, f: Any, *others: Any, **options: Any) -> Any:
    """Return the arguments of a function as it takes them for arrays, and its options, for `explain`."""
    name = function.__name__
    if name == "gradient":  # which takes DataArrays for arrays
        return (f, *others), options
    if name in ("derivative", "turning_points"):
        return _samples_in_arrays(f, *others, **options)
    if isinstance(f, xr.Dataset):
        raise TypeError(f"`f` is a Dataset; give one of its variables: {listed(f.data_vars)}")
    is_vector = name not in ("laplacian", "hessian")
    v = components(f) if is_vector else [f]
    found, options = read(v[0], others, offset=int(is_vector), **options)
    data = [samples(one.variable, found[0].unit) for one in v]
    axis = tuple([v[0].get_axis_num(place.dim) + is_vector for place in found])
    return (data if is_vector else data[0], *[place.x for place in found]), {"axis": axis, **options}


def _samples_in_arrays(
    f: Any, x: Any = None, *, axis: Any = -1, dim: Hashable | None = None, datetime_unit: str | None = None,
    **options: Any,
) -> Any:  # fmt: skip
    place, x = _of_samples(f, x, axis, dim, datetime_unit)
    return (samples(f.variable, place.unit), x), {"axis": f.get_axis_num(place.dim), **options}
