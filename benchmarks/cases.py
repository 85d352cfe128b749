"""What is timed: for each case the calls of reference and of numgrad, the ratio to reach, and what must be moved."""

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

import numgrad as ng

LARGE = 2**26  # bytes that do not fit a cache: for what moves so much, memory is the bound
SHARE = 1  # where nothing is timed, 16: so small a part of large data is enough to see that a case runs
DASK = "dask.array.gradient"
Call = Callable[[], Any]
Calls = tuple[Call, Call]


def same(a: Any, b: Any) -> bool:
    """Of dask and xarray, too, whose arrays are not to be iterated over.

    As NumPy's arrays: dask would hash one of them, to compare it with its own, and that takes longer than the gradient.
    """
    are_several = isinstance(a, (list, tuple)) or isinstance(b, (list, tuple))
    pairs = zip(a, b, strict=True) if are_several else [(a, b)]
    return all(np.array_equal(np.asarray(x), np.asarray(y)) for x, y in pairs)


@dataclass(frozen=True)
class Case:
    name: str
    make: Callable[[], Calls]  # the reference first
    at_least: float | None = None
    agree: Callable[[Any, Any], bool] = same
    reference: str = "np.gradient"
    # MB that must be read and written, where these are LARGE.
    moves: tuple[int, int] | None = None

    @property
    def id(self) -> str:
        return "".join(c if c.isalnum() else "-" for c in self.name)

    def losses(self, fresh: float, warm: float) -> str:
        """Return in words what these ratios, in a fresh and a warm heap, fall short of."""
        words = ["short"] if self.at_least and fresh < self.at_least else []
        least = min(self.at_least or 1, 1)  # less than 1 is for two ways of numgrad's own
        words += [f"slower, {heap} heap" for heap, ratio in (("fresh", fresh), ("warm", warm)) if ratio < least]
        return "; ".join(words)


def rows(n: int, *shape: int) -> int:
    """Return how many rows of this shape to take of n."""
    return n // SHARE if n * math.prod(shape) * 16 >= LARGE else n


def samples(*shape: int, dtype: Any = float) -> np.ndarray:
    shape = (rows(*shape), *shape[1:])
    f = np.random.default_rng(0).random(shape)
    if f.nbytes < 2**25:  # glibc keeps what is freed, and what is timed depends on it: see `grow_heap`
        return (f * 1000).astype(dtype)
    f *= 1000
    return f.astype(dtype, copy=False)


def coordinates(n: int) -> np.ndarray:
    return np.cumsum(np.random.default_rng(1).random(rows(n)) + 0.1)


def gradient(*shape: int, spacing: Any = (), dtype: Any = float, layout: Any = None, **options: Any) -> Any:
    def make() -> Calls:
        f = samples(*shape, dtype=dtype)
        f = f if layout is None else layout(f)
        given = spacing() if callable(spacing) else spacing
        # partial: a lambda would add its own call, which at n = 10 is to be seen
        return partial(np.gradient, f, *given, **options), partial(ng.gradient, f, *given, **options)

    return make


def new_spacings(edge_order: int) -> Any:
    """No plan is found in the cache."""

    def make() -> Calls:
        f, h = samples(10), [count(1), count(1)]
        return (
            lambda: np.gradient(f, next(h[0]) * 0.1, edge_order=edge_order),
            lambda: ng.gradient(f, next(h[1]) * 0.1, edge_order=edge_order),
        )

    return make


def along(n: int) -> Any:
    return gradient(n, spacing=lambda: (coordinates(n),))


def into(*shape: int, dtype: Any = float, spacing: Any = (), reference: str = "np.gradient") -> Any:
    """With `out=`; NumPy has none, and allocates."""

    def make() -> Calls:
        f = samples(*shape, dtype=dtype)
        given = spacing() if callable(spacing) else spacing
        out = np.zeros((f.ndim, *f.shape) if f.ndim > 1 else f.shape, dtype)  # touched, so that its pages are there
        out.fill(0)
        numgrad = partial(ng.gradient, f, *given, out=out)
        if reference == "np.copyto":
            targets = list(out) if f.ndim > 1 else [out]
            return lambda: [np.copyto(target, f) for target in targets], numgrad
        if reference == "one thread":
            own = out + 1  # touched, too; one array for both would always agree
            return on_threads(1, partial(ng.gradient, f, *given, out=own)), on_threads(None, numgrad)
        return partial(np.gradient, f, *given), numgrad

    return make


