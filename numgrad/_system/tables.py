"""Tables of results: lines of text at a prompt, HTML in a notebook, both of a size that does not grow with the result.

The HTML has no colours of its own, so that it reads in light and in dark, and all text in it is escaped. Its tables are
of the class of those of pandas, for which notebooks and the themes of documentation have a style.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

# Rows that are shown; of more, the first half of them and the last.
ROWS = 20
# Characters of a cell, and of what stands around tables.
CELL, TEXT = 400, 20_000

Cells = Sequence[Any]


def ends(count: int, most: int = ROWS) -> list[int]:
    """Return the numbers of the rows that are shown."""
    return [*range(count)] if count <= most else [*range(most // 2), *range(count - most // 2, count)]


class Table:
    """Names of columns, and what makes the cells of a row; rows that are not shown are not made."""

    def __init__(self, head: Cells, row: Callable[[int], Cells], count: int) -> None:
        self.head, self.row, self.count = head, row, count

    def text(self, most: int = ROWS) -> list[str]:
        """Return a line for the head and each row that is shown, and one for the others."""
        rows = [self.head, *map(self.row, ends(self.count, most))]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join([c.rjust(w) for c, w in zip(row, widths, strict=True)]).rstrip() for row in rows]
        left = self.count + 1 - len(lines)
        return [*lines[: most // 2 + 1], f"... {left} more", *lines[most // 2 + 1 :]] if left else lines

    def html(self, title: str = "", most: int = ROWS) -> str:
        """Return the same as a table."""
        shown = ends(self.count, most)
        rows = ["<tr>" + "".join([f"<td>{_escaped(c)}</td>" for c in self.row(i)]) + "</tr>" for i in shown]
        if left := self.count - len(shown):
            rows.insert(most // 2, f'<tr><td colspan="{len(self.head)}">... {left:,} more</td></tr>')
        head = "".join([f'<th scope="col">{_escaped(name)}</th>' for name in self.head])
        return _table(title, f"<thead><tr>{head}</tr></thead>", rows, "right")


def figures(title: str, rows: Iterable[tuple[str, Any]]) -> str:
    """Return a table of a few figures, each with its name before it."""
    cell = '<tr><th scope="row" style="text-align: left">{}</th><td style="text-align: left">{}</td></tr>'
    return _table(title, "", [cell.format(_escaped(name), _escaped(value)) for name, value in rows], "left")


def text(words: str) -> str:
    """Return a paragraph."""
    return f"<p>{_escaped(words, TEXT)}</p>"


def code(lines: Iterable[str]) -> str:
    """Return lines as they are."""
    return f'<pre style="font-family: monospace">{_escaped(chr(10).join(lines), TEXT)}</pre>'


def folded(title: str, body: str) -> str:
    """Return what is shown when its title is chosen."""
    return f"<details><summary>{_escaped(title)}</summary>{body}</details>"


def together(*parts: str) -> str:
    """Return parts below each other."""
    return f"<div>{''.join(parts)}</div>"


def each(title: str, **results: Any) -> str:
    """Return results of any library below each other: each as it shows itself."""
    parts = []
    for name, result in results.items():
        own = getattr(result, "_repr_html_", None)
        shown = own() if callable(own) else None
        parts += [text(f"{title}.{name}"), code([repr(result)]) if shown is None else shown]
    return together(*parts)


def all_of(results: Sequence[Any]) -> str:
    """Return the first and the last of many results of one kind below each other."""
    shown = [results[i]._repr_html_() for i in ends(len(results))]
    if left := len(results) - len(shown):
        shown.insert(ROWS // 2, text(f"... {left:,} more"))
    return together(*shown)


def _table(title: str, head: str, rows: list[str], align: str) -> str:
    said = f'<caption style="text-align: left; white-space: nowrap">{_escaped(title)}</caption>' if title else ""
    style = f"text-align: {align}; margin: 0 0 1em"
    return f'<table class="dataframe" style="{style}">{said}{head}<tbody>{"".join(rows)}</tbody></table>'


def _escaped(given: Any, most: int = CELL) -> str:
    from html import escape

    words = str(given)
    return escape(words if len(words) <= most else f"{words[: most - 4]} ...")
