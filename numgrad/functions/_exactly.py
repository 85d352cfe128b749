"""Chooses between exact derivatives and quotients, and puts exact ones into shape."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from numgrad._compile import jit
from numgrad._system import tables
from numgrad.functions._calls import Model, Values, first_values
from numgrad.functions._result import ExactDerivative

METHODS = ("auto", "exact", "quotients")

# Functions whose exact derivatives have been compared with a quotient, of each kind; and why some have none.
_checked: WeakKeyDictionary[Any, dict[Any, str | None]] = WeakKeyDictionary()

# A quotient says nothing where halving its step changes it by more than this share. A derivative that is farther from
# it than the second share, or than so many times what the halving changes, is another one.
VAGUE, NEAR, TIMES = 0.05, 1e-5, 16.0


@dataclass(frozen=True)
class FunctionExplanation:
    """How a derivative of a function is found.

    Attributes
    ----------
    method : str
        "exact" or "quotients".
    mode : str
        Of an exact derivative: forward mode, reverse mode or Taylor's series; empty for quotients.
    reason : str
        Why it is not exact; empty if it is.
    warnings : tuple of str
        What loses derivatives on the way: steps such as `round`, whose derivative is 0 though they jump.
    """

    method: str
    mode: str = ""
    reason: str = ""
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        first = f"exact, by {self.mode}" if self.method == "exact" else f"quotients, because {self.reason}"
        return "\n".join([first, *self._lost()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [("method", self.method), ("mode", self.mode), ("because", self.reason)]
        rows += [("beware", words) for words in self._lost()]
        return tables.figures("Derivative", [row for row in rows if row[1]])

    def _lost(self) -> list[str]:
        return [f"the derivative of {what} is 0, though it jumps" for what in self.warnings]


@dataclass(frozen=True)
class Exactly:
    """The exact derivatives of a function, if it has any.

    `refuse` raises an error for a shape of values that is not wanted.
    """

    model: Model
    order: int
    method: str
    has_step: bool
    is_vectorized: bool
    refuse: Callable[[tuple[int, ...]], None]

    def derivative(self) -> ExactDerivative | None:
        """Return the exact derivative; None if quotients have to do.

        Raises
        ------
        TypeError, ValueError
            If the method is to be exact, and cannot be.
        """
        reason = self._refused()
        if reason is None:
            from numgrad.functions._exact.derivatives import NoRule

            like = first_values(self.model)
            self.refuse(like.shape)
            try:
                return self._derived(like)
            except NoRule as error:
                reason = str(error)
        self._require(reason)
        return None

    def explained(self) -> FunctionExplanation:
        """Return how a derivative is found, and why not exactly."""
        reason = self._refused()
        if reason is None:
            from numgrad.functions._exact import derivatives

            model, like = self.model, first_values(self.model)
            self.refuse(like.shape)
            try:
                known = _checked.get(model.fun, {}).get(self._key(like))
                if known is not None and self.method == "auto":
                    raise derivatives.NoRule(known)
                count = model.points.shape[0] if model.is_vector else None
                mode, flat = derivatives.way(self._kind(like), count, model.args, self.order)
                return FunctionExplanation("exact", mode, "", tuple(flat))
            except derivatives.NoRule as error:
                reason = str(error)
        self._require(reason)
        return FunctionExplanation("quotients", reason=reason)

    def _refused(self) -> str | None:
        """Return why a derivative is not exact, before the function is looked at."""
        if self.method == "quotients":
            return "`method` is 'quotients'"
        if self.has_step:
            return "`step`, or `accuracy`, is given, which quotients have; leave it away"
        if not jit.is_jitted(self.model.fun):
            return f"`fun` is {self.model.fun!r}, which Numba has not jitted; decorate it with @numba.njit"
        if self.is_vectorized:
            return "`fun` is vectorized; leave vectorized=True away, for jitted functions run compiled for each point"
        return None

    def _require(self, reason: str) -> None:
        if self.method == "exact":
            raise (ValueError if self.has_step else TypeError)(f"`method` is 'exact', but {reason}")

    def _kind(self, like: Values) -> Any:
        from numgrad.functions._exact.derivatives import Kind

        return Kind(self.model.fun, self.model.points.dtype, like.dtype, like.shape)

    def _key(self, like: Values) -> tuple[Any, ...]:
        return self.order, self.model.is_vector, self.model.points.dtype, like.dtype, like.shape

    def _derived(self, like: Values) -> ExactDerivative:
        from numgrad.functions._exact import derivatives

        model, key = self.model, self._key(like)
        known = _checked.setdefault(model.fun, {})
        if known.get(key) is not None and self.method == "auto":
            raise derivatives.NoRule(known[key])
        points = np.ascontiguousarray(model.points.T, float)
        found = derivatives.found(self._kind(like), points, model.args, self.order, model.is_vector)
        if self.method == "auto" and key not in known:
            known[key] = None
            if not _agrees(model, found, self.order):
                known[key] = (
                    f"the exact derivative of `{model.fun.__name__}` differs from a quotient: something in it loses "
                    f"derivatives"
                )
                raise derivatives.NoRule(known[key])
        return _result(model, like, found)


def _result(model: Model, like: Any, found: Any) -> ExactDerivative:
    """Put the numbers of all points into the shape of the result."""
    variables = found.derivatives.shape[2:] if model.is_vector else ()
    shape = like.shape + variables + model.shape

    def shaped(numbers: np.ndarray) -> Any:
        return numbers.reshape(numbers.shape[0], -1).T.reshape(shape)[()]

    value = shaped(found.derivatives).astype(np.result_type(like.dtype, model.points.dtype), copy=False)
    n_eval = np.broadcast_to(found.calls, model.shape) if model.shape else found.calls
    return ExactDerivative(value, lambda: shaped(found.error()), n_eval)


def _agrees(model: Model, found: Any, order: int) -> bool:
    """Whether the derivatives at the first point are near a quotient there, along some direction."""
    x = model.points[:, 0].astype(float)
    direction = np.cos(np.arange(1.0, x.size + 1)) if model.is_vector else np.ones(1)
    exact = found.derivatives[0].astype(complex)
    if not np.isfinite(exact).all():
        return True
    if order == 1 or model.is_vector:
        for _ in range(exact.ndim - 1):
            exact = exact @ direction
    else:
        exact = exact[:, 0]
    if order > 2 or not np.isfinite(x).all():
        return True  # quotients of higher orders are too rough to tell

    def value(t: float) -> np.ndarray:
        at = (x + t * direction).astype(model.points.dtype)
        return np.asarray(model.fun(at if model.is_vector else at[0], *model.args), complex).reshape(-1)

    precision = np.finfo(model.points.dtype).eps
    h = precision ** (1 / (order + 3)) * max(1.0, float(np.sqrt(abs(x).max())))
    try:
        here = value(0.0)
        samples = {t: value(t * h) for t in (-1.0, -0.5, 0.5, 1.0)}
    except Exception:  # outside of its domain it may raise any
        return True
    nearest = np.full(exact.shape, False)
    for rough, fine in _quotients(samples, here, h, order):
        change = abs(fine - rough)
        size = np.maximum(abs(exact), abs(fine))
        noise = precision * abs(here) / h**order
        is_near = abs(exact - fine) <= TIMES * change + NEAR * size + TIMES * noise
        with np.errstate(invalid="ignore"):
            nearest |= is_near | ~(change <= VAGUE * size + TIMES * noise)
    return bool(nearest.all())


def _quotients(samples: dict[float, np.ndarray], here: np.ndarray, h: float, order: int) -> list[Any]:
    """Return quotients by a step and by half of it: central ones, and at kinks those to either side."""
    if order == 2:
        return [[(samples[t] - 2 * here + samples[-t]) / (t * h) ** 2 for t in (1.0, 0.5)]]
    central = [(samples[t] - samples[-t]) / (2 * t * h) for t in (1.0, 0.5)]
    return [central, *([(samples[s * t] - here) / (s * t * h) for t in (1.0, 0.5)] for s in (1.0, -1.0))]
