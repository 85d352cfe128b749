"""numgrad on dask arrays, lazily: each chunk, with the neighbours it needs, by the functions for arrays in memory."""

import dask.array as da

from numgrad.interop.dask.functions import curl, derivative, divergence, gradient, hessian, jacobian, laplacian
from numgrad.interop.dask.sphere import on_sphere

__all__ = ["KINDS", "curl", "derivative", "divergence", "gradient", "hessian", "jacobian", "laplacian", "on_sphere"]

# The objects that `numgrad._arrays.containers.home_of` sends here; all else of dask is read as arrays are.
KINDS = (da.Array,)
