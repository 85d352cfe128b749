"""Derivatives of functions by difference quotients: arguments are checked, and results put into shape."""

from collections.abc import Callable
from functools import partial
from inspect import signature
from typing import Any, Literal

import numpy as np

from numgrad.functions._calls import Tasks
from numgrad.functions._problem import ACCURATE, NUMBER, TO_NUMBER, VECTOR, Options, prepare
from numgrad.functions._quotients import central, mixed, mixed_one_sided, one_sided
from numgrad.functions._result import Derivative
from numgrad.functions._search import Found, Search


def derivative(
    fun: Callable[..., Any],
    x: Any,
    *,
    n: int = 1,
    accuracy: int = ACCURATE,
    step: Any = None,
    bounds: tuple[Any, Any] | None = None,
    vectorized: bool = False,
    args: tuple[Any, ...] = (),
    method: Literal["auto", "exact", "quotients"] = "auto",
) -> Derivative:
    """Return the n-th derivative of a function of one variable, with an estimate of its error.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)`` returns a number, real or complex, or an array of them of any shape S. It is called with one
        point at a time, a NumPy scalar, unless it is `vectorized`; jitted by Numba, it runs compiled, for many points
        on all threads.
    x : float or array_like of float
        The points, real, float32 or float64; other numbers become float64.
    n : int, optional
        The order of the derivative, from 1 to 10.
    accuracy : int, optional
        The order of accuracy of the quotient, even, from 2 to 20: its truncation error shrinks with the step to this
        power. The default suits a step that is searched for.
    step : float or array_like, optional
        The finest step of the quotient, in units of `x`, of a shape that broadcasts to that of `x`. By default it
        is searched for, at each point.
    bounds : pair of float or array_like, optional
        Lower and upper bounds, broadcast like `step`: `fun` is not called outside of them. Near one the quotient is
        one-sided.
    vectorized : bool, optional
        Whether `fun` takes many points at once, along the last axis of its argument, and returns its values along the
        last axis too. Arrays among `args` then belong to the points. A function that Numba has jitted needs this only
        if it is to be called with arrays.
    args : tuple, optional
        Further arguments of `fun`.
    method : {"auto", "exact", "quotients"}, optional
        "exact" derives a function that Numba has jitted by rules, exact to rounding; "quotients" takes difference
        quotients. By default a jitted function is derived exactly if all in it has rules, and no `step` or other
        `accuracy` is given.

    Returns
    -------
    Derivative
        With `value` of shape S + x.shape, `error`, `step`, `n_eval`, `converged`.

    Raises
    ------
    TypeError
        If `fun` cannot be called, or an argument is of a wrong type; if `x`, `step`, `bounds` or a value of `fun` is a
        quantity (of astropy, pint), whose unit would be lost.
    ValueError
        If the value of an argument is out of range or does not fit `x`, if `fun` returns anything but real or complex
        numbers of one shape, or if `bounds` leave no room for samples.

    An error that `fun` raises at `x` comes out as it is. At other arguments a ValueError or ArithmeticError of a plain
    function, as those of Python's ``math`` outside of their domain, counts as NaN there. Where `x` or ``fun(x)`` is not
    finite, the derivative is NaN and not converged; other points, and other numbers that `fun` returns, do not suffer.

    See Also
    --------
    numgrad.derivative : of samples.
    gradient, jacobian, hessian : of functions of several variables.

    Notes
    -----
    For n = 1 the quotients are

        D(h) = (f(x + h) - f(x - h)) / (2 h) = f'(x) + c2 h^2 + c4 h^4 + ...

    for the steps h, 2 h, 4 h, ...; Richardson's extrapolation combines ``accuracy / 2`` of them so that only powers
    from h^accuracy on are left (Richardson, Phil. Trans. R. Soc. A 226 (1927)). For other n the part of the samples
    that is even or odd in h, divided by h^n / n!, has such an expansion, and so has a one-sided quotient, in all
    powers of h. From n = 3 on steps that are searched for grow by 1.4, and from n = 7 on by 1.25: there are more of
    them, and spread over a wider range the finest would be all rounding.

    A search for the step starts with a window of steps on the scale of x (Ridders, Adv. Eng. Software 4 (1982), has
    the idea). The truncation error is judged by how the columns of the extrapolation converge, that of rounding by
    the sizes of the samples; the window moves to finer or coarser steps as long as their sum shrinks. Samples that
    are not finite spoil a window, so it moves on.

    A window is believed only if it foretells f(x), and the quotient at one step more, which is no simple multiple of
    the others: samples that lie whole periods of a ripple apart, or are all farther from x than a pole, look smooth.
    Where a window cannot foretell them, the search goes on to finer steps, until rounding would hide the difference.
    `converged` is True where a window foretold both, its truncation error is below that of rounding, and its error is
    at most a tenth of the derivative, or of the largest derivative that values of this size could have.

    Nothing shows in samples that is smaller than their rounding, some ``1e-15 * |f|``, though its derivatives be
    large: a ripple of 1e-17 sin(1e6 x) adds 1e-5 to the third derivative. Where f has noise far above rounding,
    there is no derivative to find: `converged` is False, and the `error` is that of the smooth part of f beside the
    noise. Give a `step` there, of about noise^(1 / (accuracy + n)) on the scale of x.

    Examples
    --------
    >>> import numpy as np
    >>> from numgrad.functions import derivative
    >>> result = derivative(np.exp, 1.0)
    >>> abs(result.value - np.e) <= result.error < 1e-12
    np.True_
    >>> derivative(np.sin, [0.0, 0.5], n=2).value.round(9)
    array([ 0.        , -0.47942554])
    >>> derivative(np.sqrt, 0.0001, bounds=(0, np.inf)).value.round(9)
    np.float64(50.0)
    >>> derivative(lambda t: np.array([np.cos(t), np.sin(t)]), 0.0).value
    array([0., 1.])
    """
    problem = prepare(fun, x, Options(accuracy, step, bounds, vectorized, args, method), NUMBER, n)
    exact = problem.exact()
    if exact is not None:
        return exact
    search, points = problem.search(), problem.model.points
    tasks = Tasks(np.arange(points.shape[1]), np.zeros(points.shape[1], np.int64))
    found = search.find(tasks, [central(n), one_sided(n, 1), one_sided(n, -1)])
    return _result(search, found, ())


