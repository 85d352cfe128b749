"""The accessors ``series.numgrad`` and ``frame.numgrad`` of pandas (extra `dataframes`)."""

import pandas as pd

from numgrad.interop.dataframes.accessors import FrameAccessor, SeriesAccessor

__all__ = ["FrameAccessor", "SeriesAccessor"]

pd.api.extensions.register_series_accessor("numgrad")(SeriesAccessor)
pd.api.extensions.register_dataframe_accessor("numgrad")(FrameAccessor)
