"""Data as the functions of regression accept them. A refusal names the argument, the value and the remedy."""

import datetime
from collections.abc import Callable, Iterator
from math import frexp, isfinite, nan
from typing import Any, NamedTuple

import numpy as np

from numgrad import _checks
from numgrad._checks import integer
from numgrad._compile.jit import entry_point, specialise
from numgrad._system.memory import read_only
from numgrad._system.threads import get_num_threads, share
from numgrad.regression import _entries
from numgrad.regression._entries import Entries
from numgrad.regression._kernels.looks import look
from numgrad.regression._kernels.passes import FASTMATH

Floats = np.ndarray[Any, np.dtype[np.floating[Any]]]

# Elements that NumPy goes over at a time, between two chances for Ctrl-C.
AT_A_TIME = 2**18
# From so many elements on a kernel looks at them, which either engine needs one for; on all threads, as OpenBLAS, whose
# own wait busily for 27 ms after each product, would keep ours from the processor.
MANY, STRETCH = 2**16, 2**12
# Kinds of objects that float64 would take for numbers, or refuse in words of NumPy's own.
OTHERS: dict[str, Any] = {
    "text": (str, bytes),
    "dates": (datetime.date, datetime.timedelta, np.datetime64, np.timedelta64),
}
# What to do with columns of other kinds, by how the names of their dtypes begin.
COLUMNS = {
    "datetime": ", like the seconds since the first: (t - t[0]) / np.timedelta64(1, 's')",
    "timedelta": ", like the seconds: t / np.timedelta64(1, 's')",
    "period": ", like its ordinals",
    "interval": ", like the middles of its intervals, `.mid`",
    **dict.fromkeys(("date", "timestamp"), ", like the days since the first"),
    **dict.fromkeys(("duration", "time"), ", like the seconds"),
    "decimal": ", as a cast to float64 makes them",
    **dict.fromkeys(("str", "bytes", "cat", "enum", "dictionary", "large_string"), ", and drop or encode words"),
}
# How the dtypes of numbers begin in polars and pyarrow, whose dtypes have no kind.
NUMBERS = ("int", "uint", "float", "double", "halffloat", "bool", "null")
REMEDIES = {"text": "drop or encode its words", "dates": "give numbers, like seconds since the first"}
# Below this size, and above its inverse, float32 may lose what it is given.
FAR = 2.0**-32
# The golden ratio: the fractional parts of its multiples are all different, and far from each other.
GOLDEN = 0.6180339887498949


class Trace(NamedTuple):
    """Two sums over an array, by which a later change of it is noticed."""

    checksum: float  # finite only if each element is
    size: float  # the sum of the absolute values that the checksum is the sum of
    squares: float = nan  # the sum of squares, where that is known


