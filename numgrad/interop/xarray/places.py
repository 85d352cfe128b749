"""Along which dimension to differentiate, and by which numbers: names, coordinates and spacings, read."""

from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from numgrad.interop.options import listed
from numgrad.interop.xarray.times import as_numbers, first_of_lines, is_time

# The spacing of a dimension that has no coordinate: xarray divides by float64 there, whatever the samples are.
ONE = np.float64(1.0)


class Place(NamedTuple):
    """A dimension, and the numbers to differentiate by along it.

    `x` is a number, coordinates, or a Variable of more dimensions than one.
    """

    name: Hashable
    dim: Hashable
    x: Any
    unit: str | None = None  # of time, for samples that are times
    times: Any = None  # what `x` counts in this unit, if it is times


def named(obj: Any, coords: Any, unit: str | None) -> list[Place]:
    """Return the places of the coordinates that an accessor is given."""
    if coords is None:
        coords = list(obj.sizes)
    return apart([place_of(obj, name, unit) for name in (coords if isinstance(coords, (list, tuple)) else [coords])])


def read(
    obj: Any, spacing: tuple[Any, ...], *, axis: Any = None, out: Any = None, datetime_unit: str | None = None,
    offset: int = 0, **options: Any,
) -> tuple[list[Place], dict[str, Any]]:  # fmt: skip
    """Return the places of the spacings that a function of fields is given, and the options left."""
    refuse(out)
    return places(obj, spacing, axis, datetime_unit, offset), options


def places(obj: Any, spacing: tuple[Any, ...], axis: Any, unit: str | None, offset: int = 0) -> list[Place]:
    """Return the places of the spacings that a function is given; `axis` counts `offset` axes that `obj` has not."""
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


def is_name(given: Any) -> bool:
    """Whether a spacing is a name or a labelled coordinate, which say their axis themselves."""
    return isinstance(given, (str, xr.DataArray))


def refuse(out: Any) -> None:
    if out is not None:
        raise TypeError("`out` is given; leave it away, what xarray holds is returned as new objects")
