"""
Fit a file that need not fit into memory
========================================

Read once, in chunks, in constant memory: a CSV file and, where pyarrow is installed, a Parquet file are written to a
temporary folder, and read chunk by chunk into ``CompressedRows``, whose size does not depend on the number of rows.
``--rows 10_000_000`` makes larger files.
"""

import argparse
import pickle
import tempfile
import tracemalloc
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import numgrad as ng

plt.style.use("tableau-colorblind10")

SEED, FEATURES, CHUNK = 5, 6, 10_000
NAMES = [f"x{j}" for j in range(FEATURES)]
TRUTH = np.arange(1.0, FEATURES + 1)

parser = argparse.ArgumentParser()
parser.add_argument("--rows", type=int, default=200_000, help="rows of the files (200,000)")
count = parser.parse_args().rows

# %%
# The files
# ---------


def chunks(rows: int) -> Iterator[np.ndarray]:
    """Yield features and target, as columns of one array."""
    rng = np.random.default_rng(SEED)
    for start in range(0, rows, CHUNK):
        X = rng.standard_normal((min(CHUNK, rows - start), FEATURES)) * 10.0 ** np.arange(-2, 4)[:FEATURES]
        yield np.column_stack([X, 7 + X @ TRUTH + rng.standard_normal(len(X))])


def write(rows: int, folder: Path) -> list[Path]:
    files = [folder / "data.csv"]
    with files[0].open("w") as file:
        file.write(",".join([*NAMES, "y"]) + "\n")
        for chunk in chunks(rows):
            np.savetxt(file, chunk, fmt="%.9g", delimiter=",")
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        print("without pyarrow, the CSV file alone")
        return files
    files.append(folder / "data.parquet")
    schema = pa.schema([(name, pa.float64()) for name in [*NAMES, "y"]])
    with parquet.ParquetWriter(files[1], schema) as writer:
        for chunk in chunks(rows):
            writer.write_table(pa.table([pa.array(c) for c in chunk.T], schema=schema))
    return files


def read(file: Path) -> Generator[tuple[np.ndarray, np.ndarray], None, None]:
    """Yield X and y of one chunk of the file at a time."""
    if file.suffix == ".csv":
        with pd.read_csv(file, chunksize=CHUNK) as frames:
            for frame in frames:
                yield frame[NAMES].to_numpy(), frame["y"].to_numpy()
    else:
        from pyarrow import parquet

        for batch in parquet.ParquetFile(file).iter_batches(CHUNK):
            yield np.column_stack([batch[name].to_numpy() for name in NAMES]), batch["y"].to_numpy()


# %%
# Read, and compress
# ------------------
# Two objects, as two workers would have, who share nothing, and one merge.

with tempfile.TemporaryDirectory() as name:
    for file in write(count, Path(name)):
        with closing(read(file)) as first:
            ng.CompressedRows().update(*next(first))  # compiles, before memory is measured
        halves = [ng.CompressedRows(), ng.CompressedRows()]
        tracemalloc.start()
        for i, (X, y) in enumerate(read(file)):
            halves[i % 2].update(X, y)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        rows = halves[0].merge(halves[1])
        sizes = f"{file.stat().st_size / 2**20:.0f} MiB read in {peak / 2**20:.0f} MiB"
        print(f"{file.name}: {sizes}, kept as {len(pickle.dumps(rows))} bytes; {rows}")

# %%
# Fit
# ---
# Descents and least squares take the compressed rows in place of the data.

print(ng.step_size(rows))
run = ng.gradient_descent(rows, fit_intercept=True, standardize=True, tol=1e-10)
print(run.stop_reason)
print(f"descent:       {run.theta.round(4)}")
print(f"least squares: {rows.solve(fit_intercept=True).round(4)}")

# %%

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
scale = 10.0 ** np.arange(-2, 4)[:FEATURES]
ax.bar(NAMES, abs(run.theta[1:] - TRUTH) * scale, label="descent")
ax.axhline(count**-0.5, color="k", ls="--", lw=1.2, label="standard error, by the number of rows")
ax.set(
    xlabel="feature",
    ylabel="error of theta, times the scale of the feature",
    ylim=(0, 3 * count**-0.5),
    title="how far off the fit is",
)
ax.legend()
plt.show()
