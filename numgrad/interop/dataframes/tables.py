"""Data frames and series as they were given, as narwhals has them, and as arrays."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

try:
    import narwhals as nw
except ImportError as error:
    raise ImportError(
        f"data frames need narwhals: pip install 'numgrad[dataframes]' ({error}); or give arrays, like f.to_numpy()"
    ) from error

from numgrad._arrays.plan.dtypes import FIELDS
from numgrad.interop.options import listed

# Types of columns that are no samples, and what to do with them.
REFUSED: dict[Any, str] = {
    nw.Boolean: "give numbers, as a cast to an integer makes them",
    nw.Decimal: "its digits are not those of float64: cast it to that first",
    **dict.fromkeys((nw.Datetime, nw.Date, nw.Duration), "give numbers, like the seconds since the first"),
    nw.Object: "cast it to float64 first",
}
# How many labels an error names.
NAMED = 3


@dataclass(frozen=True)
class Table:
    """A data frame or a series, as it was given and as narwhals has it."""

    native: Any
    wrapped: Any
    is_series: bool

    @property
    def has_index(self) -> bool:
        return bool(self.wrapped.implementation.is_pandas_like())

    @property
    def names(self) -> list[Any]:
        return [] if self.is_series else list(self.wrapped.columns)

    def __len__(self) -> int:
        return len(self.wrapped)

    def column(self, name: Hashable, option: str) -> Any:
        """Return a column, or for options of rows a level of the index, by the name that is given."""
        if not self.is_series and name in self.names:
            return self.wrapped.get_column(name)
        levels = list(self.native.index.names) if self.has_index and option != "columns" else []
        if name is not None and name in levels:
            return series_of(self.native.index.get_level_values(levels.index(name)))
        what = f"levels of the index {listed(levels)}" if self.is_series else f"columns {listed(self.names)}"
        raise ValueError(f"`{option}` is {name!r}; there are {what}")

    def labels(self, rows: Any) -> str:
        """Return what rows are called, for an error: by the index, or by number."""
        some = [self.native.index[i] if self.has_index else i for i in rows[:NAMED]]
        more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
        return f"label{'s' * (len(rows) > 1)} {', '.join(map(str, some))}{more}"

    def check_index(self, given: Any, name: str) -> None:
        """Refuse a series of pandas with other labels, or the same in another order: its rows are other ones."""
        index: Any = getattr(given, "index", None)
        if self.has_index and hasattr(index, "equals") and not index.equals(self.native.index):
            raise ValueError(f"`{name}` has another index than the samples; reindex it, or give {name}.to_numpy()")


class Samples(NamedTuple):
    """A column as an array, and which are missing, for libraries that tell that from NaN."""

    series: Any
    values: np.ndarray
    is_missing: np.ndarray


def read(given: Any, name: str) -> Table:
    """Return what there is to know of a data frame or a series."""
    if type(given).__name__ == "LazyFrame":
        raise TypeError(f"`{name}` is a LazyFrame, which has no rows yet; call its collect() first")
    try:
        wrapped = nw.from_native(given, eager_only=True, allow_series=True)
    except nw.exceptions.DuplicateError as error:
        raise ValueError(f"`{name}` has columns of one name; rename them, or give one as a series ({error})") from None
    return Table(given, wrapped, isinstance(wrapped, nw.Series))


def is_column(given: Any) -> bool:
    """Whether this is a series, or an index of pandas."""
    return bool(nw.dependencies.is_into_series(given) or nw.dependencies.is_pandas_index(given))


def series_of(given: Any) -> Any:
    """Return a series, or an index of pandas, as narwhals has them."""
    return nw.from_native(given.to_series() if nw.dependencies.is_pandas_index(given) else given, series_only=True)


def chosen(table: Table, columns: Any, others: list[Any]) -> tuple[Table, list[Any]]:
    """Return the table of the columns that are asked for, and their names: by default all but `others`.

    For one name, not in a list, that is a series.
    """
    if columns is None:
        return table, [name for name in table.names if name not in others]
    names = names_of(table, columns, "columns")
    if columns not in names:
        return table, names
    series = table.wrapped.get_column(columns)
    return Table(series.to_native(), series, True), []


def names_of(table: Table, given: Any, option: str) -> list[Any]:
    """Return a list of names, which may be given as one of them."""
    is_one = isinstance(given, str) or (isinstance(given, Hashable) and given in table.names)
    names = [given] if is_one or not isinstance(given, (list, tuple)) else list(given)
    for name in names:
        table.column(name, option)
        if names.count(name) > 1:
            raise ValueError(f"`{option}` has {name!r} twice; give it once")
    return names


def samples_of(table: Table, names: list[Any]) -> Iterator[Samples]:
    if table.is_series:
        yield samples(
            table.wrapped, "the series" if table.wrapped.name in (None, "") else f"series {table.wrapped.name!r}"
        )
    for name in names:
        yield samples(table.wrapped.get_column(name), f"column {name!r}")


def samples(series: Any, what: str) -> Samples:
    """Return the numbers of a series; NaN where they are missing."""
    why = next((why for kind, why in REFUSED.items() if series.dtype == kind), None)
    values = np.empty(0, object) if why else array_of(series, what)
    if values.dtype not in FIELDS:
        why = why or "leave it out, as by naming `columns`, or give float32, float64 or integers"
        raise TypeError(f"{what} has dtype {dtype_of(series)}; {why}")
    return Samples(series, values, series.is_null().to_numpy())


def array_of(series: Any, what: str) -> np.ndarray:
    """Return a series as an array, for integers that NumPy has, too."""
    if series.dtype in (nw.Int128, nw.UInt128):
        raise TypeError(f"{what} has dtype {dtype_of(series)}; cast it to 64 bits first")
    values: np.ndarray = series.to_numpy()
    return values


def dtype_of(series: Any) -> str:
    """Return the dtype of a series, as its own library calls it."""
    native = series.to_native()
    first = next(iter(native), None) if series.dtype == nw.Object else None
    return str(getattr(native, "dtype", series.dtype)) + " of Decimals" * isinstance(first, Decimal)


def first_alike(keys: list[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return for each row the first that has the same keys, and where one of them is missing, as NaN is, too."""
    names = [f"key {i}" for i in range(len(keys))]
    is_missing = np.zeros(len(keys[0]), bool)
    for key in keys:
        is_missing |= key.is_null().to_numpy()
        if key.dtype.is_float():
            is_missing |= np.isnan(key.to_numpy())
    frame = nw.from_dict({name: nw.maybe_reset_index(key) for name, key in zip(names, keys, strict=True)})
    first = frame.with_row_index("row").select(nw.col("row").min().over(*names)).get_column("row").to_numpy()
    return np.where(is_missing, 0, first).astype(np.int64), is_missing
