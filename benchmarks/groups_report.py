"""How fast derivatives of groups of rows are, beside pandas calling np.gradient for each."""

from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

import numgrad.pandas
from benchmarks.measure import side_by_side, table, unit

SIZES = ((10**5, 10**4), (10**6, 10**5), (10**6, 10**3))


def frame(rows: int, groups: int) -> pd.DataFrame:
    """Particles whose rows are in the order of time, so that those of one are far apart."""
    rng = np.random.default_rng(0)
    owner = np.concatenate([np.repeat(np.arange(groups), 3), rng.integers(0, groups, rows - 3 * groups)])
    return pd.DataFrame(
        {"id": rng.permutation(owner), "time": np.cumsum(rng.random(rows) + 0.1), "x": rng.random(rows)}
    )


def by_pandas(given: pd.DataFrame) -> Any:
    """The derivative by `time`, for each group in a call of its own."""
    groups = given.groupby("id")[["x", "time"]]
    return groups.apply(lambda rows: np.gradient(rows["x"].to_numpy(), rows["time"].to_numpy(), edge_order=2))


def by_pandas_evenly(given: pd.DataFrame) -> Any:
    """The derivative for a distance of 1, where pandas has no more to do than to call np.gradient."""
    return given.groupby("id")["x"].apply(np.gradient, edge_order=2)


def report(sizes: tuple[tuple[int, int], ...] = SIZES, seconds: float = 0.5) -> list[str]:
    """Return the table. Pandas, which takes seconds, is timed once."""
    lines = []
    for rows, groups in sizes:
        given = frame(rows, groups)
        for name, reference, x in (("coordinates", by_pandas, "time"), ("distance 1", by_pandas_evenly, 1.0)):
            call = partial(given.numgrad.derivative, "x", by="id", x=x)
            start = perf_counter()
            expected = reference(given)
            slow = perf_counter() - start
            one = given.index[given["id"] == expected.index[0]]
            assert np.allclose(call()[one], expected.iloc[0])
            fast = side_by_side({"numgrad": call}, seconds)["numgrad"]
            lines.append(f"| {rows:,d} in {groups:,d}, {name} | {unit(slow)} | {unit(fast)} | {slow / fast:.3g} |")
    return table("| rows in groups | groupby().apply(np.gradient) | numgrad | ratio |", lines)


if __name__ == "__main__":
    assert numgrad.pandas
    print("\n".join(report()))
