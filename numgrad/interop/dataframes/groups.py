"""Groups of rows, put one behind another: lines, of which kernels take all at once."""

from collections.abc import Iterator
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from numgrad._arrays.kernels.grouped import put_in_order
from numgrad._compile.jit import draft, entry_point
from numgrad._compile.tiers import Account
from numgrad.interop.dataframes.tables import Table, first_alike

# Seconds in which NumPy sorts a row, about.
BY_NUMPY = 2e-8


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
    lengths = np.bincount(codes if codes.min(initial=0) == 0 else codes[codes >= 0])
    by_length = np.argsort(lengths, kind="stable")
    cuts = np.concatenate([[0], np.cumsum(lengths[by_length])])
    places = np.full(len(lengths) + 1, cuts[-1])  # the last is that of rows without a key
    places[by_length] = cuts[:-1]
    account = _account()
    order = account.run(len(codes), partial(_ordered, codes, places), partial(_ordered_by_kernel, codes, places))
    order = order[: cuts[-1]]
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
    if len(keys) == 1 and len(keys[0]) and keys[0].dtype.is_integer() and not keys[0].is_null().any():
        values = keys[0].to_numpy()
        low, high = values.min(), values.max()
        # So close together that they are the numbers of groups, but for some left out.
        if values.dtype.kind in "iu" and int(high) - int(low) < len(values):
            codes: np.ndarray = values.astype(np.int64) - low.astype(np.int64)  # modulo 2**64
            are_there = np.bincount(codes) > 0
            return codes if are_there.all() else (np.cumsum(are_there) - 1)[codes]
    first, is_missing = first_alike(keys)
    is_first = (first == np.arange(len(first))) & ~is_missing
    return np.where(is_missing, -1, (np.cumsum(is_first) - 1)[first])


@cache
def _account() -> Account:
    return Account((draft(put_in_order),), BY_NUMPY)


def _ordered_by_kernel(codes: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return which rows are in order of the places where their groups begin, those of a group as they follow."""
    order = np.empty(len(codes), np.int64)
    given = codes, places.copy(), order
    entry_point(draft(put_in_order).compiled, *given)(*given)
    return order


def _ordered(codes: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The same by NumPy: place and row as one number are sorted much faster than by a stable sort."""
    bits, starts = len(codes).bit_length(), places[codes]
    if 2 * bits > 62:
        return np.argsort(starts, kind="stable")
    return np.sort(starts << bits | np.arange(len(starts))) & ((1 << bits) - 1)
