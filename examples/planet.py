"""The vorticity of a Rossby-Haurwitz wave that goes around the Earth, by accuracy, from pole to pole.

python examples/planet.py [--save FOLDER]

The wave is that of D. L. Williamson et al., "A standard test set for numerical approximations to the shallow water
equations in spherical geometry", Journal of Computational Physics 102 (1992), 211-224, its case 6.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import numgrad as ng

RADIUS, SPEED, WAVES = 6371008.7714, 7.848e-6, 4


def wave(latitude: np.ndarray, longitude: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The wind to the east and to the north, in m/s, and its vorticity by the formula; there is no divergence."""
    phi, turn = np.radians(latitude)[:, None], WAVES * np.radians(longitude)
    sin, cos = np.sin(phi), np.cos(phi)
    u = RADIUS * SPEED * (cos + cos ** (WAVES - 1) * (WAVES * sin**2 - cos**2) * np.cos(turn))
    v = -RADIUS * SPEED * WAVES * cos ** (WAVES - 1) * sin * np.sin(turn)
    vorticity = SPEED * sin * (2 - cos**WAVES * (WAVES**2 + 3 * WAVES + 2) * np.cos(turn))
    return u, v, vorticity


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="save the figure here")
    folder = parser.parse_args().save

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

    if folder is not None:
        figure, (left, right) = plt.subplots(1, 2, figsize=(13, 4.4), width_ratios=(2.2, 1), layout="constrained")
        most = abs(exact).max() * 1e5
        image = left.pcolormesh(longitude, latitude, vorticity * 1e5, cmap="RdBu_r", vmin=-most, vmax=most)
        some = (slice(3, None, 6), slice(2, None, 6))
        left.quiver(longitude[some[1]], latitude[some[0]], u[some], v[some], width=0.0015)
        figure.colorbar(image, ax=left, label="vorticity in 1e-5 / s")
        left.set(title="Rossby-Haurwitz wave", xlabel="longitude", ylabel="latitude")
        for accuracy, error in errors.items():
            right.semilogx(error / exact.max(), latitude, label=f"accuracy {accuracy}")
        right.set(title="largest error on a circle of latitude", xlabel="error / largest vorticity", ylabel="latitude")
        right.set_xlim(1e-24, 1e-1)  # room for the legend
        right.legend(loc="upper left")
        file = folder / "planet.png"
        figure.savefig(file, dpi=120)
        print(f"figure: {file}")


if __name__ == "__main__":
    main()
