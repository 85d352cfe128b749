"""numgrad for xarray: coordinates by name, lazy on dask, and the accessors `da.numgrad` and `ds.numgrad`."""

import xarray as xr

from numgrad.interop.xarray.accessors import DataArrayAccessor, DatasetAccessor
from numgrad.interop.xarray.functions import (
    curl,
    derivative,
    divergence,
    gradient,
    hessian,
    in_arrays,
    jacobian,
    laplacian,
    smooth,
    turning_points,
)
from numgrad.interop.xarray.sphere import on_sphere, sphere_in_arrays

__all__ = [
    "KINDS",
    "DataArrayAccessor",
    "DatasetAccessor",
    "curl",
    "derivative",
    "divergence",
    "gradient",
    "hessian",
    "in_arrays",
    "jacobian",
    "laplacian",
    "on_sphere",
    "smooth",
    "sphere_in_arrays",
    "turning_points",
]

# The objects that `numgrad._arrays.containers.home_of` sends here. A Variable has no coordinates, and is read as arrays
# are.
KINDS = (xr.DataArray, xr.Dataset)
