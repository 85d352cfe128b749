"""The accessors `series.numgrad` and `frame.numgrad`, which `numgrad.pandas` and `numgrad.polars` register."""

from typing import Any

from numgrad.interop.dataframes import functions
from numgrad.interop.dataframes.smoothed import SmoothFrame


class SeriesAccessor:
    """``series.numgrad``: derivatives by the index, or by coordinates that are given."""

    def __init__(self, obj: Any) -> None:
        self._obj = obj

    def derivative(
        self, x: Any = None, *, by: Any = None, datetime_unit: str | None = None, short: str | None = None,
        **options: Any,
    ) -> Any:  # fmt: skip
        """Return the n-th derivative.

        Parameters
        ----------
        x : float, str, Series or array_like, optional
            The distance of rows, a level of the index by its name, or coordinates. By default the index of pandas, and
            1.0 in polars.
        by : name or list of names, optional
            Levels of the index whose equal rows are a group, as in ``frame.numgrad.derivative``.
        datetime_unit : {"W", "D", "h", "m", "s", "ms", "us", "ns", ...}, optional
            Unit of time, by default that of the dtype of the times.
        short : {"nan", "raise"}, default "nan"
            What groups with too few rows for the formula become.
        **options
            `n`, `accuracy`, `boundary`, `edge_accuracy`, `period`, `nan`, `window`, `degree` and `sigma`, as in
            `numgrad.derivative`. Missing samples are gaps by default, ``nan="one-sided"``.

        Returns
        -------
        Series, or WithError of two
            With the same name and index.

        Examples
        --------
        >>> import pandas as pd
        >>> import numgrad.pandas
        >>> pd.Series([0, 1, 9, None, 25, 36], [0, 1, 3, 4, 5, 6.0]).numgrad.derivative(edge_accuracy=1).tolist()
        [1.0, 2.0, 4.0, nan, 11.0, 11.0]
        """
        return functions.derivative(self._obj, x, by=by, datetime_unit=datetime_unit, short=short, **options)

    def smooth(self, x: Any = None, *, datetime_unit: str | None = None, **options: Any) -> SmoothFrame:
        """Return a smooth function through noisy samples, whose derivatives are series like this one.

        `x` and `datetime_unit` are those of `derivative`, `options` those of `numgrad.smooth`.

        >>> import pandas as pd
        >>> import numgrad.pandas
        >>> x = pd.Index([0, 1, 2, 4, 7, 9, 10.0])
        >>> pd.Series((x - 3.0) ** 2, x).numgrad.smooth().derivative().round(3)[:2].tolist()
        [-6.0, -4.0]
        """
        return functions.smooth(self._obj, x, datetime_unit=datetime_unit, **options)

    def turning_points(self, x: Any = None, *, datetime_unit: str | None = None, **options: Any) -> Any:
        """Return the minima and maxima, located between the samples; by times, at times.

        `x` and `datetime_unit` are those of `derivative`, `options` those of `numgrad.turning_points`.

        >>> import pandas as pd
        >>> import numgrad.pandas
        >>> t = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05"])
        >>> pd.Series([4, 1, 1, 4.0], t).numgrad.turning_points().position.astype("datetime64[h]")
        array(['2024-01-03T00'], dtype='datetime64[h]')
        """
        return functions.turning_points(self._obj, x, datetime_unit=datetime_unit, **options)


class FrameAccessor:
    """``frame.numgrad``: derivatives of columns, by the index or another column, of all rows or of groups of them."""

    def __init__(self, obj: Any) -> None:
        self._obj = obj

    def derivative(
        self, columns: Any = None, *, by: Any = None, x: Any = None, datetime_unit: str | None = None,
        short: str | None = None, **options: Any,
    ) -> Any:  # fmt: skip
        """Return the n-th derivative of columns.

        Parameters
        ----------
        columns : name or list of names, optional
            Which columns; of one name comes a series. By default all but `x` and `by`.
        by : name or list of names, optional
            Columns whose equal rows are a group, which is differentiated on its own, wherever its rows are. Rows with a
            missing key are in no group, and NaN.
        x : str, float, Series or array_like, optional
            The name of a column or of a level of the index, the distance of rows, or coordinates. By default the index
            of pandas, and 1.0 in polars. An index that was not given counts the rows of all groups: those of a group
            are 1.0 apart with ``x=1.0``.
        datetime_unit : {"W", "D", "h", "m", "s", "ms", "us", "ns", ...}, optional
            Unit of time, by default that of the dtype of the times.
        short : {"nan", "raise"}, default "nan"
            What groups with too few rows for the formula become.
        **options
            Those of ``series.numgrad.derivative``; `sigma` may be the name of a column.

        Returns
        -------
        DataFrame or Series, or WithError of two
            With the same rows and the names of the columns.

        Examples
        --------
        >>> import pandas as pd
        >>> import numgrad.pandas
        >>> frame = pd.DataFrame({"id": list("abababa"), "time": [0, 0, 1, 2, 3, 3, 4.0], "x": [0, 5, 1, 9, 9, 11, 16]})
        >>> frame.numgrad.derivative(["x"], by="id", x="time").T.values
        array([[0., 2., 2., 2., 6., 2., 8.]])
        """
        return functions.derivative(
            self._obj, x, columns=columns, by=by, datetime_unit=datetime_unit, short=short, **options
        )

    def smooth(
        self, columns: Any = None, *, x: Any = None, datetime_unit: str | None = None, **options: Any
    ) -> SmoothFrame:  # fmt: skip
        """Return smooth functions through the samples of columns, whose derivatives are data frames like this one.

        `columns`, `x` and `datetime_unit` are those of `derivative`, `options` those of `numgrad.smooth`; its `sigma`
        or `weights` may be the name of a column.

        >>> import pandas as pd
        >>> import numgrad.pandas
        >>> frame = pd.DataFrame({"time": [0, 1, 2, 4, 7, 9, 10.0]})
        >>> frame["x"] = frame["time"] ** 2
        >>> frame.numgrad.smooth(x="time").derivative()["x"].round(3)[1:4].tolist()
        [2.0, 4.0, 8.0]
        """
        return functions.smooth(self._obj, x, columns=columns, datetime_unit=datetime_unit, **options)

    def turning_points(
        self, columns: Any = None, *, x: Any = None, datetime_unit: str | None = None, **options: Any
    ) -> Any:  # fmt: skip
        """Return the minima and maxima of columns, of which `line` is the number.

        `columns`, `x` and `datetime_unit` are those of `derivative`, `options` those of `numgrad.turning_points`.

        >>> import pandas as pd
        >>> import numgrad.pandas
        >>> frame = pd.DataFrame({"x": [4, 1, 1, 4.0], "time": [0, 1, 3, 4.0]})
        >>> frame.numgrad.turning_points("x", x="time").position
        array([2.])
        """
        return functions.turning_points(self._obj, x, columns=columns, datetime_unit=datetime_unit, **options)
