"""The data of a descent, and the coordinates, scale and spectrum that are derived from them."""

from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from math import frexp, ldexp, sqrt
from typing import Any, NamedTuple

import numpy as np

from numgrad.regression import _check, _sparse
from numgrad.regression._check import Data, Floats
from numgrad.regression._entries import Entries
from numgrad.regression._kernels.iteration import LARGEST
from numgrad.regression._quadratic import (
    EPS,
    UNSCALED,
    Quadratic,
    Scale,
    ThetaCoordinates,
    column_norms,
    exponent,
    parameter_names,
)
from numgrad.regression._rows import CompressedRows, is_dask
from numgrad.regression._source import Source
from numgrad.regression._step_size import Inner, StepSize, diagnose, divided, extreme_eigenvalues, is_surely_below

# Sizes within 2**-SINGLE to 2**SINGLE are computed in float32, if they were given so; others in float64.
SINGLE = 32
# The ratio of eigenvalues that is told from zero: without a decomposition of the data, and at all.
CERTAIN, LEAST = 1e4 * EPS, 1e-300
MISSING = "`y` is missing; give the observed values, or CompressedRows in place of `X` and `y`"


class Model(NamedTuple):
    """The options of the model that is fitted."""

    l2: float
    fit_intercept: bool
    standardize: bool


@dataclass(eq=False)
class Problem:
    """Data and a model of them; from `prepare` on, also the coordinates that a descent on them runs in."""

    data: Data | None  # None where the rows are compressed, and not needed any more
    model: Model
    names: tuple[str, ...]  # one for each parameter
    n_targets: int
    is_flat: bool
    dtype: Any  # the one that theta has in the result
    compressed: Quadratic | None = None
    refusal: str = ""  # why the data cannot be compressed
    coordinates: ThetaCoordinates = field(init=False)
    scale: Scale = UNSCALED
    unit: float = 1.0  # inner theta of this size explains the targets
    source: Source | None = None  # of rows

    def compress(self) -> Quadratic:
        """Return the cost as a quadratic function, for which the data are compressed if they have not been yet."""
        if self.compressed is None:
            assert self.data is not None
            self.compressed = CompressedRows().read(self.data).quadratic(*self.model)
        return self.compressed

    @property
    def quadratic(self) -> Quadratic:
        """The cost as a quadratic function, for results that are asked for after a run: data may have changed."""
        if self.compressed is None and self.refusal:
            raise RuntimeError(self.refusal)
        if self.compressed is None and (self.data is None or _check.has_changed(self.data)):
            raise RuntimeError(
                "`X` or `y` has changed since gradient_descent read it, and what is asked for needs the data of then; "
                "ask before you change them, or run with method='modes', which keeps what it needs"
            )
        return self.compress()

    @property
    def entries(self) -> Entries | None:
        """A sparse X; None if it is not, or not here any more."""
        return self.data.x if self.data is not None and isinstance(self.data.x, Entries) else None

    @cached_property
    def step_size(self) -> StepSize:
        return diagnose(self.quadratic)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of theta outside, in the features and targets as given."""
        return (len(self.names),) if self.is_flat else (len(self.names), self.n_targets)

    def prepare(self, theta: Floats) -> Floats:
        """Choose the coordinates and the scale of a descent, and return the start there."""
        x = self.entries if self.compressed is None else None
        if self.data is not None and x is not None and self.model.standardize:
            self.coordinates = _sparse.standardising(self.data, self.model.fit_intercept)
        elif self.data is None or self.model.standardize:
            self.coordinates = self.compress().coordinates
        else:
            n = self.data.x.shape[1]
            self.coordinates = ThetaCoordinates(np.zeros(n), np.ones(n), self.model.fit_intercept)
        start = self.coordinates.enter(theta)
        self._find_scale(start)
        return self.scale.enter(start)

    @cached_property
    def ends(self) -> tuple[float, float, bool]:
        """The largest and the least eigenvalue but zero, divided by the scale, and whether they are exact."""
        if self.compressed is not None:
            values = self.compressed.eigenvalues(self.scale)
            return (float(values[0]), float(values[-1]), True) if len(values) else (0.0, 0.0, True)
        x = self.entries
        find = extreme_eigenvalues if x is None or _sparse.is_quick(x) else _sparse.largest_eigenvalue
        return find(self.inner, self.scale.curvature(self.model.l2))

    def is_surely_below(self, most: float) -> bool:
        """Return whether L, divided by the scale, is so much below a number that it need not be known."""
        if self.compressed is not None or self.entries is not None:
            return False
        return is_surely_below(self.inner, self.scale.curvature(self.model.l2), most)

    def leave(self, inner: Floats) -> Floats:
        """Return theta of the features and targets as given."""
        theta = self.coordinates.leave(self.scale.theta(inner))
        return theta[..., 0, :] if self.is_flat else theta.swapaxes(-1, -2)

    def _find_scale(self, start: Floats) -> None:
        """Choose what the descent from `start`, in its coordinates, is divided by: nothing, for ordinary data."""
        if self.data is not None:
            x, y = _check.sizes(self.data)
        else:
            known = self.compress()
            x, y = float(known.sizes.max()), float(column_norms(np.vstack([known.b, known.rest])).max(initial=0))
        raw = x
        if self.model.standardize:
            x = 1.0
        x = max(x, float(self.model.fit_intercept), sqrt(self.model.l2))
        y = max(y, min(x * float(abs(start).max()), LARGEST))
        self.scale = Scale(exponent(x), exponent(y))
        self.unit = ldexp(y, -self.scale.y) / ldexp(x, -self.scale.x) if x else 0.0
        if self.data is not None and self.data.dtype == np.float32:
            sizes = [raw, x, y, *(self.coordinates.scale if self.model.standardize else ())]
            if any(size and abs(frexp(size)[1]) > SINGLE for size in sizes):
                self.data = self.data._replace(dtype=np.float64)
                self.source = self.source and self.source._replace(dtype=np.float64)

    @cached_property
    def inner(self) -> Inner:
        """The data as a fused descent reads them."""
        assert self.data is not None
        if self.entries is not None:
            return _sparse.divided(self.data, self.coordinates, self.scale)
        if any(self.scale):
            return divided(self.data, self.coordinates, self.scale)
        return Inner(self.data, self.coordinates, int(self.model.fit_intercept))

    @property
    def largest(self) -> tuple[float, bool]:
        """L, divided by the scale, and whether it is exact."""
        return self.ends[0], self.ends[2]

    @property
    def slowest(self) -> float:
        """The least eigenvalue but zero, divided by the scale; at least what L / mu can be computed with."""
        return max(float(self.compress().eigenvalues(self.scale)[-1]), self.ends[0] * LEAST)

    @property
    def kappa(self) -> float:
        """L over the least eigenvalue but zero; nan if that needs another pass over large data, or all is zero."""
        largest, least, _ = self.ends
        if np.isnan(least) or not largest:
            return np.nan
        if self.compressed is None and least <= CERTAIN * largest:  # zero, or rounding
            least = float(self.compress().eigenvalues(self.scale)[-1])
        return largest / least if least else np.inf

    def finish(self) -> None:
        """Let go of the data after a run, as far as they are not needed any more."""
        self.__dict__.pop("inner", None)
        if self.compressed is not None:
            self.data = None

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the compressed data in place of the data; if they have changed, neither."""
        state = {**self.__dict__, "data": None, "source": None}
        state.pop("inner", None)
        with suppress(RuntimeError):
            state["compressed"] = self.quadratic
        return state