def gradient(
    fun: Callable[..., Any],
    x: Any,
    *,
    accuracy: int = ACCURATE,
    step: Any = None,
    bounds: tuple[Any, Any] | None = None,
    vectorized: bool = False,
    args: tuple[Any, ...] = (),
    method: Literal["auto", "exact", "quotients"] = "auto",
) -> Derivative:
    """Return the gradient of a function of several variables, with an estimate of its error.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)`` takes a vector of shape (n,) and returns a number, real or complex. It gets an array of its
        own each time, unless it is `vectorized`: then one of shape (n, points). Jitted by Numba, it runs compiled.
    x : array_like of float
        The point, of shape (n,), or points, of shape (n, ...), float32 or float64.
    accuracy : int, optional
        The order of accuracy of the quotient, even, from 2 to 20: its truncation error shrinks with the step to this
        power. The default suits a step that is searched for.
    step : float or array_like, optional
        The finest step of the quotient, in units of `x`, of a shape that broadcasts, or has one value for each
        variable, to that of `x`. By default it is searched for, at each point and for each variable.
    bounds : pair of float or array_like, optional
        Lower and upper bounds, broadcast like `step`: `fun` is not called outside of them. Near one the quotient is
        one-sided.
    vectorized : bool, optional
        Whether `fun` takes many points at once, along the last axis of its argument, and returns its values along the
        last axis too. Arrays among `args` then belong to the points. A function that Numba has jitted needs this only
        if it is to be called with arrays.
    args : tuple, optional
        Further arguments of `fun`.
    method : {"auto", "exact", "quotients"}, optional
        "exact" derives a function that Numba has jitted by rules, exact to rounding; "quotients" takes difference
        quotients. By default a jitted function is derived exactly if all in it has rules, and no `step` or other
        `accuracy` is given.

    Returns
    -------
    Derivative
        With `value` of the shape of `x`, `error`, `step`, `n_eval`, `converged`.

    Raises
    ------
    TypeError
        If `fun` cannot be called, or an argument is of a wrong type; if `x`, `step`, `bounds` or a value of `fun` is a
        quantity (of astropy, pint), whose unit would be lost.
    ValueError
        If the value of an argument is out of range or does not fit `x`, if `fun` returns anything but real or complex
        numbers of one shape, or if `bounds` leave no room for samples.

    An error that `fun` raises at `x` comes out as it is. At other arguments a ValueError or ArithmeticError of a plain
    function, as those of Python's ``math`` outside of their domain, counts as NaN there. Where `x` or ``fun(x)`` is not
    finite, the derivative is NaN and not converged; other points, and other numbers that `fun` returns, do not suffer.

    See Also
    --------
    derivative : how it is done.
    numgrad.gradient : of samples.
    numgrad.symbolic.compile : exact, of a formula.

    Examples
    --------
    >>> import numpy as np
    >>> from numgrad.functions import gradient
    >>> gradient(lambda x: x[0] ** 2 * x[1], [1.0, 2.0]).value.round(12)
    array([4., 1.])
    >>> points = np.array([[1.0, 2.0, 3.0], [2.0, 0.0, 1.0]])
    >>> gradient(lambda x: x[0] ** 2 * x[1], points, vectorized=True).value.round(12)
    array([[4., 0., 6.],
           [1., 4., 9.]])
    """
    return _jacobian(fun, x, Options(accuracy, step, bounds, vectorized, args, method), is_scalar=True)


