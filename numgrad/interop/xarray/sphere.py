"""Fields on the sphere for objects of xarray, which know their latitudes and longitudes, and their units."""

import re
from collections.abc import Hashable, Sequence
from typing import Any

import xarray as xr

from numgrad.interop.options import listed
from numgrad.interop.xarray.places import refuse
from numgrad.interop.xarray.results import attrs_of, components
from numgrad.interop.xarray.times import samples
from numgrad.sphere._fields import Gradient, compute
from numgrad.sphere._rows import ADVECTION, DIVERGENCE, EARTH_RADIUS, GRADIENT, LAPLACIAN, VORTICITY, Operator

# How CF's conventions spell the units of latitude and longitude (version 1.11, sections 4.1 and 4.2), and usual names.
UNITS = {
    "latitude": ("degrees_north", "degree_north", "degree_N", "degrees_N", "degreeN", "degreesN"),
    "longitude": ("degrees_east", "degree_east", "degree_E", "degrees_E", "degreeE", "degreesE"),
}
NAMES = {
    "latitude": ("latitude", "lat", "lats", "nav_lat", "xlat"),
    "longitude": ("longitude", "lon", "lons", "long", "nav_lon", "xlong"),
}
DEGREES = ("degrees", "degree", "deg", "°")


def on_sphere(
    operator: Operator, given: dict[str, Any], latitude: Any, longitude: Any, *, out: Any = None,
    axis: Any = (-2, -1), **options: Any,
) -> Any:  # fmt: skip
    """Return what `numgrad.sphere` makes of objects of xarray, with their coordinates and with units of its own.

    Latitude and longitude are found by CF's attributes or by their names; or they are names or DataArrays that are
    given. What is made of one variable keeps its name and its attributes, but for `standard_name`, which it is none of.
    """
    refuse(out)
    _refuse_axis(axis)
    (name, f), *others = given.items()
    if isinstance(f, xr.Dataset) and not others:
        return _of_dataset(operator, name, f, latitude, longitude, options)
    arrays, numbers, places = _in_arrays(given, latitude, longitude)
    f = arrays[0]
    found = compute(operator, numbers, out=None, **places, **options)
    is_kept = attrs_of(f) is not None
    attrs = attributes(operator, [one.attrs for one in arrays]) if is_kept else None
    made = [f._replace(xr.Variable(f.dims, data, attrs)) for data in (found if operator.results > 1 else [found])]
    if operator.sign < 0:
        for one in made:
            one.name = None
    return Gradient(*made) if operator.results > 1 else made[0]


