"""How the error of a derivative falls with the spacing, for accuracy 2 to 8, until rounding takes over.

python examples/accuracy.py [--save FOLDER]
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import numgrad as ng

POINTS = np.unique(np.geomspace(12, 30_000, 60).astype(int))
ACCURACIES = (2, 4, 6, 8)


def errors(n: int, accuracy: int) -> np.ndarray:
    """The largest error at any point of [0, 1], the edges among them, of the n-th derivative of exp(2 x)."""
    found = []
    for size in POINTS:
        x = np.linspace(0, 1, size)
        exact = 2**n * np.exp(2 * x)
        found.append(abs(ng.derivative(np.exp(2 * x), 1 / (size - 1), n=n, accuracy=accuracy) - exact).max())
    return np.array(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="save the figure here")
    folder = parser.parse_args().save

    h = 1 / (POINTS - 1)
    measured = {n: {accuracy: errors(n, accuracy) for accuracy in ACCURACIES} for n in (1, 2)}
    for n, curves in measured.items():
        for accuracy, error in curves.items():
            best = error.argmin()
            before = slice(2, max(4, best - 8))  # where truncation rules
            order = np.polyfit(np.log(h[before]), np.log(error[before]), 1)[0]
            print(
                f"n={n} accuracy={accuracy}: order {order:.2f}, best error {error[best]:.1e} at spacing {h[best]:.1e}"
            )

    if folder is not None:
        figure, axes = plt.subplots(1, 2, figsize=(12, 5), layout="constrained", sharex=True)
        for ax, (n, curves) in zip(axes, measured.items(), strict=True):
            for accuracy, error in curves.items():
                ax.loglog(h, error, ".-", label=f"accuracy {accuracy}")
            # A sample is off by half a unit in its last place, and is divided by h to the power n.
            ax.loglog(h, np.exp(2) * 2**-53 / h**n, "k--", lw=1, label="rounding of float64")
            ax.set(title=f"derivative n = {n} of exp(2 x)", xlabel="spacing h", ylabel="largest error at any point")
            ax.set_ylim(1e-14, 10)
            ax.grid(alpha=0.3)
        axes[0].legend()
        file = folder / "accuracy.png"
        figure.savefig(file, dpi=120)
        print(f"figure: {file}")


if __name__ == "__main__":
    main()
