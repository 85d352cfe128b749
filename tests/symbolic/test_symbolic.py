"""Exact partial derivatives: against mpmath, over all layouts of grids, and what is refused."""

import pickle
import platform
import re
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers import same_bits
from hypothesis import given, settings
from hypothesis import strategies as st

import numgrad as ng
from numgrad import symbolic
from numgrad.symbolic import _formula, _loop, _work
from numgrad.symbolic._parse import FUNCTIONS

mpmath = pytest.importorskip("mpmath")
sympy = pytest.importorskip("sympy")
x, y, z = sympy.symbols("x y z", real=True)

FORMULAS = [
    "2x^2 + 3y^2 - 4x y",
    "x*y/(1 + x^2 + y^2)^2",
    "exp(-(x^2 + y^2)) sin(3x y)",
    "x^y + y^(1/3) - x^0.7 + 2^x",
    "sqrt(x y)/(x + 2y)^(3/2) + x^-5 y^7 + x^70",
    "log(x + y^2) atan2(y, x) + log(x, 10)",
    "tan(x/2) + 1/tan(y) + sec(x/3) csc(y) cot(x)",
    "sinh(x) cosh(y) - tanh(x y) + sech(x) csch(y) coth(x)",
    "asin(x/4) acos(y/4) + atan(x y) + acot(x + y)",
    "asinh(x) acosh(y + 2) + atanh(x/4) + acoth(y + 2) + asech(x/4) + acsch(y)",
    "erf(x) erfc(y) + sinc(x + y)",
    "abs(log(x)) y^2 + abs(x - y)^3",
    "max(x, y, 1) min(x^2, y) + sign(x - 1) y",
    "x/3 + pi y - 2/7 + E x y - 0.1 + sqrt(2) x",
    "asec(x + 3) - acsc(y + 3) x",
]
PIECES = sympy.Piecewise((x**2 * y, x < 1), (sympy.sin(x * y), (x < 2) & (y > 1)), (x - y, True))
CASES = [*FORMULAS, PIECES]


p, q = sympy.symbols("p q", positive=True)  # as the points are: SymPy has the derivative of |log(p)|


def at(grids, expr):
    """`expr` at 50 digits, at the doubles themselves, rounded to a double."""
    function = sympy.lambdify((p, q), expr, "mpmath")
    with mpmath.workdps(50):
        return np.array([float(function(*map(mpmath.mpf, g))) for g in zip(*grids.tolist(), strict=True)])


def all_at_once(components, points, definitions):
    """The components of many formulas of x and y, in one kernel: most of the time goes into compiling."""
    code = _loop.source([(e, [(0, row)]) for row, e in enumerate(components)], (x, y), definitions, (True, True))
    result = np.empty((len(components), points.shape[1]))
    _loop.run(_loop.jitted(code), _loop.layout(list(points), points.shape[1:]), [result])
    return result


@pytest.fixture(scope="module")
def table():
    formulas = [symbolic.compile(case, (x, y), order=2) for case in CASES]
    grids = np.random.default_rng(0).uniform(0.3, 2.4, (2, 6))
    definitions = {name: part for formula in formulas for name, part in formula._definitions.items()}
    rows = all_at_once([e for formula in formulas for e in formula._outputs], grids, definitions)
    results = rows.reshape(len(CASES), 6, grids.shape[1])  # value, two partials, three second ones
    return grids, {case: (f, r) for case, f, r in zip(CASES, formulas, results, strict=True)}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_against_mpmath(table, case):
    grids, formulas = table
    formula, results = formulas[case]
    # 0.7 and 0.1 are their doubles.
    numbers = {f: sympy.Rational(f) for f in formula.expr.atoms(sympy.Float)}
    exact = formula.expr.xreplace({x: p, y: q, **numbers})
    first = [sympy.diff(exact, s) for s in (p, q)]
    second = [sympy.diff(first[i], s) for i, s in ((0, p), (0, q), (1, q))]
    for got, expr in zip(results, [exact, *first, *second], strict=True):
        wanted = at(grids, expr.replace(sympy.DiracDelta, lambda *_: sympy.Integer(0)))
        # Multiplied-out powers err by some ulp, sums by some of their largest term.
        scale = np.maximum(np.abs(wanted), 0.1 * np.abs(wanted).max())
        assert (np.abs(got - wanted) <= 1e-13 * scale).all(), expr


def test_steps():
    """SymPy has no derivative of these."""
    formula = symbolic.compile(
        "floor(3x) y + ceil(y) x^2 + frac(5x) y + Mod(x, 0.3) - Mod(2, y) + Heaviside(x - y) x", (x, y)
    )
    u, v = np.random.default_rng(0).uniform(0.3, 2.4, (2, 6))
    value, gradient = formula(u, v)
    step = np.heaviside(u - v, 0.5)
    smooth = np.floor(3 * u) * v + np.ceil(v) * u**2 + (5 * u % 1) * v
    assert value == pytest.approx(smooth + u % 0.3 - 2 % v + step * u, rel=1e-14)
    assert gradient[0] == pytest.approx(2 * u * np.ceil(v) + 5 * v + 1 + step, rel=1e-14)
    assert gradient[1] == pytest.approx(np.floor(3 * u) + 5 * u % 1 + np.floor(2 / v), rel=1e-14)


FORMULA = "exp(-x^2) y + z^3 y/(3 + x^2) - 2"


@pytest.fixture(scope="module")
def formula():
    return symbolic.compile(FORMULA, "x y z", order=2)


