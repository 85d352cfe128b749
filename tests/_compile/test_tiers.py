"""Work without compiled kernels: the same results as with them, and no more time than twice the better choice."""

import os
import sys
import threading
import warnings
from functools import partial
from itertools import pairwise, product

import numpy as np
import pytest
from helpers import assert_same, finish, start, tier
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import numgrad as ng
from numgrad import functions
from numgrad._arrays.derivative import by_stencil, read_lines
from numgrad._compile import tiers

RESULT = {
    ng.Smooth: ("value", "residuals", "noise", "freedom", "order", "knots"),
    ng.TurningPoints: ("index", "position", "value", "kind", "gradient", "first", "last"),
    functions.Derivative: ("value", "error", "step", "n_eval", "converged"),
}


def in_tier(number, call):
    """What a call returns, or raises, in a tier; nothing may warn."""
    try:
        with tier(number), warnings.catch_warnings():
            warnings.simplefilter("error")
            found = call()
    except (ValueError, TypeError, ZeroDivisionError) as error:
        return type(error), str(error)
    names = RESULT.get(type(found))
    return tuple(np.array(getattr(found, name)) for name in names) if names else found


def assert_tiers_agree(call):
    plain, compiled = in_tier(0, call), in_tier(1, call)
    if isinstance(compiled, tuple) and compiled and isinstance(compiled[0], type):
        assert plain == compiled
    elif isinstance(compiled, (tuple, np.ndarray)):
        parts = zip(plain, compiled, strict=True) if isinstance(compiled, tuple) else [(plain, compiled)]
        for a, b in parts:
            if a.dtype.kind == "U":
                assert np.array_equal(a, b)
            else:
                assert_same(np.copy(a, order="K"), np.copy(b, order="K"))
    else:
        assert plain == compiled


SPECIAL = [np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-40, 3e38, 1.0]


def samples(seed, shape, dtype):
    """Random samples, some of which are no ordinary numbers."""
    rng = np.random.default_rng(seed)
    f = rng.normal(size=(2, *shape)) * 10.0 ** rng.integers(-3, 4)
    f = np.where(rng.random(f.shape) < rng.choice([0, 0.1]), rng.choice(SPECIAL, f.shape), f)
    with np.errstate(all="ignore"):
        return (f[0] + 1j * f[1] if np.dtype(dtype).kind == "c" else f[0]).astype(dtype)


def coordinates(seed, shape):
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.uniform(0.1, 3, shape), axis=-1) * rng.choice([1, -1])


# Each with a kernel of its own: in single precision, where Python's numbers are not those of compiled code, and in the
# other kinds of dtypes, which the tests of derivatives ask for in tier 0.
DERIVATIVES = [
    ("f4", (2, 9), None, {"n": 2}),
    ("c8", (2, 9), None, {"n": 2, "boundary": "periodic"}),
    ("f4", (2, 9), None, {"n": 2, "nan": "one-sided"}),
    ("f4", (9,), (9,), {"n": 1, "accuracy": 4}),
    ("c8", (2, 9), (2, 9), {"n": 2, "period": 99.0, "boundary": "periodic"}),
    ("f4", (2, 9), (9,), {"n": 2, "boundary": "nan"}),
    ("c8", (2, 9), (9,), {"n": 2, "nan": "one-sided"}),
    ("i2", (2, 9), None, {"n": 2, "boundary": "nan"}),
    ("c16", (9, 2), None, {"n": 3, "axis": 0}),
    ("u8", (2, 9), (9,), {"n": 2}),
    ("c16", (2, 9), (9,), {"n": 2, "period": 99.0, "boundary": "periodic"}),
    ("f8", (2, 9), (2, 9), {"n": 2, "nan": "one-sided"}),
    ("f4", (2, 9), None, {"n": 2, "nan": "one-sided", "boundary": "periodic"}),
    ("f4", (2, 9), None, {"window": 5, "degree": 2}),
    ("c8", (2, 9), (9,), {"window": 5, "degree": 2, "sigma": 0.3}),
    ("f4", (2, 9), (2, 9), {"window": 5, "degree": 2, "nan": "one-sided"}),
    ("f4", (2, 9), (2, 9), {"n": 2, "sigma": 0.3}),
]


