"""np.gradient's spacing arguments, read once: a number or a coordinate array for each axis."""

from collections.abc import Iterator
from math import frexp
from typing import Any, NamedTuple

import numpy as np

from numgrad._arrays.kernels.nonuniform import is_evenly_spaced
from numgrad._compile.jit import draft
from numgrad._compile.tiers import call
from numgrad._system.threads import get_num_threads, share

# A real number that NumPy promotes as Python's (weak) or by its own dtype (strong). bool, longdouble, complex and
# objects are left to NumPy.
NUMBERS = frozenset(
    {float, int, np.float16, np.float32, np.float64}
    | {np.int8, np.int16, np.intc, np.int32, np.int64, np.longlong}
    | {np.uint8, np.uint16, np.uintc, np.uint32, np.uint64, np.ulonglong}
)
_LARGE = 2**63
_ndarray = np.ndarray
_FLOAT64 = np.dtype(np.float64)
_COORDINATES = frozenset({np.dtype(np.float32), _FLOAT64})
# Coordinates of more points than this are not copied, whatever their layout and dtype.
FEW = 1 << 16
# Whether so many have equal steps is found out by all threads. Fewer are in the cache, and as fast in one.
MANY = 1 << 22


# Integers up to here are exact in float64, and so are their differences up to a rounding.
EXACT_INTEGERS = 2**53


def from_first(x: np.ndarray, first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, Any]:
    """Return coordinates as float64, and what was subtracted from them.

    From integers beyond 2**53 that is the first of their line, so that they keep their digits: of rising or falling
    ones the first and the last tell. `first` and `last` go with `x` as NumPy broadcasts.
    """
    is_wide = x.dtype.kind == "O" or (x.dtype.kind in "iu" and x.itemsize == 8)
    is_beyond = np.zeros((), bool)
    if is_wide:
        for end in (first, last):
            is_beyond = is_beyond | (end > EXACT_INTEGERS) | (end < -EXACT_INTEGERS)
    if not is_beyond.any():
        return x.astype(np.float64, copy=False), 0
    return np.where(is_beyond, distance(x, first), x).astype(np.float64), np.where(is_beyond, first, 0 * first)


def relative(x: np.ndarray, axis: int) -> tuple[np.ndarray, Any]:
    """Return coordinates as `from_first` does, along an axis."""
    if x.dtype.kind == "f" or not x.size:
        return x.astype(np.float64, copy=False), 0
    return from_first(x, x.take([0], axis), x.take([-1], axis))


