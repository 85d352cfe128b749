"""The gradient of samples: in one dimension, with spacings, on a 3-D grid, and what happens at the edges.

python examples/array_gradient.py
"""

import numpy as np

import numgrad as ng


def one_dimension() -> None:
    print("unit spacing")
    print(" ", ng.gradient([1, 2, 4, 7, 11, 16]))
    f = [5, 7, 4, 8]
    print("spacing 1, spacing 0.5, coordinates 0, 1, 3, 3.5")
    print(" ", ng.gradient(f, 1))
    print(" ", ng.gradient(f, 0.5))
    print(" ", ng.gradient(f, [0, 1, 3, 3.5]))


def potential() -> None:
    """The field of V = 2x^2 + 3y^2 - 4z is (4x, 6y, -4); second-order differences of a parabola are exact inside."""
    axis = np.arange(-100.0, 101.0, 25.0)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    V = 2 * x**2 + 3 * y**2 - 4 * z
    exact = (4 * x, 6 * y, np.full_like(z, -4))
    print("V = 2x^2 + 3y^2 - 4z from -100 to 100 in steps of 25: largest error of each component")
    for edge_order in (1, 2):
        field = ng.gradient(V, 25.0, edge_order=edge_order)
        errors = [abs(g - e) for g, e in zip(field, exact, strict=True)]
        inside = [float(e[1:-1, 1:-1, 1:-1].max()) for e in errors]
        everywhere = [float(e.max()) for e in errors]
        print(f"  edge_order={edge_order}: inside {inside}, with the edges {everywhere}")


def edges() -> None:
    """Measure the order at the edges and inside, on exp(x).

    By Taylor, f(h) = f + h f' + h^2 f''/2 + ..., so (f(h) - f) / h = f' + h f''/2 + ...: one-sided, first order. The
    difference of f(h) and f(-h) loses the f'' term, so the inside is second order. Three points at the edge can cancel
    that term, too, which is what edge_order=2 does.
    """
    print("exp on [0, 1]: largest error, and how much it shrinks when h is halved")
    print("      h    inside            edge_order=1      edge_order=2")
    last = None
    for n in (11, 21, 41, 81, 161):
        x, h = np.linspace(0, 1, n, retstep=True)
        first, second = (abs(ng.gradient(np.exp(x), h, edge_order=k) - np.exp(x)) for k in (1, 2))
        errors = np.array([first[1:-1].max(), first[[0, -1]].max(), second[[0, -1]].max()])
        shrink = ["      " if last is None else f"({s:4.2f})" for s in (errors if last is None else last / errors)]
        print(f"{h:8.5f}  " + "   ".join(f"{e:.2e} {s}" for e, s in zip(errors, shrink, strict=True)))
        last = errors


if __name__ == "__main__":
    one_dimension()
    potential()
    edges()
