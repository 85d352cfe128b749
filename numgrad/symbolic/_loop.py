"""The loop that computes a formula, generated, and the views of the grids that it runs over."""

import ast
import re
from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from numgrad._compile.jit import Kernel, fresh, is_compiling
from numgrad._system.threads import get_num_threads, share
from numgrad.symbolic._emit import Emitter, Value
from numgrad.symbolic._lower import lowered

PIECE = 2**16  # elements; fixed, so that what LLVM does at the end of a piece does not depend on the number of threads
PARALLEL = 200_000  # elements, from which another thread's help is worth its start
# LLVM tests before the loop that no result overlaps another nor a grid, in pairs, and packs no loop of more than 128.
MOST_PAIRS = 120

# Types of the numbers that have lanes.
NUMBERS = frozenset([bool, int, float, np.bool_, *(np.dtype(t).type for t in "bBhHiIlLqQfd")])

_NAME = re.compile(r"\b[tv]\d+\b")

Component = tuple[Any, list[tuple[int, int]]]  # an expression, and the rows of the results that it fills


def source(components: list[Component], symbols: tuple[Any, ...], definitions: Any, pattern: tuple[bool, ...]) -> str:
    """Return the code of a kernel that fills elements [start, stop) of rows of results.

    ``pattern[k]``: grid k goes on along the row; else it is constant there.
    """
    functions: list[str] = []
    body = []
    for group, emitter in _groups(components, symbols, definitions, pattern):
        body += _loop(group, symbols, emitter, pattern, functions)
    grids = range(len(symbols))
    results = sorted({result for _, rows in components for result, _ in rows})
    offsets = [f"a{k}" for k in grids]
    lines = [
        *functions,
        f"def kernel(start, stop, length, sizes, steps, {_listed('g', grids)}, {_listed('o', results)}):",
        "    row = start // length",
        "    first = start - row * length",
        "    at = start",
        "    while at < stop:",
        "        count = min(length - first, stop - at)",
        *(f"        {a} = 0" for a in offsets),
        "        above = row",
        "        for axis in range(sizes.size):",
        "            index = above",
        "            if axis < sizes.size - 1:",
        "                above = index // sizes[axis]",
        "                index -= above * sizes[axis]",
        *(f"            {a} += index * steps[{k}, axis]" for k, a in enumerate(offsets)),
        *(f"        {line}" for line in body),
        "        at += count",
        "        row += 1",
        "        first = 0",
    ]
    return "\n".join(lines)


def _listed(letter: str, numbers: Any) -> str:
    return ", ".join(f"{letter}{n}" for n in numbers)


def _groups(components: list[Component], symbols: tuple[Any, ...], definitions: Any, pattern: tuple[bool, ...]) -> Any:
    """The loops: one, unless there are too many results for it to be packed, and it could be."""
    variables = {s: Value(f"v{k}", not pattern[k]) for k, s in enumerate(symbols)}
    emitter = Emitter(variables, definitions)
    for expr, _ in components:
        emitter.emit(expr)
    together: list[list[Component]] = [[]]
    for component in components:
        count = sum(len(rows) for _, rows in [*together[-1], component])
        pairs = count * (count - 1) // 2 + count * sum(pattern)
        if together[-1] and pairs > MOST_PAIRS and not emitter.makes_calls:
            together.append([])
        together[-1].append(component)
    for group in together:
        yield group, Emitter(variables, definitions)


def _loop(
    components: list[Component],
    symbols: tuple[Any, ...],
    emitter: Emitter,
    pattern: tuple[bool, ...],
    functions: list[str],
) -> list[str]:
    """The lines of a loop. What it computes is in functions: of what is constant along the row, and of the rest."""
    values = [(emitter.emit(expr), rows) for expr, rows in components]
    rows = [result for _, rows in components for result in rows]
    numbers = [k for k, s in enumerate(symbols) if s in emitter.loaded]
    results = " ".join(value.text for value, _ in values)
    before = _called(f"before{len(functions)}", emitter.before, [*emitter.inside, results], functions)
    inside = _called(f"inside{len(functions)}", emitter.inside, [results], functions)
    return [
        # Slices made here and read from zero: Numba would keep Python's negative indices for all others.
        *(f"x{k} = g{k}[a{k} + first:a{k} + first + count]" for k in numbers if pattern[k]),
        *(f"v{k} = float64(g{k}[a{k}])" for k in numbers if not pattern[k]),
        *(f"r{i}_{j} = o{i}[{j}, at:at + count]" for i, j in rows),
        *before,
        "for i in range(count):",
        *(f"    v{k} = float64(x{k}[i])" for k in numbers if pattern[k]),
        *(f"    {line}" for line in inside),
        *(f"    r{i}_{j}[i] = {value.text}" for value, rows in values for i, j in rows),
    ]


def _called(name: str, lines: list[str], later: list[str], functions: list[str]) -> list[str]:
    """The call of a new function of these lines, which returns what `later` ones need; none without lines."""
    if not lines:
        return []
    made = {line.split(" = ")[0]: None for line in lines}
    taken = [n for n in dict.fromkeys(_NAME.findall(" ".join(lines))) if n not in made]
    needed = [n for n in dict.fromkeys(_NAME.findall(" ".join(later))) if n in made]
    functions += [f"def {name}(given):", f"    {_tuple(taken)} = given", *(f"    {line}" for line in lines)]
    functions += [f"    return {_tuple(needed)}"]
    return [f"{_tuple(needed)} = {name}({_tuple(taken)})"]


def _tuple(names: list[str]) -> str:
    return f"({', '.join(names)}{',' * (len(names) == 1)})"


