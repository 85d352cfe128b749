"""A smooth function through the samples of data frames, whose results are like these."""

from dataclasses import dataclass, fields, replace
from datetime import UTC
from typing import Any, NamedTuple

import numpy as np

from numgrad.interop.dataframes.places import Place
from numgrad.interop.dataframes.results import column, like
from numgrad.interop.dataframes.tables import Samples, Table, is_column, series_of
from numgrad.interop.times import as_numbers, as_times
from numgrad.smoothing._result import Smooth
from numgrad.smoothing._turns import SignificantPoints


class Likeness(NamedTuple):
    """What results are like."""

    table: Table
    names: list[Any]
    columns: list[Samples]

    def __call__(self, values: np.ndarray) -> Any:
        lines = values.reshape(len(values), -1).T
        made = [column(one.series, line, one.is_missing) for one, line in zip(self.columns, lines, strict=True)]
        return like(self.table, self.names, made)


@dataclass(frozen=True, eq=False, repr=False)
class SmoothFrame(Smooth):
    """A `Smooth` of a series or a data frame: what it has for each sample is one, too, with the same index.

    By times `x` and `kinks` are numbers, which count from the first of them in units of `datetime_unit`; turning points
    are times, those with a zone in UTC.
    """

    _arrays: Smooth
    _likeness: Likeness
    _place: Place

    @classmethod
    def of(cls, found: Smooth, likeness: Likeness, place: Place) -> "SmoothFrame":
        parts: dict[str, Any] = {field.name: getattr(found, field.name) for field in fields(found)}
        parts |= {name: likeness(getattr(found, name)) for name in ("value", "residuals")}
        return cls(**parts, _arrays=found, _likeness=likeness, _place=place)

    def line(self, number: Any) -> "SmoothFrame":
        """Return the function of one column of a data frame, by its name or its number."""
        table, names, columns = self._likeness
        which = names.index(number) if number in names else number
        found = self._arrays.line(which)
        if not table.is_series:
            series = columns[which].series
            table, names, columns = Table(series.to_native(), series, True), [], [columns[which]]
        return self.of(found, Likeness(table, names, columns), self._place)

    def derivative(self, n: int = 1) -> Any:
        """Return the n-th derivative at the samples, from 0, the value, to ``order - 1``."""
        return self._likeness(self._arrays.derivative(n))

    def error(self, n: int = 0) -> Any:
        """Return the standard error of the n-th derivative at the samples."""
        return self._likeness(self._arrays.error(n))

    def band(self, n: int = 1, level: float = 0.95) -> tuple[Any, Any]:
        """Return the ends of the interval that has the n-th derivative with some probability, at each sample."""
        low, high = self._arrays.band(n, level)
        return self._likeness(low), self._likeness(high)

    def turning_points(self, level: float = 0.95) -> SignificantPoints:
        """Return the minima and maxima that are no work of the noise, by times at times; errors are numbers."""
        found = self._arrays.turning_points(level)
        if not self._place.has_times or not len(found):
            return found
        return replace(found, position=as_times(found.position, self._place.x, self._place.unit))

    def _anywhere(self, x: Any, n: Any, what: str, times: list[float] | None = None) -> np.ndarray:
        return super()._anywhere(counted(x, self._place), n, what, times)


def counted(x: Any, place: Place) -> Any:
    """Return coordinates as numbers: times by how far they are behind the first of the samples."""
    if not place.has_times:
        return x
    given: np.ndarray = series_of(x).to_numpy() if is_column(x) else np.asarray(x)
    if given.dtype.kind == "O":  # times of Python and pandas, which may have a zone
        given = np.array(list(map(_in_utc, given.flat)), place.x.dtype).reshape(given.shape)
    elif given.dtype.kind == "U":
        given = given.astype(place.x.dtype)
    return as_numbers(given, str(place.unit), place.x.min()) if given.dtype.kind in "mM" else given


def _in_utc(time: Any) -> Any:
    return time.astimezone(UTC).replace(tzinfo=None) if getattr(time, "tzinfo", None) is not None else time