def grid(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


GRIDS = {
    "full": (grid(5, 7), grid(5, 7, seed=1), grid(5, 7, seed=2)),
    "row and column": (grid(5, 1), grid(1, 7), 0.5),
    "scalars": (1.5, np.float64(2.0), 3),
    "three axes": (grid(3, 1, 1), grid(4, 1), grid(5)),
    "mixed": (grid(3, 4, 1), grid(1, 5), grid(3, 1, 5)),
    "merged": (grid(3, 4, 5), grid(4, 5), grid(3, 1, 1)),
    "empty": (grid(0, 3), grid(3), 1.0),
    "size one": (grid(1, 1, 6), grid(1, 2, 1), grid(1)),
    "one element": (grid(1, 1), grid(1), 2.0),
    "fortran": (np.asfortranarray(grid(4, 5)), grid(4, 5), grid(5)),
    "all fortran": tuple(np.asfortranarray(grid(4, 5, 3, seed=s)) for s in range(3)),
    "strided": (grid(8, 10)[::2, ::2], grid(4, 10)[:, :5], grid(10)[::2]),
    "inner block": (grid(6, 8)[1:5, 2:7], grid(6, 8)[2:6, :5], grid(9)[2:6, None]),
    "reversed": (grid(4, 5)[::-1], grid(5)[::-1], grid(4, 1)[::-1]),
    "repeated": (np.broadcast_to(grid(5), (4, 5)), np.broadcast_to(grid(4, 1), (4, 5)), np.broadcast_to(2.0, (4, 5))),
    "integers": (np.arange(5), np.arange(4, dtype=np.uint8)[:, None], np.array([True, False, True, True, False])),
    "swapped bytes": (grid(5).astype(">f8"), grid(5), 1),
    "unaligned": (np.frombuffer(b"\0" + grid(5).tobytes(), offset=1), grid(5), 1),
    "lists": ([1.0, 2.0], [[3], [4]], 5),
}


@pytest.mark.parametrize("grids", GRIDS.values(), ids=GRIDS.keys())
def test_layouts(formula, grids):
    """The bits are those of full arrays."""
    full = [np.ascontiguousarray(g, dtype=np.float64) for g in np.broadcast_arrays(*grids)]
    before = [np.array(g) for g in grids]
    shape = np.broadcast_shapes(*(np.shape(g) for g in grids))
    wanted = formula(*(np.ascontiguousarray(g).reshape(-1) for g in full))
    got = formula(*grids)
    for n, (w, g) in enumerate(zip(wanted, got, strict=True)):
        assert g.shape == (3,) * n + shape
        assert g.dtype == np.float64
        assert type(g) is (np.float64 if not n and not shape else np.ndarray)
        assert same_bits(w.reshape(g.shape), np.asarray(g))
    assert all(same_bits(b, np.array(g)) for b, g in zip(before, grids, strict=True))


def test_each_method_alone(formula):
    for grids in (GRIDS["full"], GRIDS["scalars"]):
        alone = formula.value(*grids), formula.gradient(*grids), formula.hessian(*grids)
        for a, together in zip(alone, formula(*grids), strict=True):
            assert type(a) is type(together)
            assert same_bits(np.asarray(a), np.asarray(together))


def test_a_dense_grid_of_numbers_is_what_it_should_be(formula):
    """The layouts are compared with each other; here, once, with NumPy."""
    u, v, w = grid(3, 1, 1), grid(4, 1), grid(5)
    value = np.exp(-(u**2)) * v + v * w**3 / (3 + u**2) - 2
    assert formula.value(u, v, w) == pytest.approx(value, rel=1e-13, abs=1e-14)


def test_nothing_is_made_full(formula):
    plan = _loop.layout([grid(40, 1), grid(1, 50), np.zeros((1, 1))], (40, 50))
    assert [g.size for g in plan.grids] == [40, 50, 1]
    assert (plan.length, plan.sizes.tolist(), plan.pattern) == (50, [40], (False, True, False))
    plan = _loop.layout([grid(3, 4, 5), grid(3, 1, 1), grid(4, 5)], (3, 4, 5))
    assert (plan.length, plan.sizes.tolist(), plan.pattern) == (20, [3], (True, False, True))
    rows = grid(6, 8)[:, :5]
    assert np.shares_memory(_loop.layout([rows], (6, 5)).grids[0], rows)


def test_what_is_constant_along_the_row_is_computed_before_it():
    formula = symbolic.compile(sympy.sin(x) * sympy.exp(y) + y, (x, y), order=0)
    code = _loop.source(formula._components((0,)), formula._variables, formula._definitions, (False, True))
    before, inside = code.split("def inside")
    assert "math.sin" in before
    assert "math.sin" not in inside
    assert "math.exp" in inside


@pytest.fixture
def pieces(monkeypatch):
    monkeypatch.setattr(_loop, "PARALLEL", 10)
    monkeypatch.setattr(_loop, "PIECE", 97)
    yield
    ng.set_num_threads(None)


@pytest.mark.usefixtures("pieces")
@pytest.mark.parametrize("shapes", [[(1003,)] * 3, [(31, 1), (1, 53), (1,)], [(7, 1, 9), (11, 1), (7, 1, 1)]], ids=str)
def test_threads(formula, shapes, monkeypatch):
    grids = [grid(*s, seed=i) for i, s in enumerate(shapes)]
    results = []
    for threads in (1, 2, 5):
        ng.set_num_threads(threads)
        results.append(formula(*grids))
    monkeypatch.setattr(_loop, "PARALLEL", 10**9)
    results.append(formula(*grids))
    for result in results[1:]:
        assert all(same_bits(a, b) for a, b in zip(results[0], result, strict=True))


def test_large_arrays_are_shared(formula):
    n = 2 * _loop.PARALLEL + 3
    u = np.linspace(-2, 2, n)
    results = []
    try:
        for threads in (1, 3):
            ng.set_num_threads(threads)
            results.append(formula(u, u[::-1], 0.5))
    finally:
        ng.set_num_threads(None)
    assert all(same_bits(a, b) for a, b in zip(*results, strict=True))
    assert same_bits(formula.value(u[-5:], u[::-1][-5:], 0.5), results[0][0][-5:])


def count_kernels(monkeypatch):
    made = []
    jitted = _loop.jitted
    monkeypatch.setattr(_formula, "jitted", lambda code: made.append(jitted(code)) or made[-1])
    return made


def test_compiled_once_by_many_threads(monkeypatch):
    made = count_kernels(monkeypatch)
    fresh = symbolic.compile("x^2 y", "x y")
    assert not made
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda i: fresh.gradient(np.full(9, float(i)), 2.0), range(40)))
    for i, result in enumerate(results):
        assert result.tolist() == [[4.0 * i] * 9, [float(i * i)] * 9]
    assert len(made) == 1
    fresh.gradient(np.ones((3, 4))[:, ::2], 1)
    frozen = np.ones(5)
    frozen.flags.writeable = False
    fresh.gradient(frozen, 5, out=np.empty((2, 5)))
    assert len(made) == 1
    fresh.gradient(1.0, np.ones(5))
    fresh.value(np.ones(5), 1.0)
    assert len(made) == 3
    assert all(len(kernel.signatures) == 1 for kernel in made if hasattr(kernel, "signatures"))


def test_out(formula):
    grids = grid(4, 1), grid(5), 2.0
    wanted = formula(*grids)
    out = tuple(np.full(w.shape, np.nan) for w in wanted)
    got = formula(*grids, out=out)
    assert all(a is b for a, b in zip(got, out, strict=True))
    assert all(map(same_bits, out, wanted))
    value = np.full((5, 4), np.nan).T
    assert formula.value(*grids, out=value) is value
    assert same_bits(value, wanted[0])
    wide = np.full((3, 4, 10), np.nan)
    formula.gradient(*grids, out=wide[..., ::-2])
    assert same_bits(wide[..., ::-2], wanted[1])
    assert np.isnan(wide[..., ::2]).all()
    hessian = np.asfortranarray(np.full((3, 3, 4, 5), np.nan))
    formula.hessian(*grids, out=hessian)
    assert same_bits(hessian, wanted[2])
    scalar = np.empty(())
    assert formula.value(1, 2, 3, out=scalar) is scalar
    assert scalar == formula.value(1, 2, 3)


