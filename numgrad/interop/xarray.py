"""numgrad for xarray: coordinates by name, lazy on dask, and the accessors `da.numgrad` and `ds.numgrad`.

Results have the attributes of what they were made of, unless ``xarray.set_options(keep_attrs=False)`` says otherwise.
Those of vector fields have none: their components have attributes of their own.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from numgrad._arrays import derivative as _derivative
from numgrad._arrays import fields
from numgrad._arrays import gradient as _gradient
from numgrad._arrays import turning_points as _turning_points
from numgrad._arrays.containers import as_array, home_of
from numgrad._arrays.plan.options import read_spacing

# What `containers.home_of` sends here; a Variable has no coordinates, and is read as arrays are.
KINDS = (xr.DataArray, xr.Dataset)

# What xarray divides by where a dimension has no coordinate: its numbers are float64, whatever the samples are.
ONE = np.float64(1.0)
# The dimensions that results have in front, and whether these are labelled by the names of coordinates. A Jacobian may
# have any number of components, which have no names.
LEADING: dict[Any, dict[Hashable, bool]] = {
    fields.hessian: {"derivative_1": True, "derivative_2": True},
    fields.curl: {"component": True},
    fields.jacobian: {"component": False, "derivative": True},
}

# The options of fields.
FIELD = ("accuracy", "boundary", "period")


class Place(NamedTuple):
    """Where and by what to differentiate: `x` is a number, coordinates, or a Variable of more dimensions than one."""

    name: Hashable
    dim: Hashable
    x: Any
    unit: str | None = None  # of time, for samples that are times
    times: Any = None  # what `x` counts in this unit, if it is times


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
    the nanosecond where these reach so far, and slopes are per `datetime_unit`. What is lazy is computed.

    >>> t = np.array([0, 1, 2, 4, 7.0])
    >>> turning_points(xr.DataArray((t - 3) ** 2, {"time": t})).position
    array([3.])
    """
    if not isinstance(y, xr.DataArray):
        raise TypeError(f"`y` is a {type(y).__name__}; give one of its variables: {listed(y.data_vars)}")
    place = place_along(y, x, axis, dim, datetime_unit)
    x = place.x
    if isinstance(x, xr.Variable):
        if not set(x.dims) <= set(y.dims):
            raise ValueError(f"{place.name!r} has dimensions {listed(x.dims)}, and `y` {listed(y.dims)}")
        x = x.set_dims(y.sizes).data
    found = _turning_points.turning_points(y.data, x, axis=y.get_axis_num(place.dim), **options)
    if place.times is None:
        return found
    first = first_of_lines(place.times, place.dim)
    if first is not None:
        others = {dim: size for dim, size in y.sizes.items() if dim != place.dim}
        first = first.isel({place.dim: 0}).set_dims(others).transpose(*others).values[tuple(found.line.T)]
    return replace(found, position=as_times(found.position, place, first))


def laplacian(f: Any, *spacing: Any, **options: Any) -> Any:
    """Return the sum of the second derivatives of a DataArray or Dataset, as `numgrad.laplacian` does.

    `spacing` is names of coordinates or dimensions, or coordinates; or numbers and arrays for the axes, as for arrays.
    Without any, each dimension has its coordinate, or 1.0 if it has none. `axis` is numbers or names of dimensions, not
    with names as spacings, which say it themselves. `out` and `datetime_unit` are those of `derivative`; the other
    options `accuracy`, `boundary` and `period`. Raises ValueError for another number of spacings, an unknown name, a
    coordinate of more dimensions than one; TypeError for one that is neither numbers nor times; and ValueError for a
    variable of a Dataset that has some of the dimensions only.

    >>> x = xr.DataArray(np.arange(4.0), dims="x")
    >>> y = xr.DataArray(np.arange(4.0), dims="y")
    >>> laplacian(x**2 + 3 * y**2, "x", "y").values[0]
    array([8., 8., 8., 8.])
    """
    return scalar(fields.laplacian, f, *read(f, spacing, **options))


