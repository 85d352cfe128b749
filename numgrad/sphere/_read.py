"""The arguments of a field on the sphere, read or refused."""

from typing import Any

import numpy as np

from numgrad._arrays.plan.dtypes import FIELDS
from numgrad._arrays.plan.options import check_length, read_formula, read_samples
from numgrad._checks import number, refuse_units
from numgrad.sphere._grid import read_grid
from numgrad.sphere._rows import Operator, rows_of, with_a_middle
from numgrad.sphere._run import Field

UNITS = "that of what is derived over metres, of a laplacian over square metres; of an advection times that of `u`"


def read(
    operator: Operator, given: dict[str, Any], *, latitude: Any, longitude: Any, radius: Any, accuracy: Any, axis: Any
) -> Field:
    """Return the field of samples that are `given` by name."""
    for name, one in given.items():
        refuse_units(one, name, UNITS)
    samples = {name: read_samples(f, name) for name, f in given.items()}
    (first, f), *others = samples.items()
    for name, g in others:
        if g.shape != f.shape:
            raise ValueError(f"`{first}` has shape {f.shape} and `{name}` {g.shape}; give the same shape for all")
    dtype = np.dtype(FIELDS[np.result_type(*samples.values())])
    arrays = {name: g.astype(dtype, copy=False) for name, g in samples.items()}
    axes = np.lib.array_utils.normalize_axis_tuple(axis, f.ndim, "axis")
    if len(axes) != 2:
        raise ValueError(f"`axis` is {axis}; give two, the axis of latitudes and the axis of longitudes")
    radius = number("radius", radius, "a positive number of metres", above=0.0)
    grid = read_grid(latitude, longitude, f.shape, axes)
    boundary = "periodic" if grid.closes else "one-sided"
    formulas = [read_formula(operator.order, accuracy, b) for b in ("one-sided", boundary)]
    for a, formula in zip(axes, formulas, strict=True):
        check_length(formula, a, f.shape[a])
    by_latitude = with_a_middle(formulas[0], grid.step is not None, f.shape[axes[0]])
    by_longitude = formulas[1]
    if not isinstance(grid.longitude, float):
        by_longitude = with_a_middle(by_longitude, False, f.shape[axes[1]])
    rows = rows_of(grid, operator, by_latitude, radius)
    east, north, *factors = [arrays[name] for name in operator.used]
    return Field(operator, grid, rows, by_longitude, axes, rows.first, (east, north), tuple(factors))
