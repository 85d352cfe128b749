"""What compiles kernels before they are needed: calls of public functions, small but for a few, that need them."""

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from numgrad import functions
from numgrad._arrays import fields
from numgrad._arrays.derivative import derivative
from numgrad._arrays.gradient import go_by_kernels, gradient
from numgrad._arrays.plan.dtypes import FIELDS
from numgrad._arrays.run.flat import cache_size
from numgrad._arrays.turning_points import turning_points
from numgrad._checks import choice, flag
from numgrad._compile.tiers import compiling
from numgrad.functions._calls import compile_frame
from numgrad.regression import gradient_descent, step_size
from numgrad.smoothing import smooth

KERNELS = ("usual", "all")

# Coordinates of a line, uneven from the fourth on, and even; of a short line; of a long one.
N = 24
X, EVEN = np.arange(N) + 0.5 * (np.arange(N) > 2), np.arange(float(N))
FIVE, LONG = np.arange(5.0) ** 2, np.arange(250.0) ** 2
# Derivatives and accuracies.
USUAL, HIGHER = [(1, 2), (1, 4), (2, 2), (2, 4)], [(1, 6), (1, 8), (3, 2), (4, 2)]


class Samples:
    """Makes samples of a dtype."""

    def __init__(self, dtype: "np.dtype[Any]") -> None:
        self.dtype, self.result = dtype, np.dtype(FIELDS[dtype])

    def __call__(self, *shape: int) -> np.ndarray:
        return np.resize(np.arange(100).astype(self.dtype), shape)

    @property
    def large(self) -> np.ndarray:
        """Those whose results are written past the cache."""
        return self(N, cache_size() // (2 * self.result.itemsize * N) + 1)

    @property
    def coordinates(self) -> tuple[np.ndarray, ...]:
        return X, X.astype(self.result.type(0).real.dtype), EVEN


class Call(NamedTuple):
    """Calls of a function that need some of its kernels: `make` gets the function and Samples.

    `kinds` are those of the dtypes that have kernels of their own; none if samples have nothing to do with it.
    """

    function: Callable[..., Any]
    words: str
    make: Callable[[Any, Samples], object]
    kernels: str = "usual"
    kinds: str = "fciu"


def _of(field: Any, f: np.ndarray) -> Any:
    """Return the samples that a field takes: one array, or one for each axis."""
    return f if field in (fields.laplacian, fields.hessian) else [f, f]


def _fit(call: Any, X: np.ndarray, y: np.ndarray, **options: Any) -> None:
    for method in ("modes", "fused"):
        for rate in ("auto", "bb"):
            call(X, y, n_iter=2, method=method, learning_rate=rate, **options)


CALLS = (
    Call(
        gradient,
        "numbers",
        lambda call, f: [call(f(N), *h, edge_order=e) for h in ((), (0.3,), (np.float64(0.3),)) for e in (1, 2)],
    ),
    Call(gradient, "coordinates", lambda call, f: [call(f(N), x, edge_order=e) for x in f.coordinates for e in (1, 2)]),
    Call(
        gradient,
        "short lines",
        lambda call, f: [call(f(7000, 5), *h, axis=1, edge_order=e) for h in ((), (0.3,), (FIVE,)) for e in (1, 2)],
        kernels="all",
        kinds="fc",
    ),
    Call(
        gradient,
        "elements apart",
        lambda call, f: [
            call(f(500, 600)[::2, a::b], *h, axis=0, edge_order=e)
            for a, b in ((300, 1), (0, 2))
            for h in ((), (0.3,), (LONG,))
            for e in (1, 2)
        ],
        kernels="all",
        kinds="fc",
    ),
    Call(
        gradient,
        "large arrays",
        lambda call, f: [call(f.large, *h, axis=0, edge_order=e) for h in ((), (0.3,), (X,)) for e in (1, 2)],
        kernels="all",
        kinds="fc",
    ),
    Call(derivative, "numbers", lambda call, f: [call(f(N), n=n, accuracy=a) for n, a in USUAL]),
    Call(
        derivative,
        "coordinates",
        lambda call, f: [call(g, X, n=n, accuracy=a) for n, a in USUAL for g in (f(N), f(2, N))],
    ),
    Call(
        derivative,
        "higher orders",
        lambda call, f: [call(f(N), x, n=n, accuracy=a) for n, a in HIGHER for x in (1.0, X)],
        kernels="all",
        kinds="fc",
    ),
    Call(
        derivative,
        "periodic",
        lambda call, f: [call(f(N), h, period=p, boundary="periodic") for h, p in ((0.3, None), (X, 2.0 * N))],
        kernels="all",
        kinds="fc",
    ),
    Call(
        derivative,
        "gaps",
        lambda call, f: [call(f(N), x, n=n, nan="one-sided") for n in (1, 2) for x in (1.0, X)],
        kernels="all",
        kinds="fc",
    ),
    Call(
        derivative,
        "windows",
        lambda call, f: [call(f(*s), x, window=5, degree=2) for s in ((N,), (2, N)) for x in (1.0, X)],
        kernels="all",
        kinds="fc",
    ),
    Call(
        derivative,
        "large arrays",
        lambda call, f: [call(f.large, x, axis=0, n=n, accuracy=a) for n, a in USUAL for x in (1.0, X)],
        kernels="all",
        kinds="fc",
    ),
    *(
        row
        for field in fields.READERS
        for row in (
            Call(field, "numbers", lambda call, f: call(_of(call, f(N, N)))),
            Call(field, "coordinates", lambda call, f: call(_of(call, f(N, N)), X, X), kernels="all"),
            Call(
                field,
                "accuracy=4",
                lambda call, f: [call(_of(call, f(N, N)), *x, accuracy=4) for x in ((), (X, X))],
                kernels="all",
                kinds="fc",
            ),
            Call(field, "large arrays", lambda call, f: call(_of(call, f.large), 0.3), kernels="all", kinds="fc"),
        )
    ),
    Call(
        turning_points,
        "numbers and coordinates",
        lambda call, f: [call(f(N), x, ends=e) for x in (1.0, X) for e in (False, True)],
        kinds="f",
    ),
    Call(smooth, "lines", lambda call, f: [call(np.sin(f(N)), x) for x in (1.0, X)], kinds="f"),
    Call(functions.derivative, "plain functions", lambda call, _: call(np.square, 1.0), kinds=""),
    *(
        Call(function, "plain functions", lambda call, _: call(np.sum, np.ones(2)), kinds="")
        for function in (functions.gradient, functions.jacobian, functions.hessian)
    ),
    *(
        Call(function, "jitted functions", lambda _, __: compile_frame(), kinds="")
        for function in (functions.derivative, functions.gradient, functions.jacobian, functions.hessian)
    ),
    Call(step_size, "rows", lambda call, f: call(f(3000, 3)), kinds="f"),
    Call(gradient_descent, "rows", lambda call, f: _fit(call, f(3000, 3), f(3000)), kinds="f"),
    Call(
        gradient_descent,
        "columns, and targets",
        lambda call, f: _fit(call, np.asfortranarray(f(3000, 3)), f(3000, 2)),
        kernels="all",
        kinds="f",
    ),
    Call(gradient_descent, "many rows", lambda call, f: _fit(call, f(2**19, 3), f(2**19)), kernels="all", kinds="f"),
    Call(
        gradient_descent, "more features", lambda call, f: _fit(call, f(2**18, 8), f(2**18)), kernels="all", kinds="f"
    ),
)


def _named(function: Callable[..., Any]) -> str:
    """Return the public name of a function."""
    return "functions." * function.__module__.startswith(functions.__name__) + function.__name__


KNOWN: dict[str, Callable[..., Any]] = {_named(row.function): row.function for row in CALLS}
DTYPES = tuple(dict.fromkeys(dtype.name for dtype in FIELDS))


def warm_up(
    *functions: Callable[..., Any] | str, dtypes: Any = ("float64",), kernels: str = "usual", progress: bool = False
) -> None:
    """Compile or load the kernels that functions usually need, now, so that no later call waits or runs without them.

    numgrad does small work without compiled kernels, until they pay; the first call that needs them compiles them, and
    keeps them in a cache for later processes. This decides it by hand: for a server before its first request, or for an
    image of a container, where ``python -m numgrad warm-up`` does the same from the command line.

    Parameters
    ----------
    *functions : callable or str, optional
        Functions of numgrad, or their names, such as "gradient" or "functions.derivative". By default all that have
        kernels which can be compiled beforehand.
    dtypes : dtype or sequence of dtype, default ("float64",)
        Dtypes of the samples, or of the rows of data; one or several, None for all. What converts integers to float64
        first has no kernels of theirs.
    kernels : {"usual", "all"}, default "usual"
        The usual ones are those for evenly and unevenly spaced samples side by side in memory, of the first two
        derivatives, up to accuracy 4. "all" are also those for short lines, arrays whose elements lie apart, results
        larger than the cache, gaps, windows, other orders and accuracies: minutes of compilation for each dtype.
    progress : bool, default False
        Whether to show a progress bar, if tqdm is installed and standard error is a terminal; else a line for each
        group of kernels, with how long it took, on standard error.

    Raises
    ------
    TypeError, ValueError
        If a function, a dtype or an option is unknown.

    See Also
    --------
    explain : whether a call runs compiled, and why.

    Notes
    -----
    The kernels are compiled by calls that need them; Numba is imported for it. Called again, it has nothing left to do.
    Kernels of functions that Numba has jitted, and of formulas, are made for each of these: only what they have in
    common can be compiled beforehand.

    Examples
    --------
    >>> import numpy as np
    >>> import numgrad as ng
    >>> ng.warm_up("gradient")
    >>> ng.explain(np.zeros(10))[0].tier
    1
    >>> ng.warm_up(ng.turning_points, dtypes=["float32", "float64"])
    """
    run(list(groups_of(functions, dtypes, kernels)), flag("progress", progress))


class Group(NamedTuple):
    """Kernels that are compiled together: what they are, and how."""

    words: str
    work: Callable[[], object]


def groups_of(functions: Iterable[Callable[..., Any] | str], dtypes: Any, kernels: str) -> Iterator[Group]:
    """Return what there is to compile for some functions and dtypes, or for all if there are none."""
    choice("kernels", kernels, KERNELS)
    wanted = {choice("functions", _named_by(one), KNOWN) for one in functions} or KNOWN
    kinds = _read_dtypes(dtypes)
    for row in CALLS:
        name = _named(row.function)
        if name not in wanted or row.kernels not in ("usual", kernels):
            continue
        if not row.kinds:
            yield Group(f"{name}, {row.words}", partial(row.make, row.function, Samples(np.dtype(float))))
        for dtype in kinds:
            if dtype.kind in row.kinds:
                yield Group(f"{name}, {row.words}, {dtype}", partial(row.make, row.function, Samples(dtype)))


def run(groups: list[Group], progress: bool) -> None:
    """Compile or load groups of kernels."""
    go_by_kernels()
    with compiling():
        for group in _told(groups) if progress else groups:
            group.work()


def _named_by(given: Any) -> Any:
    """Return the name of a function that is known; anything else as it is."""
    return next((name for name, function in KNOWN.items() if function is given), given)


def _read_dtypes(given: Any) -> list["np.dtype[Any]"]:
    if given is None:
        given = DTYPES
    elif isinstance(given, (str, type)) or not isinstance(given, Iterable):
        given = (given,)
    found = []
    for one in given:
        try:
            dtype = np.dtype(one)
        except TypeError:
            dtype = None
        if dtype not in FIELDS:
            raise ValueError(f"`dtypes` has {one!r}; give some of {', '.join(DTYPES)}")
        found.append(dtype)
    return list(dict.fromkeys(found))


def _told(groups: list[Group]) -> Iterator[Group]:
    """Return the groups, and tell of each on standard error: by a bar, or a line when it is done."""
    try:
        if not sys.stderr.isatty():
            raise ImportError
        from tqdm import tqdm
    except ImportError:
        for i, group in enumerate(groups, 1):
            began = perf_counter()
            yield group
            print(f"[{i}/{len(groups)}] {group.words}: {perf_counter() - began:.1f} s", file=sys.stderr, flush=True)
        return
    with tqdm(groups, unit="group") as bar:
        for group in bar:
            bar.set_description(group.words)
            yield group
