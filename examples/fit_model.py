"""
How far does a descent get?
===========================

Three scatters, y = 10 i + 900 + variance u for i = 1..N, with u uniform in [0, 1), are fitted by gradient
descent for as long as it is usually run. The column i is up to 100 times as large as the column of ones, so the
slope is found in a few steps, and the intercept is still on its way after 100,000.
"""

import matplotlib.pyplot as plt
import numpy as np

import numgrad as ng
from numgrad.plotting import ConvergenceDisplay, FitDisplay

plt.style.use("tableau-colorblind10")

SEED = 0
SETTINGS = [(50, 600), (50, 1000), (100, 200)]
RATE, ITERATIONS = 0.0001, 100_000


def points(count: int, variance: float) -> tuple[np.ndarray, np.ndarray]:
    """Return X with a column of ones, for the intercept, and y."""
    i = np.arange(1, count + 1)
    noise = variance * np.random.default_rng(SEED).random(count)
    return np.column_stack([np.ones(count), i]), 10 * i + 900 + noise


# %%
# The intercepts are far from those of least squares, though the cost is almost at its least.

fits = []
print("points  variance   intercept     slope        cost   least squares")
for count, variance in SETTINGS:
    X, y = points(count, variance)
    run = ng.gradient_descent(X, y, learning_rate=RATE, n_iter=ITERATIONS)
    exact, (a, b) = run.theta_least_squares, run.theta
    print(f"{count:6d}  {variance:8d}  {a:10.3f}  {b:8.4f}  {run.cost[-1]:10.2f}   [{exact[0]:.3f} {exact[1]:.4f}]")
    fits.append((X, y, run))

# %%
# Why: the condition number kappa says how many times steeper the cost is in one direction than in another.
# Standardised features have none of that.

for (count, variance), (X, y, run) in zip(SETTINGS, fits, strict=True):
    step = run.step_size
    scaled = ng.gradient_descent(X[:, 1:], y, fit_intercept=True, standardize=True, tol=1e-9)
    print(
        f"{count} points, variance {variance}: kappa = {step.kappa:,.0f}, {RATE / step.limit:.0%} of the limit, "
        f"{step.iterations(1e-6, RATE):,d} iterations for 6 digits; standardised {scaled.n_iter}"
    )

# %%

figure, axes = plt.subplots(2, 2, figsize=(10, 7.5), layout="constrained")
labels = [f"{count} points, variance {variance}" for count, variance in SETTINGS]
for ax, (X, y, run), label in zip(axes.flat, fits, labels, strict=False):
    FitDisplay.from_result(run, X, y, ax)
    ax.set(title=label, xlabel="i", ylabel="y")
runs = [run for _, _, run in fits]
ConvergenceDisplay.from_result(dict(zip(labels, runs, strict=True)), axes[1, 1])
axes[1, 1].set(title="what can still be gained")
plt.show()