def hessian(f: Any, *spacing: Any, **options: Any) -> Any:
    """Return all second derivatives of a DataArray or Dataset, as `numgrad.hessian` does; arguments as in `laplacian`.

    It has two dimensions more, in front: "derivative_1" and "derivative_2", labelled by the names of coordinates.

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

    >>> x = xr.DataArray(np.arange(4.0), dims="x")
    >>> y = xr.DataArray(np.arange(3.0), dims="y")
    >>> divergence([x**2 + 0 * y, -2 * x * y], "x", "y").values[1]
    array([0., 0., 0.])
    """
    return vector(fields.divergence, v := components(v), *read(v[0], spacing, offset=1, **options))


def curl(v: Any, *spacing: Any, **options: Any) -> Any:
    """Return the curl of a field of two or three components, as `numgrad.curl` does; arguments as in `divergence`.

    In three dimensions it has one more, in front: "component", labelled by the names of coordinates.

    >>> x = xr.DataArray(np.arange(4.0), dims="x")
    >>> y = xr.DataArray(np.arange(3.0), dims="y")
    >>> curl([0 * x - y, x + 0 * y], "x", "y").values[1]
    array([2., 2., 2.])
    """
    return vector(fields.curl, v := components(v), *read(v[0], spacing, offset=1, **options))


def jacobian(v: Any, *spacing: Any, **options: Any) -> Any:
    """Return the first derivatives of all components, as `numgrad.jacobian` does; arguments as in `divergence`.

    It has two dimensions more, in front: "component", and "derivative", labelled by the names of coordinates.

    >>> x = xr.DataArray(np.arange(4.0), dims="x")
    >>> y = xr.DataArray(np.arange(3.0), dims="y")
    >>> jacobian([3 * x + 0 * y, x - y], "x", "y").sel(derivative="x").values[:, 0, 0]
    array([3., 1.])
    """
    return vector(fields.jacobian, v := components(v), *read(v[0], spacing, offset=1, **options))


class Accessor:
    """What DataArray and Dataset share, once ``numgrad.interop.xarray`` is imported; errors are as of `laplacian`."""

    def __init__(self, obj: Any) -> None:
        self._obj = obj

    def derivative(
        self, coord: Hashable, *, dim: Hashable | None = None, datetime_unit: str | None = None, **options: Any
    ) -> Any:
        """Return the n-th derivative by a coordinate.

        Parameters
        ----------
        coord : hashable
            The name of a coordinate or dimension.
        dim : hashable, optional
            The dimension to go along, for a coordinate of several, as the latitude of a curved grid is.
        datetime_unit : {"W", "D", "h", "m", "s", "ms", "us", "ns", ...}, optional
            Unit of time: by default that of a datetime64, seconds of cftime.
        **options
            `n`, `accuracy`, `boundary`, `edge_accuracy`, `period` and `nan`, as in `numgrad.derivative`; the period of
            times is in `datetime_unit`.

        Returns
        -------
        DataArray or Dataset
            With the same coordinates. Variables of a Dataset without the dimension are kept as they are.

        Examples
        --------
        >>> t = np.array(["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05"], dtype="datetime64[s]")
        >>> f = xr.DataArray([0, 1, 9, 16.0], {"time": t})
        >>> f.numgrad.derivative("time", n=2, datetime_unit="D").values
        array([2., 2., 2., 2.])
        """
        return nth(self._obj, place_of(self._obj, coord, datetime_unit, dim), options)

    def differentiate(self, coord: Hashable, edge_order: int = 1, datetime_unit: str | None = None) -> Any:
        """Differentiate as xarray's method of this name does, bit for bit, with its arguments; attributes are kept.

        >>> f = xr.DataArray([0, 1, 9, 16.0], {"x": [0, 1, 3, 4.0]})
        >>> f.numgrad.differentiate("x", edge_order=2).values
        array([0., 2., 6., 8.])
        """
        return gradients(self._obj, [place_of(self._obj, coord, datetime_unit)], edge_order)[0]

    def gradient(self, coords: Any = None, *, edge_order: int = 1, datetime_unit: str | None = None) -> Any:
        """Return the first derivatives by coordinates, each as `differentiate` does.

        Parameters
        ----------
        coords : hashable or list of hashable, optional
            Names of coordinates of one dimension, or of dimensions. All dimensions by default.
        edge_order : {1, 2}, default 1
            Order of accuracy at the ends.
        datetime_unit : str, optional
            Unit of time, as in `derivative`.

        Returns
        -------
        DataArray, Dataset, or tuple of these
            One for a name, else a tuple of one for each, in this order.

        Examples
        --------
        >>> f = xr.DataArray([[0, 1, 4.0], [2, 3, 6.0]], {"x": [0, 1.0, 3.0]}, ("y", "x"))
        >>> dx, dy = f.numgrad.gradient(["x", "y"])
        >>> dy.values
        array([[2., 2., 2.],
               [2., 2., 2.]])
        """
        results = gradients(self._obj, named(self._obj, coords, datetime_unit), edge_order)
        return results if coords is None or isinstance(coords, (list, tuple)) else results[0]

    def laplacian(self, coords: Any = None, *, datetime_unit: str | None = None, **options: Any) -> Any:
        """Return the sum of the second derivatives by coordinates.

        Parameters
        ----------
        coords : hashable or list of hashable, optional
            Names of coordinates of one dimension, or of dimensions. All dimensions by default.
        datetime_unit : str, optional
            Unit of time, as in `derivative`.
        **options
            `accuracy`, `boundary` and `period`, as in `numgrad.laplacian`.

        Returns
        -------
        DataArray or Dataset
            With the same coordinates. Variables of a Dataset with none of the dimensions are kept as they are; those
            with some are a ValueError.

        Examples
        --------
        >>> x = xr.DataArray([0, 1, 3, 4.0], dims="x")
        >>> (x**2).assign_coords(x=x).numgrad.laplacian("x").values
        array([2., 2., 2., 2.])
        """
        return scalar(fields.laplacian, self._obj, named(self._obj, coords, datetime_unit), options)

    def hessian(self, coords: Any = None, *, datetime_unit: str | None = None, **options: Any) -> Any:
        """Return the second derivatives by coordinates, the mixed ones among them; arguments as in `laplacian`.

        They are along two dimensions more, in front: "derivative_1" and "derivative_2", labelled by these names.

        >>> f = xr.DataArray(np.outer(np.arange(4.0), np.arange(4.0)), dims=("y", "x"))
        >>> f.numgrad.hessian(["y", "x"]).isel(y=1, x=1).values
        array([[0., 1.],
               [1., 0.]])
        """
        return scalar(fields.hessian, self._obj, named(self._obj, coords, datetime_unit), options)


