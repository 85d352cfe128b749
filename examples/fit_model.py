"""Fit three scatters by gradient descent, for as long as it is usually run, and see how far that gets.

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
        exact = np.linalg.lstsq(X, y)[0]
        a, b = run.theta
        print(f"{count:6d}  {variance:8d}  {a:10.3f}  {b:8.4f}  {run.cost[-1]:10.2f}   [{exact[0]:.3f} {exact[1]:.4f}]")
        fits.append((X, y, run, exact))

    if folder is not None:
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots(1, len(fits), figsize=(13, 4), layout="constrained")
        for ax, (X, y, run, exact), (count, variance) in zip(axes, fits, SETTINGS, strict=True):
            ax.plot(X[:, 1], y, ".", color="0.45", label="data")
            ax.plot(X[:, 1], X @ run.theta, color="C0", label=f"{run.theta[0]:.0f} + {run.theta[1]:.2f} i")
            ax.plot(X[:, 1], X @ exact, "--", color="C3", label="least squares")
            ax.set(title=f"{count} points, variance {variance}", xlabel="i", ylabel="y")
            ax.legend()
        file = folder / "fit_model.png"
        figure.savefig(file, dpi=120)
        print(f"figure: {file}")


if __name__ == "__main__":
    main()
