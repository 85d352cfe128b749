"""
The vorticity of a wave that goes around the Earth
==================================================

A Rossby-Haurwitz wave, from pole to pole, by accuracy. It is that of D. L. Williamson et al., "A standard test
set for numerical approximations to the shallow water equations in spherical geometry", Journal of Computational
Physics 102 (1992), 211-224, its case 6.
"""

import matplotlib.pyplot as plt
import numpy as np

import numgrad as ng

plt.style.use("tableau-colorblind10")

RADIUS, SPEED, WAVES = 6371008.7714, 7.848e-6, 4


def wave(latitude: np.ndarray, longitude: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The wind to the east and to the north, in m/s, and its vorticity by the formula; there is no divergence."""
    phi, turn = np.radians(latitude)[:, None], WAVES * np.radians(longitude)
    sin, cos = np.sin(phi), np.cos(phi)
    u = RADIUS * SPEED * (cos + cos ** (WAVES - 1) * (WAVES * sin**2 - cos**2) * np.cos(turn))
    v = -RADIUS * SPEED * WAVES * cos ** (WAVES - 1) * sin * np.sin(turn)
    vorticity = SPEED * sin * (2 - cos**WAVES * (WAVES**2 + 3 * WAVES + 2) * np.cos(turn))
    return u, v, vorticity


# %%
# Longitudes go all the way around, and the poles are rows of the grid: no point has a one-sided formula.

latitude, longitude = np.linspace(-90, 90, 91), np.arange(0, 360, 2.0)
u, v, exact = wave(latitude, longitude)
errors = {}
for accuracy in (2, 4, 8):
    vorticity = ng.sphere.vorticity(u, v, latitude, longitude, accuracy=accuracy)
    divergence = ng.sphere.divergence(u, v, latitude, longitude, accuracy=accuracy)
    errors[accuracy] = abs(vorticity - exact).max(axis=1)
    print(
        f"accuracy {accuracy}: largest error of the vorticity {errors[accuracy].max() / exact.max():.1e} of the "
        f"largest, at the poles {errors[accuracy][[0, -1]].max() / exact.max():.1e}; divergence up to "
        f"{abs(divergence).max() / exact.max():.1e}"
    )

# %%

figure, ax = plt.subplots(figsize=(10, 4.8), layout="constrained")
most = abs(exact).max() * 1e5
image = ax.pcolormesh(longitude, latitude, vorticity * 1e5, cmap="RdBu_r", vmin=-most, vmax=most)
some = (slice(3, None, 6), slice(2, None, 6))
ax.quiver(longitude[some[1]], latitude[some[0]], u[some], v[some], width=0.0016)
figure.colorbar(image, ax=ax, label="vorticity, 1e-5 / s")
ax.set(title="Rossby-Haurwitz wave, with its wind", xlabel="longitude, degrees", ylabel="latitude, degrees")
plt.show()

# %%

figure, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
for (accuracy, error), style in zip(errors.items(), ("-", "--", "-."), strict=True):
    ax.semilogy(latitude, np.maximum(error / exact.max(), 1e-18), style, lw=2, label=f"accuracy {accuracy}")
ax.set(title="largest error on each circle of latitude", xlabel="latitude, degrees", ylabel="error / largest vorticity")
ax.set_ylim(1e-17, 1)
ax.grid(alpha=0.3)
ax.legend(loc="upper center", ncols=3)
plt.show()
