"""
Descent against least squares on real data
==========================================

With and without standardised features: 442 patients, ten measurements each, and the progress of their diabetes a year
later. The units of the measurements are years, kg/m², mmHg and mg/dl. The data are from B. Efron et al., "Least Angle
Regression", Annals of Statistics 32 (2004), as scikit-learn has them.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression

import numgrad as ng
from numgrad.plotting import ConvergenceDisplay, FitDisplay
from numgrad.sklearn import GradientDescentRegressor

plt.style.use("tableau-colorblind10")

ITERATIONS = 3000

X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
print(ng.step_size(X))

# %%
# The same data, by five descents
# -------------------------------

settings = {
    "features as they are": {},
    "standardised": {"standardize": True},
    "standardised, optimal rate": {"standardize": True, "learning_rate": "optimal"},
    "standardised, Nesterov": {"standardize": True, "momentum": "nesterov"},
    "standardised, Barzilai-Borwein": {"standardize": True, "learning_rate": "bb"},
}
runs = {}
for label, options in settings.items():
    runs[label] = run = ng.gradient_descent(X, y, fit_intercept=True, n_iter=ITERATIONS, **options)
    print(f"{label:31s}  cost {run.cost[-1]:9.3f}, still to gain {run.excess_cost[-1]:9.3g}")

figure, ax = plt.subplots(figsize=(9, 5), layout="constrained")
ConvergenceDisplay.from_result(runs, ax)
ax.set(ylim=(1e-13, 1e5), title="what can still be gained; dotted: the slope of the theory")
plt.show()

# %%
# What a run says of itself
# -------------------------

print(runs["standardised, Nesterov"].summary())

figure, ax = plt.subplots(figsize=(8, 5), layout="constrained")
FitDisplay.from_result(runs["features as they are"], X, y, ax, feature=list(X.columns).index("bmi"))
ax.set(title=f"{ITERATIONS} iterations, features as they are", ylabel="progress of the disease")
plt.show()

# %%
# As an estimator of scikit-learn
# -------------------------------

model = GradientDescentRegressor("bb", max_iter=ITERATIONS, tol=1e-10).fit(X, y)
exact = LinearRegression().fit(X, y)
print(f"GradientDescentRegressor: R2 = {model.score(X, y):.6f}, {model.stop_reason_}")
print(f"LinearRegression:         R2 = {exact.score(X, y):.6f}")
