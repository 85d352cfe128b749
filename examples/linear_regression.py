"""
A line through 100 points, by gradient descent
==============================================

The points are y = i + 25 + 10 u, with u uniform in [0, 1). The rate is 82 % of the limit 2/L: with 0.00061 in
its place the run diverges, stops, and says so. ``--save FOLDER`` keeps the figure instead of showing it.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import numgrad as ng
from numgrad.plotting import ConvergenceDisplay, DescentPathDisplay, FitDisplay

plt.style.use("tableau-colorblind10")

SEED, POINTS, BIAS, VARIANCE = 8, 100, 25, 10
RATE, ITERATIONS = 0.0005, 100_000

# %%
# A column of ones is for the intercept. How large may the rate be, and how long will it take?

i = np.arange(POINTS)
X = np.column_stack([np.ones(POINTS), i])
y = i + BIAS + VARIANCE * np.random.default_rng(SEED).random(POINTS)
step = ng.step_size(X)
print(step)
needed = step.iterations(1e-6, RATE)
print(f"at {RATE}, {RATE / step.limit:.0%} of the limit, 6 digits of theta take {needed:,d} iterations")

# %%
# The cost of each iteration, and what can still be gained.

run = ng.gradient_descent(X, y, theta0=[1, 1], learning_rate=RATE, n_iter=ITERATIONS, record_theta=True)
print("iteration        cost       still to gain")
for t in (0, 1, 10, 100, 1000, 10_000, 50_000, run.n_iter - 1):
    print(f"{t:9,d}  {run.cost[t]:10.5f}  {run.excess_cost[t]:18.12f}")
print(f"{run.stop_reason}: theta = {run.theta.round(4)}")
print(f"least squares:               {run.theta_least_squares.round(4)}")
faster = ng.gradient_descent(X, y, theta0=[1, 1], momentum="nesterov", n_iter=ITERATIONS, tol=1e-9)
print(f"with Nesterov's momentum {faster.momentum:.4f}: {faster.stop_reason}")

# %%
# The data with both lines, the cost with the slope of the theory, and the way over the contours of the cost: one
# zigzag, then along the valley.

figure, (data, cost, way) = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
FitDisplay.from_result(run, X, y, data)
data.set(xlabel="i", ylabel="y", title=f"y = {run.theta[0]:.2f} + {run.theta[1]:.3f} i")
runs = {f"learning rate {RATE}": run, "with Nesterov's momentum": faster}
ConvergenceDisplay.from_result(runs, cost)
cost.set(title="dotted: the slope of the theory", ylim=(1e-12, 1e4), xlim=(0, 20_000))
DescentPathDisplay.from_result(run, way)
way.set(title="along the valley, after one zigzag", xlabel="intercept, scaled", ylabel="slope, scaled")
if "--save" in sys.argv:
    file = Path(sys.argv[-1]) / "linear_regression.png"
    figure.savefig(file, dpi=110)
    print(f"figure: {file}")
plt.show()
