"""Groups of rows, put one behind another: lines, of which kernels take all at once."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from numgrad.interop.dataframes.tables import Table, first_alike


class Groups(NamedTuple):
    """Which rows go together.

    `order` has the rows of a group side by side, as they follow one another in the table, and groups by their length;
    `cuts` are where groups begin in it, and where the last one ends. Those before the `short`-th are too short.
    """

    order: np.ndarray
    cuts: np.ndarray
    short: int

    def batches(self) -> Iterator[np.ndarray]:
        """Yield the rows of groups that are long enough: those of one length are lines of an array."""
        lengths = np.diff(self.cuts)[self.short :]
        found, firsts, counts = np.unique(lengths, return_index=True, return_counts=True)
        for length, first, count in zip(found, self.short + firsts, counts, strict=True):
            yield self.order[self.cuts[first] :][: length * count].reshape(count, length)


def groups_of(table: Table, keys: list[Any], needed: int, may_be_short: bool) -> Groups:
    """Return the groups of rows whose keys are equal; those without a key are in none."""
    codes = codes_of([table.column(key, "by") for key in keys])
    lengths = np.bincount(codes[codes >= 0])
    by_length = np.argsort(lengths, kind="stable")
    rank = np.full(len(lengths) + 1, len(lengths))  # the last is that of rows without a key
    rank[by_length] = np.arange(len(lengths))
    order = _sorted(rank[codes])[: lengths.sum()]
    cuts = np.concatenate([[0], np.cumsum(lengths[by_length])])
    short = int(np.searchsorted(lengths[by_length], needed))
    if short and not may_be_short:
        group = {key: table.column(key, "by")[int(order[0])] for key in keys}
        group = {key: value.item() if isinstance(value, np.generic) else value for key, value in group.items()}
        raise ValueError(
            f"the group {group} is of length {cuts[1]}, the derivative needs at least {needed} rows; leave away "
            "short='raise' for NaN there"
        )
    return Groups(order, cuts, short)


def codes_of(keys: list[Any]) -> np.ndarray:
    """Return for each row the number of its group; -1 where a key is missing."""
    first, is_missing = first_alike(keys)
    is_first = (first == np.arange(len(first))) & ~is_missing
    return np.where(is_missing, -1, (np.cumsum(is_first) - 1)[first])


def _sorted(ranks: np.ndarray) -> np.ndarray:
    """Return which rows are in order, as a stable sort has them: rank and row as one number are sorted much faster."""
    bits = len(ranks).bit_length()
    if 2 * bits > 62:
        return np.argsort(ranks, kind="stable")
    return np.sort(ranks << bits | np.arange(len(ranks))) & ((1 << bits) - 1)
