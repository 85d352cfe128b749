"""Small calls, decided once: the kind of a call tells what kernels it takes, and numbers alone are read anew.

The first call of a kind goes the long way, which reads all arguments, says what is wrong with them, and plans; what it
has found is kept in the `slot` of its kind. What is out of the ordinary goes the long way each time.
"""

import math
import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import numpy as np

from numgrad._arrays.kernels.coordinates import first_turn
from numgrad._arrays.plan.options import EXPONENTS, Coordinates, StencilFormula, exponents
from numgrad._arrays.plan.spacing import EXACT_INTEGERS
from numgrad._arrays.plan.types import PIECE, Plan
from numgrad._compile.jit import Kernel, draft
from numgrad._compile.tiers import call
from numgrad._system.out import is_plain

_ndarray, _empty, _float64 = np.ndarray, np.empty, np.dtype(np.float64)
# Types of numbers as spacings. Others may be equal to one of these, and are no numbers.
_NUMBERS = frozenset({float, int, np.float64})


class Known(Protocol):
    """What is known of all calls of a kind."""

    def values(self, f: Any, spacings: tuple[Any, ...], out: Any) -> Any:
        """Return the result; None if there is something about these arguments that the long way must look at."""


class Slot:
    """The place for what is known of a kind of call, and for its explanation; None before there has been one."""

    __slots__ = ("explanation", "known")

    def __init__(self) -> None:
        self.known: Known | None = None
        self.explanation: Any = None


@lru_cache(1024, typed=True)  # 1, 1.0 and True are different options
def slot(*kind: Any) -> Slot:
    return Slot()


def slot_of(function: Any, f: Any, spacings: tuple[Any, ...], *options: Any) -> Slot | None:
    """Return the slot of a call; None if it has arguments that are to be looked at each time.

    Numbers as spacings belong to its kind, since weights are made of them; of coordinates dtype and shape do.
    """
    try:
        if type(f) is _ndarray and f.flags.carray:
            if not spacings:
                return slot(function, f.dtype, f.shape, *options)
            if len(spacings) == 1:  # the same as below, in two thirds of the time
                (x,) = spacings
                if type(x) is _ndarray:
                    return slot(function, f.dtype, f.shape, x.dtype, x.shape, *options)
                return slot(function, f.dtype, f.shape, x, *options) if type(x) in _NUMBERS else None
            kinds: list[Any] = [f.dtype, f.shape]
        elif type(f) in (list, tuple) and all(type(c) is _ndarray and c.flags.carray for c in f):
            kinds = [(c.dtype, c.shape) for c in f]
        else:
            return None
        for x in spacings:
            if type(x) is _ndarray:
                kinds.append((x.dtype, x.shape))
            elif type(x) in _NUMBERS:
                kinds.append(x)
            else:
                return None
        return slot(function, *options, *kinds)
    except TypeError:  # what is no key is no option either, or is read each time
        return None


def may_be_kept(size: int) -> bool:
    """Whether calls with so many samples may be known: small ones, once there are compiled kernels."""
    return size <= PIECE and "numba" in sys.modules


class Limits(NamedTuple):
    """What coordinates must be like for what is known to hold: rising or falling, by distances between two bounds."""

    turn: Kernel
    size: int
    inner: int
    low: float
    high: float
    span: float  # which they must not reach: a period
    is_uneven: bool = False  # so that the first steps differ

    def read(self, x: np.ndarray) -> np.ndarray | None:
        """Return coordinates for a kernel, or None if there is something about them that the long way must look at."""
        flags = x.flags
        if not (flags.c_contiguous and flags.aligned):
            return None
        if x.dtype != _float64:
            x = x.astype(_float64)
            if not (abs(x.item(0)) < EXACT_INTEGERS and abs(x.item(-1)) < EXACT_INTEGERS):
                return None
        if x.ndim > 1:
            x = x.reshape(-1)
        steps = _empty(2)
        if self.turn(x, steps, self.size, self.inner) >= 0:
            return None
        shortest, longest = steps.tolist()
        if not (self.low < shortest and longest < self.high):
            return None
        if self.is_uneven and not are_uneven(x):
            return None
        return x if self.span == math.inf or abs(x.item(-1) - x.item(0)) < self.span else None


def are_uneven(x: np.ndarray) -> bool:
    """Whether the first steps of coordinates differ."""
    return x.item(2) - x.item(1) != x.item(1) - x.item(0)  # type: ignore[no-any-return]


