"""Groups of rows, put one behind another: those of one length are lines of an array, which kernels take at once."""

from typing import Any, NamedTuple

import numpy as np

from numgrad.interop.dataframes.tables import Table, first_alike


class Groups(NamedTuple):
    """Which rows go together: `order` has those of a group side by side, as they follow one another in the table.

    Groups of one length are neighbours: `batches` are where they begin and end in `order`, and that length. All rows
    are one group where `order` is None.
    """

    order: np.ndarray | None
    starts: np.ndarray
    batches: list[tuple[int, int, int]]


def whole(count: int) -> Groups:
    return Groups(None, np.zeros(1, np.int64), [(0, count, count)])


def groups_of(table: Table, keys: list[Any], needed: int, may_be_short: bool) -> Groups:
    """Return the groups of rows whose keys are equal; those without a key are in none."""
    codes = codes_of([table.column(key, "by") for key in keys])
    lengths = np.bincount(codes[codes >= 0])
    by_length = np.argsort(lengths, kind="stable")
    rank = np.empty_like(by_length)
    rank[by_length] = np.arange(len(rank))
    order = _sorted(np.where(codes >= 0, rank[codes] if len(rank) else codes, len(rank)))[: lengths.sum()]
    lengths = lengths[by_length]
    starts = np.cumsum(lengths) - lengths
    if not may_be_short and len(lengths) and lengths[0] < needed:
        group = ", ".join(f"{key!r}: {table.column(key, 'by')[int(order[0])]!r}" for key in keys)
        raise ValueError(
            f"the group {{{group}}} has {lengths[0]} rows, the derivative needs at least {needed}; leave away "
            "short='raise' for NaN there"
        )
    found, firsts, counts = np.unique(lengths, return_index=True, return_counts=True)
    batches = [
        (int(starts[first]), int(starts[first] + length * count), int(length))
        for length, first, count in zip(found, firsts, counts, strict=True)
        if length >= needed
    ]
    return Groups(order, starts, batches)


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