def on_threads(n: int | None, call: Call) -> Call:
    def with_threads() -> Any:
        ng.set_num_threads(n)
        return call()

    return with_threads


def orders() -> Calls:
    """C order, then Fortran order, both of numgrad."""
    f = samples(4096, 4096)
    turned = np.asfortranarray(f)
    out, out_turned = (tuple(np.zeros_like(x) for _ in range(2)) for x in (f, turned))
    return partial(ng.gradient, f, out=out), partial(ng.gradient, turned, out=out_turned)


def grow_heap() -> None:
    """Once a large array was freed, glibc keeps freed memory, and np.gradient's temporaries cost no page faults."""
    for _ in range(3):
        np.ones(30 * 2**20 // 8)


def plain_descent(X: Any, y: Any, theta: Any, rate: float, n_iter: int) -> tuple[Any, Any]:
    m, cost = len(y), np.empty(n_iter)
    for t in range(n_iter):
        hypothesis = np.dot(X, theta)
        loss = hypothesis - y
        cost[t] = np.sum(loss**2) / (2 * m)
        gradient = np.dot(X.T, loss) / m
        theta = theta - rate * gradient
    return theta, cost


def regression(m: int, n: int, targets: int | None = None, order: Any = "C") -> tuple[Any, Any]:
    rng, m = np.random.default_rng(0), rows(m, n)
    X = np.asarray(rng.standard_normal((m, n)), order=order)
    y = X @ rng.standard_normal((n, targets) if targets else n)
    return X, y + rng.standard_normal(y.shape)


def descent(m: int, n: int, n_iter: int, method: str, targets: int | None = None, order: Any = "C") -> Any:
    def make() -> Calls:
        X, y = regression(m, n, targets, order)
        return _descents(X, y, np.zeros((n, targets) if targets else n), 0.1, n_iter, method)

    return make


def first_classic(method: str) -> Any:
    def make() -> Calls:
        i = np.arange(100.0)
        X, y = np.column_stack([np.ones(100), i]), i + 25 + 10 * np.random.default_rng(8).random(100)
        return _descents(X, y, np.ones(2), 0.0005, 100_000, method)

    return make


def _descents(X: Any, y: Any, theta: Any, rate: float, n_iter: int, method: str) -> Calls:
    def by_numgrad() -> tuple[Any, Any]:
        run = ng.gradient_descent(X, y, theta, learning_rate=rate, n_iter=n_iter, method=method)
        return run.theta, run.cost

    return lambda: plain_descent(X, y, theta, rate, n_iter), by_numgrad


def solve() -> Calls:
    from sklearn.linear_model import LinearRegression

    X, y = regression(10**6, 20)

    def by_sklearn() -> Any:
        model = LinearRegression().fit(X, y)
        return np.append(model.intercept_, model.coef_)

    return by_sklearn, lambda: ng.CompressedRows().update(X, y).solve(fit_intercept=True)


def by_findiff(n: int, accuracy: int) -> Any:
    """The operator of findiff is made before: its weights are not timed."""

    def make() -> Calls:
        from findiff import Diff

        f, operator = samples(n), Diff(0, 0.1)
        operator.set_accuracy(accuracy)
        return partial(operator, f), partial(ng.derivative, f, 0.1, accuracy=accuracy)

    return make


def by_savgol_filter(n: int, window: int, degree: int) -> Any:
    def make() -> Calls:
        from scipy.signal import savgol_filter

        f = samples(n)
        smooth = partial(savgol_filter, f, window, degree, deriv=1, delta=0.1)
        return smooth, partial(ng.derivative, f, 0.1, window=window, degree=degree)

    return make


def fits_and_differences() -> Calls:
    """On uneven points, for which SciPy has nothing: differences of accuracy 8, and polynomials over windows."""
    x = coordinates(200_000)
    f = np.sin(x / 1000)
    return partial(ng.derivative, f, x, accuracy=8), partial(ng.derivative, f, x, window=21, degree=3)


def errors_and_derivatives(n: int) -> Any:
    """The derivative alone, and with its standard error."""

    def make() -> Calls:
        f = samples(n)
        return partial(ng.derivative, f, 0.1), lambda: ng.derivative(f, 0.1, sigma=0.1).value

    return make


def beside_gradient(
    name: str, *shape: int, spacing: tuple[Any, ...] = (), components: int = 0, of: str = "", edge_order: int = 1,
    **options: Any,
) -> Any:  # fmt: skip
    """A small call, beside one of `gradient` with the same spacing; of `explain` that of another function."""

    def make() -> Calls:
        f = samples(*shape)
        v = samples(components, *shape) if components else f
        given = [getattr(ng, of), v] if of else [v]
        call = partial(getattr(ng, name), *given, *spacing, **options)
        return partial(ng.gradient, f, *spacing, edge_order=edge_order), call

    return make


def on_the_sphere() -> Calls:
    """A gradient by latitude and longitude, beside that of a plane."""
    from benchmarks.sphere_report import grid
    from numgrad import sphere

    latitude, longitude, fields = grid(rows(2048, 4096), 4096)
    return partial(ng.gradient, fields["f"]), partial(sphere.gradient, fields["f"], latitude, longitude)


def grouped() -> Calls:
    """Derivatives by time of 1000 particles, whose rows are far apart."""
    import numgrad.pandas  # noqa: F401
    from benchmarks.groups_report import by_pandas, frame

    found = frame(rows(3 * 10**6, 3), 1000)
    return partial(by_pandas, found), partial(found.numgrad.derivative, "x", by="id", x="time")


def weights_by_findiff() -> Calls:
    """The first call on an uneven grid, with the weights of all points."""
    from findiff import Diff

    x = coordinates(200_000)
    f = np.sin(x)

    def first_call() -> Any:
        operator = Diff(0, x)
        operator.set_accuracy(4)
        return operator(f)

    return first_call, lambda: ng.derivative(f, x, accuracy=4)


def weights_and_applying(accuracy: int) -> Any:
    """Both kernels alone, in one thread: how long the weights of a line take, in times of one use of them."""

    def make() -> Calls:
        from numgrad._arrays.kernels.coordinates import fill_table
        from numgrad._arrays.plan.coefficients import weighing
        from numgrad._arrays.plan.dispatch import axis_plan
        from numgrad._arrays.plan.options import Key, Wanted, read_formula
        from numgrad._arrays.run.flat import bind
        from numgrad._compile.jit import entry_point

        x = coordinates(200_000)
        f, out, n = np.sin(x), np.zeros(x.size), x.size
        formula = read_formula(1, accuracy, "one-sided")
        axis = axis_plan(f.dtype, f.shape, None, Wanted(0, Key(False, False), formula, 0.0))
        constants = axis.constants(x)
        step = bind(axis._replace(constants=constants), f, out, (), False)
        table, reach, kernel = constants[0], constants[1], weighing(fill_table, 1 + accuracy, 1, False).compiled
        arguments = (x, table, reach, reach, n - reach, 1.0)
        fill = entry_point(kernel, *arguments)
        return partial(step.kernel, f, out, n, 1, 0, n, 0, *constants), partial(fill, *arguments)

    return make


def accuracies() -> Calls:
    f = samples(10**7)
    out = np.zeros(f.size)
    return partial(ng.derivative, f, 0.1, out=out), partial(ng.derivative, f, 0.1, accuracy=8, out=out)


def laplacians() -> Calls:
    from scipy.ndimage import laplace

    f = samples(2048, 2048)
    return partial(laplace, f, mode="wrap"), partial(ng.laplacian, f, boundary="periodic")


def gradient_twice(f: np.ndarray) -> np.ndarray:
    return np.array([np.gradient(g) for g in np.gradient(f)])


def hessians() -> Calls:
    f = samples(1024, 1024)
    return partial(gradient_twice, f), partial(ng.hessian, f)


def turning(n: int, noise: float) -> Any:
    """Minima and maxima; find_peaks with `plateau_size` finds where each one begins and ends, too, as ours does."""

    def make() -> Calls:
        from scipy.signal import find_peaks

        y = np.sin(np.arange(n) * 0.01) + noise * np.random.default_rng(0).standard_normal(n)
        return lambda: tuple([find_peaks(z, plateau_size=1)[0] for z in (y, -y)]), lambda: ng.turning_points(y)

    return make


def cubic(x: Any) -> Any:
    return ((x - 2) * x + 3) * x - 5


def lorentzian(x: Any) -> Any:
    return x / (1 + x * x)


def wave(x: Any) -> Any:
    return np.sin(x)


def wave_packet(x: Any) -> Any:
    return np.exp(-x * x) * np.sin(3 * x)


def rosenbrock(x: Any) -> Any:
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def by_scipy(fun: Any) -> Any:
    """SciPy's vectorised run at 1e5 points; numdifftools' takes five times as long and more."""

    def make() -> Calls:
        from numba import njit
        from scipy.differentiate import derivative

        x = np.linspace(0.1, 10, 10**5)
        jitted = njit(fun, error_model="numpy")

        def by_scipy() -> Any:
            with np.errstate(all="ignore"):
                return derivative(fun, x).df

        return by_scipy, lambda: ng.functions.derivative(jitted, x).value

    return make


def at_one_point() -> Calls:
    import numdifftools

    return lambda: numdifftools.Derivative(np.exp)(1.0), lambda: ng.functions.derivative(math.exp, 1.0).value


def of_rosenbrock() -> Calls:
    import numdifftools
    from numba import njit

    x, jitted = np.linspace(-1, 1, 100), njit(rosenbrock)
    return lambda: numdifftools.Gradient(jitted)(x), lambda: ng.functions.gradient(jitted, x).value


def by_lambdify(formula: str, is_outer: bool = False) -> Any:
    """The value and the gradient at 1e6 points: of each an array of its own, or of a row and a column."""

    def make() -> Calls:
        import sympy

        x, y = (np.random.default_rng(k).random((1000, 1000)) for k in range(2))
        if is_outer:
            x, y = x[:, :1], y[:1]
        symbols = sympy.symbols("x y")
        expr = sympy.sympify(formula)
        plain = sympy.lambdify(symbols, [expr, *(expr.diff(s) for s in symbols)], "numpy")
        exact = ng.symbolic.compile(formula, "x y")
        return lambda: plain(x, y), lambda: (lambda value, gradient: (value, *gradient))(*exact(x, y))

    return make


def chunked(axis: int | None, *, coordinates_of: int | None = None, reference: str = DASK) -> Any:
    """Eight chunks of 64 MiB, one behind the other along the first axis, with the results left in their chunks."""

    def make() -> Calls:
        import dask
        import dask.array as da

        f = samples(8 * 200, 200, 210)
        x = () if coordinates_of is None else (coordinates(coordinates_of)[: len(f)],)
        chunks = da.from_array(f, chunks=(-(-len(f) // 8), 200, 210), name=False).persist()  # or it is hashed

        def lazily(function: Any) -> Call:
            return lambda: dask.persist(function(chunks, *x, axis=axis))[0]

        first = lazily(da.gradient) if reference == DASK else partial(ng.gradient, f, *x, axis=axis)
        return first, lazily(ng.gradient)

    return make


def labelled(*shape: int, is_even: bool) -> Any:
    def make() -> Calls:
        import xarray as xr

        import numgrad.interop.xarray  # noqa: F401

        values = samples(*shape)
        x = np.arange(values.shape[-1]) * 0.5 if is_even else coordinates(shape[-1])
        f = xr.DataArray(values, {"x": x}, ("y", "x")[-len(shape) :])
        return partial(f.differentiate, "x"), partial(f.numgrad.differentiate, "x")

    return make


def mapped(axis: int) -> Any:
    """A file of 512 MiB into another, by NumPy in slabs of the first axis with their neighbours."""

    def make() -> Calls:
        shape, slab = (rows(256, 1024, 256), 1024, 256), 16
        folder = Path(tempfile.mkdtemp())
        f, out, expected = (np.memmap(folder / name, "f8", "w+", shape=shape) for name in ("f", "out", "expected"))
        for name in ("f", "out", "expected"):
            (folder / name).unlink()  # what is mapped stays until it is closed
        folder.rmdir()
        for i in range(len(f)):
            f[i] = samples(*shape[1:]) * i

        def in_slabs() -> Any:
            for start in range(0, len(f), slab):
                low, high = max(0, start - 1), start + slab + 1
                part = np.gradient(f[low:high], axis=axis)
                expected[start : start + slab] = part[start - low : start - low + slab]
            return expected

        return in_slabs, partial(ng.gradient, f, axis=axis, out=out)

    return make


def inside_njit(n: int) -> Any:
    """A call of np.gradient from Python, and one in compiled code."""

    def make() -> Calls:
        from numba import njit

        f = samples(n)
        inside = njit(lambda f: np.gradient(f))  # numba's name for it is the same
        return partial(np.gradient, f), partial(inside, f)

    return make


def close_parts(a: Any, b: Any) -> bool:
    return all(map(close_everywhere, a, b))


def close_inside(a: Any, b: Any) -> bool:
    return np.allclose(a[8:-8], b[8:-8], rtol=1e-6, atol=1e-6 * abs(a).max()) or a.size < 17


def close_everywhere(a: Any, b: Any) -> bool:
    return np.allclose(a, b, rtol=1e-9, atol=1e-9 * abs(a).max())


def same_peaks(a: Any, b: Any) -> bool:
    return np.array_equal(*(np.sort(np.concatenate(r)) if isinstance(r, tuple) else r.index for r in (a, b)))


def anything(a: Any, b: Any) -> bool:
    return True


def close(a: Any, b: Any) -> bool:
    return np.allclose(a[0], b[0], rtol=1e-12, atol=0) and np.allclose(a[1], b[1], rtol=1e-10, atol=0)


BIG = 10**8
X10, Y10 = coordinates(10), coordinates(10) ** 1.5
# Small calls: the name, what `beside_gradient` is given, and its options.
SMALL: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("derivative, n = 10, spacing 0.1", ("derivative", 10), {"spacing": (0.1,)}),
    ("derivative, n = 10, coordinates", ("derivative", 10), {"spacing": (X10,), "edge_order": 2}),
    ("derivative, n = 10, spacing 0.1, n=2", ("derivative", 10), {"spacing": (0.1,), "n": 2}),
    ("derivative, n = 10, coordinates, n=2", ("derivative", 10), {"spacing": (X10,), "n": 2}),
    ("derivative, n = 10, coordinates, accuracy 4", ("derivative", 10), {"spacing": (X10,), "accuracy": 4}),
    ("laplacian, 10 x 10, coordinates", ("laplacian", 10, 10), {"spacing": (X10, Y10)}),
    ("divergence, 10 x 10, spacing 0.1", ("divergence", 10, 10), {"spacing": (0.1,), "components": 2}),
    ("curl, 10 x 10, coordinates", ("curl", 10, 10), {"spacing": (X10, Y10), "components": 2}),
    ("explain, n = 10, coordinates", ("explain", 10), {"spacing": (X10,)}),
    (
        "explain, derivative, n = 10, coordinates",
        ("explain", 10),
        {"spacing": (X10,), "of": "derivative", "n": 2},
    ),
]


CASES = [
    Case("n = 10", gradient(10), 4.5),
    Case("n = 1000", gradient(1000), 4.5),
    Case("n = 1e5", gradient(10**5), 30),
    Case("n = 1e6", gradient(10**6), 15),
    Case("n = 1e8", gradient(BIG), 3.8, moves=(800, 800)),
    Case("n = 1e8, out=", into(BIG), 9, moves=(800, 800)),
    Case("n = 1e8, out=, to a copy", into(BIG, reference="np.copyto"), 1.8, anything, "np.copyto", moves=(800, 800)),
    Case(
        "n = 1e8, out=, all threads to one",
        into(BIG, reference="one thread"),
        1.6,
        reference="one thread",
        moves=(800, 800),
    ),
    Case("n = 1e7, coordinates", along(10**7), 10, moves=(160, 80)),
    Case("n = 1e7, coordinates, out=", into(10**7, spacing=lambda: (coordinates(10**7),)), 20, moves=(160, 80)),
    Case("256^3, all axes", gradient(256, 256, 256), 3.2, moves=(134, 403)),
    Case("256^3, all axes, out=", into(256, 256, 256), 8, moves=(134, 403)),
    Case(
        "400^3, out=, to three copies",
        into(400, 400, 400, reference="np.copyto"),
        1.5,
        anything,
        "np.copyto",
        moves=(512, 1536),
    ),
    Case("4096^2 float32, both axes, out=", into(4096, 4096, dtype=np.float32), 7, moves=(67, 134)),
    Case("4096^2, out=, Fortran order to C order", orders, 0.87, reference="C order", moves=(134, 268)),
    Case("n = 1000, coordinates", along(1000), 7),
    Case("n = 1e5, coordinates", along(10**5), 30),
    Case("n = 1e6, coordinates", along(10**6), 20),
    Case("512 x 512 int32, both axes", gradient(512, 512, dtype=np.int32), 5),
    Case("descent, first classic, fused", first_classic("fused"), 60, close, "plain loop"),
    Case("descent, first classic, auto", first_classic("auto"), 250, close, "plain loop"),
    Case(
        "descent, 1e6 x 10, 100 times, fused", descent(10**6, 10, 100, "fused"), 3, close, "plain loop", moves=(8800, 0)
    ),
    Case("descent, 1e6 x 10, 100 times, auto", descent(10**6, 10, 100, "auto"), 15, close, "plain loop", moves=(88, 0)),
    Case("descent, 2e5 x 10, 4 targets, 20 times", descent(200_000, 10, 20, "auto", 4), 4, close, "plain loop"),
    Case("descent, 1e4 x 64, 1000 times, fused", descent(10_000, 64, 1000, "fused"), 1.2, close, "plain loop"),
    Case("descent, 1e4 x 64, 1000 times, auto", descent(10_000, 64, 1000, "auto"), 6, close, "plain loop"),
    Case(
        "descent, 2e5 x 100, 50 times, fused",
        descent(200_000, 100, 50, "fused"),
        1.2,
        close,
        "plain loop",
        moves=(8080, 0),
    ),
    Case(
        "descent, 2e5 x 100, 50 times, auto",
        descent(200_000, 100, 50, "auto"),
        1.2,
        close,
        "plain loop",
        moves=(162, 0),
    ),
    Case("least squares, 1e6 x 20", solve, 3, close_everywhere, "LinearRegression", moves=(168, 0)),
    Case("derivative, n = 1e7, out=, accuracy 2 to 8", accuracies, 0.625, anything, "accuracy 2", moves=(80, 80)),
    Case("derivative, n = 1e6, accuracy 4", by_findiff(10**6, 4), 15, close_inside, "findiff"),
    Case("derivative, n = 1e6, accuracy 8", by_findiff(10**6, 8), 15, close_inside, "findiff"),
    Case("derivative, n = 10, accuracy 4", by_findiff(10, 4), 10, close_inside, "findiff"),
    Case("derivative, n = 1e6, window 21", by_savgol_filter(10**6, 21, 3), 4, close_everywhere, "savgol_filter"),
    Case("derivative, n = 1e6, window 101", by_savgol_filter(10**6, 101, 3), 3, close_everywhere, "savgol_filter"),
    Case("derivative, 2e5 uneven points, window 21", fits_and_differences, None, close_inside, "accuracy 8"),
    Case(
        "derivative, n = 1e7, window 21",
        by_savgol_filter(10**7, 21, 3),
        None,
        close_everywhere,
        "savgol_filter",
        moves=(80, 80),
    ),
    Case("derivative, n = 1e6, with its error", errors_and_derivatives(10**6), 0.5, same, "without"),
    Case("derivative, n = 1e7, with its error", errors_and_derivatives(10**7), 0.5, same, "without", moves=(80, 80)),
    Case("derivative, n = 10", beside_gradient("derivative", 10), 0.5, anything, "gradient"),
    Case("laplacian, 5 x 5", beside_gradient("laplacian", 5, 5), 0.5, anything, "gradient"),
    Case("explain, n = 10", beside_gradient("explain", 10), 0.5, anything, "gradient"),
    *[Case(name, beside_gradient(*about, **given), 0.5, anything, "gradient") for name, about, given in SMALL],
    Case("sphere, gradient, 2048 x 4096", on_the_sphere, 0.5, anything, "on a plane", moves=(67, 134)),
    Case("groups, 3e6 rows in 1000", grouped, None, anything, "groupby().apply", moves=(72, 24)),
    Case("derivative, 2e5 uneven points, first call", weights_by_findiff, 10, close_inside, "findiff"),
    Case("weights of 2e5 points, accuracy 4, to applying", weights_and_applying(4), 0.2, anything, "applying"),
    Case("weights of 2e5 points, accuracy 8, to applying", weights_and_applying(8), 0.2, anything, "applying"),
    Case("laplacian, 2048 x 2048", laplacians, 5, close_everywhere, "scipy.ndimage", moves=(34, 34)),
    Case("hessian, 1024 x 1024", hessians, None, anything, "np.gradient twice"),
    Case("turning points, n = 1e6", turning(10**6, 0.01), None, same_peaks, "find_peaks twice"),
    Case("turning points of noise, n = 1e5", turning(10**5, 1e3), 1, same_peaks, "find_peaks twice"),
    Case("turning points of noise, n = 1e6", turning(10**6, 1e3), 1, same_peaks, "find_peaks twice"),
    Case("function, cubic, 1e5 points", by_scipy(cubic), 30, close_everywhere, "scipy.differentiate"),
    Case("function, x/(1 + x^2), 1e5 points", by_scipy(lorentzian), 30, close_everywhere, "scipy.differentiate"),
    Case("function, sin, 1e5 points", by_scipy(wave), 30, close_everywhere, "scipy.differentiate"),
    Case("function, exp(-x^2) sin(3x), 1e5 points", by_scipy(wave_packet), 30, close_everywhere, "scipy.differentiate"),
    Case("function, plain exp, one point", at_one_point, 5, close_everywhere, "numdifftools"),
    Case("function, gradient of 100-D Rosenbrock", of_rosenbrock, 20, close_everywhere, "numdifftools"),
    Case("formula, 2x^2 + 3y^2 - 4xy, 1e6", by_lambdify("2*x**2 + 3*y**2 - 4*x*y"), 5, close_parts, "lambdify"),
    Case("formula, x y/(1 + x^2 + y^2)^2, 1e6", by_lambdify("x*y/(1 + x**2 + y**2)**2"), 5, close_parts, "lambdify"),
    Case(
        "formula, exp(-x^2 - y^2) sin(3xy), 1e6",
        by_lambdify("exp(-(x**2 + y**2))*sin(3*x*y)"),
        5,
        close_parts,
        "lambdify",
    ),
    Case(
        "formula, exp(-x^2 - y^2) sin(3xy), 1000 x 1000",
        by_lambdify("exp(-(x**2 + y**2))*sin(3*x*y)", is_outer=True),
        5,
        close_parts,
        "lambdify",
    ),
    Case("np.gradient inside @njit, n = 10", inside_njit(10)),
    Case("np.gradient inside @njit, n = 1e6", inside_njit(10**6)),
    Case("dask, 8 x 64 MiB, chunked axis", chunked(0), 2, same, DASK, moves=(538, 538)),
    Case(
        "dask, 8 x 64 MiB, chunked axis, coordinates", chunked(0, coordinates_of=1600), 2, same, DASK, moves=(538, 538)
    ),
    Case("dask, 8 x 64 MiB, last axis", chunked(2), 2, same, DASK, moves=(538, 538)),
    Case("dask, 8 x 64 MiB, all axes", chunked(None), 2, same, DASK, moves=(538, 1613)),
    Case("dask, chunked axis, to memory", chunked(0, reference="memory"), 0.8, same, "in memory", moves=(538, 538)),
    Case("dask, last axis, to memory", chunked(2, reference="memory"), 0.8, same, "in memory", moves=(538, 538)),
    Case("dask, all axes, to memory", chunked(None, reference="memory"), 0.8, same, "in memory", moves=(538, 1613)),
    Case("xarray, n = 1e7, even coordinates", labelled(10**7, is_even=True), 3, same, "differentiate", moves=(160, 80)),
    Case("xarray, n = 1e7, coordinates", labelled(10**7, is_even=False), 3, same, "differentiate", moves=(160, 80)),
    Case(
        "xarray, 3162 x 3162, even coordinates",
        labelled(3162, 3162, is_even=True),
        3,
        same,
        "differentiate",
        moves=(80, 80),
    ),
    Case(
        "xarray, 3162 x 3162, coordinates",
        labelled(3162, 3162, is_even=False),
        3,
        same,
        "differentiate",
        moves=(80, 80),
    ),
    Case("mapped file of 512 MiB, first axis, out=", mapped(0), None, same, "np.gradient, slabs", moves=(537, 537)),
    Case("mapped file of 512 MiB, last axis, out=", mapped(2), None, same, "np.gradient, slabs", moves=(537, 537)),
    Case("n = 10, spacing 0.1", gradient(10, spacing=(0.1,))),
    Case("n = 10, out=", into(10)),
    Case("n = 10, a new spacing each time", new_spacings(1), None, anything),
    Case("n = 10, a new spacing each time, edge_order=2", new_spacings(2), None, anything),
    Case("n = 1e6, float32", gradient(10**6, dtype=np.float32)),
    Case("n = 1e6, complex128, spacing 0.1", gradient(10**6, dtype=complex, spacing=(0.1,))),
    Case("n = 1e7, int32", gradient(10**7, dtype=np.int32), moves=(40, 80)),
    Case("n = 1e6, every other element", gradient(2 * 10**6, layout=lambda f: f[::2])),
    Case("512 x 512, edge_order=2", gradient(512, 512, edge_order=2)),
    Case("512 x 512, Fortran order", gradient(512, 512, layout=np.asfortranarray)),
    Case("512 x 512, every other column", gradient(512, 1024, layout=lambda f: f[:, ::2])),
    Case("1e6 x 2, last axis", gradient(10**6, 2, axis=1)),
    Case("1e5 x 3, first axis, coordinates", gradient(10**5, 3, axis=0, spacing=lambda: (coordinates(10**5),))),
    Case("1000 x 3 x 1000, middle axis", gradient(1000, 3, 1000, axis=1)),
    Case("5 x 5 x 5, all axes", gradient(5, 5, 5)),
    Case(
        "descent, 2e5 x 10, 4 targets, 20 times, fused", descent(200_000, 10, 20, "fused", 4), None, close, "plain loop"
    ),
    Case("descent, 1e4 x 10, 100 times, fused", descent(10_000, 10, 100, "fused"), None, close, "plain loop"),
    Case(
        "descent, 2e5 x 100, 50 times, Fortran order, fused",
        descent(200_000, 100, 50, "fused", None, "F"),
        None,
        close,
        "plain loop",
        moves=(8080, 0),
    ),
]

# "Any of 60 shapes": from (2,) to (10^6, 2), each axis short or long, first, in the middle or last.
SHAPES = [
    *((n,) for n in (2, 3, 5, 10, 33, 100, 1000, 4097, 10**4, 10**5, 3 * 10**5, 10**6)),
    *((2, 2), (2, 3), (3, 2), (5, 5), (10, 10), (33, 77), (100, 100), (512, 512), (1000, 1000)),
    *((2, 1000), (1000, 2), (3, 1000), (1000, 3), (2, 10**5), (10**5, 2), (3, 10**5), (10**5, 3)),
    *((2, 10**6), (10**6, 2), (10, 10**5), (10**5, 10), (48, 20_000), (20_000, 48), (2000, 50), (50, 2000)),
    *((2, 2, 2), (3, 3, 3), (5, 5, 5), (10, 10, 10), (50, 50, 50), (100, 100, 100), (2, 100, 100), (100, 2, 100)),
    *((100, 100, 2), (100, 3, 100), (1000, 3, 1000), (1000, 1000, 3), (3, 1000, 1000), (10**5, 2, 2), (2, 2, 10**5)),
    *(
        (20, 30, 2000),
        (200, 200, 50),
        (2, 2, 2, 2),
        (5, 5, 5, 5),
        (20, 20, 20, 20),
        (3, 4, 5, 6, 7),
        (10, 3, 10, 3, 10),
    ),
    (4, 4, 4, 4, 4, 4),
]