@xr.register_dataarray_accessor("numgrad")
class DataArrayAccessor(Accessor):
    """``da.numgrad``: derivatives by the coordinates of a DataArray."""

    def turning_points(
        self, coord: Hashable, *, dim: Hashable | None = None, datetime_unit: str | None = None, **options: Any
    ) -> Any:
        """Return the minima and maxima along a coordinate, located between the samples.

        `coord`, `dim` and `datetime_unit` are those of `derivative`, `options` those of `numgrad.turning_points`. By a
        coordinate of times positions are times, and slopes are per `datetime_unit`. What is lazy is computed.

        >>> t = np.array(["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05"], dtype="datetime64[s]")
        >>> f = xr.DataArray([4, 1, 1, 4.0], {"time": t})
        >>> f.numgrad.turning_points("time").position.astype("datetime64[h]")
        array(['2024-01-03T00'], dtype='datetime64[h]')
        """
        return turning_points(self._obj, coord, dim=dim, datetime_unit=datetime_unit, **options)


@xr.register_dataset_accessor("numgrad")
class DatasetAccessor(Accessor):
    """``ds.numgrad``: derivatives by the coordinates of a Dataset, of all data variables that have their dimensions."""

    def divergence(
        self, variables: Sequence[Hashable], coords: Any = None, *, datetime_unit: str | None = None, **options: Any
    ) -> Any:
        """Return the divergence of a vector field: the sum of the derivatives of variables, each by its coordinate.

        Parameters
        ----------
        variables : list of hashable
            Names of the components, which have the same dimensions.
        coords : list of hashable, optional
            As many names of coordinates or dimensions. The dimensions of the first component by default.
        datetime_unit, **options
            As in `laplacian`.

        Returns
        -------
        DataArray
            Dimensions and coordinates are those of the first component, attributes those of none.

        Examples
        --------
        >>> y, x = np.mgrid[:3, :4].astype(float)
        >>> ds = xr.Dataset({"u": (("y", "x"), x**2), "v": (("y", "x"), -2 * x * y)})
        >>> ds.numgrad.divergence(["u", "v"], ["x", "y"]).values[0]
        array([0., 0., 0., 0.])
        """
        return self._vector(fields.divergence, variables, coords, datetime_unit, options)

    def curl(
        self, variables: Sequence[Hashable], coords: Any = None, *, datetime_unit: str | None = None, **options: Any
    ) -> Any:
        """Return the curl of a vector field of two or three components; arguments as in `divergence`.

        It is like a component; in three dimensions behind one more, "component", labelled by the names of coordinates.

        >>> y, x = np.mgrid[:3, :4].astype(float)
        >>> ds = xr.Dataset({"u": (("y", "x"), -y), "v": (("y", "x"), x)})
        >>> ds.numgrad.curl(["u", "v"], ["x", "y"]).values[0]
        array([2., 2., 2., 2.])
        """
        return self._vector(fields.curl, variables, coords, datetime_unit, options)

    def _vector(self, function: Any, variables: Any, coords: Any, unit: str | None, options: Any) -> Any:
        for name in variables:
            if name not in self._obj.data_vars:
                raise ValueError(f"`variables` has {name!r}; the Dataset has {listed(self._obj.data_vars)}")
        given = components([self._obj[name] for name in variables])
        return vector(function, given, named(given[0], coords, unit), options)