def rising_or_falling(x: np.ndarray) -> Limits | None:
    """Return the limits of uneven coordinates of which nothing else matters; None if these are not within."""
    if x.dtype != _float64 or x.size < 3 or call(draft(first_turn), x.size, x, np.empty(2), x.size, 1) >= 0:
        return None
    turn = draft(first_turn).entry
    if turn is None:
        return None
    found = Limits(turn, x.size, 1, 0.0, math.inf, math.inf, True)
    return None if found.read(x) is None else found


def limits_of(
    given: Any, spacing: float | Coordinates, size: int, formula: StencilFormula, dtype: Any, period: float
) -> Limits | None:
    """Return the limits of coordinates of lines of this size; None if they are not within, or there is no saying.

    Within them no weight leaves the range of the dtype, nor do products of distances that of float64: what
    `key_and_values` has, with a bit to spare.
    """
    turn = draft(first_turn).entry
    is_usual = type(given) is _ndarray and given.dtype.kind in "iuf" and given.size > 1
    if turn is None or not is_usual or isinstance(spacing, float) or given.size != spacing.x.size:
        return None
    bound, count, n = EXPONENTS / formula.most_points, formula.most_points, max(1, formula.n)
    least, most = exponents(dtype)
    low, high = max(-most / n, -bound) + 1, min(-least / n, bound - math.log2(count)) - 1
    inner = spacing.inner if given.ndim > 1 else 1
    found = Limits(turn, size, inner, 2.0**low, 2.0**high, period or math.inf)
    return None if (period and given.ndim > 1) or found.read(given) is None else found


class Step(NamedTuple):
    """A kernel; its arguments after `f` and `out`; what makes the last ones, from which spacing; its source and target.

    Sources are the components, and behind them the blocks of the result.
    """

    kernel: Kernel
    arguments: tuple[Any, ...]
    make: Any
    place: int
    source: int
    target: int


def steps(plan: Plan) -> tuple[Step, ...]:
    """Return the steps of a plan that has been found to need nothing but these calls."""
    return tuple([Step(*call, axis.source, axis.target) for call, axis in zip(plan.calls, plan.axes, strict=True)])


class Single(NamedTuple):
    """A result by one kernel: its dtype and shape, and the limits of coordinates, if there are some."""

    dtype: "np.dtype[Any]"
    shape: tuple[int, ...]
    step: Step
    limits: Limits | None

    def values(self, f: Any, spacings: tuple[Any, ...], out: Any) -> Any:
        """Return the result; None if there is something about these arguments that the long way must look at."""
        dtype, shape, (kernel, arguments, make, place, _, _), limits = self
        if make is not None:
            x = spacings[place]
            if limits is not None and (x := limits.read(x)) is None:
                return None
            arguments += make(x)
        if out is None:
            result = _empty(shape, dtype)
        elif is_plain(out, dtype, shape, (f, *spacings)):
            result = out
        else:
            return None
        if len(shape) == 1:
            kernel(f, result, *arguments)
        else:
            kernel(f.reshape(-1), result.reshape(-1), *arguments)
        return result


class Several(NamedTuple):
    """A result by several kernels: its dtype and shape, how many blocks it has, and components there are.

    At last some blocks are copied to others.
    """

    dtype: "np.dtype[Any]"
    shape: tuple[int, ...]
    steps: tuple[Step, ...]
    limits: tuple[Limits | None, ...]
    components: int
    blocks: int
    copies: tuple[tuple[int, int], ...]

    def values(self, f: Any, spacings: tuple[Any, ...], out: Any) -> Any:
        """Return the result; None if there is something about these arguments that the long way must look at."""
        given = (f,) if type(f) is _ndarray else f
        if any(self.limits):
            spacings = tuple([x if own is None else own.read(x) for x, own in zip(spacings, self.limits, strict=True)])
            if type(None) in map(type, spacings):
                return None
        if out is not None and not is_plain(out, self.dtype, self.shape, (*given, *spacings)):
            return None
        result = _empty(self.shape, self.dtype) if out is None else out
        sources, blocks = _rows(given, self.components), _rows((result,), self.blocks)
        if self.copies:
            sources += blocks
        for kernel, arguments, make, place, source, target in self.steps:
            if make is not None:
                arguments += make(spacings[place])
            kernel(sources[source], blocks[target], *arguments)
        for source, target in self.copies:
            blocks[target][:] = blocks[source]
        return result


def _rows(arrays: Sequence[np.ndarray], count: int) -> list[np.ndarray]:
    """Return the rows of so many blocks of an array, or of one array each."""
    if len(arrays) != count:
        return list(arrays[0].reshape(count, -1))
    return [a.reshape(-1) for a in arrays]
