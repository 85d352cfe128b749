"""Fields on the sphere beside MetPy's, where that is installed: time, and memory for results and what is between."""

import tracemalloc
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.measure import side_by_side, table, unit
from numgrad import sphere

Call = Callable[[], Any]
RADIUS = 6371008.7714
# The names of MetPy, whose laplacian is the divergence of a gradient, and so reaches twice as far.
PEERS = {
    "gradient": "geospatial_gradient",
    "divergence": "divergence",
    "vorticity": "vorticity",
    "laplacian": "geospatial_laplacian",
    "advection": "advection",
}
GIVEN = {"gradient": "f", "divergence": "uv", "vorticity": "uv", "laplacian": "f", "advection": "fuv"}


def grid(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Latitudes and longitudes of the globe, and smooth samples on them."""
    latitude, longitude = np.linspace(90, -90, rows), np.arange(columns) * 360 / columns
    p, t = np.radians(latitude)[:, None], np.radians(longitude)
    f = np.sin(p) * np.cos(p) * np.cos(t)
    return latitude, longitude, {"f": f, "u": np.cos(p) * (1 + f), "v": f * np.sin(t)}


def metpy(name: str, latitude: np.ndarray, longitude: np.ndarray, samples: dict[str, np.ndarray]) -> Call:
    from metpy import calc
    from metpy.units import units
    from pyproj import CRS

    given = [samples[key] * units("K" if key == "f" else "m/s") for key in GIVEN[name]]
    where = {"latitude": latitude * units.degrees_north, "longitude": longitude * units.degrees_east}
    return partial(getattr(calc, PEERS[name]), *given, **where, crs=CRS(f"+proj=latlong +R={RADIUS}"))


def ours(
    name: str, latitude: np.ndarray, longitude: np.ndarray, samples: dict[str, np.ndarray], **options: Any
) -> Call:
    return partial(getattr(sphere, name), *[samples[key] for key in GIVEN[name]], latitude, longitude, **options)


def memory(call: Call) -> float:
    """Return how many MB a call has allocated at most at a time, its results among them."""
    call()
    tracemalloc.start()
    try:
        result = call()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
        del result


def report(shape: tuple[int, int] = (721, 1440), seconds: float = 2.0) -> list[str]:
    latitude, longitude, samples = grid(*shape)
    rows, has_peer = [], find_spec("metpy") is not None
    for name in PEERS:
        calls = {"numgrad": ours(name, latitude, longitude, samples)}
        calls["accuracy=4"] = ours(name, latitude, longitude, samples, accuracy=4)
        if has_peer:
            # Without the poles, by whose longitudes MetPy divides.
            inner = {key: f[1:-1] for key, f in samples.items()}
            calls["MetPy"] = metpy(name, latitude[1:-1], longitude, inner)
        times = side_by_side(calls, seconds)
        theirs, ratio, theirs_mb = "", "", ""
        if has_peer:
            theirs, ratio = unit(times["MetPy"]), f"{times['MetPy'] / times['numgrad']:.3g}"
            theirs_mb = f"{memory(calls['MetPy']):.3g} MB"
        rows.append(
            f"| {name} | {theirs} | {unit(times['numgrad'])} | {ratio} | {unit(times['accuracy=4'])} | {theirs_mb} | "
            f"{memory(calls['numgrad']):.3g} MB |"
        )
        print(rows[-1], flush=True)
    header = f"| {shape[0]} x {shape[1]} | MetPy | numgrad | ratio | accuracy=4 | memory of MetPy | of numgrad |"
    return table(header, rows)