def refuse(out: Any) -> None:
    if out is not None:
        raise TypeError("`out` is given; leave it away, what xarray holds is returned as new objects")


def is_name(given: Any) -> bool:
    """Whether a spacing is a name or a labelled coordinate, which say their axis themselves."""
    return isinstance(given, (str, xr.DataArray))


def listed(names: Any) -> str:
    return ", ".join(map(repr, names)) or "none"


def named(obj: Any, coords: Any, unit: str | None) -> list[Place]:
    """Return the places of what an accessor is given."""
    if coords is None:
        coords = list(obj.sizes)
    return apart([place_of(obj, name, unit) for name in (coords if isinstance(coords, (list, tuple)) else [coords])])


def read(
    obj: Any, spacing: tuple[Any, ...], *, axis: Any = None, out: Any = None, datetime_unit: str | None = None,
    offset: int = 0, **options: Any,
) -> tuple[list[Place], dict[str, Any]]:  # fmt: skip
    """Return the places of what the function of a field is given, and its own options."""
    refuse(out)
    return places(obj, spacing, axis, datetime_unit, offset), options


def places(obj: Any, spacing: tuple[Any, ...], axis: Any, unit: str | None, offset: int = 0) -> list[Place]:
    """Return the places of what a function is given; `axis` counts `offset` axes that `obj` has not."""
    are_names = [is_name(s) for s in spacing]
    if any(are_names):
        if not all(are_names):
            raise ValueError("some of `spacing` are names and some are not; give names only, or numbers and arrays")
        if axis is not None:
            raise ValueError(f"`axis` is {axis!r}; leave it away, coordinates by name say their axis")
        return apart([place_of(obj, s, unit) for s in spacing])
    dims = dims_of(obj, axis, offset)
    if not spacing:
        return apart([place_of(obj, dim, unit) for dim in dims])
    if len(spacing) == 1 and np.ndim(spacing[0]) == 0:
        spacing *= len(dims)
    if len(spacing) != len(dims):
        raise ValueError(
            f"there are {len(spacing)} spacings for {len(dims)} axes; give one for each, a number, or none"
        )
    return apart([Place(dim, dim, x, unit) for dim, x in zip(dims, spacing, strict=True)])


def apart(found: list[Place]) -> list[Place]:
    """Return the places, if there are any, and no two along one dimension."""
    if not found:
        raise ValueError("there are no dimensions to differentiate along; give at least one")
    dims = [place.dim for place in found]
    for place in found:
        if dims.count(place.dim) > 1:
            names = listed(other.name for other in found if other.dim == place.dim)
            raise ValueError(f"{names} are all along {place.dim!r}; give one coordinate for each dimension")
    return found


