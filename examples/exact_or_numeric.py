"""
Three ways to a gradient
========================

By exact partials of a formula, from samples on a grid, and from a function by difference quotients.

The figure has the errors of the last two against the distance of the samples. Where it is long, truncation rules, and
the error falls as the distance to the power of the accuracy; where it is short, rounding does, and the error grows as
one over the distance. ``numgrad.functions``, if given no step, looks for the best one itself.
"""

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D

import numgrad as ng

plt.style.use("tableau-colorblind10")

Function = Callable[[np.ndarray], np.ndarray]
Curves = dict[tuple[str, int], np.ndarray]


def potential(p: np.ndarray) -> np.ndarray:
    x, y, z = p
    return 2 * x**2 + 3 * y**2 - 4 * z


def waves(p: np.ndarray) -> np.ndarray:
    x, y, z = p
    return np.exp(-(x**2 + y**2) / 2) * np.sin(3 * x * y) + z * np.cos(2 * z)


# Each field twice: as a formula, and as a function of points (3, ...), the axis of x, y and z first.
FIELDS = {
    "V": ("2x^2 + 3y^2 - 4z", potential),
    "W": ("exp(-(x^2 + y^2)/2) sin(3x y) + z cos(2z)", waves),
}
CENTER = np.array([0.7, 0.5, 0.6])
POINTS = CENTER[:, None] + np.random.default_rng(0).uniform(-0.5, 0.5, (3, 300))
SIDE = 6  # a grid has so many points on either side of the center, whatever their distance
INSIDE = (..., *[slice(4, -4)] * 3)  # without those that one-sided formulas reach, for accuracy 8
H = np.geomspace(1e-13, 1, 66)
ON_GRID, OF_FUNCTION = (2, 4, 6, 8), (2, 4, 6)  # the accuracies
COLOURS = dict(zip(ON_GRID, ("C0", "C1", "k", "C4"), strict=True))


def grid(h: float) -> list[np.ndarray]:
    """Coordinates x, y, z that are broadcast against one another: no array of all points is needed."""
    x, y, z = CENTER[:, None] + h * np.arange(-SIDE, SIDE + 1)
    return [x[:, None, None], y[:, None], z]


def from_samples(f: np.ndarray, h: float, accuracy: int) -> np.ndarray:
    return np.stack([ng.derivative(f, h, axis=axis, accuracy=accuracy) for axis in range(f.ndim)])


def errors(formula: ng.symbolic.Formula, function: Function) -> tuple[Curves, float]:
    """The largest errors, in units of the largest partial: at all distances, and at the step that is found."""
    exact = formula.gradient(*POINTS)
    automatic = ng.functions.gradient(function, POINTS, vectorized=True).value
    curves = {}
    for a in OF_FUNCTION:
        values = [ng.functions.gradient(function, POINTS, step=h, accuracy=a, vectorized=True).value for h in H]
        curves["function", a] = np.array([abs(v - exact).max() for v in values]) / abs(exact).max()
    curves.update({(where, a): np.empty(H.size) for where in ("grid", "inside") for a in ON_GRID})
    for i, h in enumerate(H):
        f, on_grid = formula(*grid(h))  # the samples, and what their gradient should be, in one pass
        for a in ON_GRID:
            error = abs(from_samples(f, h, a) - on_grid) / abs(on_grid).max()
            curves["grid", a][i], curves["inside", a][i] = error.max(), error[INSIDE].max()
    return curves, abs(automatic - exact).max() / abs(exact).max()


def order(error: np.ndarray) -> float:
    """The slope over the shortest distances at which truncation rules."""
    rules = np.flatnonzero((error > 20 * error.min()) & (error.argmin() < np.arange(H.size)))[:4]
    return np.polyfit(np.log(H[rules]), np.log(error[rules]), 1)[0]


