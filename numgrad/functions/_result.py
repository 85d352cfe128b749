"""The result of a derivative of a function."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from numgrad._system.tables import Table, figures, together


@dataclass(frozen=True, eq=False)
class Derivative:
    """A derivative of a function, with an estimate of its error.

    ``np.asarray`` of it is its value.

    Attributes
    ----------
    value : numpy scalar or ndarray
        The derivative: the axes of what the function returns, then those of the variables, then those of the points.
        NaN where no step gave a number, or the point or the function's value there is no finite number.
    error : numpy scalar or ndarray of float
        An estimate of the absolute error of `value`, from truncation and rounding, meant to be at least as large as it.
        For a complex value, of its modulus. inf where no step gave a number.
    step : numpy scalar or ndarray of float
        The finest step that `value` was computed with, in units of `x`: samples lie at this step, at twice, four times,
        ... this step (for n above 2, if it was searched for, at 1.4, or for n above 6 at 1.25 times the one before).
    n_eval : int or ndarray of int
        How often the function was evaluated, for each point.
    converged : bool or ndarray of bool
        Whether the truncation error was brought below that of rounding, and a step beside the others agreed; with a
        given `step`, whether the quotients of neighbouring orders agree to that. False at kinks, jumps and poles, and
        where the function itself is noisy, in which case `error` says how far `value` may be off. An exact derivative
        has converged where the function and it are finite numbers.
    method : str
        How it was found: "quotients", or "exact", by rules of differentiation. An exact derivative has no steps: `step`
        is NaN. Its `error`, a bound of what rounding does, is computed when it is asked for.
    """

    value: Any
    error: Any
    step: Any
    n_eval: Any
    converged: Any
    method: str = "quotients"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.value, dtype=dtype, copy=copy)

    def __float__(self) -> float:
        return float(self.value)

    def __complex__(self) -> complex:
        return complex(self.value)

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else str(self)

    def __repr__(self) -> str:
        value, error = np.asarray(self.value), np.asarray(self.error)
        converged = np.asarray(self.converged)
        if value.ndim == 0:
            state = "converged" if converged else "not converged"
            how = "exact" if self.method == "exact" else f"step {float(self.step):.2g}"
            return f"Derivative: {value[()]:.15g} +- {error[()]:.1e} ({state}, {how}, {self.n_eval} evaluations)"
        left = int(converged.size - converged.sum())
        state = "all converged" if not left else f"{left:,} of {converged.size:,} not converged"
        largest = f"error at most {error.max():.1e}" if error.size else "empty"
        text = np.array2string(value, precision=8, threshold=20, prefix="  ")
        return f"Derivative of shape {value.shape}: {largest}, {state}, {np.sum(self.n_eval):,} evaluations\n  {text}"

    def _repr_html_(self) -> str:
        value, error, converged, step = np.broadcast_arrays(self.value, self.error, self.converged, self.step)
        names = ["value", "error", "converged", *["step"] * (self.method != "exact")]

        def row(place: tuple[int, ...]) -> list[str]:
            cells = [f"{value[place]:.15g}", f"{error[place]:.1e}", "yes" if converged[place] else "no"]
            return [*cells, f"{step[place]:.2g}"][: len(names)]

        def numbered(i: int) -> list[str]:
            place = tuple(int(k) for k in np.unravel_index(i, value.shape))
            return [", ".join(map(str, place)), *row(place)]

        rows = [("method", self.method), ("evaluations", f"{np.sum(self.n_eval):,}")]
        if value.ndim == 0:
            return figures("Derivative", [*zip(names, row(()), strict=True), *rows])
        rows += [("shape", str(value.shape)), ("converged", f"{np.sum(converged):,} of {value.size:,}")]
        rows += [("largest error", f"{error.max():.1e}")] if error.size else []
        return together(figures("Derivative", rows), Table(["index", *names], numbered, value.size).html())


class ExactDerivative(Derivative):
    """A derivative by rules: it has no steps, and its error is computed when it is asked for."""

    def __init__(self, value: Any, bound: Callable[[], Any], n_eval: Any) -> None:
        self.__dict__.update(value=value, n_eval=n_eval, method="exact", _bound=bound)

    @cached_property
    def error(self) -> Any:
        return np.where(self.converged, self.__dict__["_bound"](), np.inf)[()]

    @cached_property
    def converged(self) -> Any:
        finite = np.isfinite(self.value)
        return finite if np.ndim(finite) else bool(finite)

    @cached_property
    def step(self) -> Any:
        return np.broadcast_to(np.nan, np.shape(self.value))[()]  # takes no memory

    def __reduce__(self) -> Any:
        return Derivative, (self.value, self.error, self.step, self.n_eval, self.converged, self.method)
