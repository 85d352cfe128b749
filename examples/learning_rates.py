"""Three learning rates on one problem: too small, good, and just above the limit 2/L.

The run above the limit stays finite for long: its cost grows, and nothing else tells. Barzilai's and Borwein's rates
are there for comparison.

    python examples/learning_rates.py [--save FOLDER]
"""

import argparse
from pathlib import Path

import numpy as np

import numgrad as ng

SEED, POINTS, ITERATIONS = 3, 200, 300


def points() -> tuple[np.ndarray, np.ndarray]:
    """Return three features of different scales, with a column of ones, and y."""
    rng = np.random.default_rng(SEED)
    features = rng.standard_normal((POINTS, 3)) * [1, 2, 3] + [0, 1, 0]
    X = np.column_stack([np.ones(POINTS), features])
    return X, X @ [4, 3, 2, 1] + rng.standard_normal(POINTS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="save the figure here (needs matplotlib)")
    folder = parser.parse_args().save

    X, y = points()
    step = ng.step_size(X)
    print(step, end="\n\n")
    rates = {
        "slow, a twentieth of the limit": step.limit / 20,
        "good, 2/(L + mu)": "optimal",
        "diverging, 1.01 times the limit": 1.01 * step.limit,
        "Barzilai and Borwein": "bb",
    }
    runs = {}
    for label, rate in rates.items():
        runs[label] = run = ng.gradient_descent(X, y, learning_rate=rate, n_iter=ITERATIONS, on_divergence="ignore")
        print(f"{label}: {run.stop_reason.partition('. ')[0]}, excess cost {run.excess_cost[-1]:.3g}")

    if folder is not None:
        import matplotlib.pyplot as plt

        from numgrad.plotting import ConvergenceDisplay

        figure, ax = plt.subplots(figsize=(8, 5), layout="constrained")
        ConvergenceDisplay.from_result(runs, ax)
        ax.set(ylim=(1e-15, 1e3), title=f"The limit is 2/L = {step.limit:.4f}; dotted: the slope of the theory")
        file = folder / "learning_rates.png"
        figure.savefig(file, dpi=110)
        print(f"figure: {file}")


if __name__ == "__main__":
    main()