def jacobian(
    fun: Callable[..., Any],
    x: Any,
    *,
    accuracy: int = ACCURATE,
    step: Any = None,
    bounds: tuple[Any, Any] | None = None,
    vectorized: bool = False,
    args: tuple[Any, ...] = (),
    method: Literal["auto", "exact", "quotients"] = "auto",
) -> Derivative:
    """Return the first partial derivatives of a function of several variables, with an estimate of their error.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)`` takes a vector of shape (n,) and returns an array of any shape S, or a number. It gets an
        array of its own each time, unless it is `vectorized`: then one of shape (n, points). Jitted by Numba, it runs
        compiled.
    x : array_like of float
        The point, of shape (n,), or points, of shape (n, ...), float32 or float64.
    accuracy : int, optional
        The order of accuracy of the quotient, even, from 2 to 20: its truncation error shrinks with the step to this
        power. The default suits a step that is searched for.
    step : float or array_like, optional
        The finest step of the quotient, in units of `x`, of a shape that broadcasts, or has one value for each
        variable, to that of `x`. By default it is searched for, at each point and for each variable.
    bounds : pair of float or array_like, optional
        Lower and upper bounds, broadcast like `step`: `fun` is not called outside of them. Near one the quotient is
        one-sided.
    vectorized : bool, optional
        Whether `fun` takes many points at once, along the last axis of its argument, and returns its values along the
        last axis too. Arrays among `args` then belong to the points. A function that Numba has jitted needs this only
        if it is to be called with arrays.
    args : tuple, optional
        Further arguments of `fun`.
    method : {"auto", "exact", "quotients"}, optional
        "exact" derives a function that Numba has jitted by rules, exact to rounding; "quotients" takes difference
        quotients. By default a jitted function is derived exactly if all in it has rules, and no `step` or other
        `accuracy` is given.

    Returns
    -------
    Derivative
        With `value` of shape S + x.shape: ``value[i, j]`` is the partial derivative of the i-th number with respect to
        the j-th variable. Also `error`, `step`, `n_eval`, `converged`.

    Raises
    ------
    TypeError
        If `fun` cannot be called, or an argument is of a wrong type; if `x`, `step`, `bounds` or a value of `fun` is a
        quantity (of astropy, pint), whose unit would be lost.
    ValueError
        If the value of an argument is out of range or does not fit `x`, if `fun` returns anything but real or complex
        numbers of one shape, or if `bounds` leave no room for samples.

    An error that `fun` raises at `x` comes out as it is. At other arguments a ValueError or ArithmeticError of a plain
    function, as those of Python's ``math`` outside of their domain, counts as NaN there. Where `x` or ``fun(x)`` is not
    finite, the derivative is NaN and not converged; other points, and other numbers that `fun` returns, do not suffer.

    See Also
    --------
    derivative : how it is done.
    numgrad.jacobian : of sampled fields.

    Examples
    --------
    >>> import numpy as np
    >>> from numgrad.functions import jacobian
    >>> jacobian(lambda x: np.array([x[0] * x[1], x[0] + 3 * x[1]]), [1.0, 2.0]).value.round(12)
    array([[2., 1.],
           [1., 3.]])
    """
    return _jacobian(fun, x, Options(accuracy, step, bounds, vectorized, args, method), is_scalar=False)


