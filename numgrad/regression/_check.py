"""What gradient_descent accepts. Every refusal names the argument, the value and the remedy."""

from numbers import Integral, Real
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.floating[Any]]]


def data(X: Any, y: Any) -> tuple[Floats, Floats]:
    """Return X (m, n) and y (m,) as arrays of one float dtype: float32 if both are, else float64."""
    x_array, y_array = _numbers("X", X), _numbers("y", y)
    if x_array.ndim != 2:
        raise ValueError(f"`X` has shape {x_array.shape}; give (rows, features), for one feature X.reshape(-1, 1)")
    if x_array.size == 0:
        raise ValueError(f"`X` has shape {x_array.shape}, which is empty; give at least one row and one feature")
    if y_array.ndim != 1:
        raise ValueError(f"`y` has shape {y_array.shape}; give one value for each row, as y.ravel() does")
    if len(y_array) != len(x_array):
        raise ValueError(f"`y` has {len(y_array)} values and `X` has {len(x_array)} rows; give one value for each row")
    dtype = np.float32 if x_array.dtype == y_array.dtype == np.float32 else np.float64
    return _finite("X", x_array, dtype), _finite("y", y_array, dtype)


def theta(theta0: Any, n: int) -> Floats:
    """Return the start as a fresh float64 array; zeros for None."""
    if theta0 is None:
        return np.zeros(n)
    start = _numbers("theta0", theta0)
    if start.shape != (n,):
        raise ValueError(f"`theta0` has shape {start.shape}; give one value for each of the {n} features of `X`")
    return _finite("theta0", start, np.float64).copy()


def rate(learning_rate: Any) -> float:
    is_number = isinstance(learning_rate, Real) and not isinstance(learning_rate, bool)
    try:
        value = float(learning_rate) if is_number else np.nan
    except OverflowError:
        value = np.inf
    if not 0 < value < np.inf:
        raise ValueError(f"`learning_rate` is {learning_rate!r}; give a positive number, below 2/L to converge")
    return value


def count(n_iter: Any) -> int:
    is_integer = isinstance(n_iter, Integral) and not isinstance(n_iter, bool)
    value = int(n_iter) if is_integer else 0
    if not 0 < value < 2**62:
        raise ValueError(f"`n_iter` is {n_iter!r}; give a positive integer, like 1000 or int(1e5)")
    return value


def flag(name: str, value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"`{name}` is {value!r}; give True or False")
    return bool(value)


def _numbers(name: str, values: Any) -> np.ndarray:
    if isinstance(values, np.ma.MaskedArray):
        raise ValueError(f"`{name}` is a masked array; drop the masked rows, or fill them")
    try:
        array = np.asarray(values)
        if array.dtype == object:  # mixed columns of a data frame, or ragged lists
            array = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"`{name}` is no array of real numbers ({error}); give numbers of one length in rows"
        ) from None
    if array.dtype.kind not in "fiub":
        raise ValueError(f"`{name}` has dtype {array.dtype}; give real numbers")
    return array


def _finite(name: str, given: np.ndarray, dtype: Any) -> Floats:
    """Return `given` in this dtype, as it is if it can be; a piece at a time, as Ctrl-C should not have to wait."""
    ready = given.dtype == dtype and given.flags.aligned
    array = given if ready else np.empty_like(given, dtype)
    rows = max(1, 2**20 * len(given) // given.size)
    for start in range(0, len(given), rows):
        piece = slice(start, start + rows)
        if not ready:
            array[piece] = given[piece]
        good = np.isfinite(array[piece])
        if not good.all():
            first, *rest = np.argwhere(~good)[0]
            where = (int(start + first), *map(int, rest))
            raise ValueError(f"`{name}` has {array[where]} at {list(where)}; drop or fill what is not finite")
    return array