def sphere_in_arrays(
    given: dict[str, Any], latitude: Any, longitude: Any, axis: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return samples as arrays, by name, and where they lie, as `numgrad.sphere` takes it; for `explain`."""
    _refuse_axis(axis)
    return _in_arrays(given, latitude, longitude)[1:]


def _refuse_axis(axis: Any) -> None:
    if axis != (-2, -1):
        raise TypeError(f"`axis` is {axis!r}; leave it away, latitude and longitude have dimensions of their own")


def _in_arrays(
    given: dict[str, Any], latitude: Any, longitude: Any
) -> tuple[list[Any], dict[str, Any], dict[str, Any]]:
    """Return DataArrays with dimensions in one order; their arrays by name; and the coordinates and axes of these."""
    for name, one in given.items():
        if not isinstance(one, xr.DataArray):
            wanted = "a DataArray, as the others"
            if isinstance(one, xr.Dataset):
                wanted = f"one of its variables: {listed(one.data_vars)}"
            raise TypeError(f"`{name}` is a {type(one).__name__}; give {wanted}")
    arrays = components(list(given.values()))
    f = arrays[0]
    y, x = coordinate(f, "latitude", latitude), coordinate(f, "longitude", longitude)
    variables = [one.variable for one in arrays]
    if any(one.chunks for one in variables):
        variables = [one.chunk() for one in variables]  # those in memory, so that nothing is computed
    numbers = {name: samples(one, None) for name, one in zip(given, variables, strict=True)}
    degrees = [one.transpose(*[dim for dim in f.dims if dim in one.dims]).values for one in (y, x)]
    axes = tuple([f.get_axis_num(dim) for dim in dims_of(y, x)])
    return arrays, numbers, {"latitude": degrees[0], "longitude": degrees[1], "axis": axes}


def _of_dataset(operator: Operator, name: str, f: Any, latitude: Any, longitude: Any, options: dict[str, Any]) -> Any:
    """Return Datasets with the results of all variables that have latitude and longitude; others are kept."""
    dims = dims_of(coordinate(f, "latitude", latitude), coordinate(f, "longitude", longitude))
    found: dict[Hashable, Any] = {}
    for key, one in f.data_vars.items():
        missing = [dim for dim in dims if dim not in one.dims]
        if not missing:
            found[key] = on_sphere(operator, {name: one}, latitude, longitude, **options)
        elif len(missing) < len(dims):
            raise ValueError(
                f"variable {key!r} has dimensions {listed(one.dims)}, but not {listed(missing)}; leave it out of the "
                "Dataset"
            )
    made = [
        f.assign({key: one[i] if operator.results > 1 else one for key, one in found.items()})
        for i in range(operator.results)
    ]
    for one in made:
        one.attrs = attrs_of(f) or {}
    return Gradient(*made) if operator.results > 1 else made[0]


def coordinate(obj: Any, kind: str, given: Any) -> Any:
    """Return the coordinate that is latitude or longitude: the one `given` or named, or the one that says so."""
    if given is None:
        given = found_in(obj, kind)
    if isinstance(given, xr.DataArray):
        made = given
    elif isinstance(given, Hashable) and given in obj.coords:
        made = obj.coords[given]
    else:
        raise ValueError(f"`{kind}` is {given!r}; give the name of a coordinate, one of {listed(obj.coords)}")
    units = made.attrs.get("units")
    if units is not None and units not in (*UNITS[kind], *DEGREES):
        raise ValueError(f"`{kind}` is {made.name!r}, whose units are {units!r}; give one in degrees")
    return made.variable


def found_in(obj: Any, kind: str) -> Any:
    """Return the name of the only coordinate whose attributes say that it is this, or else that has a usual name."""
    known = {name: x for name, x in obj.coords.items() if x.ndim and set(x.dims) <= set(obj.dims)}
    by_attributes = [
        name for name, x in known.items() if x.attrs.get("units") in UNITS[kind] or x.attrs.get("standard_name") == kind
    ]
    found = by_attributes or [name for name in known if str(name).lower() in NAMES[kind]]
    if len(found) != 1:
        what = f"{listed(found)} all are that" if found else "none has such units, standard_name or a usual name"
        raise ValueError(f"`{kind}` is missing among the coordinates {listed(known)}: {what}; name it, {kind}=...")
    return found[0]


def dims_of(y: Any, x: Any) -> tuple[Hashable, Hashable]:
    """Return the dimensions of latitude and of longitude: of those of each line, the ones along which they change."""
    north, east = _dim_of(y), _dim_of(x)
    if north == east:
        raise ValueError(
            f"latitude and longitude are both along {north!r}: points on a line, or a curvilinear grid, whose lines "
            "are no meridians and parallels; interpolate to latitudes and longitudes first"
        )
    return north, east


def _dim_of(x: Any) -> Any:
    if x.ndim == 1:
        return x.dims[0]
    changes = {
        dim: float(abs(x.isel({dim: slice(1, None)}).values - x.isel({dim: slice(1)}).values).max(initial=0.0))
        for dim in x.dims
    }
    return max(changes, key=lambda dim: changes[dim])


def attributes(operator: Operator, attrs: Sequence[dict[Any, Any]]) -> dict[Any, Any]:
    """Return the attributes of a result: those of what is derived, if that is one variable, in units per metre."""
    kept = {} if operator.sign < 0 else {k: v for k, v in attrs[0].items() if k not in ("standard_name", "units")}
    velocity = {one.get("units") for one in (attrs if operator.sign < 0 else attrs[1:])}
    units = [*[one.get("units") for one in attrs[: operator.sign > 0]], *velocity]
    if len(velocity) <= 1 and all(isinstance(one, str) for one in units):
        kept["units"] = per_metre([str(one) for one in units], operator.order)
    return kept


def per_metre(units: Sequence[str], power: int) -> str:
    """Return a product of units over metres to a power, as UDUNITS writes it: of "m s-1" it is "s-1"."""
    powers: dict[str, int] = {}
    for one in (*units, f"m-{power}"):
        for sign, factor in re.findall(r"([/]?)\s*([^\s/.*]+(?:\*\*-?\d+)?)", one):
            part = re.fullmatch(r"([^\W\d_]+|°|%|1)(?:\^|\*\*)?([+-]?\d+)?", factor)
            if part is None or (part[1] == "1" and part[2]):
                return " ".join([*(f"({u})" for u in units), f"m-{power}"])
            name, exponent = part[1], int(part[2] or 1) * (-1 if sign else 1)
            powers[name] = powers.get(name, 0) + exponent
    kept = [name if n == 1 else f"{name}{n}" for name, n in powers.items() if n and name != "1"]
    return " ".join(kept) or "1"


class Sphere:
    """``da.numgrad.sphere`` and ``ds.numgrad.sphere``: derivatives by latitude and longitude."""

    def __init__(self, obj: Any) -> None:
        self._obj = obj

    def gradient(self, variable: Hashable | None = None, **options: Any) -> Gradient:
        """Return the gradient, its components to the `east` and to the `north`, as `numgrad.sphere.gradient` does.

        Parameters
        ----------
        variable : hashable, optional
            Of a Dataset, the name of a variable; by default all that have latitude and longitude.
        **options
            `radius` and `accuracy`, as in `numgrad.sphere.gradient`; `latitude` and `longitude`, names of coordinates
            or DataArrays, where they are not found by the attributes that CF has for them or by the usual names.

        Returns
        -------
        Gradient
            A named tuple of two objects like what is derived, in its units per metre.

        Examples
        --------
        >>> import numpy as np
        >>> lat, lon = [10.0, 20.0, 30.0], [0.0, 10.0, 20.0]
        >>> f = xr.DataArray(np.radians([lat] * 3).T, {"lat": lat, "lon": lon}, attrs={"units": "K"})
        >>> east, north = f.numgrad.sphere.gradient(radius=2.0)
        >>> north.values[1], north.units
        (array([0.5, 0.5, 0.5]), 'K m-1')
        """
        return self._of(GRADIENT, {"f": variable}, **options)  # type: ignore[no-any-return]

    def laplacian(self, variable: Hashable | None = None, **options: Any) -> Any:
        """Return the laplacian, as `numgrad.sphere.laplacian` does; arguments as in `gradient`.

        >>> import numpy as np
        >>> lat, lon = np.arange(-75, 90, 30), np.arange(0, 360, 45)
        >>> f = xr.DataArray(np.sin(np.radians(lat)), {"lat": lat}).expand_dims(lon=lon)
        >>> f.numgrad.sphere.laplacian(radius=1.0, accuracy=4).values[0].round(2)
        array([ 1.93,  1.41,  0.52, -0.52, -1.41, -1.93])
        """
        return self._of(LAPLACIAN, {"f": variable}, **options)

    def advection(self, *given: Any, **options: Any) -> Any:
        """Return by how much a flow changes what it carries, as `numgrad.sphere.advection` does.

        Of a DataArray the components of the velocity are given, `u` and `v`; of a Dataset the names of what is carried
        and of both. Options as in `gradient`.

        >>> import numpy as np
        >>> lat, lon = [10.0, 20.0, 30.0], [0.0, 10.0, 20.0]
        >>> f = xr.DataArray(np.radians([lat] * 3).T, {"lat": lat, "lon": lon})
        >>> f.numgrad.sphere.advection(0 * f, 0 * f + 3, radius=2.0).values[1]
        array([-1.5, -1.5, -1.5])
        """
        names = ("f", "u", "v") if isinstance(self._obj, xr.Dataset) else ("u", "v")
        if len(given) != len(names):
            raise TypeError(f"advection takes {listed(names)}; {len(given)} are given")
        before = {} if len(names) > 2 else {"f": None}
        return self._of(ADVECTION, before | dict(zip(names, given, strict=True)), **options)

    def _of(
        self, operator: Operator, given: dict[str, Any], *, latitude: Any = None, longitude: Any = None,
        radius: float = EARTH_RADIUS, accuracy: int = 2,
    ) -> Any:  # fmt: skip
        found = {name: self._variable(name, one) for name, one in given.items()}
        return on_sphere(operator, found, latitude, longitude, radius=radius, accuracy=accuracy)

    def _variable(self, name: str, given: Any) -> Any:
        """Return the variable of a name, or the object itself for None."""
        if given is None or isinstance(given, xr.DataArray):
            return self._obj if given is None else given
        if isinstance(self._obj, xr.DataArray) or given not in self._obj.data_vars:
            known = listed(getattr(self._obj, "data_vars", ()))
            raise ValueError(
                f"`{name}` is {given!r}; give a DataArray, or of a Dataset the name of a variable: {known}"
            )
        return self._obj[given]


class SphereOfDataset(Sphere):
    """``ds.numgrad.sphere``: with derivatives of vector fields."""

    def divergence(self, u: Hashable, v: Hashable, **options: Any) -> Any:
        """Return the divergence of the variables `u` and `v`, the components to the east and to the north.

        Options are those of `gradient`. The result has the coordinates of `u`, in its units per metre.

        >>> import numpy as np
        >>> lat, lon = np.arange(-75.0, 90, 30), np.arange(0.0, 360, 45)
        >>> u = xr.DataArray(np.cos(np.radians(lat)), {"lat": lat}, attrs={"units": "m s-1"}).expand_dims(lon=lon)
        >>> found = xr.Dataset({"u": u, "v": 0 * u}).numgrad.sphere.divergence("u", "v")
        >>> float(abs(found).max().round(9)) + 0.0
        0.0
        """
        return self._of(DIVERGENCE, {"u": u, "v": v}, **options)

    def vorticity(self, u: Hashable, v: Hashable, **options: Any) -> Any:
        """Return the vorticity of the variables `u` and `v`; arguments as in `divergence`.

        >>> import numpy as np
        >>> lat, lon = np.arange(-75.0, 90, 30), np.arange(0.0, 360, 45)
        >>> u = xr.DataArray(np.cos(np.radians(lat)), {"lat": lat}, attrs={"units": "m s-1"}).expand_dims(lon=lon)
        >>> ds = xr.Dataset({"u": u, "v": (0 * u).assign_attrs(u.attrs)})
        >>> found = ds.numgrad.sphere.vorticity("u", "v", radius=1.0, accuracy=4)
        >>> found.values[0].round(2), found.units
        (array([-1.93, -1.41, -0.52,  0.52,  1.41,  1.93]), 's-1')
        """
        return self._of(VORTICITY, {"u": u, "v": v}, **options)
