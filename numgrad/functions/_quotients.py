"""Difference quotients: where they sample, and the weights that extrapolate them to a step of zero."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from math import factorial
from typing import Any

import numpy as np

from numgrad._compile.jit import Draft, draft
from numgrad.functions._kernels import layout, search
from numgrad.functions._kernels.tasks import begin

# The step of the probe, in parts of the finest step: (5 - sqrt(5)) / 4, which is far from simple fractions.
PROBE = Fraction(724_548, 2**20)


@dataclass(frozen=True, eq=False)
class Quotient:
    """A quotient for the derivative of order `n` whose samples lie at x + h * `offsets`.

    The part of the samples that is divided by h^n / n! is the sum of `part` times the samples plus `center` times f(x).
    Its expansion in h has the powers h^(n + p) for p in `powers`, besides h^n, whose coefficient is wanted.
    """

    n: int
    offsets: tuple[float, ...]
    part: tuple[float, ...]
    center: float
    powers: tuple[int, ...]
    offsets2: tuple[float, ...] = ()
    is_checked: bool = False

    @property
    def sides(self) -> tuple[int, ...]:
        """Of each variable: 1 and -1 for samples on this side of x only, 0 for both."""
        return tuple(int(sum({*offsets})) for offsets in (self.offsets, self.offsets2) if offsets)


@dataclass(frozen=True, eq=False)
class Kind:
    """A quotient of an order of accuracy, with a step that is given (`is_fixed`) or searched for."""

    quotient: Quotient
    accuracy: int
    is_fixed: bool

    @property
    def ratio(self) -> Fraction:
        """The ratio of a step to the one before: 2 if the step is given.

        High orders have many levels, which a ratio of 2 would spread too far: the finest would be all rounding, and the
        coarsest know nothing of the derivative at x.
        """
        n = 1 if self.is_fixed else self.quotient.n
        return Fraction(2) if n <= 2 else Fraction(7, 5) if n <= 6 else Fraction(5, 4)

    @property
    def start(self) -> float:
        """The coarsest step of the first window, in parts of ODD on the scale of x: high orders need coarse ones."""
        return 0.5 if self.ratio == 2 else 1.0 if self.quotient.n <= 6 else 1.5

    @property
    def width(self) -> float:
        """The coarsest step of a window, in parts of the finest."""
        return float(self.ratio) ** (self.levels - 1)

    @cached_property
    def facts(self) -> tuple[Any, ...]:
        """The whole numbers, numbers and rows of weights that the kernels get, in the order of `_kernels.layout`."""
        quotient, ratio, n = self.quotient, self.ratio, self.quotient.n
        levels = 1 + sum(p < self.accuracy for p in quotient.powers)  # so many steps
        low = sum(p < 0 for p in quotient.powers)
        # The error of a quotient whose own differences say nothing is its difference from the next better one.
        is_leading = not self.is_fixed and levels - low >= 3
        window = levels if is_leading else max(levels + 1, low + 3)
        steps = tuple(ratio**j for j in range(window))
        used = (window, window - 1, window - 2, window - 3) if is_leading else (levels + 1, levels, levels, levels)
        weights = [limit(quotient.powers, steps[:k]) if k > low else () for k in used]
        # The probe as one step more would change the limit by this.
        with_probe, without = limit(quotient.powers, (*steps, PROBE)), limit(quotient.powers, steps)
        probe = [a - b for a, b in zip(with_probe, (*without, Fraction(0)), strict=True)]
        scale = 1 if quotient.offsets2 else factorial(n)
        parts = scale * sum(map(abs, (*quotient.part, quotient.center)))
        at = [*map(float, steps), float(PROBE)]
        amplified = [abs(w) * parts / s**n for w, s in zip(weights[0 if is_leading else 1], at, strict=False)]
        surprise = sum(abs(w) * parts / s**n for w, s in zip(probe, at, strict=True)) / sum(amplified)
        flags = (bool(quotient.offsets2), quotient.is_checked, self.is_fixed, is_leading)
        gains = (float(ratio) ** quotient.powers[max(window - k, low)] - 1 for k in (2, 3, 4))
        even = tuple(range(2, 2 * window + 1, 2))
        rows: tuple[Sequence[float | Fraction], ...] = (
            quotient.offsets,
            quotient.offsets2 or (0.0,) * len(quotient.offsets),
            quotient.part,
            *weights,
            amplified,
            probe,
            limit(even, steps),
            limit(even, steps[:-1]),
            at,
        )
        return (
            (n, window, len(quotient.offsets), *map(int, flags)),
            (quotient.center, float(scale), sum(amplified), *gains, float(ratio), self.start, surprise),
            tuple(_padded(row, window + 1) for row in rows),
        )

    @cached_property
    def arrays(self) -> tuple[Any, ...]:
        """The facts with their weights in an array: so kernels are compiled once for all numbers of weights."""
        return (*self.facts[:2], np.array(self.facts[2]))

    @property
    def levels(self) -> int:
        """Steps of a window."""
        return int(self.facts[0][1])

    @property
    def samples(self) -> int:
        """Samples at each step."""
        return int(self.facts[0][2])

    def scratch(self, lanes: int, total: int, has_indices: bool) -> tuple[np.ndarray, ...]:
        """Memory for the search of so many tasks at once, `has_indices` if the samples must know theirs."""
        blocks, samples = -(-total // layout.BLOCK), (self.levels + 1) * self.samples * total
        return (
            np.empty(blocks * layout.TASK),
            np.empty(blocks * lanes * layout.STATE),
            np.empty(blocks * lanes * 3 * (self.levels + 1) * layout.BLOCK),
            np.empty(samples),
            np.empty(samples if self.quotient.offsets2 else 0),
            np.empty(samples if has_indices else 0, np.int64),
            np.empty(lanes * samples),
            np.empty((4, 2 * total)),
        )


@cache
def drafts() -> tuple[Draft, ...]:
    """The kernels that `run` calls, but the last: they serve all kinds of quotients."""
    return tuple(map(draft, (begin, search.advance, search.finish)))


def _padded(weights: Sequence[float | Fraction], length: int) -> tuple[float, ...]:
    return tuple(map(float, weights)) + (0.0,) * (length - len(weights))


@cache
def limit(powers: tuple[int, ...], steps: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """The weights of q at the steps in the limit at zero of q(h) = limit + sum of c_p h^p, over the first powers.

    They sum to 1, and to 0 times each power: Richardson's extrapolation, for any steps. Solved by elimination, exactly;
    no pivot is zero, as all minors of such a matrix are those of different powers of different numbers.
    """
    size = len(steps)
    rows = [[*(s**p for s in steps), Fraction(p == 0)] for p in (0, *powers[: size - 1])]
    for k in range(size):
        pivot = rows[k] = [a / rows[k][k] for a in rows[k]]
        for i in {*range(size)} - {k}:
            rows[i] = [a - rows[i][k] * b for a, b in zip(rows[i], pivot, strict=True)]
    return tuple(row[-1] for row in rows)


@cache
def central(n: int) -> Quotient:
    first = 1 - n if n % 2 else 2 - n
    powers = tuple(p for p in range(first, 41, 2) if p)
    if n % 2:
        return Quotient(n, (1.0, -1.0), (0.5, -0.5), 0.0, powers, is_checked=True)
    return Quotient(n, (1.0, -1.0), (0.5, 0.5), -1.0, powers)


@cache
def one_sided(n: int, side: int) -> Quotient:
    """From x to larger arguments (side 1) or to smaller ones (-1)."""
    powers = tuple(p for p in range(1 - n, 41) if p)
    return Quotient(n, (float(side),), (float(side**n),), -float(side**n), powers)


@cache
def mixed() -> Quotient:
    """The second partial derivative with respect to two variables."""
    signs = (1.0, 1.0, -1.0, -1.0), (1.0, -1.0, 1.0, -1.0)
    return Quotient(2, signs[0], (0.25, -0.25, -0.25, 0.25), 0.0, tuple(range(2, 41, 2)), signs[1])


@cache
def mixed_one_sided(side: int, side2: int) -> Quotient:
    sign = float(side * side2)
    offsets = (float(side), float(side), 0.0), (float(side2), 0.0, float(side2))
    return Quotient(2, offsets[0], (sign, -sign, -sign), sign, tuple(range(1, 41)), offsets[1])


@cache
def kind_of(quotient: Quotient, accuracy: int, is_fixed: bool) -> Kind:
    return Kind(quotient, accuracy, is_fixed)
