"""`Formula`: its parts that are computed, its kernels, and its calls."""

from contextlib import nullcontext, suppress
from itertools import combinations_with_replacement
from math import prod
from threading import Lock
from typing import Any

import numpy as np

from numgrad._checks import is_masked, refuse_units
from numgrad._system.memory import may_share
from numgrad._system.out import check, check_apart
from numgrad.symbolic._emit import Emitter, Value
from numgrad.symbolic._library import sympy
from numgrad.symbolic._loop import NUMBERS, Component, Lane, Layout, jitted, layout, run, source, without_repeats
from numgrad.symbolic._partials import outputs
from numgrad.symbolic._special import prepared, replaced
from numgrad.symbolic._tree import depth, is_asked, met, nothing_asked

_WIDEST = 100  # characters of a formula in a repr
_MOST_COMPARED = 1000  # parts of a formula and its partials
_DEEPEST_COMPARED = 40  # parts in one another


class Formula:
    """A formula and its partial derivatives, to be evaluated on grids. `compile` makes one.

    Grids are broadcast against one another. Each is an array of float32 or float64, or of integers, which count as
    float64; a Python number takes the dtype of the others. No copy is made of a grid for broadcasting. Operations on
    grids that are constant along a row, such as ``exp(y)``, are done once for the row. The dtype of the results is
    that of the grids; they are computed in float64, and rounded once.

    A loop is compiled when first needed, which takes about half a second: one for each choice of results, of dtypes,
    and of grids that are constant along the last axis. Formulas may be called from many threads, and pickled.

    Parameters
    ----------
    expr, symbols, order
        As given to `compile`, the first two as SymPy objects.
    variables : tuple of sympy.Symbol, optional
        The real symbols that stand in `expr` for `symbols`; by default, these stand there themselves.

    Attributes
    ----------
    expr : sympy.Expr
        The formula.
    symbols : tuple of sympy.Symbol
        Its variables.
    order : int
        Up to which order there are partial derivatives.
    partials : tuple of sympy.Expr
        The first partial derivatives, one for each symbol; none if `order` is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from numgrad import symbolic
    >>> formula = symbolic.compile("x^2 y", "x y", order=2)
    >>> x, y = np.arange(3.0), np.arange(4.0)
    >>> formula.value(x[:, None], y)
    array([[ 0.,  0.,  0.,  0.],
           [ 0.,  1.,  2.,  3.],
           [ 0.,  4.,  8., 12.]])
    >>> formula.partials
    (2*x*y, x**2)
    >>> value, gradient, hessian = formula(3, 5)
    >>> hessian
    array([[10.,  6.],
           [ 6.,  0.]])
    """

    def __init__(
        self, expr: Any, symbols: tuple[Any, ...], order: int, variables: tuple[Any, ...] | None = None
    ) -> None:
        library = sympy()
        self._given, self._is_asked = (expr, symbols, order, variables), is_asked()
        self._expr = None if variables else expr
        self._symbols, self._order = symbols, order
        self._variables = variables or real_symbols(symbols)
        self._names = dict(zip(self._variables, symbols, strict=True))
        real = expr if variables else expr.xreplace(dict(zip(symbols, self._variables, strict=True)))
        found = outputs(prepared(real), self._variables, order, self._names)
        self._exact = tuple(found[1 : 1 + len(symbols)])
        memo: dict[Any, Any] = {}
        self._outputs = [prepared(f, memo) for f in found]
        self._definitions: dict[Any, Any] = {}
        # One choice of common parts for all kernels, so that all methods give the same bits. What is equal is computed
        # once in any case; for sums and products that have a part in common SymPy compares them all in pairs.
        parts = met(*self._outputs)
        is_small = len(parts) <= _MOST_COMPARED and max(map(depth, self._outputs)) <= _DEEPEST_COMPARED
        if is_small and is_asked() and not any(isinstance(p, (library.Max, library.Min)) for p in parts):
            names = library.numbered_symbols(cls=library.Dummy)
            common, self._outputs = library.cse(self._outputs, symbols=names)
            self._definitions = dict(common)
        self._check_numbers()
        self._partials: tuple[Any, ...] | None = None
        self._kernels: dict[Any, Any] = {}
        # For numbers, by their types: Numba's part of a call is then the longest.
        self._lanes: dict[tuple[Any, ...], list[Lane]] = {}
        self._lock = Lock()

    def _check_numbers(self) -> None:
        emitter = Emitter({s: Value("v", False) for s in self._variables}, self._definitions)
        for expr in self._outputs:
            emitter.emit(expr)

    @property
    def expr(self) -> Any:
        if self._expr is None:
            self._expr = replaced(self._given[0], self._names)
        return self._expr

    @property
    def symbols(self) -> tuple[Any, ...]:
        return self._symbols

    @property
    def order(self) -> int:
        return self._order

    @property
    def partials(self) -> tuple[Any, ...]:
        if self._partials is None:
            self._partials = tuple(replaced(f, self._names) for f in self._exact)
        return self._partials

    def value(self, *grids: Any, out: np.ndarray | None = None) -> Any:
        """Return the formula's value.

        Parameters
        ----------
        *grids : array_like
            One for each symbol.
        out : ndarray, optional
            Where to write it, of the shape and dtype of the result. It may overlap with a grid.

        Returns
        -------
        ndarray or scalar
            `out`, if given; a scalar, if all grids are.

        Raises
        ------
        TypeError
            If a grid is complex, or of another dtype that there is no kernel for, or `out` has another dtype.
        ValueError
            If there are not as many grids as symbols, or they do not broadcast, or `out` has another shape. Nothing
            has been written then.

        Examples
        --------
        >>> from numgrad import symbolic
        >>> symbolic.compile("x^2 + y", "x y").value([1, 2, 3], 10)
        array([11., 14., 19.])
        """
        (result,) = self._evaluate("value", (0,), grids, None if out is None else (out,))
        return result

    def gradient(self, *grids: Any, out: np.ndarray | None = None) -> np.ndarray:
        """Return the first partial derivatives, along a new first axis.

        Parameters
        ----------
        *grids : array_like
            One for each symbol.
        out : ndarray, optional
            Where to write them, of shape ``(k, *shape)`` for k symbols.

        Returns
        -------
        ndarray
            Of shape ``(k, *shape)``.

        Raises
        ------
        TypeError, ValueError
            As `value` does; ValueError, too, if the formula was compiled with ``order=0``.

        Examples
        --------
        >>> from numgrad import symbolic
        >>> symbolic.compile("x^2 + y", "x y").gradient([1, 2, 3], 10)
        array([[2., 4., 6.],
               [1., 1., 1.]])
        """
        (result,) = self._evaluate("gradient", (1,), grids, None if out is None else (out,))
        return result  # type: ignore[no-any-return]

    def hessian(self, *grids: Any, out: np.ndarray | None = None) -> np.ndarray:
        """Return the second partial derivatives, along two new first axes.

        Parameters
        ----------
        *grids : array_like
            One for each symbol.
        out : ndarray, optional
            Where to write them, of shape ``(k, k, *shape)`` for k symbols.

        Returns
        -------
        ndarray
            Of shape ``(k, k, *shape)``.

        Raises
        ------
        TypeError, ValueError
            As `value` does; ValueError, too, if the formula was not compiled with ``order=2``.

        Examples
        --------
        >>> from numgrad import symbolic
        >>> symbolic.compile("x^2 y", "x y", order=2).hessian(3, 5)
        array([[10.,  6.],
               [ 6.,  0.]])
        """
        (result,) = self._evaluate("hessian", (2,), grids, None if out is None else (out,))
        return result  # type: ignore[no-any-return]

    def __call__(self, *grids: Any, out: tuple[np.ndarray, ...] | None = None) -> tuple[Any, ...]:
        """Return the value and all partial derivatives, up to `order`, from one pass over the grids.

        Parameters
        ----------
        *grids : array_like
            One for each symbol.
        out : tuple of ndarray, optional
            Where to write them, an array for each result.

        Returns
        -------
        tuple
            The value, with the gradient from order 1 and the Hessian from order 2 on.

        Raises
        ------
        TypeError, ValueError
            As `value` does.
        """
        return self._evaluate("the formula", tuple(range(self._order + 1)), grids, out)

    def _evaluate(self, name: str, orders: tuple[int, ...], given: tuple[Any, ...], out: Any) -> tuple[Any, ...]:
        if out is None and (ready := self._lanes.get((orders, *map(type, given)))):
            with suppress(IndexError):  # all lanes are in use
                lane = ready.pop()
                try:
                    if lane.takes(given):
                        return lane.run(given)
                finally:
                    ready.append(lane)
        return self._evaluate_arrays(name, orders, given, out)

    def _evaluate_arrays(self, name: str, orders: tuple[int, ...], given: tuple[Any, ...], out: Any) -> tuple[Any, ...]:
        if orders[-1] > self._order:
            raise ValueError(f"`{name}` needs partials of order {orders[-1]}; compile with order={orders[-1]}")
        grids, shape, dtype = self._grids(name, given)
        shapes = [(len(self._symbols),) * n + shape for n in orders]
        targets = [np.empty(s, dtype) for s in shapes] if out is None else _checked(out, shapes, dtype)
        written = [t if t.flags.c_contiguous and t.flags.aligned else np.empty(t.shape, dtype) for t in targets]
        if prod(shape):
            if out is not None:
                grids = [_apart(g, targets) for g in grids]
            plan = layout([without_repeats(g) for g in grids], shape)
            rows = [w.reshape(-1, prod(shape)) for w in written]
            kernel = self._compiled(orders, plan, rows)
            run(kernel, plan, rows)
            kinds = tuple(map(type, given))
            if out is None and NUMBERS.issuperset(kinds):
                self._lanes.setdefault((orders, *kinds), []).append(Lane(kernel, plan, shapes, dtype))
        for target, result in zip(targets, written, strict=True):
            if target is not result:
                target[...] = result
        if out is not None:
            return tuple(out)
        return tuple(t if t.ndim else t[()] for t in targets)

    def _grids(self, name: str, given: tuple[Any, ...]) -> tuple[list[np.ndarray], tuple[int, ...], Any]:
        if len(given) != len(self._symbols):
            count, names = len(self._symbols), ", ".join(map(str, self._symbols))
            wanted = f"1 grid, for {names}" if count == 1 else f"{count} grids, one each for {names}"
            raise ValueError(f"{name} takes {wanted}, not {len(given)}")
        arrays = [_grid(g, s) for g, s in zip(given, self._symbols, strict=True)]
        try:
            shape = np.broadcast_shapes(*(a.shape for a in arrays))
        except ValueError:
            shapes = ", ".join(f"{s} has shape {a.shape}" for s, a in zip(self._symbols, arrays, strict=True))
            raise ValueError(f"the grids do not broadcast against one another: {shapes}") from None
        strong = [a.dtype for a, g in zip(arrays, given, strict=True) if type(g) not in (int, float, bool)]
        return arrays, shape, np.result_type(*strong) if strong else np.dtype(np.float64)

    def _compiled(self, orders: tuple[int, ...], plan: Layout, rows: list[np.ndarray]) -> Any:
        key = orders, plan.pattern, tuple(g.dtype for g in plan.grids), rows[0].dtype
        kernel = self._kernels.get(key)
        if kernel is None:
            with self._lock:
                if key not in self._kernels:
                    code = source(self._components(orders), self._variables, self._definitions, plan.pattern)
                    kernel = jitted(code)
                    # Compiles it, and fills nothing.
                    kernel(0, 0, plan.length, plan.sizes, plan.steps, *plan.grids, *rows)
                    self._kernels[key] = kernel
                kernel = self._kernels[key]
        return kernel

    def _components(self, orders: tuple[int, ...]) -> list[Component]:
        """Each expression with the rows of the results that it fills: one off the diagonal of the Hessian fills two."""
        k = len(self._symbols)
        pairs = combinations_with_replacement(range(k), 2)
        rows = {0: [[0]], 1: [[i] for i in range(k)], 2: [sorted({i * k + j, j * k + i}) for i, j in pairs]}
        begin = {0: 0, 1: 1, 2: 1 + k}
        return [
            (self._outputs[begin[n] + c], [(result, row) for row in filled])
            for result, n in enumerate(orders)
            for c, filled in enumerate(rows[n])
        ]

    def __reduce__(self) -> Any:
        return _made_again, (self._given, self._is_asked)

    def __repr__(self) -> str:
        names = ", ".join(map(str, self._symbols))
        lines = [f"Formula: {_shortened(self.expr)} of {names}; partials up to order {self._order}"]
        lines += [f"  d/d{s} = {_shortened(f)}" for s, f in zip(self._symbols, self.partials, strict=False)]
        return "\n".join(lines)

    def _repr_latex_(self) -> str:
        latex = sympy().latex
        lines = [rf"f &= {latex(self.expr)}"]
        for s, f in zip(self._symbols, self.partials, strict=False):
            lines.append(rf"\frac{{\partial f}}{{\partial {latex(s)}}} &= {latex(f)}")
        return r"$\displaystyle \begin{aligned} " + r" \\ ".join(lines) + r" \end{aligned}$"


