"""np.gradient's spacing arguments, read once: a number or a coordinate array for each axis."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from numgrad._jit import Kernel, specialise
from numgrad._kernels.nonuniform import is_evenly_spaced

# A real number that NumPy promotes as Python's (weak) or by its own dtype (strong). bool, longdouble, complex and
# objects are left to NumPy.
NUMBERS = frozenset(
    {float, int, np.float16, np.float32, np.float64}
    | {np.int8, np.int16, np.intc, np.int32, np.int64, np.longlong}
    | {np.uint8, np.uint16, np.uintc, np.uint32, np.uint64, np.ulonglong}
)


class NotFast(NamedTuple):
    """Why a call goes to numpy.gradient.

    Whatever NumPy would refuse is "not fast", too, wherever numgrad decides: NumPy raises, in its own words.
    """

    reason: str


def read(varargs: tuple[Any, ...]) -> tuple[tuple[Any, ...], list[Any]]:
    """Return the spacings, and for each what its kernels depend on: the number, or dtype and length of coordinates."""
    spacings, keys = [], []
    for given in varargs:
        spacing = given if type(given) in NUMBERS else _read(given)
        spacings.append(spacing)
        keys.append((spacing.dtype, spacing.size) if type(spacing) is np.ndarray else spacing)
    return tuple(spacings), keys


def _read(given: Any) -> Any:
    """Return a spacing as a number of NUMBERS or contiguous float coordinates with uneven steps; or NotFast."""
    if type(given) is not np.ndarray:
        if type(given) not in (list, tuple):
            return given if type(given) in NUMBERS else NotFast(f"a spacing is a {type(given).__name__}")
        given = np.asarray(given)
    if given.ndim == 0:
        return _read(given[()])
    if given.ndim != 1 or given.size < 2:
        return NotFast(f"coordinates have shape {given.shape}")
    x = given.astype(np.float64) if given.dtype.kind in "iu" else given
    is_even = _evenness(x.dtype)
    if is_even is None:
        return NotFast(f"coordinates have dtype {x.dtype}")
    if not x.flags.carray:
        x = np.array(x, order="C")
    # NumPy's own rule: exactly equal steps are one number, of the dtype of the coordinates.
    return x[1] - x[0] if is_even(x) else x


@cache
def _evenness(dtype: np.dtype[Any]) -> Kernel | None:
    return specialise(is_evenly_spaced, dtype.name) if dtype in (np.float32, np.float64) else None
