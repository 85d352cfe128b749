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


# The type in which a kernel is given a divisor of this precision: Numba's dispatcher recognises Python's float and
# complex fastest.
ARGUMENT: dict[Any, Any] = {
    np.float32: np.float32,
    np.float64: float,
    np.complex64: np.complex64,
    np.complex128: complex,
}


def division(field: Any) -> Any:
    return smith if issubclass(field, np.complexfloating) else truediv


def work_of_number(field: Any, kind: Any) -> Any:
    """Return the precision of a quotient by twice a number of this type.

    NumPy promotes by the type of each divisor: a Python float is weak, 2.0 * np.int8(3) is a float64. An h that
    is narrower than 2.0 * h is divided by in the wider type, too: the quotient rounds to the same float32.
    """
    return DOUBLE[field] if type(2.0 * kind(1)) is np.float64 else field


def work_of_coordinates(field: Any, dtype: Any) -> Any:
    """Return the precision of a quotient by distances of coordinates."""
    return np.result_type(field, dtype).type


def divides_twice(field: Any, kind: Any) -> bool:
    """Whether NumPy divides in one precision inside and in another one at the ends, which no kernel does."""
    return field is np.complex64 and kind in _SMALL_INTEGERS


_SMALL_INTEGERS = (np.int8, np.int16, np.uint8, np.uint16)
