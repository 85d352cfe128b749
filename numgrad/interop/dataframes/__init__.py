"""numgrad on data frames and their series, through narwhals: by the index, by a column, by groups of rows.

narwhals is imported with the first of these functions; `gradient`, which gives arrays, does without.
"""

import sys
from importlib import import_module
from typing import Any

from numgrad._arrays import gradient as _gradient
from numgrad._arrays.containers import as_array

__all__ = ["KINDS", "derivative", "gradient", "smooth", "turning_points"]

# What is a data frame or a series here, by the library. All else of these is read as arrays are.
NAMES = {
    "pandas": ("Series", "DataFrame"),
    "modin.pandas": ("Series", "DataFrame"),
    "polars": ("Series", "DataFrame", "LazyFrame"),
    "pyarrow": ("ChunkedArray", "Table"),
}


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1, out: Any = None) -> Any:
    """Return what np.gradient gives for a series or a data frame: arrays, by spacings of 1.0 or those given.

    >>> import pandas as pd
    >>> gradient(pd.Series([0, 1, 9, 16.0]))
    array([1. , 4.5, 7.5, 7. ])
    """
    return _gradient.gradient(as_array(f), *varargs, axis=axis, edge_order=edge_order, out=out)


def in_arrays(function: Any, f: Any, *others: Any, **options: Any) -> Any:
    """Return the arguments of a function as it takes them for arrays, and its options, for `explain`."""
    if function.__name__ not in ("derivative", "turning_points"):  # `gradient` takes series for arrays
        return (f, *others), options
    found: Any = import_module(f"{__name__}.functions").in_arrays(function.__name__, f, *others, **options)
    return found


def __getattr__(name: str) -> Any:
    if name == "KINDS":  # those of the libraries that are imported: what arrives is of one of them
        loaded = [(sys.modules[library], kinds) for library, kinds in NAMES.items() if library in sys.modules]
        return tuple([getattr(library, kind) for library, kinds in loaded for kind in kinds if hasattr(library, kind)])
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.functions"), name)
