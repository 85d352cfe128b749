"""The gradient of an array that need not fit in memory: from Zarr to Zarr, chunk by chunk, on all cores.

The array is a wave over a plane at many times, made chunk by chunk, too. Uneven times are coordinates. What is read,
computed and written at a time are a few chunks, each with its neighbours' edges.

    python examples/out_of_core.py [--times 512] [--folder .]
"""

import argparse
import resource
import sys
import tempfile
from pathlib import Path

import dask.array as da
import numpy as np
from dask.diagnostics import ProgressBar

import numgrad as ng

PLANE, CHUNK = 512, 16
SPEED, LENGTH = 2.0, 40.0


def wave(t: np.ndarray) -> np.ndarray:
    """Return sin((x - SPEED t) / LENGTH), of shape (times, y, x)."""
    x = np.arange(PLANE, dtype=np.float32)
    return np.broadcast_to(np.sin((x - SPEED * t[:, None, None]) / LENGTH), (t.size, PLANE, PLANE)).astype(np.float32)


def resident() -> float:
    """Return the most memory this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=512, help="planes of 1 MiB (512)")
    parser.add_argument("--folder", type=Path, help="where the arrays are kept (a temporary folder)")
    given = parser.parse_args()
    t = np.cumsum(0.5 + 0.5 * (np.arange(given.times) % 2))  # steps of 0.5 and 1

    with tempfile.TemporaryDirectory() as temporary, ProgressBar():
        folder = given.folder or Path(temporary)
        chunks = (CHUNK, PLANE, PLANE)
        times = da.from_array(t, chunks=CHUNK)
        times.map_blocks(wave, chunks=chunks, new_axis=(1, 2), dtype=np.float32).to_zarr(folder / "wave")
        f = da.from_zarr(folder / "wave")
        before = resident()
        # Nothing is computed yet. The plane has steps of 1, time has coordinates.
        dt, dx = ng.gradient(f, t, 1.0, axis=(0, 2))
        residual = dt + SPEED * dx  # of the equation of the wave, up to the error of the differences
        residual.to_zarr(folder / "residual")
        print(f"{f.nbytes / 2**20:.0f} MiB from Zarr to Zarr, memory grew by {resident() - before:.0f} MiB")
        inside = abs(da.from_zarr(folder / "residual")[1:-1, :, 1:-1]).max().compute()
    print(f"largest residual inside: {inside:.5f}, of derivatives up to {SPEED / LENGTH}")


if __name__ == "__main__":
    main()
