"""
Divergence and curl of a flow
=============================

On a periodic grid: vortices that turn, and a source that pushes.
"""

import matplotlib.pyplot as plt
import numpy as np

import numgrad as ng


def flow(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates, the velocity (2, n, n), and its divergence and curl by the formula."""
    s = np.arange(n) * (2 * np.pi / n)
    x, y = np.meshgrid(s, s, indexing="ij")
    push = 0.6 * np.exp(np.cos(x - np.pi) + np.cos(y - np.pi) - 2)  # the source flows down this hill
    turn = np.array([np.sin(x) * np.cos(y), -np.cos(x) * np.sin(y)])
    slope = np.array([-np.sin(x - np.pi), -np.sin(y - np.pi)]) * push
    bend = (np.sin(x - np.pi) ** 2 - np.cos(x - np.pi) + np.sin(y - np.pi) ** 2 - np.cos(y - np.pi)) * push
    return x, y, turn - slope, -bend, 2 * np.sin(x) * np.sin(y)


# %%
# The grid is periodic, so no point has a one-sided formula, and what flows out of the whole of it is nothing.

n = 64
x, y, v, divergence, curl = flow(n)
h = 2 * np.pi / n
for accuracy in (2, 4, 8):
    options = {"accuracy": accuracy, "boundary": "periodic"}
    errors = [abs(ng.divergence(v, h, **options) - divergence).max(), abs(ng.curl(v, h, **options) - curl).max()]
    print(f"accuracy {accuracy}: largest error of the divergence {errors[0]:.1e}, of the curl {errors[1]:.1e}")
source = ng.divergence(v, h, accuracy=8, boundary="periodic")
vorticity = ng.curl(v, h, accuracy=8, boundary="periodic")
print(f"what flows out of the whole grid: {source.sum() * h**2:.1e}")

# %%

figure, axes = plt.subplots(1, 2, figsize=(11, 4.8), layout="constrained")
some = (slice(2, None, 4), slice(2, None, 4))
for ax, field, title in zip(axes, (source, vorticity), ("divergence", "curl"), strict=True):
    most = abs(field).max()
    image = ax.pcolormesh(x, y, field, cmap="RdBu_r", vmin=-most, vmax=most, shading="nearest")
    ax.quiver(x[some], y[some], v[0][some], v[1][some], scale=22, width=0.003)
    figure.colorbar(image, ax=ax)
    ax.set(title=f"{title} of the flow", xlabel="x", ylabel="y", aspect="equal")
plt.show()
