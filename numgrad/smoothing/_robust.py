"""Smoothing that outliers hardly move: of pseudo-data, in which large residuals have been drawn in.

D. Cox, "Asymptotics for M-type smoothing splines", Ann. Stat. 11, 1983; H. Oh, D. Nychka, T. Lee, "The role of pseudo
data for robust smoothing", Biometrika 94, 2007.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from numgrad.smoothing._fit import Samples, fit
from numgrad.smoothing._fitted import Fit

# Residuals by their scale from which on those are drawn in by Huber's function, and have no effect by Tukey's.
HUBER, TUKEY = 1.345, 4.685
# The median of the absolute values of normal numbers.
MEDIAN = 0.6744897501960817
ROUNDS, TOLERANCE = 30, 1e-3


Influence = Callable[[np.ndarray], tuple[np.ndarray, float]]


class Pseudo(NamedTuple):
    """Samples with their outliers drawn in, the scale of the residuals, and the variance of what is left of them."""

    samples: Samples
    scale: float


def fit_robustly(
    lines: list[Samples], orders: tuple[int, ...], most: int, kinks: tuple[float, ...] = ()
) -> list[Fit]:  # fmt: skip
    """Return the fits of lines: by Huber's function until they change no more, and from there by Tukey's."""
    fits = fit(lines, orders, most, kinks)
    for influence in (_huber, _tukey):
        before = None
        for _ in range(ROUNDS):
            made = [_pseudo(one, found, influence) for one, found in zip(lines, fits, strict=True)]
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
    """Return the residuals by the roots of the weights, and the scale of their core, in units of the grid."""
    line, grid = samples.line, samples.grid
    values = found.values(line.x, line.y.size, 0)
    rest = (line.y - values) * grid.factor * np.sqrt(line.weight)
    there = abs(rest[~np.isnan(rest) & (line.weight > 0)])
    used = max(there.size - found.freedom, 1.0)
    return rest, max(float(np.median(there)) / MEDIAN * (there.size / used) ** 0.5, 1e-150)


def _pseudo(samples: Samples, found: Fit, influence: Influence) -> Pseudo:
    line, grid = samples.line, samples.grid
    rest, scale = _scale(samples, found)
    unit = samples.known**0.5 if samples.known else scale
    drawn, slope = influence(rest / unit)
    slope = max(slope, 0.1)
    roots = np.where(line.weight > 0, np.sqrt(line.weight), 1.0)
    y = found.values(line.x, line.y.size, 0) + drawn * (unit / slope) / roots / grid.factor
    known = samples.known
    if known:
        known *= float(np.nanmean(drawn**2)) / slope**2
    return Pseudo(samples._replace(line=line._replace(y=y), known=known), scale)


def _huber(r: np.ndarray) -> tuple[np.ndarray, float]:
    return np.clip(r, -HUBER, HUBER), float(np.nanmean(abs(r) <= HUBER))


def _tukey(r: np.ndarray) -> tuple[np.ndarray, float]:
    u = np.minimum((r / TUKEY) ** 2, 1.0)
    return r * (1 - u) ** 2, float(np.nanmean((1 - u) * (1 - 5 * u)))
