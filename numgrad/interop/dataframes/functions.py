"""The functions of numgrad for data frames and series.

Missing samples are gaps, as ``nan="one-sided"`` has them: tables have holes.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from numgrad._arrays import turning_points as _turning_points
from numgrad._arrays.derivative import (
    Arguments,
    Options,
    by_stencil,
    error_of,
    formula_of,
    read_call,
    read_lines,
    value_of,
)
from numgrad._arrays.errors import WithError, dtype_of_error, read_sigma
from numgrad._arrays.plan.dtypes import FIELDS
from numgrad._checks import choice
from numgrad.interop.dataframes.groups import Groups, groups_of
from numgrad.interop.dataframes.places import Place, check_sorted, numbers, place_of
from numgrad.interop.dataframes.results import column, like
from numgrad.interop.dataframes.smoothed import Likeness, SmoothFrame, counted
from numgrad.interop.dataframes.tables import Samples, Table, chosen, names_of, read, samples, samples_of
from numgrad.interop.options import allow, listed
from numgrad.interop.times import as_times
from numgrad.smoothing import _smooth

OPTIONS = ("n", "accuracy", "boundary", "edge_accuracy", "period", "window", "degree")


def derivative(
    f: Any, x: Any = None, *, columns: Any = None, by: Any = None, datetime_unit: str | None = None, short: Any = None,
    axis: Any = -1, nan: str | None = None, sigma: Any = None, out: Any = None, **options: Any,
) -> Any:  # fmt: skip
    """Return the n-th derivative of a series, or of each column of a data frame, as `numgrad.derivative` does.

    The result is of the same library, with the same name, index and rows, of float64, or float32 for float32; nullable
    and Arrow dtypes stay so. Missing samples are gaps, ``nan="one-sided"``, unless ``nan="propagate"`` is given.

    Parameters
    ----------
    f : Series, ChunkedArray, DataFrame or Table
        Of pandas, polars, pyarrow or modin. Lazy frames are to be collected first.
    x : str, float, Series or array_like, optional
        The name of a column or of a level of the index, the distance of rows, or coordinates, which may be times. By
        default the index of pandas, and a distance of 1.0 for libraries that have none. An index that was not given
        counts the rows of all groups: those of a group are 1.0 apart with ``x=1.0``. Coordinates rise or fall, in each
        group; none may be missing.
    columns : name or list of names, optional
        Which columns; of one name comes a series. By default all but `x` and `by`.
    by : name or list of names, optional
        Columns whose equal rows are a group; each is differentiated on its own, wherever its rows are, with the bits
        that `derivative` of its rows alone has. Rows with a missing key are in no group, and NaN.
    datetime_unit : {"W", "D", "h", "m", "s", "ms", "us", "ns", ...}, optional
        Unit of time, by default that of the dtype of `x`. Times with a zone are points in time: an hour is an hour when
        clocks change.
    short : {"nan", "raise"}, default "nan"
        What groups with too few rows for the formula become.
    sigma : float, str or array_like, optional
        Standard deviations of the samples: a number, the name of a column, or one for each row; gives a `WithError`.
    n, accuracy, boundary, edge_accuracy, period, nan, window, degree
        As in `numgrad.derivative`; the period of times is in `datetime_unit`.
    axis, out
        Columns are the only axis, and `out` is not supported.

    Returns
    -------
    Series or DataFrame, or WithError of two
        A NaN of the result is missing (null) where the sample is and the library tells these apart.

    Raises
    ------
    TypeError
        If a column or `x` has a dtype that is not taken, such as Decimal; or for a lazy frame.
    ValueError
        If coordinates are missing, repeat or turn back, with their labels; if there are too few rows; if a name is
        unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> t = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05"])
    >>> derivative(pd.Series([0, 1, 9, 16.0], t, name="height"), datetime_unit="D")
    2024-01-01    0.0
    2024-01-02    2.0
    2024-01-04    6.0
    2024-01-05    8.0
    Name: height, dtype: float64
    """
    allow(options, *OPTIONS)
    options["nan"] = "one-sided" if nan is None else nan
    table = _table(f, "f", axis, out)
    place = place_of(table, x, datetime_unit)
    keys = [] if by is None else names_of(table, by, "by")
    asked, names = chosen(table, columns, [x, *keys] if isinstance(x, str) else keys)
    groups = _groups(table, keys, short, options)
    if groups is not None and np.ndim(place.x):
        place = place._replace(x=place.x[groups.order])
    check_sorted(table, place, groups, keys)
    errors = _errors_of(table, sigma)
    made = [
        [column(one.series, values, one.is_missing) for values in _values(one.values, place, groups, errors, options)]
        for one in samples_of(asked, names)
    ]
    results = [like(asked, names, list(part)) for part in zip(*made, strict=True)]
    if not made:
        results = [like(asked, [], [])] * (1 if sigma is None else 2)
    return results[0] if sigma is None else WithError(*results)


def _table(f: Any, name: str, axis: Any, out: Any = None) -> Table:
    if out is not None:
        raise TypeError("`out` is given; leave it away, series and data frames are returned as new objects")
    if axis not in (-1, 0):
        raise ValueError(f"`axis` is {axis!r}; leave it away, derivatives of data frames are along their rows")
    return read(f, name)


def _groups(table: Table, keys: list[Any], short: Any, options: dict[str, Any]) -> Groups | None:
    if not keys:
        if short is not None:
            raise ValueError(f"`short` is {short!r}; leave it away, there are no groups without `by`")
        return None
    is_strict = short is not None and choice("short", short, ("nan", "raise")) == "raise"
    return groups_of(table, keys, formula_of(Options(**options)).points_needed, not is_strict)


def _errors_of(table: Table, sigma: Any) -> Any:
    """Return standard deviations: a number, or an array with one for each row."""
    if isinstance(sigma, str):
        return samples(table.column(sigma, "sigma"), f"column {sigma!r}").values
    if sigma is None or np.ndim(sigma) == 0:
        return sigma
    table.check_index(sigma, "sigma")
    found = np.asarray(sigma)
    if found.shape != (len(table),):
        raise ValueError(f"`sigma` has shape {found.shape}; give a number, or one for each of the {len(table)} rows")
    return found


def _values(
    f: np.ndarray, place: Place, groups: Groups | None, sigma: Any, options: dict[str, Any]
) -> list[np.ndarray]:  # fmt: skip
    """Return the derivative of a column, and with `sigma` its error."""
    if groups is None:
        return _made(read_call(f, numbers(place, place.x), **options), sigma)
    dtypes = [np.dtype(FIELDS[f.dtype])] + [dtype_of_error(f)] * (sigma is not None)
    results = [np.full(len(f), np.nan, dtype) for dtype in dtypes]
    for rows, call in _calls(f, place, groups, options):
        for result, found in zip(results, _made(call, sigma if np.ndim(sigma) == 0 else sigma[rows]), strict=True):
            result[rows] = found
    return results


def _calls(f: np.ndarray, place: Place, groups: Groups, options: dict[str, Any]) -> Iterator[tuple[np.ndarray, Any]]:
    """Yield rows, and the call for them: one for all groups by coordinates, one for those of a length by a distance.

    Coordinates are in the order of the groups.
    """
    if np.ndim(place.x) == 0:
        for rows in groups.batches():
            yield rows, read_call(f[rows], place.x, **options)
    elif groups.short < len(groups.cuts) - 1:
        cuts = groups.cuts[groups.short :]
        rows, cuts = groups.order[cuts[0] :], cuts - cuts[0]
        yield rows, read_lines(f[rows], numbers(place, place.x[-len(rows) :], cuts), cuts, **options)


def _made(call: Arguments, sigma: Any) -> list[np.ndarray]:
    """Return the derivative, and its error.

    By coordinates it is that of stencils, also where `gradient` would have a rounding of its own: so groups have the
    same bits with others as alone.
    """
    value = value_of(call) if isinstance(call.spacing, float) else by_stencil(call)
    return [value] if sigma is None else [value, error_of(call, read_sigma(sigma, call.f))]


def turning_points(
    y: Any, x: Any = None, *, columns: Any = None, datetime_unit: str | None = None, axis: Any = -1, **options: Any
) -> Any:
    """Return the minima and maxima of a series, or of columns, as `numgrad.turning_points` does.

    `x`, `columns` and `datetime_unit` are those of `derivative`, and so is the coordinate. By times positions are
    times, those with a zone in UTC, and slopes are per `datetime_unit`. `index` counts rows; of a data frame `line` is
    the number of the column.

    >>> import pandas as pd
    >>> turning_points(pd.Series([4, 1, 1, 4.0], [0, 1, 3, 4.0])).position
    array([2.])
    """
    table = _table(y, "y", axis)
    place = place_of(table, x, datetime_unit)
    check_sorted(table, place, None, [])
    asked, names = chosen(table, columns, [x] if isinstance(x, str) else [])
    coordinates = numbers(place, place.x)
    together = _together(asked, list(samples_of(asked, names)))
    found = _turning_points.turning_points(together, coordinates, axis=0, **options)
    if not place.has_times or not len(found):
        return found
    return replace(found, position=as_times(found.position, place.x, place.unit))


def in_arrays(
    function: str, f: Any, x: Any = None, *, columns: Any = None, by: Any = None, datetime_unit: str | None = None,
    short: Any = None, axis: Any = -1, sigma: Any = None, out: Any = None, **options: Any,
) -> tuple[tuple[Any, Any], dict[str, Any]]:  # fmt: skip
    """Return the samples of a series, or of one column, and their coordinates, as arrays; and the options of arrays."""
    table = _table(f, "f", axis, out)
    if by is not None or short is not None:
        raise TypeError(f"`by` is {by!r}; to explain a derivative, give the rows of one group, and no `by` or `short`")
    place = place_of(table, x, datetime_unit)
    asked, names = chosen(table, columns, [x] if isinstance(x, str) else [])
    if not asked.is_series:
        raise TypeError(
            f"`f` is a data frame, of columns {listed(names)}; to explain a derivative, give one of them: columns="
            f"{(names or ['name'])[0]!r}"
        )
    check_sorted(table, place, None, [])
    (found,) = samples_of(asked, [])
    if function == "derivative":
        options = {"nan": "one-sided"} | options
        if sigma is not None:
            options["sigma"] = _errors_of(table, sigma)
    return (found.values, numbers(place, place.x)), options


def smooth(
    y: Any, x: Any = None, *, columns: Any = None, datetime_unit: str | None = None, axis: Any = -1, **options: Any
) -> SmoothFrame:
    """Return a smooth function through noisy samples of a series, or of each column, as `numgrad.smooth` does.

    `x`, `columns` and `datetime_unit` are those of `derivative`; but coordinates may be in any order, and repeat. What
    the result has for each sample (`value`, `residuals`, `derivative`, `error`, `band`) are series or data frames like
    `y`. By times derivatives are per `datetime_unit`; it is called with times, and turning points are times.

    >>> import pandas as pd
    >>> x = pd.Index([0, 1, 2, 4, 7, 9, 10.0], name="time")
    >>> found = smooth(pd.Series((x - 3.0) ** 2, x, name="height"))
    >>> found.derivative().round(3).head(2)
    time
    0.0   -6.0
    1.0   -4.0
    Name: height, dtype: float64
    """
    table = _table(y, "y", axis)
    place = place_of(table, x, datetime_unit)
    asked, names = chosen(table, columns, [x] if isinstance(x, str) else [])
    coordinates = numbers(place, place.x)
    for name in ("sigma", "weights"):
        table.check_index(options.get(name), name)
        if isinstance(options.get(name), str):
            options[name] = samples(table.column(options[name], name), f"column {options[name]!r}").values
    if options.get("kinks") is not None and not isinstance(options["kinks"], str):
        options["kinks"] = counted(options["kinks"], place)
    parts = list(samples_of(asked, names))
    found = _smooth.smooth(_together(asked, parts), coordinates, axis=0, **options)
    return SmoothFrame.of(found, Likeness(asked, names, parts), place)


def _together(table: Table, parts: list[Samples]) -> np.ndarray:
    """Return the samples as an array, those of a data frame in its columns."""
    arrays = [one.values for one in parts]
    return arrays[0] if table.is_series else np.stack(arrays, axis=1) if arrays else np.empty((len(table), 0))