def test_out_that_overlaps_a_grid(formula):
    memory = grid(3, 20)
    u = memory[0]
    wanted = formula.gradient(u, u[::-1], 0.5)
    assert same_bits(formula.gradient(u, u[::-1], 0.5, out=memory), wanted)
    memory = grid(21)
    wanted = formula.value(memory[:-1], 1, 2)
    assert same_bits(formula.value(memory[:-1], 1, 2, out=memory[1:]), wanted)
    column = grid(20)[:, None]
    square = np.broadcast_to(column, (20, 20))
    assert same_bits(formula.value(square, 1, 2, out=np.empty((20, 20))), formula.value(column + np.zeros(20), 1, 2))


def read_only():
    out = np.zeros(5)
    out.flags.writeable = False
    return out


@pytest.mark.parametrize(
    ("method", "out", "error", "message"),
    [
        ("value", np.zeros(4), ValueError, r"`out` has shape \(4,\), the result has \(5,\)"),
        ("gradient", np.zeros((3, 4)), ValueError, r"shape \(3, 4\), the result has \(3, 5\)"),
        ("hessian", np.zeros((3, 5)), ValueError, r"the result has \(3, 3, 5\)"),
        ("value", np.zeros(5, "f4"), TypeError, "`out` has dtype float32, the result has float64"),
        ("value", read_only(), ValueError, "`out` is read-only"),
        ("value", [0.0] * 5, TypeError, "`out` has a list"),
        (
            "__call__",
            np.zeros(5),
            ValueError,
            r"`out` is a ndarray; give a tuple of 3 arrays, of shapes \(5,\), \(3, 5\)",
        ),
        ("__call__", (np.zeros(5),), ValueError, "`out` has 1; give a tuple of 3 arrays"),
        ("__call__", (np.zeros(5), np.zeros((3, 5)), np.zeros((3, 3, 4))), ValueError, r"has shape \(3, 3, 4\)"),
    ],
)
def test_out_is_refused(formula, method, out, error, message):
    with pytest.raises(error, match=message):
        getattr(formula, method)(np.ones(5), 1, 2, out=out)
    for array in out if isinstance(out, tuple) else [out]:
        assert not np.any(array)


def test_out_must_not_share_memory():
    memory = np.zeros((3, 5))
    with pytest.raises(ValueError, match="share memory"):
        symbolic.compile("x y", "x y")(np.ones(5), 2, out=(memory[1], memory[1:]))
    assert not memory.any()


def test_out_in_another_mapping_of_the_same_file(formula, tmp_path):
    file = tmp_path / "grid"
    np.memmap(file, np.float64, "w+", shape=(4, 20))[:] = grid(4, 20)
    u, over = (np.memmap(file, np.float64, "r+", shape=(4, 20)) for _ in range(2))
    wanted = formula.gradient(np.array(u[0]), 0.5, 2)
    with pytest.raises(ValueError, match="share memory"):
        formula(u[3].copy(), 0.5, 2, out=(u[0], over[:3], np.empty((3, 3, 20))))
    assert same_bits(np.array(formula.gradient(u[0, ::-1], 0.5, 2, out=over[:3])), wanted[:, ::-1])


def test_float32(formula):
    grids = [grid(50, seed=s).astype("f4") for s in range(3)]
    single, double = formula(*grids), formula(*(g.astype("f8") for g in grids))
    for s, d in zip(single, double, strict=True):
        assert s.dtype == np.float32
        assert same_bits(s, d.astype("f4"))
    assert formula.value(*grids[:2], 0.1).dtype == np.float32
    assert same_bits(formula.value(*grids[:2], 0.1), formula.value(*grids[:2], np.float64(0.1)).astype("f4"))
    assert formula.value(*grids[:2], np.float64(0.1)).dtype == np.float64
    assert formula.value(*grids[:2], np.arange(50)).dtype == np.float64
    assert type(formula.value(*(g[0] for g in grids))) is np.float32


def test_domains():
    """Outside of its domain a formula is NaN or infinite, as in NumPy; nothing raises."""
    points = np.array([-np.inf, -1.0, 0.0, 1.0, np.inf, np.nan])
    functions = {
        "log(x)": np.log,
        "1/x + sqrt(x)": lambda t: 1 / t + np.sqrt(t),
        "x^0.7": lambda t: t**0.7,
        "max(x, 0) + min(x, 0.5)": lambda t: np.maximum(t, 0) + np.minimum(t, 0.5),
        "abs(x) + 2sign(x)": lambda t: np.abs(t) + 2 * np.sign(t),
        "asin(2x) + acosh(x)": lambda t: np.arcsin(2 * t) + np.arccosh(t),
        "atanh(x)": np.arctanh,
        "floor(x) - ceil(x/2)": lambda t: np.floor(t) - np.ceil(t / 2),
        "Heaviside(x)": lambda t: np.heaviside(t, 0.5),
        "Mod(x, 0.75)": lambda t: t % 0.75,
    }
    exprs = [symbolic.compile(text, (x,), order=0).expr for text in functions]
    result = all_at_once(exprs, np.array([points, points]), {})
    with np.errstate(all="ignore"):
        for got, (text, function) in zip(result, functions.items(), strict=True):
            np.testing.assert_allclose(got, function(points), rtol=1e-14, err_msg=text)
    either = np.array([[np.nan, 1.0], [1.0, np.nan]])
    assert np.isnan(all_at_once([sympy.Max(x, y), sympy.Min(x, y)], either, {})).all()
    gamma = symbolic.compile("gamma(x) + loggamma(x)", "x", order=0).value([-1.0, -0.5, 0.0, 4.0, np.nan])
    assert gamma == pytest.approx([np.nan, np.nan, np.inf, 6 + np.log(6), np.nan], nan_ok=True)


def test_kinks():
    """The derivative of almost every point; at corners, that of SymPy."""
    formula = symbolic.compile("abs(x) + sign(x) + floor(x) + 2max(x, 0) + Heaviside(x) + Mod(x, 3)", "x", order=2)
    _, gradient, hessian = formula(np.array([-1.5, 0.0, 1.5]))
    assert gradient.tolist() == [[0.0, 2.0, 4.0]]
    assert not hessian.any()
    plain = sympy.Symbol("x")  # for which SymPy would take re and im apart
    (slope,) = symbolic.compile(abs(sympy.log(plain)), plain).partials
    assert slope == sympy.sign(sympy.log(plain)) / plain


