"""Derivatives of jitted functions as jitted functions, and rules of a user's own."""

from collections.abc import Callable
from typing import Any

import numpy as np

from numgrad._checks import integer
from numgrad._compile import jit

Jitted = Any  # a function that Numba has jitted


def value_and_gradient(fun: Jitted) -> Callable[..., tuple[Any, np.ndarray]]:
    """Return a jitted function that returns the value of a jitted function of a vector, and its exact gradient.

    Parameters
    ----------
    fun : jitted function
        ``fun(x, *args)`` takes a vector of shape (n,), float32 or float64, and returns a number. Numba has jitted it.

    Returns
    -------
    jitted function
        ``call(x, *args)`` returns ``fun(x, *args)`` and the gradient with respect to `x`, of shape (n,) and the dtype
        of `x`, complex if the value is. It can be called from Python and from other jitted functions, on many threads
        at once, and is compiled at its first call.

    Raises
    ------
    TypeError
        If `fun` is no function that Numba has jitted; and at the first call, if something in it has no rule. The error
        names that, and its line.

    See Also
    --------
    gradient : with an estimate of the error, at many points.
    gradient_of, hessian_of, derivative_of : the derivatives alone.

    Notes
    -----
    Up to 24 variables the gradient is taken in forward mode, for 8 of them at a time; of more, in reverse mode: a call
    writes on a tape what each result that is kept in a variable weighs of those before it; from the end of the tape to
    its beginning the weights are multiplied and summed (Griewank and Walther, Evaluating Derivatives, 2008, chapters 3
    and 4). That takes some times as long as `fun`, for any number of variables. Complex numbers on the way make it
    forward mode. At kinks, as of ``abs`` at 0, the derivative is that of the branch that is taken.

    Examples
    --------
    >>> import numpy as np
    >>> from numba import njit
    >>> from numgrad.functions import value_and_gradient
    >>> @njit
    ... def bowl(x, center):
    ...     return ((x - center) ** 2).sum()
    >>> value, slope = value_and_gradient(bowl)(np.array([1.0, 2.0, 4.0]), 1.0)
    >>> float(value), slope
    (10.0, array([0., 2., 6.]))

    It is what ``scipy.optimize.minimize(..., jac=True)`` takes.
    """
    return _made(fun, "value_and_gradient")


def gradient_of(fun: Jitted) -> Callable[..., np.ndarray]:
    """Return a jitted function that returns the exact gradient of a jitted function of a vector.

    Parameters
    ----------
    fun : jitted function
        ``fun(x, *args)`` takes a vector of shape (n,), float32 or float64, and returns a number. Numba has jitted it.

    Returns
    -------
    jitted function
        ``call(x, *args)`` returns the gradient, of shape (n,).

    Raises
    ------
    TypeError
        As `value_and_gradient` does.

    See Also
    --------
    value_and_gradient : how it is done.

    Examples
    --------
    >>> import numpy as np
    >>> from numba import njit
    >>> from numgrad.functions import gradient_of
    >>> gradient_of(njit(lambda x: x[0] ** 2 * x[1]))(np.array([1.0, 2.0]))
    array([4., 1.])
    """
    return _made(fun, "gradient_of")


def hessian_of(fun: Jitted) -> Callable[..., np.ndarray]:
    """Return a jitted function that returns the exact second partial derivatives of a jitted function of a vector.

    Parameters
    ----------
    fun : jitted function
        ``fun(x, *args)`` takes a vector of shape (n,), float32 or float64, and returns a real number. Numba has jitted
        it.

    Returns
    -------
    jitted function
        ``call(x, *args)`` returns the Hessian, of shape (n, n), symmetric.

    Raises
    ------
    TypeError
        As `value_and_gradient` does.

    Examples
    --------
    >>> import numpy as np
    >>> from numba import njit
    >>> from numgrad.functions import hessian_of
    >>> hessian_of(njit(lambda x: x[0] ** 2 * x[1]))(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    return _made(fun, "hessian_of")


def derivative_of(fun: Jitted, n: int = 1) -> Callable[..., Any]:
    """Return a jitted function that returns the exact n-th derivative of a jitted function of a number.

    Parameters
    ----------
    fun : jitted function
        ``fun(x, *args)`` takes a number and returns one. Numba has jitted it.
    n : int, optional
        The order of the derivative, from 1 to 10: by Taylor's series up to the power n.

    Returns
    -------
    jitted function
        ``call(x, *args)`` returns the derivative.

    Raises
    ------
    TypeError
        As `value_and_gradient` does; or if `n` is no integer.
    ValueError
        If `n` is out of range.

    Examples
    --------
    Newton's method, all of it compiled:

    >>> import math
    >>> from numba import njit
    >>> from numgrad.functions import derivative_of
    >>> curve = njit(lambda x: math.exp(x) - 2.0)
    >>> slope = derivative_of(curve)
    >>> @njit
    ... def root(x):
    ...     for _ in range(20):
    ...         x -= curve(x) / slope(x)
    ...     return x
    >>> root(1.0) - math.log(2)
    0.0
    """
    n = integer("n", n, 1, 10)
    return _made(fun, "derivative_of", n)


def rule(fun: Any, derivative: Jitted) -> None:
    """Say what the derivative of a function is, for exact derivatives of functions that call it.

    For functions that Numba cannot look into, such as those of ctypes, cffi and Cython; and for those whose derivative
    is known to be simpler, or more accurate, than what rules make of their code.

    Parameters
    ----------
    fun : callable
        A function that jitted functions call: jitted, or known to Numba in another way. Its arguments are numbers and
        vectors, and it returns a real number.
    derivative : jitted function
        Takes the arguments of `fun`, and returns the derivative with respect to each: one, or a tuple of as many as
        there are arguments. That with respect to a vector is a vector. Second derivatives, and bounds of errors, are
        derived from it; where something in it has no rule, the `error` of first derivatives is inf. What `fun` itself
        rounds by is not known: bounds allow for what 16 units of the last place of its arguments change, as
        functions of SciPy need near their zeros.

    Raises
    ------
    TypeError
        If `fun` cannot be called, or `derivative` is no function that Numba has jitted.

    Examples
    --------
    >>> import math
    >>> from numba import njit
    >>> from numgrad.functions import derivative, rule
    >>> @njit
    ... def root(x):  # by iterations, of which the derivative need not know
    ...     y = x
    ...     for _ in range(60):
    ...         y = (y + x / y) / 2
    ...     return y
    >>> rule(root, njit(lambda x: 0.5 / root(x)))
    >>> float(derivative(njit(lambda x: root(x) + 1), 4.0).value)
    0.25
    """
    if not callable(fun):
        raise TypeError(f"`fun` is {fun!r}, which cannot be called; give a function")
    _engine(derivative, "derivative")
    from numgrad.functions._exact import own

    own.register(fun, derivative)


def _engine(fun: Any, name: str = "fun") -> Any:
    """Return what makes jitted derivatives; refuse what is not jitted."""
    if not jit.is_jitted(fun):
        raise TypeError(f"`{name}` is {fun!r}, which Numba has not jitted; decorate it with @numba.njit")
    from numgrad.functions._exact import jitted

    return jitted


def _made(fun: Any, name: str, *order: int) -> Callable[..., Any]:
    """Return one of these functions, with a name and a docstring, kept on disk if `fun` is."""
    by, of = _engine(fun), fun.__name__
    own = f"{name}_{of}" if of.isidentifier() else name
    call = by.jitted(getattr(by, name)(fun, *order), own, f"{name} of `{of}`; see numgrad.functions.{name}.")
    kept: Callable[..., Any] = by.kept(call, fun, *order)
    return kept
