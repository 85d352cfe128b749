"""The rows that a descent has read, for who asks after the run: few as they were, many where the caller keeps them."""

import weakref
from typing import Any, NamedTuple

import numpy as np

from numgrad._system.memory import read_only
from numgrad.regression import _check
from numgrad.regression._check import Data

# Numbers of X and y that are copied: 32 KiB.
FEW = 2**12


class Source(NamedTuple):
    """A copy of few rows, or weak references to the arguments."""

    few: Data | None
    given: tuple[Any, ...]
    traces: tuple[Any, ...]
    dtype: Any  # of the computation

    @classmethod
    def of(cls, data: Data, *given: Any) -> "Source":
        if data.x.size + data.y.size <= FEW:
            x, y, weight = (np.array(array) for array in data[:3])
            return cls(data._replace(x=x, y=y, weight=weight), (), data.traces, data.dtype)
        try:
            return cls(
                None, tuple([None if one is None else weakref.ref(one) for one in given]), data.traces, data.dtype
            )
        except TypeError:  # lists have no weak references
            return cls(None, (), data.traces, data.dtype)

    def rows(self, still: Data | None) -> Data | None:
        """Return the rows, which may `still` be held; None if nobody has them any more."""
        if self.few is not None:
            x, y, weight = map(read_only, self.few[:3])  # as those of a run are; a pickle would forget it
            return self.few._replace(x=x, y=y, weight=weight, dtype=self.dtype)
        given: list[Any] = [None if ref is None else ref() for ref in self.given]
        if still is None and (not given or given[0] is None or given[1] is None):
            return None
        data = still if still is not None else _check.data(*given)
        if _check.has_changed(data._replace(traces=self.traces)):
            raise RuntimeError(
                "`X` or `y` has changed since gradient_descent read it, and `explain` needs the data of then; give "
                "them to `explain`"
            )
        return data._replace(dtype=self.dtype)