CORNERS = {  # with points, where the value, the partial or the second one is 0/0, inf*0 or inf - inf, or cancels
    "sinc(x)": [1e-300, 1e-12, -1e-8, 1e-3, 0.7, 1.49, 1.51, 3.0],
    "x^pi + abs(x)^pi": [1e-300, 1e-12, 1e-8, 2.0],
    "sqrt(x^3)": [1e-12, 1e-8, 2.0],
    "tanh(x)": [1e-12, -1e-12, 15.0, 30.0, -200.0],
    "asin(x) + acos(x/2)": [1e-12, -1e-12, 1 - 1e-12, 1e-12 - 1],
    "atanh(x)": [1e-12, -1e-300, 1 - 1e-12],
    "atanh(2x - x^2) + asin(3x)": [1e-12, -1e-300, 0.1],
    "asech(x)": [1e-12, 0.5, 1 - 1e-12],
    "acoth(x)": [1 + 1e-12, -1 - 1e-12, 1e12, -3.0],
    "asec(x)": [1 + 1e-12, -1 - 1e-12, 1e12, 3.0],
    "acsc(x)": [1 + 1e-12, -1 - 1e-12, 1e12, -1e200],
    "log(1 + exp(x))": [1e-12, 1000.0, -50.0, -600.0],
    "exp(x) - 1": [1e-12, -1e-12, 1e-300],
    "1 - exp(2x)": [1e-12, -1e-12, 1e-300],
    "x^2 log(x)": [1e-300, 1e-12, 2.0],
}


def test_partials_in_corners():
    formulas = [symbolic.compile(text, (x,), order=2) for text in CORNERS]
    width = max(map(len, CORNERS.values()))
    points = np.array([[*p, *[p[0]] * (width - len(p))] for p in CORNERS.values()])
    definitions = {name: part for formula in formulas for name, part in formula._definitions.items()}
    rows = [e for formula in formulas for e in formula._outputs]
    results = all_at_once(rows, np.array([points.ravel()] * 2), definitions).reshape(len(formulas), 3, -1)
    for k, formula in enumerate(formulas):
        got = results[k].reshape(3, len(formulas), width)[:, k]
        for n in range(3):
            exact = sympy.diff(formula.expr, x, n).replace(sympy.DiracDelta, lambda *_: sympy.Integer(0))
            function = sympy.lambdify(x, exact, "mpmath")
            with mpmath.workdps(1000):
                wanted = np.array([float(mpmath.re(function(mpmath.mpf(p)))) for p in points[k]])
            np.testing.assert_allclose(got[n], wanted, 2e-14, err_msg=f"{formula.expr}, {n}")


NEAR = [1e-300, 1e-12, *np.nextafter(1, [0, 2]), 1 - 1e-12, 1.0, 1 + 1e-12, 40.0, 800.0, 1e12]
LINE = [0.0, *NEAR, *(-t for t in NEAR)]
SIDE = [0.0, 2.0**-40, 1.0, 800.0, -(2.0**-40), -1.0, -800.0]
PLANE = [(a, b) for a in SIDE for b in SIDE if a or b]


def step(t):
    return mpmath.mpf(t > 0) if t else mpmath.mpf(0.5)


OF_TWO = {  # with value, first partials, and second ones
    "atan2": lambda a, b, r: (
        *(mpmath.atan2(a, b), b / r, -a / r),
        *(-2 * a * b / r**2, (a - b) * (a + b) / r**2, 2 * a * b / r**2),
    ),
    "Max": lambda a, b, r: (max(a, b), step(a - b), step(b - a), 0, 0, 0),
    "Min": lambda a, b, r: (min(a, b), step(b - a), step(a - b), 0, 0, 0),
    "Mod": lambda a, b, r: (a - b * mpmath.floor(a / b), 1, -mpmath.floor(a / b), 0, 0, 0),
}
FLAT = {"floor": 0, "ceiling": 0, "frac": 1}  # with their slopes, for which SymPy has no formula
INF_MINUS_INF = {("asech", 2): (-1, 1), ("acsch", 2): (0,)}  # nan, as the docstring says


def value_at(point, function):
    """The value, None at a pole, nan if it is complex."""
    try:
        value = mpmath.mpmathify(function(point))
    except (ZeroDivisionError, ValueError):
        return None
    return mpmath.nan if value.imag else value.real


def limits(function, point):
    """The value; at a pole, the limits from those sides that have one, infinite if it grows."""
    value = value_at(point, function)
    if value is not None:
        return set() if mpmath.isnan(value) else {float(value)}
    pairs = ([value_at(point + side * mpmath.mpf(10) ** -n, function) for n in (35, 70)] for side in (-1, 1))
    return {
        float(mpmath.sign(nearer) * mpmath.inf if abs(nearer) > abs(near) + 50 else nearer)
        for near, nearer in pairs
        if not mpmath.isnan(nearer)
    }


def test_every_function_in_its_corners():
    """At 0 and near it, at the ends of domains, just inside, and far out."""
    names = [name for name, known in FUNCTIONS.items() if name == known]
    formulas = {
        n: symbolic.compile(f"{n}(x, y)" if n in OF_TWO else f"{n}(x)", (x, y), order=0 if "gamma" in n else 2)
        for n in names
    }
    rows = [(name, n, e) for name, f in formulas.items() for n, e in enumerate(f._outputs)]
    rows = [(name, n, e) for name, n, e in rows if name in OF_TWO or n in (0, 1, 3)]
    definitions = {name: part for formula in formulas.values() for name, part in formula._definitions.items()}
    points = np.array([*PLANE, *((t, 1.5) for t in LINE)])
    computed = [e for *_, e in rows if not e.is_number]  # most of the time goes into compiling
    results = iter(all_at_once(computed, points.T, definitions))
    for name, n, e in rows:
        result = np.full(len(points), float(e)) if e.is_number else next(results)
        if name in OF_TWO:
            check_in_plane(name, n, result[: len(PLANE)])
        else:
            check_on_line(name, min(n, 2), formulas[name].expr, result[len(PLANE) :])


def check_in_plane(name, n, results):
    for point, got in zip(PLANE, results, strict=True):
        a, b = map(mpmath.mpf, point)
        if name == "Mod" and not b:
            assert n or np.isnan(got)
        else:
            assert got == pytest.approx(float(OF_TWO[name](a, b, a * a + b * b)[n]), rel=1e-14, abs=0), (name, n, point)