def agree(examples, *strategies):
    """A test of that many examples, the same in each run."""
    return lambda test: settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )(given(*strategies)(test))


@agree(200, st.sampled_from(DERIVATIVES), st.integers(0, 2**32))
def test_derivatives(case, seed):
    dtype, shape, points, options = case
    x = 0.3 if points is None else coordinates(seed, points)
    assert_tiers_agree(lambda: ng.derivative(samples(seed, shape, dtype), x, **options))


@agree(60, st.sampled_from([{"n": 2}, {"nan": "one-sided"}]), st.integers(0, 2**32))
def test_lines_of_any_lengths(options, seed):
    cuts = np.concatenate([[0], np.cumsum(np.random.default_rng(seed).integers(4, 9, 5))])
    x = np.concatenate([coordinates(seed + i, b - a) for i, (a, b) in enumerate(pairwise(cuts))])
    f = samples(seed, (cuts[-1],), "f4" if "n" in options else "f8")
    assert_tiers_agree(lambda: by_stencil(read_lines(f, x, cuts, **options)))


@agree(100, st.sampled_from(["laplacian", "hessian", "jacobian", "divergence"]), st.integers(0, 2**32))
def test_fields(function, seed):
    f = samples(seed, (4, 5), "f4")
    v = [f, f[::-1]] if function in ("jacobian", "divergence") else f
    assert_tiers_agree(lambda: getattr(ng, function)(v, 0.3, coordinates(seed, 5)))


@agree(60, st.sampled_from(["laplacian", "vorticity", "advection"]), st.integers(0, 2**32))
def test_fields_on_the_sphere(function, seed):
    given = [samples(seed + i, (6, 8), "f4") for i in range({"laplacian": 1, "vorticity": 2, "advection": 3}[function])]
    grid = np.arange(75.0, -90, -30), np.arange(8) * 45
    assert_tiers_agree(lambda: getattr(ng.sphere, function)(*given, *grid, radius=1.0))


@agree(200, st.sampled_from(["f4", "c8", "i4"]), st.booleans(), st.sampled_from([1, 2]), st.integers(0, 2**32))
def test_gradients(dtype, is_even, edge_order, seed):
    f = samples(seed, (3, 5), dtype).T
    spacing = (0.3, np.float32(0.7)) if is_even else (coordinates(seed, 5).astype("f4"), coordinates(seed, 3))
    assert_tiers_agree(lambda: ng.gradient(f, *spacing, edge_order=edge_order))


@agree(100, st.integers(0, 2**32), st.booleans(), st.booleans(), st.booleans())
def test_turning_points(seed, ends, plateaus, periodic):
    y = samples(seed, (3, 9), "f4").round(-1)
    assert_tiers_agree(lambda: ng.turning_points(y, ends=ends, plateaus=plateaus, periodic=periodic))


def test_smoothing():
    rng = np.random.default_rng(3)
    x = np.sort(rng.random(14)) * 20
    y = np.sin(x / 3) + 0.1 * rng.standard_normal(14)
    calls = [
        partial(ng.smooth, y, x, **options)
        for options in ({}, {"period": 30.0, "order": 3}, {"kinks": [5.0]}, {"robust": True})
    ]
    plain = [in_tier(0, call) for call in calls]  # before any kernel is compiled, which is taken from there on
    for before, call in zip(plain, calls, strict=True):
        for a, b in zip(before, in_tier(1, call), strict=True):
            assert_same(a, b)


FUNCTIONS = {
    "sin": np.sin,
    "abs": abs,
    "1/x": lambda x: 1 / x,
    "complex": lambda x: np.exp(1j * x),
    "vector": lambda x: np.array([np.sin(x), x * x]),
    "noisy": lambda x: np.sin(x) + 1e-8 * np.sin(1e9 * x),
    "nothing": lambda x: np.nan,
    "domain": lambda x: np.sqrt(x) if x >= 0 else float("nan"),
}


@agree(150, st.data())
def test_derivatives_of_functions(data):
    fun = FUNCTIONS[data.draw(st.sampled_from(sorted(FUNCTIONS)))]
    x = np.array(
        data.draw(st.lists(st.floats(-50, 50), min_size=1, max_size=3)), data.draw(st.sampled_from(["f4", "f8"]))
    )
    options = data.draw(st.sampled_from([{}, {"n": 2}, {"n": 3}, {"n": 6}, {"accuracy": 4}, {"step": 0.25}]))
    bounds = data.draw(st.sampled_from([None, (-51, 51), (x, x + 1)]))
    assert_tiers_agree(lambda: functions.derivative(fun, x, bounds=bounds, **options))


