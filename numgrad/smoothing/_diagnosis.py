"""Whether what a smoothing leaves is white noise, in words."""

from math import sqrt
from typing import NamedTuple

import numpy as np

from numgrad._compile.jit import draft
from numgrad._compile.tiers import call
from numgrad.smoothing._fit import Samples
from numgrad.smoothing._fitted import Fit
from numgrad.smoothing._kernels.residuals import lags

# A correlation of neighbouring residuals from here on makes bands a tenth too narrow; it counts if chance would hardly
# bring it about: that many standard deviations of it.
CORRELATION, CHANCE = 0.1, 4.0
# The same for residuals farther apart, of which there are more; and how far, in samples.
CHANCE_OF_ANY, APART = 5.0, 8
# What a jump must be worth, in standard deviations, to be told of: all over a line chance hardly reaches that.
LEAP = 5.0
# A gap that is a larger part of the range is told of.
GAP = 0.75
# A fit that uses a larger part of the degrees of freedom does not tell signal from noise.
USED = 0.5
# Squares up to so many times those that rounding leaves are no noise.
ROUNDING = 100
# Noise of such a part of the range of the samples hides nothing.
EXACT = 1e-7
# Errors that differ so much from those that were given are a mistake.
RATIO = 1.3


class Diagnosis(NamedTuple):
    """The correlation of residuals so many samples apart, and how it compares with chance."""

    apart: int
    correlation: float
    score: float

    @property
    def is_bad(self) -> bool:
        chance = CHANCE if self.apart == 1 else CHANCE_OF_ANY
        return abs(self.correlation) > CORRELATION and abs(self.score) > chance


def correlations(fit: Fit, samples: Samples, residuals: np.ndarray) -> list[Diagnosis]:
    """Return how neighbours are correlated (J. von Neumann, Ann. Math. Stat. 12, 1941), and those farther apart.

    A smoothing that uses p degrees of freedom makes white residuals have the sum -p of products, in units of their
    variance, where neighbours are nearer to one another than it reaches. Farther apart that may be so or not: what
    speaks less against the fit counts.
    """
    x, order = samples.line.x, np.empty(0, np.int64)
    if not samples.rises and x.size > 1:
        order = np.argsort(x, kind="stable")
    found, last, line = np.zeros(2 + APART), np.empty(APART), samples.line
    call(draft(lags, line.weight.dtype.str), residuals.size * APART, residuals, line.weight, order, last, found)
    count, squares, *products = found.tolist()
    rest = count - fit.freedom
    if squares <= 0 or rest <= 0:
        return []
    values = [product / squares + fit.freedom / count for product in products]
    values[1:] = [min(value, value - fit.freedom / count, key=abs) for value in values[1:]]
    return [Diagnosis(apart, value, value * sqrt(rest)) for apart, value in enumerate(values, 1)]


def concerns(fit: Fit, samples: Samples, residuals: np.ndarray, origin: float) -> tuple[str, ...]:
    """Return what is to be said against the bands."""
    found = []
    if samples.known is None:
        squares = (fit.noise * samples.grid.factor) ** 2 * samples.line.weight.mean() * fit.samples
        if squares < ROUNDING * samples.floor:
            return ()  # there is no noise but rounding
    bad = next((one for one in correlations(fit, samples, residuals) if one.is_bad), None)
    if bad is not None and bad.apart == 1 and bad.correlation > 0:
        found.append(
            f"neighbouring residuals are correlated ({bad.correlation:.2f}, {bad.score:.0f} standard deviations "
            "from 0): the noise is, or samples jump; bands are too narrow: take means of neighbouring samples, or "
            "split the data where they jump"
        )
    elif bad is not None:
        found.append(
            f"residuals {bad.apart} apart are correlated ({bad.correlation:.2f}, {abs(bad.score):.0f} standard "
            "deviations from 0), as an oscillation within a few samples leaves them, or noise that has one; bands are "
            "too narrow: if it is part of the signal, give `sigma`, or sample more often"
        )
    found += suspicions(fit, origin)
    is_noisy = fit.noise * samples.grid.factor > EXACT or samples.known is not None
    if is_noisy and fit.freedom - fit.basis.m > USED * (fit.samples - fit.basis.m):
        found.append(
            f"the fit uses {fit.freedom:.0f} degrees of freedom of {fit.samples} samples: they do not tell signal from "
            "noise, which may be correlated or missing; give `sigma`, or take more samples"
        )
    if samples.known is not None and not 1 / RATIO < fit.noise < RATIO and fit.free > 30:
        found.append(
            f"residuals are {fit.noise:.2g} times as large as `sigma` says, and bands go by `sigma`; correct it, or "
            "give 1 / sigma**2 as `weights` to have its size found"
        )
    return tuple(found)


def suspicions(fit: Fit, origin: float) -> list[str]:
    """Return where the fit would gain by a kink or a jump, and where there are no samples for too long."""
    found, (low, high) = [], fit.gap
    if (high - low) * fit.grid.per_unit > GAP * fit.grid.spans:
        found.append(
            f"there are no samples from {low + origin:.6g} to {high + origin:.6g}, most of the range: how smooth the "
            "function is beside can hardly be told, and bands may be too narrow; smooth both sides on their own"
        )
    if max(fit.kink.score, fit.jump.score) <= LEAP:
        return found
    is_kink = fit.kink.score > fit.jump.score
    what, where = ("derivative seems", fit.kink) if is_kink else ("samples seem", fit.jump)
    found.append(
        f"the {what} to jump near {where.place + origin:.6g} ({where.score:.1f} standard deviations), which no smooth "
        "function follows, and bands around are too narrow: "
        + ("ask for kinks='auto', or give `kinks`" if is_kink else "split the data there")
    )
    return found