def read(X: Any, y: Any, sample_weight: Any, model: Model, method: str) -> Problem:
    """Look at the data of a descent by this method."""
    if is_dask(X):
        if method == "fused":
            raise ValueError(
                "`method` is 'fused', and dask would compute all rows again in each iteration; give 'modes' or 'auto'"
            )
        if y is None:
            raise ValueError(MISSING)
        X, y, sample_weight = CompressedRows.from_dask(X, y, sample_weight), None, None
    if isinstance(X, CompressedRows):
        return _read_rows(X, {"y": y, "sample_weight": sample_weight}, model, method)
    if y is None:
        raise ValueError(MISSING)
    data = _check.data(X, y, sample_weight)
    names = parameter_names(data.names, data.x.shape[1], model.fit_intercept)
    is_sparse = isinstance(data.x, Entries)
    source = None if is_sparse else Source.of(data, X, y, sample_weight)
    refusal = data.x.refusal() if is_sparse else ""
    return Problem(data, model, names, data.y.shape[1], data.is_flat, data.dtype, source=source, refusal=refusal)


def _read_rows(rows: CompressedRows, others: dict[str, Any], model: Model, method: str) -> Problem:
    """Take rows as they are now: they may be updated later."""
    for name, given in others.items():
        if given is not None:
            raise ValueError(f"`{name}` is given with CompressedRows, which have theirs; leave it out")
    if not rows.n_rows:
        raise ValueError("`X` is CompressedRows without rows; call its `update` first")
    if method == "fused":
        raise ValueError("`method` is 'fused', and CompressedRows have no rows to go over; give 'modes' or 'auto'")
    quadratic = rows.quadratic(*model)
    return Problem(None, model, quadratic.names, rows.n_targets, rows.is_flat, np.float64, quadratic)
