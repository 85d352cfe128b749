"""Where the rows of a data frame lie: by its index, by a column, or by numbers that are given."""

from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from numgrad._checks import refuse_units
from numgrad.interop.dataframes.groups import Groups
from numgrad.interop.dataframes.tables import Table, array_of, dtype_of, is_column, series_of
from numgrad.interop.times import as_numbers

# What to do with coordinates that are neither numbers nor times, by how the names of their dtypes begin.
REMEDIES = {
    "period": "give its beginnings, .to_timestamp()",
    "Decimal": "its digits are not those of float64: cast it to that first",
    "decimal": "its digits are not those of float64: cast it to that first",
}
ELSE = "give a column of numbers or times by its name, as in x='time', or the distance of rows, as in x=1.0"


class Place(NamedTuple):
    """The coordinates of rows: `x` is the distance of neighbours, numbers, or times, which `unit` makes numbers."""

    name: str
    x: Any
    unit: str | None = None
    column: str | None = None

    @property
    def has_times(self) -> bool:
        return np.ndim(self.x) > 0 and self.x.dtype.kind in "mM"


def place_of(table: Table, given: Any, unit: str | None) -> Place:
    """Return the coordinates: by default the index, or 1.0 from row to row where there is none."""
    if given is None:
        if not table.has_index:
            return Place("x", 1.0)
        index = table.native.index
        if index.nlevels > 1:
            raise TypeError(f"the index has {index.nlevels} levels; give one of them by its name as `x`, or a column")
        return _read(table, series_of(index), "the index", unit)
    if isinstance(given, str):
        found = _read(table, table.column(given, "x"), f"column {given!r}", unit)
        return found._replace(column=given if given in table.names else None)
    refuse_units(given, "x")
    if isinstance(given, Real):
        return Place("x", given)
    if is_column(given):
        table.check_index(given, "x")
        return _read(table, series_of(given), "`x`", unit)
    try:
        x = np.asarray(given)
    except ValueError:
        raise ValueError("`x` is ragged; give a number, or one for each row") from None
    return _checked(table, Place("`x`", x, unit), None)


def _read(table: Table, series: Any, name: str, unit: str | None) -> Place:
    """Return the place of a series of coordinates."""
    is_missing = series.is_null().to_numpy()
    values = array_of(series, name)
    if values.dtype.kind in "iufmM":
        _refuse_rows(table, is_missing, name, "is missing", "drop these rows, or give them a coordinate")
    return _checked(table, Place(name, values, unit), series)


def _checked(table: Table, place: Place, series: Any) -> Place:
    """Return the place of finite numbers or times, one for each row."""
    name, x, unit, _ = place
    if x.dtype.kind not in "iufmM":
        dtype = x.dtype if series is None else dtype_of(series)
        raise TypeError(f"{name} has dtype {dtype}; {_remedy(str(dtype))}")
    if x.shape != (len(table),):
        raise ValueError(f"{name} has shape {x.shape}; give a number, or one for each of the {len(table)} rows")
    if x.dtype.kind in "mM":
        _refuse_rows(table, np.isnat(x), name, "is missing", "drop these rows, or give them a coordinate")
        unit = unit or np.datetime_data(x.dtype)[0]
        as_numbers(x[:1], unit, x[:1])  # which says if they are not in this unit
        return Place(name, x, unit)
    if x.dtype.kind == "f":
        _refuse_rows(table, ~np.isfinite(x), name, "is not finite", "drop these rows")
    return Place(name, x)


def _remedy(dtype: str) -> str:
    return next((what for start, what in REMEDIES.items() if dtype.startswith(start)), ELSE)


def _refuse_rows(table: Table, are_wrong: np.ndarray, name: str, what: str, remedy: str) -> None:
    rows = np.flatnonzero(are_wrong)
    if rows.size:
        raise ValueError(f"{name} {what} at {table.labels(rows)}; {remedy}")


def numbers(place: Place, x: Any, cuts: np.ndarray | None = None) -> Any:
    """Return coordinates as numbers; times count from the first, of all of them or of those from each cut to the next.

    These rise or fall between cuts.
    """
    if not place.has_times or not x.size:
        return x
    first = x.min() if cuts is None else np.repeat(np.minimum(x[cuts[:-1]], x[cuts[1:] - 1]), np.diff(cuts))
    return as_numbers(x, str(place.unit), first)


def check_sorted(table: Table, place: Place, groups: Groups | None, keys: list[Any]) -> None:
    """Refuse coordinates that repeat or turn back, in all rows or in a group, in whose order they are."""
    x = place.x
    if np.ndim(x) == 0 or len(table) < 2:
        return
    starts = np.zeros(1, np.int64) if groups is None else groups.cuts[:-1]
    a, b = x[:-1], x[1:]
    is_within = np.ones(len(a), bool)
    is_within[starts[1:] - 1] = False
    rises = b > a
    # The first step of a group says where it goes.
    rises_first = np.repeat(rises[np.minimum(starts, len(a) - 1)], np.diff(np.append(starts, len(x))))[:-1]
    for are_wrong, happens, remedy in (
        (a == b, "repeats", _unique(table, place, keys)),
        (rises != rises_first, "turns back", _sorted(table, place, keys)),
    ):
        rows = np.flatnonzero(are_wrong & is_within)
        if rows.size:
            ahead = rows + 1 if groups is None else groups.order[rows + 1]
            within = f" within a group of {keys!r}" if keys else ""
            raise ValueError(
                f"{place.name} {happens}{within}: it has {x[rows[0] + 1]} after {x[rows[0]]} "
                f"at {table.labels(ahead)}; {remedy}"
            )


def _unique(table: Table, place: Place, keys: list[Any]) -> str:
    call = "f[~f.index.duplicated()]" if table.has_index else "leave one of each"
    if place.column is not None:
        call = f"{'drop_duplicates' if table.has_index else 'unique'}({[*keys, place.column]!r})"
    apart = "add to `by` what tells such rows apart" if keys else "name what tells such rows apart, as in by='id'"
    return f"drop what repeats, {call}, or {apart}"


def _sorted(table: Table, place: Place, keys: list[Any]) -> str:
    call = "sort_index()" if table.has_index else "in the order of `x`"
    if place.column is not None:
        call = f"{'sort_values' if table.has_index else 'sort'}({[*keys, place.column]!r})"
    return f"sort the rows first, {call}"