def check_on_line(name, n, expr, results):
    if name == "sinc" and n:
        expr = sympy.sin(x) / x  # SymPy's second derivative of sinc is 0 at 0
    smooth = sympy.Integer(FLAT[name] * (n == 1)) if n and name in FLAT else sympy.diff(expr, x, n)
    smooth = smooth.replace(sympy.DiracDelta, lambda *_: sympy.Integer(0))
    value, function = (sympy.lambdify(x, e, "mpmath") for e in (expr, smooth))
    for point, got in zip(LINE, results, strict=True):
        if "gamma" in name and point < -1:
            continue  # poles, beside which gamma is large within 1/800! only
        with mpmath.workdps(720 if abs(point) in (1e-300, 800) else 240):
            exact = mpmath.mpf(point)
            is_inside = bool(limits(value, exact))
            wanted = limits(function, exact) if is_inside else set()
        if point in INF_MINUS_INF.get((name, n), ()) or not wanted:
            assert np.isnan(got) or (n and not is_inside), (name, n, point, got)
            continue
        wanted.add(sum(wanted) / len(wanted))  # at a jump
        close = [got == pytest.approx(w, rel=4e-14, abs=1e-300, nan_ok=True) for w in wanted]
        assert any(close), (name, n, point, got, wanted)


def test_partials_at_zero():
    at_zero = {
        "sinc(x)": (1, 0, -1 / 3),
        "x^pi": (0, 0, 0),
        "abs(x)^pi": (0, 0, 0),
        "sqrt(x^3)": (0, 0, np.inf),
        "x^2 log(x)": (0, 0, -np.inf),
    }
    formulas = [symbolic.compile(text, (x,), order=2) for text in at_zero]
    definitions = {name: part for formula in formulas for name, part in formula._definitions.items()}
    results = all_at_once([e for f in formulas for e in f._outputs], np.zeros((2, 1)), definitions)
    np.testing.assert_allclose(results.reshape(-1, 3), list(at_zero.values()), 1e-15)
    value, gradient, hessian = symbolic.compile("x^y", "x y", order=2)(0, 2)
    assert (value, gradient.tolist(), hessian.tolist()) == (0, [0, 0], [[2, 0], [0, 0]])
    assert symbolic.compile("x^n/(k^n + x^n)", "x n k").gradient(0, 2, 3).tolist() == [0, 0, 0]
    (slope,) = symbolic.compile("sinc(t)", "t").partials
    t = sympy.Symbol("t")
    assert slope == sympy.cos(t) / t - sympy.sin(t) / t**2


def test_constant_and_absent_symbols():
    value, gradient, hessian = symbolic.compile(3.5, "x y", order=2)(np.ones((2, 1)), np.ones(3))
    assert value.tolist() == [[3.5] * 3] * 2
    assert not gradient.any()
    assert hessian.shape == (2, 2, 2, 3)
    assert symbolic.compile("x", "y x").gradient(1, 2).tolist() == [0.0, 1.0]
    assert symbolic.compile(sympy.Rational(1, 3), x, order=0)(1) == (1 / 3,)
    assert symbolic.compile(sympy.besselj(0, 1) * x, [x]).gradient(1.0) == pytest.approx(0.765197686557967)


def test_pieces_of_no_default_are_nan():
    piece = sympy.Piecewise((x, x > 1), (y, sympy.Or(x < -1, sympy.Not(y > 0), sympy.Eq(x, 0.5))))
    value, gradient = symbolic.compile(piece, (x, y))([2.0, -2.0, 0.0, 0.0, 0.5], [5.0, 5.0, -5.0, 5.0, 5.0])
    assert value == pytest.approx([2.0, 5.0, -5.0, np.nan, 5.0], nan_ok=True)
    assert gradient[0] == pytest.approx([1.0, 0.0, 0.0, np.nan, 0.0], nan_ok=True)


def test_numbers_are_rounded_once():
    """sqrt(2)*pi/3 is one number, the float64 nearest to it; so is a number of too many digits."""
    with mpmath.workdps(50):
        irrational = float(mpmath.sqrt(2) * mpmath.pi / 3)
    cases = {
        sympy.sqrt(2) * sympy.pi / 3 * x: irrational,
        symbolic.compile("0.1 x", (x,), order=0).expr: 0.1,
        sympy.Rational(2**90 + 1, 3**50) * x: (2**90 + 1) / 3**50,
        sympy.Float("0.1", 40) * x: 0.1,
    }
    assert all_at_once(list(cases), np.ones((2, 1)), {}).ravel().tolist() == list(cases.values())


STRINGS = {
    "2x^2 + 3y^2 - 4z": 2 * x**2 + 3 * y**2 - 4 * z,
    "exp(-x**2)*sin(3*y)": sympy.exp(-(x**2)) * sympy.sin(3 * y),
    "x y z": x * y * z,
    "x(y + 1)(z - 1)": x * (y + 1) * (z - 1),
    "2(x)3": 6 * x,
    "1/2x": x / 2,
    "-x^2": -(x**2),
    "2^3^2": sympy.Integer(512),
    "x^-2": x**-2,
    "2pi x + E": 2 * sympy.pi * x + sympy.E,
    "1e3x + .5y": 1000.0 * x + 0.5 * y,
    "+x - -y": x + y,
    "sin(x)cos(y)": sympy.sin(x) * sympy.cos(y),
    "ln(x) + log(x, 2)": sympy.log(x) + sympy.log(x, 2),
    "  x +\n y\t": x + y,
    "x " + "+ y" * 500: x + 500 * y,
}


@pytest.mark.parametrize("text", STRINGS, ids=lambda t: t[:20])
def test_strings(text):
    assert symbolic.compile(text, (x, y, z), order=0).expr == STRINGS[text]