class Data(NamedTuple):
    """Arrays as the kernels take them: any real dtype and layout, in place wherever they can be read there."""

    x: Any  # an array, or Entries
    y: np.ndarray  # a column for each target
    weight: Floats  # ones of stride 0 without sample_weight
    dtype: Any  # the computation's: float32 if x and y have it, else float64
    names: tuple[str, ...] | None
    is_flat: bool  # y was given with one dimension
    total: float  # sum of the weights, in units of `unit`
    unit: float  # a power of 4, so that no weight is far above 1, where float32 would overflow
    traces: tuple[Trace, ...]  # those of `arrays`

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What x and y are read from, y the last."""
        return (*(self.x.arrays if isinstance(self.x, Entries) else (self.x,)), self.y)


def data(X: Any, y: Any, sample_weight: Any = None, may_be_zero: bool = False) -> Data:
    """Look at all of X (m, n), y (m,) or (m, p) or None, and the weights (m,)."""
    refuse_lazy("X", X)
    columns = names_of(X)
    names = None if columns is None else tuple(map(str, columns))
    x_array: Any = _entries.read(X) if _entries.is_sparse(X) else _numbers("X", X)
    if not isinstance(x_array, Entries) and x_array.ndim != 2:
        raise ValueError(f"`X` has shape {x_array.shape}; give (rows, features), for one feature X.reshape(-1, 1)")
    if 0 in x_array.shape:
        raise ValueError(f"`X` has shape {x_array.shape}, which is empty; give at least one row and one feature")
    m = len(x_array)
    y_array = np.empty((m, 0), x_array.dtype) if y is None else _numbers("y", y)
    if y_array.ndim not in (1, 2) or (y is not None and y_array.ndim == 2 and y_array.shape[1] == 0):
        raise ValueError(f"`y` has shape {y_array.shape}; give one value for each row, or a column for each target")
    if len(y_array) != m:
        raise ValueError(f"`y` has {len(y_array)} values and `X` has {m} rows; give one value for each row")
    if isinstance(x_array, Entries):
        traces = (_finite("X", x_array.values, x_array.place), *map(_trace, x_array.arrays[1:]))
    else:
        traces = (_finite("X", x_array),)
        x_array = _plain(x_array)
    traces += (_finite("y", y_array),)
    is_flat = y_array.ndim == 1
    if is_flat:
        y_array = y_array.reshape(-1, 1)
    dtype = np.float32 if x_array.dtype == np.float32 and y_array.dtype == np.float32 else np.float64
    weight, unit = weights(sample_weight, m, may_be_zero)
    total = float(weight.sum()) if sample_weight is not None else float(m)
    return Data(x_array, _plain(y_array), weight, dtype, names, is_flat, total, unit, traces)


def weights(sample_weight: Any, m: int, may_be_zero: bool) -> tuple[Floats, float]:
    """Return the weights of m rows as float64, and their unit; ones that take no memory for None."""
    if sample_weight is None:
        return np.broadcast_to(1.0, m), 1.0
    array = _numbers("sample_weight", sample_weight)
    if array.ndim == 0:
        array = np.full(m, array)
    if array.shape != (m,):
        raise ValueError(
            f"`sample_weight` has shape {array.shape}; give one value for each of the {m} rows of `X`, or one number"
        )
    _finite("sample_weight", array)
    if array.min() < 0:
        where = int(array.argmin())
        raise ValueError(f"`sample_weight` is {array[where]} at {where}; give weights of at least 0")
    largest = float(array.max())
    if not largest and not may_be_zero:
        raise ValueError("`sample_weight` is zero for all rows; give at least one row a weight")
    unit = 4.0 ** min(511, frexp(largest)[1] // 2)
    return read_only(array.astype(np.float64) / unit), unit


def sizes(given: Data) -> tuple[float, float]:
    """Return about how large the largest elements of X and of y are."""
    x, *_, y = zip(given.arrays, given.traces, strict=True)
    return _size(*x), _size(*y)


def _size(array: np.ndarray, trace: Trace) -> float:
    """Return about how large the largest element of an array is.

    From the trace alone it is known to a factor of the number of elements, which is enough unless it may be far from 1.
    """
    if trace.size and trace.size / (2 * array.size) >= FAR and trace.size <= 1 / FAR:
        return trace.size / len(array)
    return max((float(abs(piece).max(initial=0)) for _, piece in _pieces(array)), default=0.0)


def has_changed(given: Data) -> bool:
    """Return whether X or y is no longer what it was when looked at."""
    now = map(_trace, given.arrays)
    return not all(abs(a.checksum - b.checksum) <= 1e-11 * b.size for a, b in zip(now, given.traces, strict=True))


def theta(theta0: Any, shape: tuple[int, ...]) -> Floats:
    """Return the start as a fresh float64 array; zeros for None."""
    if theta0 is None:
        return np.zeros(shape)
    start = _numbers("theta0", theta0)
    if start.shape != shape:
        each = f"each of the {shape[0]} parameters" + (f" and {shape[1]} targets" if len(shape) > 1 else "")
        raise ValueError(f"`theta0` has shape {start.shape}; give one value for {each}, shape {shape}")
    _finite("theta0", start)
    return start.astype(np.float64)


def recorded(record: Any, n_iter: int) -> np.ndarray:
    """Return the iterations to be recorded: all, none, every k-th or log-spaced ones, and the last."""
    wanted = "True, False, a stride like 10, or 'log'"
    if isinstance(record, str):
        if record != "log":
            raise ValueError(f"`record` is {record!r}; give {wanted}")
        logs = np.geomspace(1, n_iter, 2 + int(50 * np.log10(n_iter)))
        return np.unique(np.round(logs).astype(np.int64)) - 1
    try:
        if isinstance(record, (bool, np.bool_)):
            return np.arange(n_iter if record else 0)
        return np.append(np.arange(0, n_iter - 1, integer("record", record, 1, wanted=wanted)), n_iter - 1)
    except MemoryError:
        raise MemoryError(f"`record` is {record!r} with {n_iter} iterations; thin it, like record='log'") from None


def refuse_units(name: str, values: Any) -> None:
    """Raise TypeError for quantities, whose unit would be lost."""
    _checks.refuse_units(values, name, "that of a coefficient is the unit of y over that of its column")


def refuse_lazy(name: str, values: Any) -> None:
    """Raise TypeError for a lazy frame of polars."""
    if type(values).__name__ == "LazyFrame":
        raise TypeError(f"`{name}` is a LazyFrame, which has no rows yet; call its collect() first")


def names_of(values: Any) -> Any:
    """Return the names of the columns of a data frame, of pandas, polars or pyarrow; None if it is none."""
    return getattr(values, "column_names", getattr(values, "columns", None))


def _numbers(name: str, values: Any) -> np.ndarray:
    """Return an array of real numbers, or of objects that are some."""
    refuse_lazy(name, values)
    refuse_units(name, values)
    if _checks.is_masked(values):
        raise TypeError(f"`{name}` is a masked array; drop the masked rows, or fill them")
    if hasattr(values, "toarray") and not isinstance(values, np.ndarray):  # as scipy.sparse and its kin have
        raise TypeError(f"`{name}` is sparse, a {type(values).__name__}; give {name}.toarray(), if that fits in memory")
    refuse_columns(name, values)
    what = ""
    try:
        array = np.asarray(values)
        if array.dtype == object:  # mixed columns of a data frame, or ragged lists
            what, kind = _no_number(array)
            array = array if what else array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"`{name}` is no array of real numbers ({error}); give numbers of one length in rows") from None
    if what:
        raise kind(f"`{name}` has {what}")
    if array.dtype.kind not in "fiub":
        raise TypeError(f"`{name}` has dtype {array.dtype}; give real numbers{_remedy(array.dtype)}")
    return array


def _no_number(array: np.ndarray) -> tuple[str, type[Exception]]:
    """Return the first object that is no number, what to do, and the error; an empty string if NumPy is to judge."""
    for what, kinds in OTHERS.items():
        if any(isinstance(value, kinds) for value in array.flat):
            return f"{what} among its objects; {REMEDIES[what]}", TypeError
    for where, value in np.ndenumerate(array):
        if value is None or type(value).__name__ == "NAType":  # that of pandas
            return f"{value} at {list(where)}; drop or fill what is missing", ValueError
    return "", ValueError


def refuse_columns(name: str, values: Any) -> None:
    """Name the column of a data frame, or the series, that is no column of numbers."""
    names, dtypes = names_of(values), getattr(values, "dtypes", getattr(getattr(values, "schema", None), "types", None))
    if dtypes is None or names is None:
        own = getattr(values, "dtype", getattr(values, "type", None))  # the latter is what pyarrow says
        columns = [] if own is None or callable(own) else [("", own)]
    else:
        columns = [(f"column {column!r} of ", dtype) for column, dtype in zip(names, dtypes, strict=True)]
    for of, dtype in columns:
        if not _is_real(dtype):
            raise TypeError(f"{of}`{name}` has dtype {dtype}; give real numbers{_remedy(dtype)}")


def _is_real(dtype: Any) -> bool:
    """Whether a column of this dtype has numbers, or may have: objects may be some."""
    if type(dtype).__module__.partition(".")[0] in ("polars", "pyarrow"):
        return str(dtype).lower().startswith((*NUMBERS, "object"))
    own = getattr(getattr(dtype, "categories", None), "dtype", dtype)
    # NumPy will say what a dtype without a kind is.
    return bool(getattr(own, "kind", "f") in "fiub" or dtype == np.dtype(object))


def _remedy(dtype: Any) -> str:
    """Return what to do with another kind of column, to be put behind "give real numbers"."""
    return next((what for kind, what in COLUMNS.items() if str(dtype).lower().startswith(kind)), "")


def _plain(array: np.ndarray) -> np.ndarray:
    """Return what kernels can read: native and aligned, of a dtype that Numba knows."""
    if array.dtype in (np.float16, np.longdouble) and array.dtype != np.float64:
        array = array.astype(np.float64)
    if not array.dtype.isnative or not array.flags.aligned:
        array = array.astype(array.dtype.newbyteorder("="))
    return read_only(array)


def _finite(name: str, array: np.ndarray, place: Callable[[int], tuple[int, ...]] | None = None) -> Trace:
    """Return the trace of an array, if all is finite; `place` says where an element is outside, if not there."""
    with np.errstate(over="ignore"):
        trace = _trace(_plain(array))
    if not isfinite(trace.checksum):
        with np.errstate(over="ignore"):
            for start, piece in _pieces(array):
                good = np.isfinite(piece)
                if not good.all():
                    first, *rest = np.argwhere(~good)[0]
                    where = (int(start + first), *map(int, rest))
                    outside = where if place is None else place(*where)
                    raise ValueError(f"`{name}` has {array[where]} at {list(outside)}; drop or fill what is not finite")
    return trace


def _trace(array: np.ndarray) -> Trace:
    """Return the trace of an array: one pass finds what is not finite, how large the rest is, and a checksum of it.

    Each element has a factor of its own in the checksum, so that sorting or shuffling changes it. Rounding errors in it
    are small beside its `size`.
    """
    if array.size >= MANY and array.dtype in (np.float32, np.float64) and array.flags.forc:
        return _looked_at(array.ravel(order="K"))
    columns = array[:, None] if array.ndim == 1 else array.reshape(len(array), -1)
    across, down = _factors(columns.shape[1]), _factors(min(_rows_at_a_time(columns), len(columns)))
    checksum, size = 0.0, 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for start, piece in _pieces(columns):
            part = piece[:, 0] if len(across) == 1 else piece @ across
            checksum += float(part @ down[: len(part)]) * (1 + start * GOLDEN % 1)
            size += float(abs(part).sum())
    return Trace(checksum, size)


def _looked_at(flat: np.ndarray) -> Trace:
    """Return the trace of an array of one dimension, by pieces."""
    kernel = specialise(look, flat.dtype.name, fastmath=FASTMATH)
    factors, starts = _factors(STRETCH), range(0, flat.size, AT_A_TIME)
    found = np.empty((len(starts), 3))

    def work(places: Iterator[int]) -> None:
        for k in places:
            arguments = flat, factors, GOLDEN, found[k], starts[k], min(starts[k] + AT_A_TIME, flat.size)
            entry_point(kernel, *arguments)(*arguments)

    share(work, range(len(starts)), min(get_num_threads(), len(starts)))
    checksums, sizes, squares = found.T
    return Trace(float(checksums.sum()), float(sizes.sum()), float(squares.sum()))


def _factors(count: int) -> Floats:
    multiples = np.arange(count) * GOLDEN
    multiples -= np.floor(multiples)  # a remainder takes ten times as long
    return 1 + multiples


def _pieces(array: np.ndarray) -> Iterator[tuple[int, Floats]]:
    """Yield some rows at a time as float64, with the number of the first."""
    rows = _rows_at_a_time(array)
    for start in range(0, len(array), rows):
        yield start, array[start : start + rows].astype(np.float64, copy=False)


def _rows_at_a_time(array: np.ndarray) -> int:
    return max(1, AT_A_TIME * len(array) // max(1, array.size))