def dims_of(obj: Any, axis: Any, offset: int = 0) -> list[Hashable]:
    """Return the names of axes, which may be names already."""
    dims = list(obj.sizes)
    if axis is None:
        return dims
    found: list[Hashable] = []
    for one in axis if isinstance(axis, (list, tuple)) else [axis]:
        if isinstance(one, str):
            if one not in dims:
                raise ValueError(f"`axis` is {one!r}; dimensions are {listed(dims)}")
            found.append(one)
            continue
        if isinstance(obj, xr.Dataset):
            raise TypeError(f"`axis` is {one!r}; a Dataset has no order of axes, name dimensions: {listed(dims)}")
        place = np.lib.array_utils.normalize_axis_index(one, len(dims) + offset) - offset
        if place < 0:
            raise ValueError(f"`axis` is {axis}, but axis 0 of `v` holds the components; name axes after it")
        found.append(dims[place])
    return found


def place_along(obj: Any, x: Any, axis: Any, dim: Hashable | None, unit: str | None) -> Place:
    """Return the place that the arguments of `derivative` name."""
    if dim is not None and axis != -1:
        raise TypeError(f"`axis` is {axis!r} and `dim` is {dim!r}; give one of them")
    if dim is None and (axis != -1 or not is_name(x)):
        (dim,) = dims_of(obj, axis)
    is_named = x is None or is_name(x)
    return place_of(obj, dim if x is None else x, unit, dim) if is_named else Place(dim, dim, x, unit)


def place_of(obj: Any, given: Any, unit: str | None, dim: Hashable | None = None) -> Place:
    """Return the dimension and the numbers of a coordinate; `dim` chooses among several dimensions."""
    # A Dataset may be differentiated by a data variable, too: xarray's does that.
    known: Any = obj.variables if isinstance(obj, xr.Dataset) else obj.coords
    name = given
    if isinstance(given, xr.DataArray):
        name, variable = given.name, given.variable
    elif given in known:
        variable = known[given] if isinstance(obj, xr.Dataset) else known[given].variable
    elif given in obj.sizes:
        variable = None
    else:
        raise ValueError(f"there is no {given!r}; dimensions are {listed(obj.sizes)}, coordinates {listed(obj.coords)}")
    dims = (given,) if variable is None else variable.dims
    if dim is None and len(dims) == 1:
        (dim,) = dims
    if dim not in dims or dim not in obj.sizes:
        what = f"`dim` is {dim!r}, but" if dim is not None else "`dim` is missing:"
        raise ValueError(
            f"{what} {name!r} has dimensions {listed(dims)}, and {type(obj).__name__} {listed(obj.sizes)}; "
            "derivative(..., dim=...) takes one of both, and all else coordinates of one dimension"
        )
    if variable is None:
        return Place(name, dim, ONE, unit)
    times = None
    if is_time(variable):
        unit = unit or ("s" if variable.dtype.kind == "O" else np.datetime_data(variable.dtype)[0])
        times, variable = variable, as_numbers(variable, unit, first_of_lines(variable, dim))
    elif variable.dtype.kind not in "iufcO":
        raise TypeError(f"coordinate {name!r} has dtype {variable.dtype}; give one of numbers or times")
    return Place(name, dim, variable if variable.ndim > 1 else variable.data, unit, times)


def is_time(variable: Any) -> bool:
    """Whether this has datetimes, of NumPy or cftime, which xarray takes as numbers."""
    if variable.dtype.kind != "O" or not variable.size:
        return variable.dtype.kind in "mM"
    first = variable[(0,) * variable.ndim].values.item()
    return type(first).__module__.partition(".")[0] == "cftime"


def first_of_lines(variable: Any, dim: Hashable) -> Any:
    """Return where lines of times begin, as a Variable; None of a coordinate of one dimension, and of cftime.

    Numbers count from there, and so keep their digits however far apart the lines are. Of the others xarray says it.
    """
    is_of_lines = variable.ndim > 1 and variable.dtype.kind in "mM"
    return variable.isel({dim: slice(1)}) if is_of_lines else None


def as_numbers(variable: Any, unit: str | None, first: Any = None) -> Any:
    # xarray's own, so that every bit is the same; it says nothing of this in public.
    try:
        return variable._to_numeric(None if first is None else first.data, datetime_unit=unit)
    except (TypeError, ValueError, KeyError) as error:
        why = f"`datetime_unit` is {unit!r}, times of dtype {variable.dtype} are not in that: {error}"
        raise TypeError(why) from error