def hessian(
    fun: Callable[..., Any],
    x: Any,
    *,
    accuracy: int = ACCURATE,
    step: Any = None,
    bounds: tuple[Any, Any] | None = None,
    vectorized: bool = False,
    args: tuple[Any, ...] = (),
    method: Literal["auto", "exact", "quotients"] = "auto",
) -> Derivative:
    """Return the second partial derivatives of a function of several variables, with an estimate of their error.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)`` takes a vector of shape (n,) and returns a number, or an array of any shape S. It gets an
        array of its own each time, unless it is `vectorized`: then one of shape (n, points). Jitted by Numba, it runs
        compiled.
    x : array_like of float
        The point, of shape (n,), or points, of shape (n, ...), float32 or float64.
    accuracy : int, optional
        The order of accuracy of the quotient, even, from 2 to 20: its truncation error shrinks with the step to this
        power. The default suits a step that is searched for.
    step : float or array_like, optional
        The finest step of the quotient, in units of `x`, of a shape that broadcasts, or has one value for each
        variable, to that of `x`. By default it is searched for, at each point and for each variable.
    bounds : pair of float or array_like, optional
        Lower and upper bounds, broadcast like `step`: `fun` is not called outside of them. Near one the quotient is
        one-sided.
    vectorized : bool, optional
        Whether `fun` takes many points at once, along the last axis of its argument, and returns its values along the
        last axis too. Arrays among `args` then belong to the points. A function that Numba has jitted needs this only
        if it is to be called with arrays.
    args : tuple, optional
        Further arguments of `fun`.
    method : {"auto", "exact", "quotients"}, optional
        "exact" derives a function that Numba has jitted by rules, exact to rounding; "quotients" takes difference
        quotients. By default a jitted function is derived exactly if all in it has rules, and no `step` or other
        `accuracy` is given.

    Returns
    -------
    Derivative
        With `value` of shape S + (n,) + x.shape, symmetric, `error`, `step`, `n_eval`, `converged`.

    Raises
    ------
    TypeError
        If `fun` cannot be called, or an argument is of a wrong type; if `x`, `step`, `bounds` or a value of `fun` is a
        quantity (of astropy, pint), whose unit would be lost.
    ValueError
        If the value of an argument is out of range or does not fit `x`, if `fun` returns anything but real or complex
        numbers of one shape, or if `bounds` leave no room for samples.

    An error that `fun` raises at `x` comes out as it is. At other arguments a ValueError or ArithmeticError of a plain
    function, as those of Python's ``math`` outside of their domain, counts as NaN there. Where `x` or ``fun(x)`` is not
    finite, the derivative is NaN and not converged; other points, and other numbers that `fun` returns, do not suffer.

    See Also
    --------
    derivative : how it is done.
    numgrad.hessian : of sampled fields.

    Notes
    -----
    The diagonal has the quotients of `derivative` for n = 2. A mixed partial derivative is extrapolated from

        (f(x + h, y + k) - f(x + h, y - k) - f(x - h, y + k) + f(x - h, y - k)) / (4 h k),

    in even powers of a step that h and k are multiples of.

    Examples
    --------
    >>> from numgrad.functions import hessian
    >>> hessian(lambda x: x[0] ** 2 * x[1], [1.0, 2.0]).value.round(9)
    array([[4., 2.],
           [2., 0.]])
    """
    problem = prepare(fun, x, Options(accuracy, step, bounds, vectorized, args, method), VECTOR, 2)
    exact = problem.exact()
    if exact is not None:
        return exact
    search, points = problem.search(), problem.model.points
    variables, count = points.shape
    diagonal = search.find(_tasks(np.arange(variables), None, count), [central(2), one_sided(2, 1), one_sided(2, -1)])
    i, j = np.triu_indices(variables, 1)
    found = Found.nothing(search.lanes, variables**2 * count)
    _place(found, diagonal, np.arange(variables) * (variables + 1), count)
    if i.size:
        sides = [mixed_one_sided(a, b) for a in (1, -1) for b in (1, -1)]
        mixed_partials = search.find(_tasks(i, j, count), [mixed(), *sides])
        _place(found, mixed_partials, i * variables + j, count)
        _place(found, mixed_partials._replace(calls=np.zeros_like(mixed_partials.calls)), j * variables + i, count)
    return _result(search, found, (variables, variables))


