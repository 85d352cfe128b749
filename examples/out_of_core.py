"""
The gradient of an array that need not fit into memory
======================================================

From Zarr to Zarr, chunk by chunk, on all cores. The array is a wave over a plane at many times, made chunk by
chunk, too. Uneven times are coordinates. What is read, computed and written at a time are a few chunks, each
with its neighbours' edges. ``--times 4096`` makes 4 GiB of it.
"""

import argparse
import resource
import sys
import tempfile
from pathlib import Path

import dask.array as da
import matplotlib.pyplot as plt
import numpy as np

import numgrad as ng

PLANE, CHUNK = 512, 8
SPEED, LENGTH = 2.0, 40.0

parser = argparse.ArgumentParser()
parser.add_argument("--times", type=int, default=256, help="planes of 1 MiB (256)")
times = parser.parse_args().times


def wave(t: np.ndarray) -> np.ndarray:
    """Return sin((x - SPEED t) / LENGTH), of shape (times, y, x)."""
    x = np.arange(PLANE, dtype=np.float32)
    return np.broadcast_to(np.sin((x - SPEED * t[:, None, None]) / LENGTH), (t.size, PLANE, PLANE)).astype(np.float32)


def resident() -> float:
    """Return the most memory this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


# %%
# The derivatives by time and place are as lazy as the array. What is left of the equation of the wave is the
# error of the differences.

t = np.cumsum(0.5 + 0.5 * (np.arange(times) % 2))  # steps of 0.5 and 1
with tempfile.TemporaryDirectory() as folder:
    source, target = str(Path(folder, "wave")), str(Path(folder, "residual"))
    lazy = da.from_array(t, chunks=CHUNK)
    lazy.map_blocks(wave, chunks=(CHUNK, PLANE, PLANE), new_axis=(1, 2), dtype=np.float32).to_zarr(source)

    f = da.from_zarr(source)
    ng.warm_up("gradient", dtypes="float32")  # the compiler's own memory is not what is measured
    before = resident()
    dt, dx = ng.gradient(f, t, 1.0, axis=(0, 2))  # the plane has steps of 1, time has coordinates
    residual = dt + SPEED * dx
    residual.to_zarr(target)  # only now is anything computed
    print(f"{f.nbytes / 2**20:.0f} MiB from Zarr to Zarr, memory grew by {resident() - before:.0f} MiB")
    rows = [np.asarray(lazy[:, 0]) for lazy in (f, dt, da.from_zarr(target))]
    inside = abs(da.from_zarr(target)[1:-1, :, 1:-1]).max().compute()
print(f"largest residual inside: {inside:.5f}, of derivatives up to {SPEED / LENGTH}")

# %%
# A row of the plane against time. The residual is 1e-4 of the derivative, inside; at the first and the last
# time the differences are one-sided, and it is larger.

figure, axes = plt.subplots(1, 3, figsize=(11, 3.8), layout="constrained", sharey=True)
for ax, row, title in zip(axes, rows, ("the wave", "its derivative by time", "residual"), strict=True):
    most = abs(row[1:-1, 1:-1]).max()
    image = ax.pcolormesh(np.arange(PLANE), t, row, cmap="RdBu_r", vmin=-most, vmax=most)
    figure.colorbar(image, ax=ax, orientation="horizontal")
    ax.set(title=title, xlabel="x")
axes[0].set_ylabel("time")
plt.show()