def as_times(position: np.ndarray, place: Place, first: Any = None) -> np.ndarray:
    """Return the times of positions in the unit of this place, which begin at `first`, or where xarray's do."""
    times, unit = place.times.values, place.unit
    one: Any = np.timedelta64  # its stubs know units by their literals only
    if times.dtype.kind == "O":
        steps = position * (one(1, unit) / one(1, "us"))
        made = [timedelta(microseconds=float(step)) for step in steps]
        return np.array([times.min() + step for step in made], dtype=object)
    finest = np.datetime_data(times.dtype)[0]
    first = np.nanmin(times) if first is None else first
    low, high = (abs(int(x.astype(np.int64))) for x in (np.nanmin(times), np.nanmax(times)))
    for finer in ("ns", "us", "ms", "s"):
        per = int(one(1, finest) / one(1, finer)) if finer != finest else 1
        if per > 0 and 2 * max(low, high) * per < 2**63:
            break
    steps = np.rint(position * (one(1, unit) / one(1, finer))).astype(f"m8[{finer}]")
    moved: np.ndarray = first.astype(f"{times.dtype.kind}8[{finer}]") + steps
    return moved


def samples(variable: Any, unit: str | None) -> Any:
    return as_numbers(variable, unit).data if is_time(variable) else variable.data


def beside(f: Any, x: Any) -> Any:
    """Return a number or coordinates; those of dask only beside samples of dask."""
    return x.compute() if hasattr(x, "dask") and not hasattr(f, "dask") else x


def attrs_of(obj: Any) -> dict[Any, Any] | None:
    """Return the attributes that results have, unless the user has told xarray to drop them."""
    return obj.attrs if xr.get_options()["keep_attrs"] is not False else None


def labelled(obj: Any, found: list[Place], compute: Callable[[Any], Any], function: Any = None) -> Any:
    """Return what `compute` makes of the variable, or of those of a Dataset, with the coordinates and name of `obj`."""
    leading = LEADING.get(function, {})
    names = [str(place.name) for place in found]

    def made_of(variable: Any) -> Any:
        data = compute(variable)
        front = list(leading)[: data.ndim - variable.ndim]  # a curl has its dimension only in space
        return xr.Variable((*front, *variable.dims), data, attrs_of(variable))

    if isinstance(obj, xr.DataArray):
        # What xarray says in public copies coordinates, which may be as large as the samples.
        made = obj._replace(made_of(obj.variable))
        return made.assign_coords({dim: names for dim in made.dims if leading.get(dim)}) if leading else made
    results = {}
    for name in obj.data_vars:
        variable = obj.variables[name]
        missing = [place.dim for place in found if place.dim not in variable.dims]
        if not missing:
            results[name] = made_of(variable)
        elif len(missing) < len(found):
            raise ValueError(
                f"variable {name!r} has dimensions {listed(variable.dims)}, but not {listed(missing)}; "
                "name coordinates of its dimensions, or leave it out of the Dataset"
            )
    made = obj.assign(results).assign_coords({dim: names for dim, is_labelled in leading.items() if is_labelled})
    made.attrs = attrs_of(obj) or {}
    return made


def applied(function: Any, found: Sequence[Place], variable: Any, **options: Any) -> Any:
    """Return what a function of arrays makes of the samples, along the axes and by the coordinates of these places."""
    f, axes = samples(variable, found[0].unit), tuple([variable.get_axis_num(place.dim) for place in found])
    return function(f, *[beside(f, place.x) for place in found], axis=axes, **options)


def firsts(found: Sequence[Place], variable: Any, edge_order: Any) -> Any:
    """Return the gradient along these places: by numgrad of arrays of NumPy and dask, of all else as xarray does it."""
    f = samples(variable, found[0].unit)
    if all(isinstance(x, (np.ndarray, np.generic)) or home_of(x) is not None for x in [f, *[p.x for p in found]]):
        return applied(_gradient.gradient, found, variable, edge_order=edge_order)
    try:
        results = tuple([as_xarray(f, variable.dims, place, edge_order) for place in found])
    except NotImplementedError:  # jax knows no edges, not even the usual ones
        plain = applied(_gradient.gradient, found, variable.copy(data=np.asarray(f)), edge_order=edge_order)
        made = plain if isinstance(plain, tuple) else (plain,)
        results = tuple([f.__array_namespace__().asarray(one) for one in made])
    return results[0] if len(results) == 1 else results