def _jacobian(fun: Any, x: Any, options: Options, *, is_scalar: bool) -> Derivative:
    problem = prepare(fun, x, options, TO_NUMBER if is_scalar else VECTOR, 1)
    exact = problem.exact()
    if exact is not None:
        return exact
    search, points = problem.search(), problem.model.points
    problem.refuse_arrays(search.caller.values.shape)
    tasks = _tasks(np.arange(points.shape[0]), None, points.shape[1])
    found = search.find(tasks, [central(1), one_sided(1, 1), one_sided(1, -1)])
    return _result(search, found, points.shape[:1])


def _tasks(first: np.ndarray, second: np.ndarray | None, points: int) -> Tasks:
    """Return the tasks of each variable, or pair of variables, at each point; points run fastest."""
    rest = None if second is None else np.repeat(second, points)
    return Tasks(np.tile(np.arange(points), first.size), np.repeat(first, points), rest)


def _place(found: Found, part: Found, rows: np.ndarray, points: int) -> None:
    """Put a part of a matrix where it belongs: into these rows of tasks."""
    tasks = (rows[:, None] * points + np.arange(points)).reshape(-1)
    for whole, some in zip(found, part, strict=True):
        whole[..., tasks] = some


def _result(search: Search, found: Found, variables: tuple[int, ...]) -> Derivative:
    """Return the result: lanes become numbers, tasks variables and points."""
    values, model = search.caller.values, search.caller.model
    shape = values.shape + variables + model.shape
    value, error, step, converged = found[:4]
    if values.dtype.kind == "c":
        half = value.shape[0] // 2
        value = value[:half] + 1j * value[half:]
        error = np.hypot(error[:half], error[half:])
        step = np.minimum(step[:half], step[half:])
        converged = converged[:half] & converged[half:]
    value = value.astype(np.result_type(values.dtype, model.points.dtype), copy=False)
    calls = found.calls.reshape(-1, model.points.shape[1]).sum(axis=0) + 1
    value, error, step = (a.reshape(shape)[()] for a in (value, error, step))
    n_eval = calls.reshape(model.shape)
    is_converged = converged.reshape(shape)
    return Derivative(
        value,
        error,
        step,
        n_eval=n_eval if n_eval.ndim else int(n_eval),
        converged=is_converged if is_converged.ndim else bool(is_converged),
    )


def _explained(function: Callable[..., Any], kind: str, *given: Any, at: Any = None, **options: Any) -> Any:
    """Return how a call of one of these functions finds derivatives; or the quotients `at` a point."""
    call = signature(function).bind(*given, **options)
    call.apply_defaults()
    fun, x, order = (call.arguments.pop(name, default) for name, default in (("fun", 0), ("x", 0), ("n", 1)))
    order = 2 if function is hessian else order
    problem = prepare(fun, x, Options(**call.arguments), kind, order)
    if at is None:
        return problem.exactly.explained()
    from numgrad._arrays.written import index_of
    from numgrad.functions._written import explained

    shape = problem.model.shape
    index = index_of(() if not shape and np.ndim(at) == 0 and at == 0 else at, shape, "`x`")
    point = int(np.ravel_multi_index(index, shape)) if shape else 0
    return explained(problem, function(*given, **options), point, function.__name__)


for _function, _kind in ((derivative, NUMBER), (gradient, TO_NUMBER), (jacobian, VECTOR), (hessian, VECTOR)):
    _function.explained = partial(_explained, _function, _kind)  # type: ignore[attr-defined]