def test_names_of_many_letters():
    rho, x1 = sympy.symbols("rho x1")
    assert symbolic.compile("2rho x1 + rho(x1)", "rho, x1").expr == 3 * rho * x1
    theta = sympy.Symbol("θ")
    assert symbolic.compile("sin(θ)θ", "θ").expr == sympy.sin(theta) * theta
    e = sympy.Symbol("E")
    assert symbolic.compile("2E", "E").expr == 2 * e
    assert symbolic.compile("3x + 1.5", "x Integer Float").gradient(1, 2, 3).tolist() == [3.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("__import__('os').system('x')", "unknown name `__import__`"),
        ("x.__class__", r"`\.`"),
        ("().__class__", r"`\.`"),
        ("lambda: 1", "`lambda`, which is not allowed"),
        ("lambda x: x", "`lambda`, which is not allowed"),
        ("[x for x in y]", r"`\[`"),
        ("(x for x in y)", "`for`, which is not allowed"),
        ("{x}", "`{`"),
        ("f'{x}'", "not allowed"),
        ("'x'", "`'x'`"),
        ("x = 1", "`=`"),
        ("(x := 1)", "`:=`"),
        ("sin(x=1)", "`=`"),
        ("sin(*x)", r"`\*x`|not allowed"),
        ("sin(**x)", "not allowed|argument"),
        ("x if y else z", "`if`, which is not allowed"),
        ("x and y", "`and`, which is not allowed"),
        ("x; y", "`;`"),
        ("x < y", "`<`"),
        ("x @ y", "`@`"),
        ("x // y", "`//`"),
        ("x % y", "`%`"),
        ("~x", "`~`"),
        ("x!", "`!`|no formula"),
        ("x?", "`?`|no formula"),
        ("x # y", "`# y`"),
        ("x²", "`x²`, which is not allowed|unknown name"),
        ("ﬁ x", "`ﬁ`, which is not allowed"),
        ("xy", "unknown name `xy`; known are the symbols x, y, z, the constants pi, E and the functions sin, cos"),
        ("foo(x)", "unknown name `foo`"),
        ("eval(x)", "unknown name `eval`"),
        ("Symbol(x)", "unknown name `Symbol`"),
        ("Integer(x)", "unknown name `Integer`"),
        ("sin x", r"`sin` without an argument; write sin\(...\)"),
        ("sin^2(x)", "`sin` without an argument"),
        ("sin(x, y)", "`sin` with 2 arguments"),
        ("sin()", "`sin` with 0 arguments"),
        ("max()", "`max` with 0 arguments"),
        ("x, y", "comma after `x`, outside of the arguments of a function$"),
        ("1,5*x", r"comma after `1`, outside of the arguments of a function; write 1\.5$"),
        ("sin((1,5))x", r"comma after `1`, .*; write 1\.5$"),
        ("()", "not allowed|no formula"),
        ("x +", "no formula"),
        ("x) + (y", "no formula"),
        ("(x", "no formula"),
        ("", "empty"),
        ("  ", "empty"),
        ("0x10", "number `0x10`"),
        ("1_000", "number `1_000`"),
        ("2j x", "number `2j`"),
        ("1.2.3 x", "numbers `1.2` and `.3` side by side"),
        ("2x²", r"powers are written x\^2"),
        ("x^(1/0)", "has no value"),
        ("Mod(x, 0)", "has no value"),
        ("1e400 x", "number '1e400', too large"),
        ("9" * 400 + "x", "too large for a float64"),
        ("9**9**9**9", "too large"),
        ("9^(9^9)", "too large"),
        ("((2x)^1000)^1000^1000", "too large"),
        ("((((2x)^900)^900)^900)^900", "too large"),
        ("(2^900)^900", "too large"),
        ("x^9999999999", "too large"),
        ("(x/3)^(1e9)", "too large"),
        ("gamma(100000000)", "`gamma` of the number"),
        ("floor(exp(exp(20)))", "`.*` of the number"),
        ("x" + "+x" * 5000, "characters"),
        ("(" * 4000 + "x" + ")" * 4000, "nested too deeply"),
        ("-" * 9000 + "x", "nested too deeply"),
        ("x**" * 3000 + "x", "nested too deeply"),
        ("1/0", "not finite"),
        ("0/0 + x", "not finite"),
        ("sqrt(-1) x", "complex"),
        ("\0", "`expr` "),
        ("x\\y", "`expr` "),
    ],
    ids=lambda t: t[:30],
)
def test_strings_that_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        symbolic.compile(text, (x, y, z))


def test_a_symbol_that_is_called_like_a_function():
    assert symbolic.compile("sin^2", "sin").value(3) == 9
    with pytest.raises(ValueError, match="`sin` is a symbol"):
        symbolic.compile("sin(sin)", "sin")


@pytest.mark.parametrize(("part", "order"), [("({})", 2), ("({}+1)", 2), ("sin({})", 0)])
def test_nested_100_deep(part, order):
    text = "x"
    for _ in range(100):
        text = part.format(text)
    assert symbolic.compile(text, "x", order=order).symbols


@pytest.mark.parametrize("text", ["0x", "0X", "0b", "0o", "0x*y", "x 0o", "3x + 0b", "0o x"])
def test_zero_times_a_symbol_is_no_number_in_another_base(text):
    assert str(symbolic.compile(text, "x X b o y", order=1).expr) == ("3*x" if "3" in text else "0")


