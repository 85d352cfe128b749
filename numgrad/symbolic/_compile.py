"""`compile`: reads a formula and its symbols, and hands them down."""

from collections.abc import Sequence
from numbers import Real
from typing import Any

from numgrad._checks import integer
from numgrad.symbolic._formula import Formula, real_symbols
from numgrad.symbolic._library import sympy
from numgrad.symbolic._parse import parse
from numgrad.symbolic._tree import nothing_asked
from numgrad.symbolic._work import Exceeded, limited, watched

_LONGEST_SIMPLIFIED = 400  # characters of a string


def compile(expr: Any, symbols: Any, *, order: int = 1) -> "Formula":
    """Return the exact partial derivatives of a formula, in compiled loops that share what they have in common.

    Parameters
    ----------
    expr : sympy.Expr, number or str
        The formula, real for real symbols. In a string, ``^`` is ``**``, and ``2x`` and ``x y`` are products; from left
        to right, so ``1/2x`` is x/2. ``0.1`` is the float64 nearest to it, ``1/10`` is exact. No part of a string is
        ever run, and the work that it may cause is limited. One of more than 400 characters is not simplified.
    symbols : sequence of sympy.Symbol or str, or str
        The variables, in the order in which grids are given: ``(x, y)``, ``["x", "y"]``, ``"x y"`` or ``"x, y"``. They
        are real numbers, whatever else SymPy would assume.
    order : {0, 1, 2}, optional
        Up to which order there are partial derivatives: 0, the value only; 1, the gradient; 2, the Hessian.

    Returns
    -------
    Formula
        With methods `value`, `gradient` and `hessian`. Called, it computes all of them in one pass.

    Raises
    ------
    ValueError
        If `expr` is complex or not finite, or has symbols that are not among `symbols`, or is a string with something
        other than names of symbols, of constants and of functions, numbers, and ``+ - * / ^ ( ) ,``, or one that takes
        too much work: 200 terms such as ``erf(2x + y)/(1 + exp(-x))`` with second partials, or 100 parts in one
        another, take less.
    TypeError
        If `expr` is not one expression: a matrix, an equation, a list.
    NotImplementedError
        If the formula, or one of the partial derivatives, has a function for which there is no compiled code.
    ImportError
        If there is no SymPy.

    See Also
    --------
    numgrad.derivative : of samples.

    Notes
    -----
    A derivative is that of almost every point: the jumps of sign, floor, Heaviside and the like count for nothing. At
    the corner of Abs it is 0, at that of Max and Min the mean of both sides, for this is how SymPy defines sign(0) and
    Heaviside(0).

    Powers x**n up to n = 64 are products. All else is what the C library computes.

    Some formulas have a value where they are 0/0, 0*inf or inf - inf as written. It is computed for ``sinc(x)``, powers
    of powers, ``x**a * log(x)``, ``log(1 + x)``, ``log(1 + exp(x))``, ``exp(x) - 1`` and ``1 - cos(x)``, and for their
    partials. Other quotients that vanish above and below, such as ``x/(exp(x) - 1)`` and ``sin(x)/x``, are nan there,
    and near to it their partials lose digits, about all of a second one at 1e-8: write ``sinc(x)``, or a series in a
    `sympy.Piecewise`. Differences of nearly equal numbers lose digits, too. Partials of roots of products, such as
    ``sqrt(x**3*y)``, are nan where the product is 0. Second partials of asech at 1 and of acsch at 0 are nan.

    Squares are computed as such: beyond 1e154 they are inf, and below 1e-162 they are 0, in partials of atan2, atan,
    asinh and acsch as well. ``x**(1/3)`` has the exponent rounded to a float64, and errs by up to 1e-16 times log(x).

    Examples
    --------
    >>> import numpy as np
    >>> from numgrad import symbolic
    >>> formula = symbolic.compile("2x^2 + 3y^2 - 4z", "x y z")
    >>> formula
    Formula: 2*x**2 + 3*y**2 - 4*z of x, y, z; partials up to order 1
      d/dx = 4*x
      d/dy = 6*y
      d/dz = -4
    >>> formula.gradient(1, 2, 3)
    array([ 4., 12., -4.])
    >>> value, gradient = formula(np.arange(3.0), 1, 0)
    >>> value
    array([ 3.,  5., 11.])
    >>> gradient
    array([[ 0.,  4.,  8.],
           [ 6.,  6.,  6.],
           [-4., -4., -4.]])
    """
    order = integer("order", order, 0, 2)
    library = sympy()
    try:
        if isinstance(expr, str):
            chosen = _symbols(symbols, set())
            variables = real_symbols(chosen)
            with limited(), nothing_asked() if len(expr) > _LONGEST_SIMPLIFIED else watched():
                parsed = parse(expr, {s.name: v for s, v in zip(chosen, variables, strict=True)})
                return Formula(parsed, chosen, order, variables)
        given = _expression(expr)
        chosen = _symbols(symbols, given.free_symbols)
        _check_used(given, chosen)
        return Formula(given, chosen, order)
    except Exceeded:
        raise ValueError(
            f"`expr` takes too much work for a string, with partials up to order {order}; pass a SymPy expression, or "
            "compile its parts"
        ) from None
    except RecursionError:
        raise ValueError("`expr` is nested too deeply; name parts of it, and compile these") from None
    except library.SympifyError as error:
        raise TypeError(f"`expr` is {type(expr).__name__}; SymPy says {error}") from None


