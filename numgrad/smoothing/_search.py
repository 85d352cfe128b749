"""The least value of a function, and splines on more knots."""

from collections.abc import Callable

import numpy as np

from numgrad.smoothing._basis import Basis


def minimum(f: Callable[[float], float], low: float, high: float, tolerance: float) -> float:
    """Return where a function is least, by golden sections and parabolas (R. Brent 1973)."""
    golden = 0.3819660112501051
    x = w = v = low + golden * (high - low)
    fx = fw = fv = f(x)
    step = before = 0.0
    while True:
        middle = 0.5 * (low + high)
        if abs(x - middle) + 0.5 * (high - low) <= 2 * tolerance:
            return x
        is_golden = True
        if abs(before) > tolerance:
            r, q = (x - w) * (fx - fv), (x - v) * (fx - fw)
            p, q = (x - v) * q - (x - w) * r, 2 * (q - r)
            p = -p if q > 0 else p
            q = abs(q)
            if abs(p) < abs(0.5 * q * before) and q * (low - x) < p < q * (high - x):
                before, step, is_golden = step, p / q, False
                if min(x + step - low, high - x - step) < 2 * tolerance:
                    step = tolerance if middle > x else -tolerance
        if is_golden:
            before = (low if x >= middle else high) - x
            step = golden * before
        u = x + (step if abs(step) >= tolerance else tolerance if step > 0 else -tolerance)
        fu = f(u)
        if fu <= fx:
            low, high = (x, high) if u >= x else (low, x)
            v, fv, w, fw, x, fx = w, fw, x, fx, u, fu
        else:
            low, high = (u, high) if u < x else (low, u)
            if fu <= fw or w == x:
                v, fv, w, fw = w, fw, u, fu
            elif fu <= fv or v in (x, w):
                v, fv = u, fu


def refined(c: np.ndarray, d: int, is_periodic: bool) -> np.ndarray:
    """Return the coefficients of the same spline on twice as many spans."""
    row = np.array([1.0])
    for _ in range(d + 1):
        row = np.convolve(row, [0.5, 0.5])
    row *= 2
    size = len(c) if is_periodic else len(c) - d
    out = np.zeros(2 * size if is_periodic else 2 * size + d)
    wide = np.zeros(2 * len(c) + 2 * d + 2)
    for k, factor in enumerate(row):
        wide[k : k + 2 * len(c) : 2] += factor * c  # element i is that of the function i - d
    if not is_periodic:
        return wide[d : d + len(out)]
    np.add.at(out, (np.arange(len(wide)) - d) % len(out), wide)
    return out


def powers_of(c: np.ndarray, basis: Basis, n: int) -> np.ndarray:
    """Return for each span the powers of s of the n-th derivative, in units of the knots."""
    found: np.ndarray = by_spans(c, basis) @ basis.derivative(n)
    return found


def by_spans(c: np.ndarray, basis: Basis) -> np.ndarray:
    """Return for each span the coefficients of the functions that are not zero there."""
    found: np.ndarray = c[np.arange(len(c) - basis.degree)[:, None] + np.arange(basis.degree + 1)]
    return found