@agree(60, st.lists(st.floats(-50, 50), min_size=2, max_size=3), st.sampled_from(["gradient", "jacobian", "hessian"]))
def test_derivatives_of_functions_of_vectors(x, which):
    fun = (lambda x: x * x[0]) if which == "jacobian" else (lambda x: x[0] ** 2 * x[1] + np.sin(x[-1]))
    assert_tiers_agree(lambda: getattr(functions, which)(fun, x))


def test_derivatives_of_jitted_functions():
    numba = pytest.importorskip("numba")
    jitted = [
        numba.njit(fun) for fun in (lambda x: np.sin(x) * x, lambda x: np.exp(1j * x), lambda x: np.array([x, 1 / x]))
    ]
    for fun, x, n in product(jitted, (1.5, np.float32(0.1), np.linspace(-3, 3, 40), np.nan), (1, 2, 5)):
        assert_tiers_agree(lambda fun=fun, x=x, n=n: functions.derivative(fun, x, n=n, method="quotients"))
    fun = numba.njit(lambda x, a: a * x[0] ** 2 * x[1])
    for which in ("gradient", "hessian"):
        call = partial(getattr(functions, which), fun, [1.0, 2.0], args=(3.0,), method="quotients")
        assert_tiers_agree(call)
    raises = numba.njit(lambda x: 1 / int(x > 5))
    assert in_tier(0, lambda: functions.derivative(raises, 6.0, method="quotients")) is not None


CALLS = """
import sys, numpy as np, numgrad as ng
from numgrad import functions
x = np.cumsum(np.linspace(1, 2, 500)); f = np.sin(x); g = f.reshape(20, 25); v = [g, g]
ng.gradient(f); ng.gradient(f, x, edge_order=2); ng.gradient(g, 0.1, 0.2); ng.gradient(g.T, axis=1)
ng.gradient([1, 2, 4]); ng.gradient(f, out=np.empty(500)); ng.explain(f, x)
ng.derivative(f, x, n=2); ng.derivative(f, 0.1, accuracy=4); ng.derivative(f, x, nan="one-sided")
ng.derivative(g, x.reshape(20, 25)); ng.laplacian(g); ng.hessian(g); ng.jacobian(v); ng.divergence(v); ng.curl(v)
ng.turning_points(f, x); ng.weights([0, 1, 3], 1, 1); ng.Stencil.central(2)
functions.derivative(np.sin, 1.0); functions.gradient(lambda x: x @ x, x[:3])
functions.hessian(lambda x: x @ x, x[:3]); functions.jacobian(lambda x: x * x, x[:3])
assert "numba" not in sys.modules, "Numba was imported"
"""


def test_small_calls_do_without_numba(tmp_path):
    finish(start(code=CALLS, cache=tmp_path, NUMGRAD_TIER=""))
    assert not list(tmp_path.rglob("*.nb?"))


def test_numpy_warns_as_kernels_do(tmp_path):
    """Of coordinates that repeat, and of nothing else; the errors are NumPy's."""
    code = """
import sys, warnings, numpy as np, numgrad as ng
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    ng.gradient([1e308, -1e308, 1e308]); ng.gradient(np.array([np.inf, np.inf, 1]), 2.0)
    assert not seen, seen
    ng.gradient([1.0, 2.0, 3.0], [0.0, 1.0, 1.0])
    assert {w.category for w in seen} == {RuntimeWarning}
for bad in ((np.zeros(1),), (np.zeros(3), 1.0, 2.0), (np.zeros(3), [1, 2]), (3.0, 1.0)):
    try:
        np.gradient(*bad)
    except Exception as e:
        expected = type(e), str(e)
    try:
        ng.gradient(*bad)
    except Exception as e:
        assert (type(e), str(e)) == expected
out = np.empty(3)
assert ng.gradient([1, 2, 4], out=out) is out and out.tolist() == [1, 1.5, 2]
assert "numba" not in sys.modules
"""
    finish(start(code=code, cache=tmp_path, NUMGRAD_TIER=""))


