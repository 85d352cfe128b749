"""Results as xarray has them: with the dimensions, coordinates, names and attributes that belong to them."""

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from numgrad._arrays import derivative as _derivative
from numgrad._arrays import fields
from numgrad._arrays import gradient as _gradient
from numgrad._arrays.containers import home_of
from numgrad._arrays.errors import WithError
from numgrad._arrays.plan.options import read_spacing
from numgrad._checks import refuse_units
from numgrad.interop.options import allow, listed
from numgrad.interop.xarray.places import ONE, Place
from numgrad.interop.xarray.times import is_time, samples

# The dimensions that results have in front, and whether these are labelled by the names of coordinates. A Jacobian may
# have any number of components, which have no names.
LEADING: dict[Any, dict[Hashable, bool]] = {
    fields.hessian: {"derivative_1": True, "derivative_2": True},
    fields.curl: {"component": True},
    fields.jacobian: {"component": False, "derivative": True},
}

# The options of fields.
FIELD = ("accuracy", "boundary", "period")


def nth(obj: Any, place: Place, options: dict[str, Any]) -> Any:
    allow(options, "n", "accuracy", "boundary", "edge_accuracy", "period", "nan", "window", "degree", "sigma")
    sigma = options.pop("sigma", None)

    def compute(variable: Any, **errors: Any) -> Any:
        f, x = plain(variable, place.unit), place.x
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
        return _derivative.derivative(f, beside(f, x), axis=variable.get_axis_num(place.dim), **options, **errors)

    if sigma is None:
        return labelled(obj, [place], compute)
    if isinstance(sigma, xr.DataArray):
        xr.align(obj, sigma, join="exact", copy=False)  # errors of other samples must not be taken for those of these
    found: dict[int, Any] = {}

    def part(i: int, variable: Any) -> Any:
        if id(variable) not in found:
            found[id(variable)] = compute(variable, sigma=_errors_of(variable, sigma))
        return found[id(variable)][i]

    return WithError(*[labelled(obj, [place], partial(part, i)) for i in range(2)])


def _errors_of(variable: Any, sigma: Any) -> Any:
    """Return the standard deviations of the samples of a variable: a number, an array, or what has dimensions."""
    if isinstance(sigma, xr.Dataset):
        raise TypeError("`sigma` is a Dataset; give a number or a DataArray, and one variable at a time")
    if isinstance(sigma, xr.DataArray):
        if not set(sigma.dims) <= set(variable.dims):
            raise ValueError(f"`sigma` has dimensions {listed(sigma.dims)}, a variable {listed(variable.dims)}")
        sigma = sigma.variable.set_dims(variable.sizes).data
    return beside(variable.data, sigma)


def gradients(obj: Any, found: list[Place], edge_order: Any) -> tuple[Any, ...]:
    compute = partial(firsts, edge_order=edge_order)
    if isinstance(obj, xr.DataArray) and len(found) > 1 and not is_time(obj.variable):
        made = iter(compute(found, obj.variable))
        return tuple([labelled(obj, found, lambda _: next(made)) for _ in found])
    # Each variable of a Dataset has dimensions of its own, and the unit of times may be another for each coordinate.
    return tuple([labelled(obj, [place], partial(compute, [place])) for place in found])


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
    data = [plain(one, found[0].unit) for one in variables]
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
    # Components at different points must not be added up.
    return [one.transpose(*v[0].dims) for one in xr.align(*v, join="exact", copy=False)]


def applied(function: Any, found: Sequence[Place], variable: Any, **options: Any) -> Any:
    """Return what a function of arrays makes of the samples, along the axes and by the coordinates of these places."""
    f = (samples if function is _gradient.gradient else plain)(variable, found[0].unit)
    axes = tuple([variable.get_axis_num(place.dim) for place in found])
    return function(f, *[beside(f, place.x) for place in found], axis=axes, **options)


def firsts(found: Sequence[Place], variable: Any, edge_order: Any) -> Any:
    """Return the gradient along these places: by numgrad of arrays of NumPy and dask, of all else as xarray does it."""
    f = samples(variable, found[0].unit)
    if all(isinstance(x, (np.ndarray, np.generic)) or is_dask(x) for x in [f, *[p.x for p in found]]):
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


def labelled(obj: Any, found: list[Place], compute: Callable[[Any], Any], function: Any = None) -> Any:
    """Return a copy of `obj` with its variable, or those of a Dataset, replaced by what `compute` makes of them."""
    leading = LEADING.get(function, {})
    names = [str(place.name) for place in found]

    def made_of(variable: Any) -> Any:
        data = compute(variable)
        front = list(leading)[: data.ndim - variable.ndim]  # a curl has its dimension only in space
        return xr.Variable((*front, *variable.dims), data, attrs_of(variable))

    if isinstance(obj, xr.DataArray):
        # The public methods of xarray copy coordinates, which may be as large as the samples.
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


def attrs_of(obj: Any) -> dict[Any, Any] | None:
    """Return the attributes that results have, unless the user has told xarray to drop them."""
    return obj.attrs if xr.get_options()["keep_attrs"] is not False else None


def is_dask(given: Any) -> bool:
    home = home_of(given)
    return home is not None and home.__name__.endswith("dask")


def plain(variable: Any, unit: str | None) -> Any:
    """Return samples, but no quantities: the unit of a coordinate is an attribute, which theirs does not know."""
    f = samples(variable, unit)
    refuse_units(f, "f")
    return f


def beside(f: Any, x: Any) -> Any:
    """Return a number or coordinates; those of dask only beside samples of dask."""
    return x.compute() if hasattr(x, "dask") and not hasattr(f, "dask") else x
