"""Results as their library has them: with the name, the index and the kind of dtype of what they are made of."""

from typing import Any

import numpy as np

from numgrad.interop.dataframes.tables import Table


def column(series: Any, values: np.ndarray, is_missing: np.ndarray | None = None) -> Any:
    """Return a series of numbers, which are like this one; missing where a NaN `is_missing`."""
    native, library = series.to_native(), series.__native_namespace__()
    null = np.zeros(len(values), bool) if is_missing is None else is_missing & np.isnan(values)
    if series.implementation.is_polars():
        made = library.Series(series.name, values)
        return made.set(library.Series(null), None) if null.any() else made
    if series.implementation.is_pyarrow():
        return library.chunked_array([library.array(values, mask=null)])
    made = library.Series(values, index=native.index, name=native.name)
    if hasattr(native.dtype, "pyarrow_dtype"):
        made = made.astype(f"{'float' if values.dtype == np.float32 else 'double'}[pyarrow]")
    elif hasattr(native.dtype, "numpy_dtype"):  # of nullable numbers
        made = made.astype(f"Float{8 * values.dtype.itemsize}")
    return made.__finalize__(native)


def frame(table: Table, names: list[Any], columns: list[Any]) -> Any:
    """Return a data frame of columns, with the index of this one."""
    native, library = table.native, table.wrapped.__native_namespace__()
    if table.wrapped.implementation.is_polars():
        return library.DataFrame(columns)
    if table.wrapped.implementation.is_pyarrow():
        return library.table(columns, names=names)
    made = library.DataFrame(dict(enumerate(columns)), index=native.index)
    made.columns = native.columns[[table.names.index(name) for name in names]]
    return made.__finalize__(native)


def like(table: Table, names: list[Any], columns: list[Any]) -> Any:
    """Return a series for one, and a data frame for one."""
    return columns[0] if table.is_series else frame(table, names, columns)
