"""The namespaces ``series.numgrad`` and ``frame.numgrad`` of polars (extra `dataframes`)."""

from typing import Any

import polars as pl

from numgrad.interop.dataframes.accessors import FrameAccessor, SeriesAccessor
from numgrad.interop.dataframes.tables import read

__all__ = ["FrameAccessor", "SeriesAccessor"]

pl.api.register_series_namespace("numgrad")(SeriesAccessor)
pl.api.register_dataframe_namespace("numgrad")(FrameAccessor)


@pl.api.register_lazyframe_namespace("numgrad")
class LazyAccessor:
    """``lazy.numgrad``, which says that a lazy frame is to be collected."""

    def __init__(self, obj: Any) -> None:
        read(obj, "f")