SHAPES = {  # of which each takes more than a tenth of what is allowed
    "roots of numbers": "(1+" * 49 + "2" + ")^(1/3)" * 49,
    "sines of numbers": "sin(1+" * 49 + "1" + ")" * 49,
    "product": "*".join(f"(x+{i})^64" for i in range(1, 600)),
    "Max": f"max({','.join(f'x+{i}y' for i in range(900))})",
    "Mod": "Mod(" + "+".join(f"{i}x*y^{i}" for i in range(600)) + ",x+y)",
    "numbers": "+".join(f"x*tan(pi/{i})" for i in range(2, 700)),
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES.keys())
def test_work_is_limited(text, monkeypatch):
    monkeypatch.setattr(_work, "WORK", _work.WORK // 10)  # to be quick
    before = sys.gettrace()
    with pytest.raises(ValueError, match="too much work for a string, with partials up to order 2; pass a SymPy"):
        symbolic.compile(text, "x y", order=2)
    assert sys.gettrace() is before
    with ThreadPoolExecutor(1) as pool, pytest.raises(ValueError, match="too much work"):
        pool.submit(symbolic.compile, text, "x y", order=2).result()


def test_what_takes_little_work():
    """Of these SymPy is asked nothing, or it would be asked all the way down."""
    nested = "abs(" * 90 + "x" + "*y-x)" * 90, "max(" * 90 + "x" + "+1,y*x)" * 90, "floor(" * 90 + "x" + "/3+x)" * 90
    long = "+".join(f"0.{i}1*tanh(0.{i}2x+0.{i}3y+{i})" for i in range(200))
    quotients = "+".join(f"erf({i}*x+y)/(1+exp(-{i}*x))" for i in range(200))
    for text, order in [*((t, 1) for t in nested), (long, 2), (quotients, 2)]:
        assert symbolic.compile(text, "x y", order=order).order == order


def test_long_strings_are_those_of_short_ones():
    """As they stand, they have the values of what SymPy simplifies."""
    short = "exp(-x^2) (x - y)^3/(1 + x^2 y^2) + abs(x y) sin(-2x) + x^y x + sqrt(x)/x^(3/2)"
    short += " + log(x, 10) + E^(x y) + erf(x) max(x, y^2)"
    formulas = [symbolic.compile(text, (x, y), order=2) for text in (short, short + " + 0" * 100)]
    points = np.random.default_rng(0).uniform(0.3, 2.4, (2, 6))
    definitions = formulas[0]._definitions | formulas[1]._definitions
    results = all_at_once([e for f in formulas for e in f._outputs], points, definitions)
    np.testing.assert_allclose(results[6:], results[:6], 1e-12)
    assert formulas[1].expr.free_symbols == {x, y}


def test_numbers_of_many_digits_are_limited():
    with pytest.raises(ValueError, match="too many numbers of too many digits"):
        symbolic.compile("*".join(["(9^1000)"] * 1000), "x")


def test_calls_with_numbers_are_those_with_arrays(formula):
    for numbers in [(1.5, 2, True), (np.float32(1.5), 2.5, 1), (np.float32(1.5), np.float64(0.1), np.uint8(3))]:
        first, again, arrays = formula(*numbers), formula(*numbers), formula(*map(np.asarray, numbers))
        for a, b in zip(first, again, strict=True):
            assert type(a) is type(b)
            assert a.dtype == b.dtype
            assert same_bits(np.asarray(a), np.asarray(b))
        kept = again[1].copy()
        formula(*(type(n)(0) for n in numbers))
        assert same_bits(again[1], kept)
        if first[0].dtype == arrays[0].dtype:
            assert all(same_bits(np.asarray(a), np.asarray(b)) for a, b in zip(first, arrays, strict=True))
    with pytest.raises(TypeError, match="`y` has dtype object"):
        formula(1.5, 10**20, True)


def test_long_formulas(monkeypatch):
    """In one function: cut into several, for which there was a reason once, a loop would not be packed."""
    made = count_kernels(monkeypatch)
    text = "+".join(f"{i / 7}*max(x^2/{i}, {i})/({i} + x) + Heaviside(x - {i / 100})" for i in range(1, 100))
    formula = symbolic.compile(text, "x", order=0)
    points = np.linspace(0.1, 0.9, 5)
    i = np.arange(1, 100)[:, None]
    terms = i / 7 * np.maximum(points**2 / i, i) / (i + points) + np.heaviside(points - i / 100, 0.5)
    assert formula.value(points) == pytest.approx(terms.sum(axis=0), rel=1e-12)
    if platform.machine() in ("x86_64", "AMD64") and hasattr(made[0], "inspect_asm"):
        (assembly,) = made[0].inspect_asm().values()
        assert len(re.findall(r"\bv?divpd\b", assembly)) >= 99


def test_a_symbol_that_is_a_word_of_python():
    assert symbolic.compile("2lambda^2 + if(lambda)", "lambda if").gradient(3, 4).tolist() == [16.0, 3.0]


def test_no_string_is_run(monkeypatch):
    import builtins

    for name in ("eval", "exec"):
        monkeypatch.setattr(builtins, name, lambda *_: pytest.fail("run"))
    assert symbolic.compile("2x^2 + sin(y)", "x y").expr.free_symbols


f, undefined, whole = sympy.Function("f"), sympy.Symbol("w"), sympy.Symbol("x", integer=True)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((x + y, x), ValueError, "`expr` has y, which `symbols` lacks"),
        (
            (sympy.Symbol("x") * 2, x),
            ValueError,
            "has x, .*; that of `symbols` has other assumptions",
        ),
        ((x + whole, "x"), ValueError, "2 symbols named x"),
        ((x, [x, x]), ValueError, "`symbols` has x 2 times"),
        (("x", "x x"), ValueError, "`symbols` has x 2 times"),
        ((x, []), ValueError, "`symbols` is empty"),
        ((x, ""), ValueError, "`symbols` is empty"),
        ((x, [x, 3]), ValueError, "`symbols` has 3, which is no symbol"),
        ((x, [x, x**2]), ValueError, r"`symbols` has x\*\*2"),
        ((x, "x 2y"), ValueError, "`symbols` has '2y'"),
        ((x, 7), ValueError, "`symbols` is a int"),
        ((x, [x, sympy.Symbol("u", imaginary=True)]), ValueError, "u, which is assumed not to be real"),
        ((x * sympy.I, x), ValueError, "the formula is complex"),
        ((x * sympy.asin(2), x), ValueError, "the formula is complex"),
        ((x + sympy.oo, x), ValueError, "the formula is not finite"),
        ((sympy.nan, x), ValueError, "the formula is not finite"),
        ((sympy.zoo, x), ValueError, "the formula is not finite"),
        ((x * 10**400, x), ValueError, "too large for a float64"),
        ((sympy.Matrix([x]), x), TypeError, "Matrix; give one SymPy expression"),
        ((sympy.MatrixSymbol("M", 2, 2), x), TypeError, "MatrixSymbol"),
        ((sympy.Eq(x, y), [x, y]), TypeError, "Equality"),
        (([x, y], [x, y]), TypeError, "list"),
        ((True, x), TypeError, "bool"),
        ((None, x), TypeError, "NoneType"),
        ((1j, x), TypeError, "complex"),
        ((sympy.besselj(0, x), x), NotImplementedError, "the formula has besselj.*numgrad.functions"),
        ((f(x) + 1, x), NotImplementedError, "the formula has f, an undefined function"),
        ((f(2) * x, x), NotImplementedError, "the formula has f, an undefined function"),
        ((sympy.Integral(f(x), (x, 0, 1)) * x, x), NotImplementedError, "the formula has .*f"),
        ((sympy.zeta(x) * sympy.Derivative(sympy.sin(x), x), x), NotImplementedError, "Derivative, zeta"),
        ((sympy.DiracDelta(x), x), NotImplementedError, "DiracDelta"),
        ((sympy.gamma(y) * x, [x, y]), NotImplementedError, "the partial with respect to y has polygamma"),
        ((sympy.LambertW(x), x), NotImplementedError, "LambertW"),
    ],
    ids=lambda a: str(a)[:40],
)
def test_what_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        symbolic.compile(*arguments)


@pytest.mark.parametrize("order", [-1, 3, True, None, "1"])
def test_order_is_refused(order):
    error = ValueError if type(order) is int else TypeError
    with pytest.raises(error, match=f"`order` is {order!r}; give an integer from 0 to 2"):
        symbolic.compile(x, x, order=order)