def _shortened(expr: Any) -> str:
    text = str(expr)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."


def _grid(given: Any, symbol: Any) -> np.ndarray:
    """A float32 or float64 array without repeats in memory; its shape is still that of the grid."""
    if is_masked(given):
        raise TypeError(f"`{symbol}` is a masked array; give a plain one, with NaN where there is nothing")
    refuse_units(given, str(symbol), "that of a partial derivative is the unit of the formula over that of the symbol")
    try:
        array = np.asarray(given)
    except ValueError as error:
        raise ValueError(f"`{symbol}` is no array: {error}") from None
    if array.dtype.kind == "c":
        raise TypeError(f"`{symbol}` has dtype {array.dtype}; symbols are taken as real; give real numbers")
    if array.dtype.kind in "biu":
        return _converted(array, np.dtype(np.float64))
    if array.dtype.kind != "f" or array.itemsize not in (4, 8):
        raise TypeError(f"`{symbol}` has dtype {array.dtype}; give float32, float64 or integers")
    return array if array.dtype.isnative else _converted(array, array.dtype.newbyteorder("="))


def _converted(array: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    return np.broadcast_to(without_repeats(array).astype(dtype), array.shape)


def _apart(grid: np.ndarray, targets: list[np.ndarray]) -> np.ndarray:
    if not any(may_share(grid, t) for t in targets):
        return grid
    return _converted(grid, grid.dtype)


def _checked(out: Any, shapes: list[tuple[int, ...]], dtype: np.dtype[Any]) -> list[np.ndarray]:
    if not isinstance(out, (tuple, list)) or len(out) != len(shapes):
        got = f"has {len(out)}" if isinstance(out, (tuple, list)) else f"is a {type(out).__name__}"
        raise ValueError(f"`out` {got}; give a tuple of {len(shapes)} arrays, of shapes {', '.join(map(str, shapes))}")
    for array, shape in zip(out, shapes, strict=True):
        check(array, shape, dtype, np.ndarray)
    check_apart(out)
    return list(out)


def real_symbols(symbols: tuple[Any, ...]) -> tuple[Any, ...]:
    """Real numbers in the place of symbols that may be other ones."""
    dummy = sympy().Dummy
    return tuple(dummy(s.name, real=True) if s.is_real is None else s for s in symbols)


def _made_again(given: tuple[Any, ...], was_asked: bool) -> Formula:
    """Return the formula of a pickle, with SymPy's rules applied or not as when it was made: bits depend on that."""
    with nullcontext() if was_asked else nothing_asked():
        return Formula(*given)
