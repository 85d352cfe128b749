"""The namespaces ``series.numgrad`` and ``frame.numgrad`` of polars (extra `dataframes`)."""

import polars as pl

from numgrad.interop.dataframes.accessors import FrameAccessor, SeriesAccessor

__all__ = ["FrameAccessor", "SeriesAccessor"]

pl.api.register_series_namespace("numgrad")(SeriesAccessor)
pl.api.register_dataframe_namespace("numgrad")(FrameAccessor)
