"""
Three learning rates on one problem
===================================

Too small, good, and just above the limit 2/L. The run above the limit stays finite for long: its cost grows,
and nothing else tells. The rates of Barzilai and Borwein are there for comparison.
"""

import matplotlib.pyplot as plt
import numpy as np

import numgrad as ng
from numgrad.plotting import ConvergenceDisplay

plt.style.use("tableau-colorblind10")

SEED, POINTS, ITERATIONS = 3, 200, 300

# %%
# Three features of different scales, with a column of ones. ``step_size`` says before any run which rates converge.

rng = np.random.default_rng(SEED)
features = rng.standard_normal((POINTS, 3)) * [1, 2, 3] + [0, 1, 0]
X = np.column_stack([np.ones(POINTS), features])
y = X @ [4, 3, 2, 1] + rng.standard_normal(POINTS)
step = ng.step_size(X)
print(step)

# %%

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

# %%
# Dotted: the slope that theory promises.

figure, ax = plt.subplots(figsize=(8, 5), layout="constrained")
ConvergenceDisplay.from_result(runs, ax)
ax.set(ylim=(1e-15, 1e3), title=f"the limit is 2/L = {step.limit:.4f}; dotted: the slope of the theory")
plt.show()