def test_order_of_what_is_asked():
    formula = symbolic.compile(x * y, (x, y))
    with pytest.raises(ValueError, match="`hessian` needs partials of order 2; compile with order=2"):
        formula.hessian(1, 2)
    lowest = symbolic.compile("gamma(x)", "x", order=0)
    with pytest.raises(ValueError, match="compile with order=1"):
        lowest.gradient(1)
    assert lowest.partials == ()
    assert lowest(4.0) == (6.0,)
    assert [len(symbolic.compile(x * y, (x, y), order=n)(1, 2)) for n in (0, 1, 2)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("grids", "error", "message"),
    [
        ((1, 2), ValueError, "value takes 3 grids, one each for x, y, z, not 2"),
        ((np.ones(3), np.ones(4), 1), ValueError, r"do not broadcast .*x has shape \(3,\), y has shape \(4,\), z"),
        ((1, 2j, 3), TypeError, "`y` has dtype complex128; symbols are taken as real"),
        ((1, 2, np.ones(3, "f2")), TypeError, "`z` has dtype float16; give float32, float64 or integers"),
        ((1, 2, np.longdouble(3)), TypeError, "`z` has dtype"),
        ((1, 2, "3"), TypeError, "`z` has dtype <U1"),
        ((None, 2, 3), TypeError, "`x` has dtype object"),
        ((1, 10**400, 3), TypeError, "`y` has dtype object"),
        (([[1], [1, 2]], 2, 3), ValueError, "`x` is no array"),
        ((np.ma.ones(3), 2, 3), TypeError, "`x` is a masked array"),
        ((np.array("2020", "M8[D]"), 2, 3), TypeError, "`x` has dtype datetime64"),
    ],
    ids=str,
)
def test_grids_that_are_refused(formula, grids, error, message):
    with pytest.raises(error, match=message):
        formula.value(*grids)
    with pytest.raises(ValueError, match="takes 1 grid, for x, not 2"):
        symbolic.compile("x", "x")(1, 2)


def test_repr():
    formula = symbolic.compile("2x^2 + 3y^2 - 4z", "x y z")
    assert repr(formula).splitlines() == [
        "Formula: 2*x**2 + 3*y**2 - 4*z of x, y, z; partials up to order 1",
        "  d/dx = 4*x",
        "  d/dy = 6*y",
        "  d/dz = -4",
    ]
    long = symbolic.compile(sympy.prod([x + n for n in range(25)]), x)
    assert all(len(line) < 200 for line in repr(long).splitlines())
    assert "..." in repr(long)
    latex = formula._repr_latex_()
    assert latex.startswith(r"$\displaystyle")
    assert latex.endswith("$")
    assert r"\frac{\partial f}{\partial y} &= 6 y" in latex
    assert "2 x^{2}" in latex


def test_attributes():
    a, b = sympy.symbols("a b")
    formula = symbolic.compile(a**2 * abs(b), "a b")
    assert formula.expr == a**2 * abs(b)
    assert formula.symbols == (a, b)
    assert formula.partials == (2 * a * abs(b), a**2 * sympy.sign(b))
    assert formula.order == 1
    for name in ("expr", "symbols", "order", "partials"):
        with pytest.raises(AttributeError):
            setattr(formula, name, 0)


def test_pickle(formula):
    formula.value(1, 2, 3)
    copy = pickle.loads(pickle.dumps(formula))
    assert (copy.expr, copy.symbols, copy.order) == (formula.expr, formula.symbols, formula.order)
    assert same_bits(copy.gradient(0.1, 0.2, 0.3), formula.gradient(0.1, 0.2, 0.3))


def test_pickle_of_a_long_string():
    """SymPy's rules are not applied to it the second time either: other rules, other bits."""
    long = symbolic.compile(" + ".join(f"exp(-{i}*x)/(1+exp(-{i}*x))" for i in range(1, 20)), "x")
    points = np.linspace(-2, 2, 101)
    assert same_bits(pickle.loads(pickle.dumps(long)).gradient(points), long.gradient(points))


def test_no_temporaries():
    formula = symbolic.compile("x y/(1 + x^2 + y^2)^2", "x y")
    u, v = grid(1000, 1), grid(1000)
    out = np.empty((1000, 1000)), np.empty((2, 1000, 1000))
    formula(u, v, out=out)
    tracemalloc.start()
    try:
        formula(u, v, out=out)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the assembly of x86")
@pytest.mark.parametrize(
    "grids", [(grid(8), grid(8)), (grid(8, 1), grid(8)), (grid(8), grid(8, 1))], ids=["full", "xy", "yx"]
)
def test_packed_instructions(grids, monkeypatch):
    made = count_kernels(monkeypatch)
    formula = symbolic.compile("sqrt(1 + x^2 y^2) y/(1 + x^2 + y^2)^2 + max(x, y)", "x y")
    formula(*grids)
    (kernel,) = made
    if not hasattr(kernel, "inspect_asm"):
        pytest.skip("nothing is compiled")
    (assembly,) = kernel.inspect_asm().values()
    for operation in ("mulpd", "divpd", "sqrtpd"):
        assert re.search(rf"\bv?{operation}\b", assembly), operation
    assert "gather" not in assembly
    assert not re.search(r"NRT_\w*Allocate", assembly)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the assembly of x86")
def test_packed_instructions_for_many_results(monkeypatch):
    """A loop of 21 results would not be packed."""
    made = count_kernels(monkeypatch)
    formula = symbolic.compile("x y z w/(1 + x^2 + y^2 + z^2 + w^2)", "x y z w", order=2)
    grids = [grid(9, seed=s) for s in range(4)]
    _, _, hessian = formula(*grids)
    assert np.array_equal(hessian, hessian.transpose(1, 0, 2))
    if not hasattr(made[0], "inspect_asm"):
        pytest.skip("nothing is compiled")
    (assembly,) = made[0].inspect_asm().values()
    assert len(re.findall(r"\bv?divpd\b", assembly)) >= len(formula._outputs) // 4


def test_needs_sympy(monkeypatch):
    monkeypatch.setitem(sys.modules, "sympy", None)
    with pytest.raises(ImportError, match=r"pip install 'numgrad\[symbolic\]'"):
        symbolic.compile("x", "x")


polynomials = st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=5)


@settings(max_examples=5, deadline=None)
@given(polynomials, st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=6))
def test_polynomials_are_exact(terms, points):
    """Integers below 2**53 all along, so every bit is right."""
    formula = symbolic.compile(sum(c * x**i * y**j for c, i, j in terms) + sympy.Integer(0), (x, y))
    value, gradient = formula(*np.array(points).T)
    for k, (u, v) in enumerate(points):
        assert value[k] == sum(c * u**i * v**j for c, i, j in terms)
        assert gradient[0, k] == sum(c * i * u ** max(i - 1, 0) * v**j for c, i, j in terms)
        assert gradient[1, k] == sum(c * j * u**i * v ** max(j - 1, 0) for c, i, j in terms)
