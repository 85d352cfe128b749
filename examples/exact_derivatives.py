"""Exact derivatives of jitted functions: a minimum by BFGS, roots by Newton's method, and quotients beside them.

python examples/exact_derivatives.py [--save FOLDER]

The figure has the time of a gradient of Rosenbrock's function, and its error, against the number of variables.
Quotients call the function some times for each variable, and lose a few digits; reverse mode takes some times as long
as the function, whatever the number of variables, and loses none.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from numba import njit
from scipy.optimize import minimize

from numgrad.functions import derivative_of, gradient, value_and_gradient


@njit
def rosenbrock(x: np.ndarray) -> float:
    total = 0.0
    for i in range(x.size - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return total


def exact_gradient(x: np.ndarray) -> np.ndarray:
    """The gradient by hand, to compare with."""
    slope = np.zeros_like(x)
    apart = x[1:] - x[:-1] ** 2
    slope[:-1] = -400 * x[:-1] * apart - 2 * (1 - x[:-1])
    slope[1:] += 200 * apart
    return slope


@njit
def kepler(anomaly: float, mean: float, eccentricity: float) -> float:
    """Kepler's equation, whose root is the eccentric anomaly of a planet."""
    return anomaly - eccentricity * np.sin(anomaly) - mean


slope_of_kepler = derivative_of(kepler)


@njit
def solve(means: np.ndarray, eccentricity: float) -> np.ndarray:
    """Newton's method for each of many planets, with no Python in between."""
    anomalies = means.copy()
    for k in range(means.size):
        for _ in range(20):
            step = kepler(anomalies[k], means[k], eccentricity) / slope_of_kepler(anomalies[k], means[k], eccentricity)
            anomalies[k] -= step
            if abs(step) < 1e-14:
                break
    return anomalies


def seconds(call: Callable[[], Any]) -> float:
    """The shortest of some calls."""
    call()
    times = []
    for _ in range(5):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return min(times)


def main(folder: Path | None) -> None:
    both = value_and_gradient(rosenbrock)
    found = minimize(both, np.full(100, 0.5), jac=True, method="BFGS")
    print(f"BFGS, 100 variables: the minimum {found.fun:.1e} after {found.nit} iterations; it is 0 at (1, ..., 1),")
    print(f"from which it is {abs(found.x - 1).max():.1e} away")

    means = np.linspace(0, np.pi, 100_000)
    anomalies = solve(means, 0.8)
    left = abs(anomalies - 0.8 * np.sin(anomalies) - means).max()
    print(f"Newton's method for Kepler's equation, {means.size:,} planets: at most {left:.1e} is left of any")

    gradient(rosenbrock, np.ones(2000), method="quotients")  # compiles all that quotients need
    sizes = np.array([2, 5, 10, 20, 50, 100, 200, 500, 1000])
    times, errors = np.empty((3, sizes.size)), np.empty((2, sizes.size))
    for k, n in enumerate(sizes):
        x = np.random.default_rng(n).random(n)
        true = exact_gradient(x)
        quotients = gradient(rosenbrock, x, method="quotients").value
        times[:, k] = (
            seconds(lambda x=x: gradient(rosenbrock, x, method="quotients")),
            seconds(lambda x=x: both(x)),
            seconds(lambda x=x: rosenbrock(x)),
        )
        errors[:, k] = [max(abs(g - true).max() / abs(true).max(), 1e-17) for g in (quotients, both(x)[1])]
    print(f"A gradient in 1000 variables: {times[0, -1] / times[1, -1]:,.0f} times as fast as by quotients")

    figure, (left_axes, right_axes) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
    curves = (0, "quotients", "tab:orange"), (1, "exact", "tab:blue"), (2, "the function itself", "0.5")
    for row, name, color in curves:
        left_axes.loglog(sizes, times[row] * 1e6, "o-", color=color, ms=4, label=name)
        if row < 2:
            right_axes.loglog(sizes, errors[row], "o-", color=color, ms=4, label=name)
    left_axes.set(xlabel="variables", ylabel="µs", title="Time of a gradient")
    right_axes.set(xlabel="variables", ylabel="relative to the largest partial", title="Largest error")
    right_axes.axhline(2.0**-53, color="0.5", ls=":", label="half a unit of the last place of 1")
    for axes in (left_axes, right_axes):
        axes.legend(frameon=False)
        axes.grid(alpha=0.3)
    if folder is None:
        plt.show()
    else:
        figure.savefig(folder / "exact_derivatives.png", dpi=150)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", metavar="FOLDER", type=Path, help="save the figure there in place of showing it")
    main(parser.parse_args().save)
