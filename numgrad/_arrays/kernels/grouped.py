"""Rows of groups, put side by side."""

from numgrad._compile.language import Array, Target


def put_in_order(codes: Array, places: Target, order: Target) -> None:
    """order[places[c]] = i for the first i with codes[i] = c, and the next ones behind it; -1 is the last place."""
    for i in range(codes.size):
        at = places[codes[i]]
        order[at] = i
        places[codes[i]] = at + 1
