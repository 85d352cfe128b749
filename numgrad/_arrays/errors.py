"""Errors of derivatives, from those of the samples: a sum of independent ones has the sum of their variances."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from numgrad._arrays.plan.dtypes import FIELDS, REAL
from numgrad._arrays.plan.spacing import not_real
from numgrad._arrays.plan.types import PIECE
from numgrad._checks import is_masked, refuse_units
from numgrad._system.memory import EVERY, parts_of
from numgrad._system.out import check, check_apart
from numgrad._system.tables import each
from numgrad._system.threads import get_num_threads, share


class WithError(NamedTuple):
    """A derivative and its standard error, as `derivative` returns them where it is given `sigma`.

    Attributes
    ----------
    value : ndarray
        The derivative.
    error : ndarray
        Its standard error, real, of the same shape.

    Examples
    --------
    >>> import numgrad as ng
    >>> slope, error = ng.derivative([0, 1, 4, 9, 16], sigma=[0.2, 0.1, 0.1, 0.1, 0.2])
    >>> error.round(3)
    array([0.364, 0.112, 0.071, 0.112, 0.364])
    """

    value: Any
    error: Any

    def _repr_html_(self) -> str:
        return each("WithError", **self._asdict())


def spread_sigma(given: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return standard deviations as broad as samples of this shape, in a view; some may be NaN."""
    if is_masked(given):
        raise TypeError("`sigma` is a MaskedArray; give sigma.filled(numpy.nan), whose gaps must be those of `f`")
    refuse_units(given, "sigma", "that of the error is the unit of the derivative")
    try:
        sigma: np.ndarray = np.asarray(given)
    except ValueError:
        raise ValueError("`sigma` is ragged; give a number, or one for each sample") from None
    if sigma.dtype.kind not in "iuf":
        raise not_real("sigma", given, sigma)
    sigma = sigma.astype(np.float64, copy=False)
    least, largest = (reduce(sigma, axis=None, initial=0.0) for reduce in (np.minimum.reduce, np.maximum.reduce))
    if not (least >= 0 and largest < np.inf):  # or NaN
        _refuse(sigma, (sigma < 0) | np.isinf(sigma) | (np.isnan(sigma) & (sigma.ndim == 0)))
    try:
        return np.broadcast_to(sigma, shape)
    except ValueError:
        raise ValueError(
            f"`sigma` has shape {sigma.shape}, `f` {shape}; give a number, or an array that broadcasts to that shape"
        ) from None


def read_sigma(given: Any, f: np.ndarray) -> np.ndarray:
    """Return the standard deviations of samples, as broad as these; only that of a gap may be NaN."""
    sigma = spread_sigma(given, f.shape)
    if has_gaps(once(sigma)):
        _refuse(sigma, np.isnan(sigma) & ~gaps(f))
    return sigma


def _refuse(sigma: np.ndarray, is_wrong: np.ndarray) -> None:
    if is_wrong.any():
        place = tuple(np.argwhere(is_wrong)[0].tolist())
        at = f" at {', '.join(map(str, place))}" if place else ""
        raise ValueError(f"`sigma` is {sigma[place]}{at}; give standard deviations that are finite and at least 0")


def has_gaps(f: np.ndarray) -> bool:
    """Whether a sample is NaN. Then the least one is, too, which is found without room for so many flags."""
    if f.dtype.kind not in "fc":
        return False

    def has_nan(part: slice) -> bool:
        halves = (f[part].real, f[part].imag) if f.dtype.kind == "c" else (f[part],)
        return any(np.isnan(np.minimum.reduce(half, axis=None, initial=np.inf)) for half in halves)

    return any(_in_parts(has_nan, f.shape))


def gaps(f: np.ndarray) -> np.ndarray:
    """Return where samples are NaN."""
    return np.isnan(f) if f.dtype.kind in "fc" else np.broadcast_to(np.False_, f.shape)


def once(sigma: np.ndarray) -> np.ndarray:
    """Return each number that there is, once, of a view in which some are repeated."""
    return sigma[tuple([slice(None if step else 1) for step in sigma.strides])]


def variances(sigma: np.ndarray, f: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the squares of sigma over a unit, a power of 2 that keeps them in range, laid out as f; and the unit.

    They are NaN where samples are, so that a stencil meets the same gaps.
    """
    largest = np.fmax.reduce(once(sigma), axis=None, initial=0.0)
    unit = float(np.ldexp(1.0, max(int(np.frexp(largest)[1]) - 1, -1022)))
    squares = np.empty_like(f, np.float64, subok=False)

    def square(part: slice) -> None:
        np.divide(sigma[part], unit, out=squares[part])
        np.square(squares[part], out=squares[part])

    _in_parts(square, f.shape)
    if has_gaps(f):
        squares[gaps(f)] = np.nan
    return squares, unit


def is_alike(sigma: np.ndarray, axis: int) -> bool:
    """Whether all lines along an axis have the same numbers, for they are one line in memory."""
    others = [a for a in range(sigma.ndim) if a != axis]
    return all(sigma.strides[a] == 0 or sigma.shape[a] == 1 for a in others)


def roots(sums: np.ndarray, unit: float, f: np.ndarray) -> np.ndarray:
    """Return the standard errors of sums of `variances`, in the precision of the derivative of f."""

    def root(part: slice) -> None:
        np.sqrt(sums[part], out=sums[part])
        if unit != 1:
            sums[part] *= unit

    _in_parts(root, sums.shape)
    return sums.astype(dtype_of_error(f), copy=False)


def _in_parts(work: Callable[[slice], Any], shape: tuple[int, ...]) -> list[Any]:
    """Do what takes some passes of NumPy's part by part, while that is in the cache, and share the parts of large ones.

    Return what it returned.
    """
    parts, is_large = parts_of(shape, PIECE), math.prod(shape) > EVERY
    done = share(lambda mine: [work(part) for part in mine], parts, get_num_threads() if is_large else 1)
    return [one for some in done for one in some]


def dtype_of_error(f: np.ndarray) -> Any:
    return np.dtype(REAL[FIELDS[f.dtype]])


def check_pair(out: Any, f: np.ndarray) -> None:
    """Refuse what is not two arrays, for the derivative and for its error."""
    if not isinstance(out, (tuple, list)) or len(out) != 2:
        got = f"{len(out)} arrays" if isinstance(out, (tuple, list)) else f"a {type(out).__name__}"
        raise ValueError(f"`out` is {got}; with `sigma` give two: for the derivative, and for its error")
    for array, dtype in zip(out, (np.dtype(FIELDS[f.dtype]), dtype_of_error(f)), strict=True):
        check(array, f.shape, dtype, np.ndarray)
    check_apart(out)
