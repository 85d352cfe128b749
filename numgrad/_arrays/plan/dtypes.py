"""Dtypes: what NumPy computes in, for each one of the samples."""

from operator import truediv
from typing import Any

import numpy as np

from numgrad._arrays.kernels.quotient import smith

# The type NumPy subtracts and stores in, for each dtype of f on the fast path.
FIELDS: dict[Any, Any] = {
    **{np.dtype(t): t for t in (np.float32, np.float64, np.complex64, np.complex128)},
    **{np.dtype(t): np.float64 for t in "bhilqBHILQ"},
}


REAL: dict[Any, Any] = {
    np.float32: np.float32,
    np.float64: np.float64,
    np.complex64: np.float32,
    np.complex128: np.float64,
}


DOUBLE: dict[Any, Any] = {
    np.float32: np.float64,
    np.float64: np.float64,
    np.complex64: np.complex128,
    np.complex128: np.complex128,
}


# What Numba's dispatcher recognises fastest.
ARGUMENT: dict[Any, Any] = {
    np.float32: np.float32,
    np.float64: float,
    np.complex64: np.complex64,
    np.complex128: complex,
}


def division(field: Any) -> Any:
    return smith if issubclass(field, np.complexfloating) else truediv
