"""
Error against spacing, for accuracy 2 to 8
==========================================

The error of a derivative falls with the spacing to the power of its accuracy, until rounding takes over. From
there on a finer grid makes it worse.
"""

import matplotlib.pyplot as plt
import numpy as np

import numgrad as ng

plt.style.use("tableau-colorblind10")

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


# %%
# The order is the slope of the error in a double logarithmic plot, where truncation rules.

h = 1 / (POINTS - 1)
measured = {n: {accuracy: errors(n, accuracy) for accuracy in ACCURACIES} for n in (1, 2)}
for n, curves in measured.items():
    for accuracy, error in curves.items():
        best = error.argmin()
        before = slice(2, max(4, best - 8))
        order = np.polyfit(np.log(h[before]), np.log(error[before]), 1)[0]
        print(f"n={n} accuracy={accuracy}: order {order:.2f}, best error {error[best]:.1e} at spacing {h[best]:.1e}")

# %%
# A sample is off by half a unit in its last place, and is divided by h to the power n: that is the dashed line.

figure, axes = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained", sharey=True)
for ax, (n, curves) in zip(axes, measured.items(), strict=True):
    for (accuracy, error), marker in zip(curves.items(), "os^D", strict=True):
        ax.loglog(h, error, marker, ls="-", ms=3.5, lw=1.2, label=f"accuracy {accuracy}")
    ax.loglog(h, np.exp(2) * 2**-53 / h**n, "k--", lw=1.5, label="rounding of float64")
    ax.set(title=f"derivative n = {n} of exp(2x)", xlabel="spacing h", ylim=(1e-14, 10))
    ax.grid(alpha=0.3)
axes[0].set_ylabel("largest error at any point")
axes[0].legend(loc="upper left")
plt.show()
