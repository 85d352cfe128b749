"""
Fit data that no worker could hold
==================================

Two processes of a dask cluster compress the blocks of rows, and dask merges them. The rows are random numbers,
made by the workers block by block, and are gone once compressed; what travels are triangles of a few kilobytes.
A worker that dies costs its blocks, which are made again, not the run. For more data than fits into memory, say
``--rows 100_000_000``.
"""

import argparse
from contextlib import ExitStack

import dask
import dask.array as da
import matplotlib.pyplot as plt
import numpy as np
from dask.distributed import Client, LocalCluster

import numgrad as ng

plt.style.use("tableau-colorblind10")

SEED, FEATURES, BLOCK, LIMIT = 6, 24, 50_000, 600 * 2**20
TRUTH = np.linspace(-2, 2, FEATURES)

# %%
# Features of scales from 0.1 to 10, and a target with noise. Nothing is computed yet. A process of a cluster
# reads this file anew, hence the question whether this is the first.


def data(rows: int) -> tuple[da.Array, da.Array]:
    rng = da.random.default_rng(SEED)
    X = rng.standard_normal((rows, FEATURES), chunks=(BLOCK, FEATURES)) * np.geomspace(0.1, 10, FEATURES)
    return X, 7 + X @ TRUTH + rng.standard_normal(rows, chunks=BLOCK)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the data (1,000,000)")
    count = parser.parse_args().rows
    X, y = data(count)
    print(f"{X.nbytes / 2**20:.0f} MiB of features, {LIMIT / 2**20:.0f} MiB for each of 2 workers")

    with ExitStack() as stack:
        # Without a dashboard; on any free port, for the usual one may be taken.
        options = {"dashboard_address": None, "scheduler_kwargs": {"dashboard_address": ":0"}}
        cluster = LocalCluster(n_workers=2, threads_per_worker=1, memory_limit=LIMIT, **options)
        stack.enter_context(Client(stack.enter_context(cluster)))
        (rows,) = dask.compute(ng.CompressedRows.from_dask(X, y, compute=False))
        print(f"{rows}, {rows.R.nbytes} bytes")
        print(ng.step_size(X[: 2 * BLOCK]))  # of a part; a dask array is as good as any

    run = ng.gradient_descent(rows, fit_intercept=True, standardize=True, tol=1e-10)
    print(run.stop_reason)
    print(f"theta: {run.theta[1:].round(3)}")
    print(f"truth: {TRUTH.round(3)}")
    print(f"intercept {run.theta[0]:.3f}, in truth 7; largest error {abs(run.theta[1:] - TRUTH).max():.4f}")

    figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
    scale = np.geomspace(0.1, 10, FEATURES)
    ax.bar(np.arange(FEATURES), abs(run.theta[1:] - TRUTH) * scale, label="descent")
    ax.axhline(count**-0.5, color="k", ls="--", lw=1.2, label="standard error, by the number of rows")
    ax.set(
        xlabel="feature",
        ylabel="error of theta, times the scale of the feature",
        ylim=(0, 3 * count**-0.5),
        title="how far off the fit is",
    )
    ax.legend()
    plt.show()
