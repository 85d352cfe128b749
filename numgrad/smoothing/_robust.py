"""Smoothing that outliers hardly move: first with small weights for them, then of pseudo-data that draw them in.

D. Cox, "Asymptotics for M-type smoothing splines", Ann. Stat. 11, 1983; H. Oh, D. Nychka, T. Lee, "The role of pseudo
data for robust smoothing", Biometrika 94, 2007.
"""

from typing import NamedTuple

import numpy as np

from numgrad.smoothing._fit import Samples, fit
from numgrad.smoothing._fitted import Fit

# Residuals by their scale from which on those weigh less by Huber's function, and have no effect by Tukey's.
HUBER, TUKEY = 1.345, 4.685
# The median of the absolute values of normal numbers.
MEDIAN = 0.6744897501960817
# Numbers that are near, in standard deviations, their variance if they are normal, and how often it is taken.
NEAR, CORE, CORES = 3.0, 0.9733369, 4
ROUNDS, TOLERANCE = 30, 1e-3


class Pseudo(NamedTuple):
    """Samples with their outliers drawn in, the scale of the residuals, and the variance of what is left of them."""

    samples: Samples
    scale: float


def fit_robustly(
    lines: list[Samples], orders: tuple[int, ...], most: int, kinks: tuple[float, ...] = ()
) -> list[Fit]:  # fmt: skip
    """Return the fits of lines: with Huber's weights until they change no more, and from there by Tukey's function.

    The weights let go of an outlier where the fit goes through it; pseudo-data have the noise that is left.
    """
    fits = fit(lines, orders, most, kinks)
    for change in (_weighted, _drawn_in):
        before = None
        for _ in range(ROUNDS):
            made = [change(one, found) for one, found in zip(lines, fits, strict=True)]
            own = (fits[0].basis.m,) if before is not None else orders
            fits = fit([one.samples for one in made], own, most, kinks)
            scales = np.array([one.scale for one in made])
            if before is not None and (abs(scales - before) <= TOLERANCE * before).all():
                break
            before = scales
    return [
        one._replace(noise=_scale(found, one)[1] / (found.known**0.5 if found.known else found.grid.factor))
        for found, one in zip(lines, fits, strict=True)
    ]


def _scale(samples: Samples, found: Fit) -> tuple[np.ndarray, float]:
    """Return the residuals by the roots of the weights, and the scale of their core, in units of the grid.

    That is by the median of their size, and then by the variance of those that are near, of which normal numbers have
    some part.
    """
    line, grid = samples.line, samples.grid
    values = found.values(line.x, line.y.size, 0)
    rest = (line.y - values) * grid.factor * np.sqrt(line.weight)
    there = abs(rest[~np.isnan(rest) & (line.weight > 0)])
    scale = float(np.median(there)) / MEDIAN
    for _ in range(CORES):
        near = there[there <= NEAR * scale]
        if near.size > there.size / 2:
            scale = (float(np.mean(near**2)) / CORE) ** 0.5
    used = max(there.size - found.freedom, 1.0)
    return rest, max(scale * (there.size / used) ** 0.5, 1e-150)


def _weighted(samples: Samples, found: Fit) -> Pseudo:
    """Return samples with Huber's weights."""
    rest, scale = _scale(samples, found)
    size = abs(rest) / (samples.known**0.5 if samples.known else scale)
    weight = samples.line.weight * np.where(size > HUBER, HUBER / np.maximum(size, HUBER), 1.0)
    return Pseudo(samples._replace(line=samples.line._replace(weight=weight)), scale)


def _drawn_in(samples: Samples, found: Fit) -> Pseudo:
    """Return pseudo-data: the values of the fit, and the residuals by Tukey's function over its mean slope."""
    line, grid = samples.line, samples.grid
    rest, scale = _scale(samples, found)
    unit = samples.known**0.5 if samples.known else scale
    far = np.minimum((rest / unit / TUKEY) ** 2, 1.0)
    drawn, slope = rest / unit * (1 - far) ** 2, max(float(np.nanmean((1 - far) * (1 - 5 * far))), 0.1)
    roots = np.where(line.weight > 0, np.sqrt(line.weight), 1.0)
    y = found.values(line.x, line.y.size, 0) + drawn * (unit / slope) / roots / grid.factor
    known = samples.known and samples.known * float(np.nanmean(drawn**2)) / slope**2
    return Pseudo(samples._replace(line=line._replace(y=y), known=known), scale)
