"""Fit three scatters by gradient descent, for as long as it is usually run, and see how far that gets, and why.

N points, y = 10 i + 900 + variance u for i = 1..N, with u uniform in [0, 1). The column i is up to 100 times as large
as the column of ones, so the slope is found in a few steps, and the intercept is still on its way after 100,000.

    python examples/fit_model.py [--save FOLDER]
"""

import argparse
from pathlib import Path

import numpy as np

import numgrad as ng

SEED = 0
SETTINGS = [(50, 600), (50, 1000), (100, 200)]
RATE, ITERATIONS = 0.0001, 100_000


def points(count: int, variance: float) -> tuple[np.ndarray, np.ndarray]:
    """Return X with a column of ones, for the intercept, and y."""
    i = np.arange(1, count + 1)
    noise = variance * np.random.default_rng(SEED).random(count)
    return np.column_stack([np.ones(count), i]), 10 * i + 900 + noise


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="save the figure here (needs matplotlib)")
    folder = parser.parse_args().save

    fits = []
    print("points  variance   intercept     slope        cost   least squares")
    for count, variance in SETTINGS:
        X, y = points(count, variance)
        run = ng.gradient_descent(X, y, learning_rate=RATE, n_iter=ITERATIONS)
        exact, (a, b) = run.theta_least_squares, run.theta
        print(f"{count:6d}  {variance:8d}  {a:10.3f}  {b:8.4f}  {run.cost[-1]:10.2f}   [{exact[0]:.3f} {exact[1]:.4f}]")
        fits.append((X, y, run))

    print()
    for (count, variance), (X, y, run) in zip(SETTINGS, fits, strict=True):
        step = run.step_size
        scaled = ng.gradient_descent(X[:, 1:], y, fit_intercept=True, standardize=True, tol=1e-9)
        print(
            f"{count} points, variance {variance}: kappa = {step.kappa:,.0f}, {RATE / step.limit:.0%} of the limit, "
            f"{step.iterations(1e-6, RATE):,d} iterations for 6 digits; standardised {scaled.n_iter}"
        )

    if folder is not None:
        import matplotlib.pyplot as plt

        from numgrad.plotting import ConvergenceDisplay, FitDisplay

        figure, axes = plt.subplots(1, 4, figsize=(16, 4), layout="constrained")
        labels = []
        for ax, (X, y, run), (count, variance) in zip(axes, fits, SETTINGS, strict=False):
            FitDisplay.from_result(run, X, y, ax)
            labels.append(f"{count} points, variance {variance}")
            ax.set(title=labels[-1], xlabel="i")
        runs = [run for _, _, run in fits]
        ConvergenceDisplay.from_result(dict(zip(labels, runs, strict=True)), axes[3])
        axes[3].set(title="what can still be gained")
        file = folder / "fit_model.png"
        figure.savefig(file, dpi=110)
        print(f"figure: {file}")


if __name__ == "__main__":
    main()
