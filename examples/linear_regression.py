"""Fit a line to 100 points by gradient descent, and watch the cost.

The points are y = i + 25 + 10 u, with u uniform in [0, 1). The rate is 82 % of the limit 2/L: with 0.00061 in its place
the run diverges, stops, and says so.

    python examples/linear_regression.py [--save FOLDER]
"""

import argparse
from pathlib import Path

import numpy as np

import numgrad as ng

SEED, POINTS, BIAS, VARIANCE = 8, 100, 25, 10
RATE, ITERATIONS = 0.0005, 100_000


def points() -> tuple[np.ndarray, np.ndarray]:
    """Return X with a column of ones, for the intercept, and y."""
    i = np.arange(POINTS)
    return np.column_stack([np.ones(POINTS), i]), i + BIAS + VARIANCE * np.random.default_rng(SEED).random(POINTS)


def draw(X: np.ndarray, y: np.ndarray, run: ng.Descent, least_squares: np.ndarray, file: Path) -> None:
    """Save the data with both lines, and the cost of each iteration."""
    import matplotlib.pyplot as plt

    figure, (data, cost) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    data.plot(X[:, 1], y, ".", color="0.45", label="data")
    data.plot(X[:, 1], X @ run.theta, color="C0", linewidth=4, alpha=0.5, label="gradient descent")
    data.plot(X[:, 1], X @ least_squares, "--", color="C3", label="least squares")
    data.set(xlabel="i", ylabel="y", title=f"y = {run.theta[0]:.2f} + {run.theta[1]:.3f} i")
    data.legend()
    cost.loglog(np.arange(1, run.n_iter + 1), run.cost)
    cost.set(xlabel="iteration", ylabel="cost", title=f"learning rate {RATE}")
    cost.grid(alpha=0.3)
    figure.savefig(file, dpi=120)
    print(f"figure: {file}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="save the figure here (needs matplotlib)")
    folder = parser.parse_args().save

    X, y = points()
    run = ng.gradient_descent(X, y, theta0=[1, 1], learning_rate=RATE, n_iter=ITERATIONS)
    print("iteration        cost")
    for t in (0, 1, 10, 100, 1000, 10_000, 50_000, run.n_iter - 1):
        print(f"{t:9,d}  {run.cost[t]:10.5f}")
    least_squares = np.linalg.lstsq(X, y)[0]
    print(f"{run.stop_reason}: theta = {run.theta.round(4)}")
    print(f"least squares:               {least_squares.round(4)}")
    if folder is not None:
        draw(X, y, run, least_squares, folder / "linear_regression.png")


if __name__ == "__main__":
    main()