def as_xarray(f: Any, dims: Any, place: Place, edge_order: Any) -> Any:
    """Return what xarray's `differentiate` makes of these samples."""
    name, coords = place.dim, {}
    if place.x is not ONE:
        name = f"where along {place.dim}"
        coords = {name: (place.dim, place.x)}
    return xr.DataArray(f, coords, dims).differentiate(name, edge_order).variable.data


def gradients(obj: Any, found: list[Place], edge_order: Any) -> tuple[Any, ...]:
    compute = partial(firsts, edge_order=edge_order)
    if isinstance(obj, xr.DataArray) and len(found) > 1 and not is_time(obj.variable):
        made = iter(compute(found, obj.variable))
        return tuple([labelled(obj, found, lambda _: next(made)) for _ in found])
    # Each variable of a Dataset has dimensions of its own, and the unit of times may be another for each coordinate.
    return tuple([labelled(obj, [place], partial(compute, [place])) for place in found])


def allow(options: dict[str, Any], *names: str) -> None:
    for name in options:
        if name not in names:
            raise TypeError(f"`{name}` is no option here; options are {listed(names)}")


def nth(obj: Any, place: Place, options: dict[str, Any]) -> Any:
    allow(options, "n", "accuracy", "boundary", "edge_accuracy", "period", "nan")

    def compute(variable: Any) -> Any:
        f, x = samples(variable, place.unit), place.x
        if isinstance(x, xr.Variable):
            if not set(x.dims) <= set(variable.dims):
                raise ValueError(
                    f"{place.name!r} has dimensions {listed(x.dims)}, a variable {listed(variable.dims)}; "
                    "leave it out of the Dataset"
                )
            if variable.chunks is not None and x.chunks is None:
                # Checked as they are: for the samples they are many, and not there before they are needed.
                read_spacing(x.data, str(place.name), x.shape, x.get_axis_num(place.dim), None, lines=True)
                x = x.chunk()
            x = x.set_dims(variable.sizes).data
        return _derivative.derivative(f, beside(f, x), axis=variable.get_axis_num(place.dim), **options)

    return labelled(obj, [place], compute)


def scalar(function: Any, obj: Any, found: list[Place], options: Any) -> Any:
    """Return a field made of a DataArray, or of each variable of a Dataset."""
    allow(options, *FIELD)
    return labelled(obj, found, partial(applied, function, found, **options), function)


def vector(function: Any, v: list[Any], found: list[Place], options: Any) -> Any:
    """Return a field made of components."""
    allow(options, *FIELD)
    axes = tuple([v[0].get_axis_num(place.dim) + 1 for place in found])
    variables = [one.variable for one in v]
    if any(one.chunks for one in variables):
        variables = [one.chunk() for one in variables]  # those in memory, so that nothing is computed
    data = [samples(one, found[0].unit) for one in variables]
    result = function(data, *[beside(data[0], place.x) for place in found], axis=axes, **options)
    # The derivatives of "u" and others are no "u", and are not measured in its units.
    like = v[0].copy(deep=False)
    like.name, like.attrs = None, {}
    return labelled(like, found, lambda _: result, function)


def components(v: Any) -> list[Any]:
    """Return the components of a field, with their dimensions in the same order."""
    if isinstance(v, xr.Dataset):
        raise TypeError(f"`v` is a Dataset; give a list of its variables: {listed(v.data_vars)}")
    if isinstance(v, xr.DataArray):
        if not v.ndim or not len(v):
            raise ValueError("`v` has no components; give them along its first dimension")
        v = [v.isel({v.dims[0]: i}, drop=True) for i in range(len(v))]
    if not v:
        raise ValueError("`v` has no components; give at least one")
    for i, one in enumerate(v):
        if not isinstance(one, xr.DataArray):
            raise TypeError(f"`v` has a {type(one).__name__}, the {i}-th component; give a DataArray as the others")
        if set(one.dims) != set(v[0].dims):
            raise ValueError(
                f"`v` has components of dimensions {listed(v[0].dims)} and {listed(one.dims)}, the {i}-th; "
                "give the same for all"
            )
    # What lies at other points must not be added up.
    return [one.transpose(*v[0].dims) for one in xr.align(*v, join="exact", copy=False)]
