"""
The gradient of samples, and its ends
=====================================

In one dimension, with spacings, on a 3-D grid; and why the ends are less accurate than the inside.
"""

import matplotlib.pyplot as plt
import numpy as np

import numgrad as ng

plt.style.use("tableau-colorblind10")

# %%
# One dimension
# -------------
# Without a spacing, samples are 1 apart. A number is the distance of all samples, an array has their coordinates.

print("unit spacing:              ", ng.gradient([1, 2, 4, 7, 11, 16]))
f = [5, 7, 4, 8]
print("spacing 1:                 ", ng.gradient(f, 1))
print("spacing 0.5:               ", ng.gradient(f, 0.5))
print("coordinates 0, 1, 3, 3.5:  ", ng.gradient(f, [0, 1, 3, 3.5]))

# %%
# The field of a potential
# ------------------------
# The gradient of V = 2x² + 3y² - 4z is (4x, 6y, -4). Inside, differences of second order are exact for a parabola. At
# the edges ``edge_order=1`` is off by half the spacing times the second derivative; ``edge_order=2`` is exact.

axis = np.arange(-100.0, 101.0, 25.0)
x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
potential = 2 * x**2 + 3 * y**2 - 4 * z
exact = (4 * x, 6 * y, np.full_like(z, -4))
print("largest error of each component")
for edge_order in (1, 2):
    field = ng.gradient(potential, 25.0, edge_order=edge_order)
    errors = [abs(g - e) for g, e in zip(field, exact, strict=True)]
    inside = [float(e[1:-1, 1:-1, 1:-1].max()) for e in errors]
    everywhere = [float(e.max()) for e in errors]
    print(f"  edge_order={edge_order}: inside {inside}, with the edges {everywhere}")

# %%
# Why the ends are different
# --------------------------
# By Taylor, f(h) = f + h f' + h² f''/2 + ..., so (f(h) - f) / h = f' + h f''/2 + ...: one-sided, first order. The
# difference of f(h) and f(-h) loses the term with f'', so the inside is of second order. Three points at the end
# can cancel that term, too, which is what ``edge_order=2`` does. Halve the spacing, and an error of first order
# halves, one of second order falls to a quarter:

names = ("inside", "ends, edge_order=1", "ends, edge_order=2")
spacings, table = [], []
for n in (11, 21, 41, 81, 161):
    x, h = np.linspace(0, 1, n, retstep=True)
    first, second = (abs(ng.gradient(np.exp(x), h, edge_order=k) - np.exp(x)) for k in (1, 2))
    spacings.append(h)
    table.append([first[1:-1].max(), first[[0, -1]].max(), second[[0, -1]].max()])
errors = np.array(table)
print("largest error for exp on [0, 1], and how much it shrinks when h is halved")
print("      h    " + "    ".join(f"{name:18}" for name in names))
for k, h in enumerate(spacings):
    shrink = ["" if k == 0 else f"({s:4.2f})" for s in errors[k - 1] / errors[k]]
    print(f"{h:8.5f}   " + "    ".join(f"{e:.2e} {s:9}" for e, s in zip(errors[k], shrink, strict=True)))

figure, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
for name, error, marker in zip(names, errors.T, "os^", strict=True):
    ax.loglog(spacings, error, marker=marker, label=name)
ax.set(xlabel="spacing h", ylabel="largest error", title="np.gradient of exp(x): first order at the ends")
ax.grid(alpha=0.3)
ax.legend()
plt.show()