def _expression(expr: Any) -> Any:
    library = sympy()
    if isinstance(expr, Real) and not isinstance(expr, bool):
        return library.sympify(expr)
    if not isinstance(expr, library.Expr) or getattr(expr, "is_Matrix", False):
        raise TypeError(f"`expr` is a {type(expr).__name__}; give one SymPy expression, a number or a string")
    return expr


def _symbols(given: Any, free: set[Any]) -> tuple[Any, ...]:
    """The symbols that `given` lists; names stand for those of the formula, if it has them."""
    library = sympy()
    if isinstance(given, library.Symbol):
        given = (given,)
    elif isinstance(given, str):
        given = given.replace(",", " ").split()
    if not isinstance(given, Sequence):
        raise ValueError(f"`symbols` is a {type(given).__name__}; give symbols in a sequence, or names in a string")
    found = []
    for item in given:
        if isinstance(item, str) and item.isidentifier():
            namesakes = [s for s in free if s.name == item]
            if len(namesakes) > 1:
                raise ValueError(
                    f"`expr` has {len(namesakes)} symbols named {item}, of other assumptions; give symbols"
                )
            found.append(namesakes[0] if namesakes else library.Symbol(item))
        elif isinstance(item, library.Symbol):
            found.append(item)
        else:
            raise ValueError(f"`symbols` has {item!r}, which is no symbol; give sympy.Symbol objects or names")
    _check_symbols(tuple(found))
    return tuple(found)


def _check_symbols(symbols: tuple[Any, ...]) -> None:
    if not symbols:
        raise ValueError("`symbols` is empty; give at least one")
    for s in symbols:
        if symbols.count(s) > 1:
            raise ValueError(f"`symbols` has {s} {symbols.count(s)} times; give each once")
        if s.is_real is False or not s.is_commutative:
            raise ValueError(f"`symbols` has {s}, which is assumed not to be real; symbols are taken as real")


def _check_used(expr: Any, symbols: tuple[Any, ...]) -> None:
    missing = sorted(map(str, expr.free_symbols - set(symbols)))
    if missing:
        known = {str(s) for s in symbols}
        hint = "; that of `symbols` has other assumptions" if known.intersection(missing) else "; add it"
        raise ValueError(f"`expr` has {', '.join(missing)}, which `symbols` lacks{hint}")
