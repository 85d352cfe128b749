"""Descent against least squares on real data, with and without standardised features.

442 patients, ten measurements each, and the progress of their diabetes a year later; the units of the measurements are
years, kg/m^2, mmHg and mg/dl. From B. Efron et al., "Least Angle Regression" (2004), as scikit-learn has them.

    python examples/real_data.py [--save FOLDER]
"""

import argparse
from pathlib import Path

from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression

import numgrad as ng
from numgrad.sklearn import GradientDescentRegressor

ITERATIONS = 3000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="save the figure here (needs matplotlib)")
    folder = parser.parse_args().save

    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    print(ng.step_size(X), end="\n\n")
    settings = {
        "features as they are": {},
        "standardised": {"standardize": True},
        "standardised, optimal rate": {"standardize": True, "learning_rate": "optimal"},
        "standardised, Nesterov": {"standardize": True, "momentum": "nesterov"},
        "standardised, Barzilai-Borwein": {"standardize": True, "learning_rate": "bb"},
    }
    runs = {}
    for label, options in settings.items():
        run = ng.gradient_descent(X, y, fit_intercept=True, n_iter=ITERATIONS, **options)
        runs[label] = run
        print(f"{label:31s}  cost {run.cost[-1]:9.3f}, still to gain {run.excess_cost[-1]:9.3g}")
    print("\n" + runs["standardised, Nesterov"].summary(), end="\n\n")

    model = GradientDescentRegressor("bb", max_iter=ITERATIONS, tol=1e-10).fit(X, y)
    exact = LinearRegression().fit(X, y)
    print(f"GradientDescentRegressor: R2 = {model.score(X, y):.6f}, {model.stop_reason_}")
    print(f"LinearRegression:         R2 = {exact.score(X, y):.6f}")

    if folder is not None:
        import matplotlib.pyplot as plt

        from numgrad.plotting import ConvergenceDisplay, FitDisplay

        figure, (cost, fit) = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained")
        ConvergenceDisplay.from_result(runs, cost)
        cost.set(ylim=(1e-13, 1e5), title="dotted: the slope of the theory")
        FitDisplay.from_result(runs["features as they are"], X, y, fit, feature=list(X.columns).index("bmi"))
        fit.set(title=f"{ITERATIONS} iterations, features as they are", ylabel="progress of the disease")
        file = folder / "real_data.png"
        figure.savefig(file, dpi=110)
        print(f"figure: {file}")


if __name__ == "__main__":
    main()