def jitted(code: str) -> Kernel:
    import math

    made: dict[str, Any] = {"math": math, "np": np, "nan": math.nan, "sqrt": math.sqrt}
    exec(compile(code, "<formula>", "exec"), made)
    if is_compiling():
        functions = [node for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)]
        made |= {f.name: lowered(f) for f in functions if f.name != "kernel"}
    return fresh(made["kernel"], float64=np.float64)


class Layout(NamedTuple):
    """Rows, along which each grid is contiguous or constant."""

    length: int  # of a row
    sizes: np.ndarray  # of the other axes, the last one first
    steps: np.ndarray  # of each grid along these, in elements
    pattern: tuple[bool, ...]
    grids: list[np.ndarray]  # flat


def without_repeats(grid: np.ndarray) -> np.ndarray:
    """`grid` with a size of one wherever its stride is 0."""
    if 0 not in grid.strides:
        return grid
    return grid[tuple(slice(None) if step else slice(1) for step in grid.strides)]


def layout(grids: list[np.ndarray], shape: tuple[int, ...]) -> Layout:
    """Return the longest rows that there are; a grid that is neither contiguous nor constant along them is copied."""
    if all(g.shape == shape and g.flags.c_contiguous and g.flags.aligned for g in grids):
        none = np.empty((len(grids), 0), np.intp)
        flat = [_flat(g) for g in grids]
        return Layout(prod(shape), none[0], none, (True,) * len(grids), flat)
    views = [_readable(g, shape) for g in grids]
    sizes, strides = _merged(shape, [_strides(v, shape) for v in views])
    outer = np.array(sizes[-2::-1], np.intp)
    steps = np.array([s[-2::-1] for s in strides], np.intp).reshape(len(views), outer.size)
    return Layout(sizes[-1], outer, steps, tuple(s[-1] == 1 for s in strides), [_flat(v) for v in views])


def _strides(view: np.ndarray, shape: tuple[int, ...]) -> list[int]:
    """In elements; 0 along axes that are broadcast."""
    padded = (0,) * (len(shape) - view.ndim)
    own = tuple(step // view.itemsize if n > 1 else 0 for step, n in zip(view.strides, view.shape, strict=True))
    return [*padded, *own]


def _readable(grid: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    strides = [step for step, n in zip(grid.strides, grid.shape, strict=True) if n > 1]
    is_forward = all(step > 0 and step % grid.itemsize == 0 for step in strides)
    # The last axis of the result that is one at all: there the step must be one element, or none.
    last = max((a for a in range(-len(shape), 0) if shape[a] > 1), default=0)
    is_row = not last or -last > grid.ndim or grid.shape[last] == 1 or grid.strides[last] == grid.itemsize
    return grid if is_forward and is_row and grid.flags.aligned else grid.copy(order="C")


def _merged(shape: tuple[int, ...], strides: list[list[int]]) -> tuple[list[int], list[list[int]]]:
    """Axes along which all grids go on as along the next one become one with it; there is at least one."""
    sizes: list[int] = []
    merged: list[list[int]] = [[] for _ in strides]
    for axis, n in enumerate(shape):
        if n == 1:
            continue
        if sizes and all(m[-1] == s[axis] * n for m, s in zip(merged, strides, strict=True)):
            sizes[-1] *= n
            for m, s in zip(merged, strides, strict=True):
                m[-1] = s[axis]
        else:
            sizes.append(n)
            for m, s in zip(merged, strides, strict=True):
                m.append(s[axis])
    if not sizes:
        return [1], [[0] for _ in strides]
    return sizes, merged


def _flat(view: np.ndarray) -> np.ndarray:
    """The memory of `view`, from its first element to its last, read-only: so there is one type of each dtype."""
    if view.flags.c_contiguous:
        flat = view.reshape(-1)
        flat.flags.writeable = False
        return flat
    last = sum((n - 1) * step for n, step in zip(view.shape, view.strides, strict=True))
    return as_strided(view, (last // view.itemsize + 1,), (view.itemsize,), writeable=False)


class Lane:
    """The arrays of a call with numbers, made once; for one thread at a time."""

    def __init__(self, kernel: Kernel, plan: Layout, shapes: list[tuple[int, ...]], dtype: Any) -> None:
        self._cells = [np.empty(1, g.dtype) for g in plan.grids]
        grids = [c.view() for c in self._cells]
        for g in grids:
            g.flags.writeable = False
        self._results = [np.empty(shape, dtype) for shape in shapes]
        self._fixed = plan.length, plan.sizes, plan.steps, *grids, *(r.reshape(-1, 1) for r in self._results)
        self._kernel = kernel

    @staticmethod
    def takes(numbers: tuple[Any, ...]) -> bool:
        """Whether NumPy has a type for each, which it has not for large integers."""
        return all(type(n) is not int or -(2**63) <= n < 2**64 for n in numbers)

    def run(self, numbers: tuple[Any, ...]) -> tuple[Any, ...]:
        for cell, n in zip(self._cells, numbers, strict=True):
            cell[0] = n
        self._kernel(0, 1, *self._fixed)
        return tuple([r.copy() if r.ndim else r[()] for r in self._results])


def run(kernel: Kernel, plan: Layout, results: list[np.ndarray]) -> None:
    """Fill the results, each of shape (rows, elements)."""
    size = results[0].shape[1]
    fixed = plan.length, plan.sizes, plan.steps, *plan.grids, *results
    if size < PARALLEL:
        kernel(0, size, *fixed)
        return

    def work(starts: Iterator[int]) -> None:
        for start in starts:
            kernel(start, min(start + PIECE, size), *fixed)

    share(work, range(0, size, PIECE), get_num_threads())
