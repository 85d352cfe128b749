"""Fit data that no worker could hold: two processes of a dask cluster compress the blocks of rows, dask merges them.

The rows are random numbers, made by the workers block by block, and are gone once compressed; what travels are
triangles of a few kilobytes. A worker that dies costs its blocks, which are made again, not the run.

    python examples/cluster_regression.py [--rows 4000000]
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

import dask
import dask.array as da
import numpy as np
from dask.distributed import Client, LocalCluster, progress

import numgrad as ng

SEED, FEATURES, BLOCK, LIMIT = 6, 24, 50_000, 600 * 2**20
TRUTH = np.linspace(-2, 2, FEATURES)


def data(rows: int) -> tuple[da.Array, da.Array]:
    """Return features of scales from 0.1 to 10, and a target with noise."""
    rng = da.random.default_rng(SEED)
    X = rng.standard_normal((rows, FEATURES), chunks=(BLOCK, FEATURES)) * np.geomspace(0.1, 10, FEATURES)
    return X, 7 + X @ TRUTH + rng.standard_normal(rows, chunks=BLOCK)


@contextmanager
def cluster() -> Iterator[Client]:
    # Without a dashboard; on any free port, for the usual one may be taken.
    free = {"dashboard_address": ":0"}
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, memory_limit=LIMIT, dashboard_address=None, scheduler_kwargs=free
        ) as local,
        Client(local) as client,
    ):
        yield client


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=4_000_000, help="rows of the data (4,000,000)")
    count = parser.parse_args().rows

    with cluster():
        X, y = data(count)
        print(f"{X.nbytes / 2**20:.0f} MiB of features, {LIMIT / 2**20:.0f} MiB for each of 2 workers")
        rows = ng.CompressedRows.from_dask(X, y, compute=False).persist()  # begins to work
        progress(rows)
        (rows,) = dask.compute(rows)
        print(f"\n{rows}, {rows.R.nbytes} bytes")
        print(ng.step_size(X[: 10 * BLOCK]))  # of a part; a dask array is as good as any
    run = ng.gradient_descent(rows, fit_intercept=True, standardize=True, tol=1e-10)
    print(run.stop_reason)
    print(f"theta: {run.theta[1:].round(3)}")
    print(f"truth: {TRUTH.round(3)}")
    print(f"intercept {run.theta[0]:.3f}, in truth 7; largest error {abs(run.theta[1:] - TRUTH).max():.4f}")


if __name__ == "__main__":
    main()