class Made:
    """A draft whose kernel takes so many seconds to compile."""

    def __init__(self, seconds):
        self.seconds, self.is_ready = seconds, False


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when work is done."""
    now = [0.0]
    monkeypatch.delenv("NUMGRAD_TIER", raising=False)
    monkeypatch.setattr(tiers, "perf_counter", lambda: now[0])
    monkeypatch.setattr(tiers, "_total", 0.0)
    monkeypatch.setattr(tiers, "slowness", lambda: 1.0)
    return now


@pytest.mark.parametrize("guess", [1e-9, 1e-6, 1e-3])
@pytest.mark.parametrize("price", [0.03, 0.4, 8.0])
def test_no_loop_takes_more_than_twice_the_better_choice(clock, price, guess):
    """Whatever the first guess is at the speed of tier 0, but for one call in which it goes wrong."""
    for size, calls in product([10, 1000, 10**5, 10**7], [1, 10, 100, 1000, 10**4]):
        plain, compiled = 5e-7 * size, 1e-9 * size
        if plain * calls > 1e3:
            continue
        draft = Made(price)
        account = tiers.Account((draft,), guess)
        begun = clock[0]

        def slow(plain=plain):
            clock[0] += plain

        def fast(draft=draft, compiled=compiled):
            clock[0] += compiled + (0 if draft.is_ready else draft.seconds)
            draft.is_ready = True

        for _ in range(calls):
            account.run(size, slow, fast, lambda: clock[0])
        shared = max(0.0, tiers.IMPORT)  # Numba may be imported here: the account takes it for paid
        best = min(plain * calls, price + compiled * calls)
        wrong = guess * size * 2 if guess > plain / size else plain
        assert clock[0] - begun <= 2.1 * best + wrong + (0 if "numba" in sys.modules else shared)


def test_a_thread_does_not_wait_for_the_compiler_of_another(clock):
    account, begins, ends = tiers.Account((Made(1.0),), 1e-3), threading.Event(), threading.Event()

    def compiled():
        begins.set()
        assert ends.wait(60)
        return "compiled"

    found = []
    buyer = threading.Thread(target=lambda: found.append(account.run(10**4, lambda: "plain", compiled)))
    buyer.start()
    assert begins.wait(60)
    account.spent = 5.0
    assert account.run(1, lambda: "plain", lambda: "waits") == "plain"
    ends.set()
    buyer.join()
    assert found == ["compiled"]
    assert account.run(1, lambda: "plain", lambda: "compiled") == "compiled"


def test_what_a_compiler_leaves_behind_is_bought_again(clock):
    """After Ctrl-C, and in a child of a process one of whose threads compiled."""
    account = tiers.Account((Made(1.0),), 1e-3)

    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        account.run(10**4, lambda: "plain", interrupted)
    assert account.run(10**4, lambda: "plain", lambda: "compiled") == "compiled"
    left = tiers.Account((Made(1.0),), 1e-3)
    left.buyer, left.spent = (os.getpid() + 1, 1), 5.0
    assert left.run(1, lambda: "plain", lambda: "compiled") == "compiled"


def test_ctrl_c_while_compiling_leaves_a_process_that_works(tmp_path):
    code = """
import os, signal, threading, time, numpy as np, numgrad as ng, numba
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit "ignore"
f = np.random.default_rng(0).random(50)
expected = np.gradient(f, edge_order=2)
interrupted = 0
for delay in (0.01, 0.05, 0.1, 0.2):
    threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        for _ in range(10**5):
            ng.gradient(f, edge_order=2)
        time.sleep(5)
    except KeyboardInterrupt:
        interrupted += 1
    assert np.array_equal(ng.gradient(f, edge_order=2), expected)
assert interrupted == 4
assert np.array_equal(ng.gradient(f.astype("f4"), edge_order=2), np.gradient(f.astype("f4"), edge_order=2))
"""
    finish(start(code=code, cache=tmp_path, NUMGRAD_TIER="1"))


def test_an_unknown_tier_is_refused(monkeypatch):
    monkeypatch.setenv("NUMGRAD_TIER", "2")
    with pytest.raises(ValueError, match=r"NUMGRAD_TIER is '2'; give 0 .* or 1"):
        ng.laplacian(np.zeros((5, 5)))