def distance(x: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return x - start as float64, rounded once, of integers: their difference may not fit their dtype."""
    if x.dtype.kind == "O" or start.dtype.kind == "O":
        return np.asarray(x.astype(object) - start.astype(object)).astype(np.float64)
    a, b, is_after = x.astype(np.uint64), start.astype(np.uint64), x >= start
    return np.where(is_after, (a - b).astype(np.float64), -(b - a).astype(np.float64))


def exact(given: Any) -> np.ndarray:
    """Return an array of what is given; of Python integers that NumPy has no dtype for, or only floats, objects."""
    array: np.ndarray = np.asarray(given)
    if isinstance(given, (list, tuple)) and array.dtype.kind == "f" and (abs(array) > EXACT_INTEGERS).any():
        numbers = np.array(given, object)
        return numbers if are_integers(numbers) else array
    return array


def not_real(name: str, given: Any, array: np.ndarray) -> TypeError:
    """What to raise for an argument that is no real numbers; pandas has dtypes that are objects to NumPy."""
    dtype = getattr(given, "dtype", array.dtype)
    remedy = ""
    if getattr(dtype, "kind", "") in ("m", "M"):
        remedy = f"; of times take seconds, ({name} - {name}[0]) / np.timedelta64(1, 's')"
    elif str(dtype).startswith("period"):
        remedy = "; of periods take their beginnings, .to_timestamp(), and of these seconds"
    return TypeError(f"`{name}` has dtype {dtype}, give real numbers{remedy}")


def are_integers(x: np.ndarray) -> bool:
    """Whether this is an array of Python's integers, of any size."""
    return x.dtype.kind == "O" and x.size > 0 and all(isinstance(v, (int, np.integer)) for v in x.flat)


class NotFast(NamedTuple):
    """Why a call goes to numpy.gradient.

    A call that NumPy would refuse is "not fast", too: NumPy raises the error, in its own words.
    """

    reason: str

    @property
    def calls(self) -> tuple[()]:
        """As of a plan that has none."""
        return ()


def read(varargs: tuple[Any, ...]) -> tuple[tuple[Any, ...], list[Any]]:
    """Return for each spacing a number or coordinates, and the key that chooses its kernels.

    The key is that of a number (`number_key`), (dtype, step or None, length) of coordinates, or a NotFast. Steps that
    are exactly equal are a number of the dtype of the coordinates, which is NumPy's own rule. Coordinates are ready for
    a kernel (`is_ready`) unless they are many; then `ready` makes those of a part.
    """
    if len(varargs) == 1:  # the same as below, in half the time
        x = varargs[0]
        if type(x) is float:
            return varargs, [number_key(float, x)]
        if type(x) is _ndarray and x.dtype is _FLOAT64 and x.flags.carray and x.ndim == 1 and x.size > 2:
            middle = x.item(1)
            if x.item(2) - middle != middle - x.item(0):
                return varargs, [(_FLOAT64, None, x.size)]
    spacings: list[Any] = []
    keys: list[Any] = []
    for given in varargs:
        kind = type(given)
        fits = kind in NUMBERS or (kind is _ndarray and given.ndim == 1 and given.size > 1 and is_ready(given))
        spacing = given if fits else _as_number_or_coordinates(given)
        kind = type(spacing)
        spacings.append(spacing)
        if kind is _ndarray:
            dtype = spacing.dtype
            keys.append((dtype if dtype in _COORDINATES else _FLOAT64, _even_step(spacing), spacing.size))
        else:
            keys.append(spacing if kind is NotFast else number_key(kind, spacing))
    return tuple(spacings), keys


def number_key(kind: type, h: Any) -> tuple[Any, ...]:
    """Return (type, whether h is a power of two), so that a new number needs no new plan; else (type, h, "exactly").

    The latter are those that some dtype might not hold, or not twice or half of them. The type belongs to the key: 1.0
    and np.float64(1.0) are equal, yet float32 data round differently over them.
    """
    mantissa, exponent = frexp(h) if kind is not int or abs(h) < _LARGE else (0.0, 0)
    if 0.5 <= abs(mantissa) < 1 and -100 < exponent < 100 and kind is not np.float16:
        return kind, abs(mantissa) == 0.5
    return kind, h, "exactly"


def is_ready(x: np.ndarray) -> bool:
    """Whether a kernel can read these coordinates as they are."""
    return x.dtype in _COORDINATES and x.flags.c_contiguous and x.flags.aligned


def ready(x: np.ndarray) -> np.ndarray:
    """Return coordinates for a kernel: contiguous, integers as float64, which is NumPy's own rule."""
    return x if is_ready(x) else np.array(x, x.dtype if x.dtype in _COORDINATES else np.float64)


def _as_number_or_coordinates(given: Any) -> Any:
    if type(given) is not np.ndarray:
        if type(given) not in (list, tuple, np.memmap):
            return given if type(given) in NUMBERS else NotFast(f"a spacing is a {type(given).__name__}")
        try:
            given = np.asarray(given)
        except ValueError:  # ragged
            return NotFast("a spacing is no array")
    if given.ndim == 0:
        return _as_number_or_coordinates(given[()])
    if given.ndim != 1 or given.size < 2:
        return NotFast(f"coordinates have shape {given.shape}")
    if given.dtype.kind not in "iu" and given.dtype not in _COORDINATES:
        return NotFast(f"coordinates have dtype {given.dtype}")
    return ready(given) if given.size <= FEW else given


def _even_step(x: np.ndarray) -> Any:
    """Return the step of evenly spaced coordinates, else None."""
    if x.itemsize == 8 and x.dtype.kind == "f" and x.size > 2 and x.item(2) - x.item(1) != x.item(1) - x.item(0):
        return None  # the usual answer, for less than the call of a kernel
    if x.size < MANY and is_ready(x):
        return _first_step(x) if _is_even(x) else None
    differing: list[int] = []

    def scan(starts: Iterator[int]) -> None:
        for start in starts:
            if differing:  # met by this thread or another
                return
            # The last step is the first one of the next part.
            if not _is_even(ready(x[start : start + FEW + 2])):
                differing.append(start)

    share(scan, range(0, x.size - 2, FEW), get_num_threads() if x.size >= MANY else 1)
    return None if differing else _first_step(x)


def _first_step(x: np.ndarray) -> Any:
    first = ready(x[:2])
    with np.errstate(all="ignore"):  # what is not finite goes to NumPy, which has the warning
        return first[1] - first[0]


def _is_even(x: np.ndarray) -> bool:
    return bool(call(draft(is_evenly_spaced, x.dtype), x.size / 500, x, twin=_has_one_step))


def _has_one_step(x: np.ndarray) -> bool:
    """As `is_evenly_spaced`, by NumPy."""
    with np.errstate(all="ignore"):
        return bool((np.diff(x) == x[1] - x[0]).all())
