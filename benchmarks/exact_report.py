"""How fast exact derivatives of jitted functions are, beside quotients, JAX, and the functions themselves."""

import math
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from benchmarks.measure import fresh, side_by_side, table, unit
from numgrad.functions import derivative, gradient, hessian, value_and_gradient


@njit
def cubic(x: float) -> float:
    return x**3 - 2 * x + 1


@njit
def rational(x: float) -> float:
    return x / (1 + x**2)


@njit
def sine(x: float) -> float:
    return math.sin(x)


@njit
def packet(x: float) -> float:
    return math.exp(-(x**2)) * math.sin(3 * x)


@njit
def rosenbrock(x: np.ndarray) -> float:
    total = 0.0
    for i in range(x.size - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return total


@njit
def exp_sin(x: np.ndarray) -> float:
    total = 0.0
    for i in range(x.size):
        total += math.exp(math.sin(x[i]))
    return total


@njit
def logistic(w: np.ndarray, rows: np.ndarray, labels: np.ndarray) -> float:
    total = 0.0
    for i in range(rows.shape[0]):
        s = 0.0
        for j in range(w.size):
            s += rows[i, j] * w[j]
        total += math.log1p(math.exp(-labels[i] * s))
    return total


@njit
def lotka_volterra(p: np.ndarray, steps: int) -> float:
    prey, hunters, dt = p[4], p[5], 0.01
    for _ in range(steps):
        grown = p[0] * prey - p[1] * prey * hunters
        fed = p[3] * prey * hunters - p[2] * hunters
        prey, hunters = prey + dt * grown, hunters + dt * fed
    return prey * prey + hunters


@njit
def lennard_jones(x: np.ndarray) -> float:
    energy, atoms = 0.0, x.size // 3
    for i in range(atoms):
        for j in range(i):
            dx, dy, dz = x[3 * i] - x[3 * j], x[3 * i + 1] - x[3 * j + 1], x[3 * i + 2] - x[3 * j + 2]
            s = 1.0 / (dx * dx + dy * dy + dz * dz)
            s = s * s * s
            energy += 4.0 * (s * s - s)
    return energy


class Case(NamedTuple):
    """A measurement: what it is compared with, both calls, and how many times as fast, or as slow, it may be."""

    name: str
    reference: str
    calls: Callable[[], tuple[Callable[[], Any], Callable[[], Any]]]
    at_least: float | None = None
    at_most: float | None = None
    in_a_row: int = 1  # how often each is called when it is its turn


def of_points(fun: Any, name: str, at_least: float) -> list[Case]:
    """A function of a number at 1e5 points, beside SciPy, which gets a function of arrays.

    In turns SciPy leaves no memory that is at hand, neither in the heap nor in the processor's cache; in later calls of
    a row it is.
    """

    def calls() -> tuple[Callable[[], Any], Callable[[], Any]]:
        from scipy.differentiate import derivative as by_scipy

        plain = {
            "cubic": lambda x: x**3 - 2 * x + 1,
            "rational": lambda x: x / (1 + x**2),
            "sine": np.sin,
            "packet": lambda x: np.exp(-(x**2)) * np.sin(3 * x),
        }[fun.__name__]
        x = np.linspace(-2, 2, 10**5)
        return partial(by_scipy, plain, x), partial(derivative, fun, x)

    once = Case(f"{name}, 1e5 points", "scipy.differentiate", calls, at_least)
    return [once, once._replace(name="the same, ten calls in a row", in_a_row=10)]


def start(n: int) -> np.ndarray:
    return np.random.default_rng(0).random(n)


def beside_numdifftools() -> tuple[Callable[[], Any], Callable[[], Any]]:
    import numdifftools

    x = start(100)
    return partial(numdifftools.Gradient(rosenbrock), x), partial(value_and_gradient(rosenbrock), x)


def with_a_bound() -> tuple[Callable[[], Any], Callable[[], Any]]:
    import numdifftools

    x = start(100)
    return partial(numdifftools.Gradient(rosenbrock), x), partial(gradient, rosenbrock, x)


def hessian_beside_numdifftools() -> tuple[Callable[[], Any], Callable[[], Any]]:
    import numdifftools

    x = start(50)
    return partial(numdifftools.Hessian(rosenbrock), x), partial(hessian, rosenbrock, x)


def beside_jax(n: int) -> Callable[[], tuple[Callable[[], Any], Callable[[], Any]]]:
    def calls() -> tuple[Callable[[], Any], Callable[[], Any]]:
        import jax

        jax.config.update("jax_enable_x64", True)
        of_jax = jax.jit(jax.grad(lambda x: (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()))
        x, ours = start(n), value_and_gradient(rosenbrock)
        return lambda: np.asarray(of_jax(x)), lambda: ours(x)[1]

    return calls


def beside_itself(fun: Any, x: np.ndarray, *args: Any) -> Callable[[], tuple[Callable[[], Any], Callable[[], Any]]]:
    """The gradient in units of the function's own time: both are called from compiled code, many times."""

    def calls() -> tuple[Callable[[], Any], Callable[[], Any]]:
        both = value_and_gradient(fun)

        @njit
        def plain(x: np.ndarray, *args: Any) -> float:
            total = 0.0
            for _ in range(100):
                x[0] += 1e-9
                total += fun(x, *args)
            return total

        @njit
        def derived(x: np.ndarray, *args: Any) -> float:
            total = 0.0
            for _ in range(100):
                x[0] += 1e-9
                total += both(x, *args)[1][0]
            return total

        return partial(plain, x, *args), partial(derived, x, *args)

    return calls


def atoms() -> np.ndarray:
    """Thirty atoms near the places of a lattice."""
    rng = np.random.default_rng(0)
    places = np.array([(i, j, k) for i in range(4) for j in range(4) for k in range(2)], float)[:30]
    return (1.2 * places + rng.uniform(-0.1, 0.1, places.shape)).reshape(-1)


def logistic_case() -> Case:
    rng = np.random.default_rng(0)
    rows, labels = rng.standard_normal((500, 20)), rng.choice([-1.0, 1.0], 500)
    return Case("logistic, 500 x 20", "f", beside_itself(logistic, rng.standard_normal(20), rows, labels), at_most=4)


CASES = [
    *of_points(cubic, "x³ - 2x + 1", 300),
    *of_points(rational, "x/(1 + x²)", 300),
    *of_points(sine, "sin x", 30),
    *of_points(packet, "exp(-x²) sin 3x", 30),
    Case("Rosenbrock's gradient, n = 100", "numdifftools", beside_numdifftools, 700),
    Case("the same by `functions.gradient`", "numdifftools", with_a_bound),
    Case("Rosenbrock's gradient, n = 100", "jax.jit(grad)", beside_jax(100), 2),
    Case("Rosenbrock's gradient, n = 1000", "jax.jit(grad)", beside_jax(1000), 1),
    Case("exp(sin) in 100 variables", "f", beside_itself(exp_sin, start(100)), at_most=4),
    logistic_case(),
    Case(
        "Lotka-Volterra, 1000 steps",
        "f",
        beside_itself(lotka_volterra, np.array([1.1, 0.4, 0.4, 0.1, 10.0, 5.0]), 1000),
        at_most=4,
    ),
    Case("Lennard-Jones, 30 atoms", "f", beside_itself(lennard_jones, atoms()), at_most=30),
    Case("Hessian of Rosenbrock, n = 50", "numdifftools", hessian_beside_numdifftools, 300),
]


def report(cases: list[Case] = CASES, seconds: float = 2.0, turns: int = 3) -> list[str]:
    """Return the table of times, and how long the first call of a function takes."""
    rows = []
    for case in cases:
        try:
            theirs, ours = case.calls()
        except ImportError as error:
            rows.append(f"| {case.name} | {case.reference} | | | {error.name} is not installed |")
            continue
        both = {name: repeated(call, case.in_a_row) for name, call in (("theirs", theirs), ("ours", ours))}
        times = {name: t / case.in_a_row for name, t in side_by_side(both, seconds).items()}
        faster = times["theirs"] / times["ours"]
        if case.at_most is None:
            words = f"{faster:,.3g} times as fast" + (f", of {case.at_least:g}" if case.at_least else "")
            is_short = faster < (case.at_least or 0)
        else:
            words = f"{1 / faster:.3g} times f, at most {case.at_most:g}"
            is_short = 1 / faster > case.at_most
        cells = [case.name, case.reference, unit(times["theirs"]), unit(times["ours"]), words + ", short" * is_short]
        rows.append(f"| {' | '.join(cells)} |")
    text = (
        f"Exact derivatives of jitted functions. The first call of a new function, when others have been derived, "
        f"takes {unit(first_call(turns))} of processor time; that of one which is kept on disk, in a second process, "
        f"{unit(second_process(turns))} more than the function itself."
    )
    return [text, "", *table("| case | beside | it | exact | |", rows)]


def repeated(call: Callable[[], Any], times: int) -> Callable[[], None]:
    def calls() -> None:
        for _ in range(times):
            call()

    return calls


def first_call(turns: int) -> float:
    """Return the processor time of the first gradient of a function, after that of others."""
    times = []
    gradient(rosenbrock, start(20))
    for i in range(turns):
        names: dict[str, Any] = {"math": math}
        exec(f"def new(x):\n    s = {i}.0\n    for v in x:\n        s += math.sin(v) * v\n    return s", names)
        fun = njit(names["new"])
        fun(start(20))
        began = time.process_time()
        gradient(fun, start(20))
        times.append(time.process_time() - began)
    return sorted(times)[turns // 2]


KEPT = """
import time
import numpy as np
from numba import njit

@njit(cache=True)
def rosenbrock(x):
    total = 0.0
    for i in range(x.size - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return total

x = np.linspace(-1, 1, 100)
rosenbrock(x)
began = time.process_time()
from numgrad.functions import gradient
gradient(rosenbrock, x)
seconds = time.process_time() - began
"""


def second_process(turns: int) -> float:
    """Return the processor time of a gradient, import of numgrad in it, in a process whose cache has it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "kept.py").write_text(KEPT)
        code = f"import sys; sys.path.insert(0, {folder!r}); import kept; print(kept.seconds)"
        return sorted(fresh(code, NUMBA_CACHE_DIR=folder) for _ in range(2 * turns))[turns - 1]