def print_one_point(formula: ng.symbolic.Formula, function: Function) -> None:
    h, middle = 0.01, (..., SIDE, SIDE, SIDE)  # the middle of a grid is its center
    f, exact = formula(*grid(h))
    exact = exact[middle]
    ways = {
        "exact partials": exact,
        f"grid, h = {h}, gradient": np.stack(ng.gradient(f, h, edge_order=2))[middle],
        f"grid, h = {h}, accuracy 8": from_samples(f, h, 8)[middle],
        f"function, step = {h}, accuracy 2": ng.functions.gradient(function, CENTER, step=h, accuracy=2),
        "function, step found": ng.functions.gradient(function, CENTER),
    }
    print(f"at {CENTER}:")
    for name, way in ways.items():
        value = np.asarray(way)
        text = f"  {name:34}" + "".join(f"{v:13.9f}" for v in value)
        if way is not exact:
            text += f"  error {abs(value - exact).max():.0e}"
        if isinstance(way, ng.functions.Derivative):
            text += f", estimated {way.error.max():.0e}"
        print(text)


def draw(curves: dict[str, tuple[Curves, float]]) -> None:
    _, axes = plt.subplots(1, 2, figsize=(11, 6), layout="constrained", sharex=True, sharey=True)
    titles = {
        "V": "V = 2x² + 3y² - 4z\nquadratic, so no truncation: all error is rounding",
        "W": "W = exp(-(x² + y²)/2) sin(3xy) + z cos(2z)\nrounding on the left, truncation on the right",
    }
    for ax, (name, (found, automatic)) in zip(axes, curves.items(), strict=True):
        for a in ON_GRID:
            ax.loglog(H, found["grid", a], "-", color=COLOURS[a], lw=1.6)
        for i, a in enumerate(OF_FUNCTION):
            ax.loglog(H, found["function", a], "o:", color=COLOURS[a], lw=1, ms=5, mfc="none", markevery=(i, 3))
        ax.axhline(automatic, color="k", ls="--", lw=1.2)
        text = f"step found: largest error {automatic:.0e}"
        ax.annotate(text, (H[0], automatic), (0, 4), textcoords="offset points")
        ax.annotate("rounding: slope -1", (1e-8, 1e-5), (5, 5), textcoords="offset points", color="0.3")
        ax.set(title=titles[name], xlabel="distance h of samples, in the units of x, y and z", ylim=(1e-16, 10))
        ax.grid(alpha=0.3)
    axes[0].set_ylabel("largest error of a partial at any point / largest partial")
    # Each where there is room beside its curve.
    for a, at, side in ((2, (7e-4, 3e-6), "right"), (4, (3.5e-3, 8e-9), "right"), (8, (3.5e-2, 3e-9), "left")):
        axes[1].text(*at, f"slope {a}", color=COLOURS[a], ha=side)
    line = {"arrowstyle": "-", "color": COLOURS[6]}
    axes[1].annotate("slope 6", (7.4e-3, 1e-11), (0.2, 2e-12), color=COLOURS[6], arrowprops=line)
    legend = [
        Line2D([], [], color="0.4", label="grid: derivative(f, h, accuracy=a), edges included"),
        Line2D(
            [], [], color="0.4", ls=":", marker="o", mfc="none", label="function: functions.gradient(fun, p, step=h)"
        ),
        Line2D([], [], color="k", ls="--", label="function: functions.gradient(fun, p), step found"),
    ]
    axes[0].legend(handles=legend, loc="upper right")
    legend = [Line2D([], [], color=c, label=f"accuracy {a}") for a, c in COLOURS.items()]
    axes[1].legend(handles=legend, loc="upper center")


# %%
# One point
# ---------

curves = {}
for name, (text, function) in FIELDS.items():
    formula = ng.symbolic.compile(text, "x y z")
    print(formula)
    print_one_point(formula, function)
    curves[name] = errors(formula, function)

# %%
# Many points, all distances
# --------------------------

found, automatic = curves["W"]
for a in ON_GRID:
    inside, all_points = order(found["inside", a]), order(found["grid", a])
    print(f"grid, accuracy {a}: order {inside:.1f} inside, {all_points:.1f} with the edges")
for a in OF_FUNCTION:
    error = found["function", a]
    best = f"smallest error {error.min():.0e} with step {H[error.argmin()]:.0e}"
    print(f"function, accuracy {a}: order {order(error):.1f}, {best}")
print(f"function, step found: error {automatic:.0e}")
draw(curves)
plt.show()
