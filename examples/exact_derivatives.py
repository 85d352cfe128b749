"""
Exact derivatives of jitted functions
=====================================

A minimum by BFGS, roots by Newton's method, and quotients beside them. Quotients call the function some times
for each variable, and lose a few digits; reverse mode takes some times as long as the function, whatever the
number of variables, and loses none.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from numba import njit
from scipy.optimize import minimize

from numgrad.functions import derivative_of, gradient, value_and_gradient

plt.style.use("tableau-colorblind10")

# %%
# A gradient for an optimiser
# ---------------------------
# ``value_and_gradient`` returns a function of the kind that ``scipy.optimize.minimize`` wants with ``jac=True``.


@njit
def rosenbrock(x: np.ndarray) -> float:
    total = 0.0
    for i in range(x.size - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return total


both = value_and_gradient(rosenbrock)
found = minimize(both, np.full(100, 0.5), jac=True, method="BFGS")
print(f"BFGS, 100 variables: the minimum {found.fun:.1e} after {found.nit} iterations; it is 0 at (1, ..., 1),")
print(f"from which it is {abs(found.x - 1).max():.1e} away")

# %%
# Newton's method inside a jitted loop
# ------------------------------------
# The root of Kepler's equation is the eccentric anomaly of a planet. ``derivative_of`` returns a jitted function,
# so the loop over many planets has no Python in it.


@njit
def kepler(anomaly: float, mean: float, eccentricity: float) -> float:
    return anomaly - eccentricity * np.sin(anomaly) - mean


slope_of_kepler = derivative_of(kepler)


@njit
def solve(means: np.ndarray, eccentricity: float) -> np.ndarray:
    anomalies = means.copy()
    for k in range(means.size):
        for _ in range(20):
            step = kepler(anomalies[k], means[k], eccentricity) / slope_of_kepler(anomalies[k], means[k], eccentricity)
            anomalies[k] -= step
            if abs(step) < 1e-14:
                break
    return anomalies


means = np.linspace(0, np.pi, 100_000)
anomalies = solve(means, 0.8)
left = abs(anomalies - 0.8 * np.sin(anomalies) - means).max()
print(f"Newton's method for Kepler's equation, {means.size:,} planets: at most {left:.1e} is left of any")

# %%
# Against quotients, and against the gradient by hand
# ---------------------------------------------------


def by_hand(x: np.ndarray) -> np.ndarray:
    slope = np.zeros_like(x)
    apart = x[1:] - x[:-1] ** 2
    slope[:-1] = -400 * x[:-1] * apart - 2 * (1 - x[:-1])
    slope[1:] += 200 * apart
    return slope


def seconds(call: Callable[[], Any]) -> float:
    """The shortest of some calls."""
    times = []
    for _ in range(4):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return min(times)


sizes = np.array([2, 5, 10, 20, 50, 100, 200, 500])
times, errors = np.empty((3, sizes.size)), np.empty((2, sizes.size))
for k, n in enumerate(sizes):
    x = np.random.default_rng(n).random(n)
    quotients = gradient(rosenbrock, x, method="quotients").value
    times[:, k] = (
        seconds(lambda x=x: gradient(rosenbrock, x, method="quotients")),
        seconds(lambda x=x: both(x)),
        seconds(lambda x=x: rosenbrock(x)),
    )
    true = by_hand(x)
    errors[:, k] = [max(abs(g - true).max() / abs(true).max(), 1e-17) for g in (quotients, both(x)[1])]
print(f"a gradient in {sizes[-1]} variables: {times[0, -1] / times[1, -1]:,.0f} times as fast as by quotients")

figure, (left_axes, right_axes) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
for row, (name, marker) in enumerate((("quotients", "o"), ("exact", "s"), ("the function itself", "^"))):
    left_axes.loglog(sizes, times[row] * 1e6, marker=marker, label=name)
    if row < 2:
        right_axes.loglog(sizes, errors[row], marker=marker, label=name)
right_axes.axhline(2.0**-53, color="k", ls="--", label="rounding of float64")
left_axes.set(xlabel="variables", ylabel="time, µs", title="time of a gradient")
right_axes.set(xlabel="variables", ylabel="error / largest partial", title="largest error")
for axes in (left_axes, right_axes):
    axes.legend()
    axes.grid(alpha=0.3)
plt.show()
