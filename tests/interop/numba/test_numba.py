"""np.gradient and numgrad.gradient inside `@njit`: NumPy's bits, containers and errors."""

import subprocess
import sys
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
from helpers import COMPLEX, finish, read_only, same_bits, start, uneven, values
from numba import njit, prange, typeof, types
from numba.core.errors import TypingError
from numba.typed import List
from numpy.lib.tests import test_function_base as upstream

import numgrad as ng
from numgrad.interop.numba import overload, shared

overload.init()  # an editable installation of before has no entry point


@cache
def jitted(count, *keywords, function="np.gradient", **options):
    """A function of f, `count` spacings and these keywords by position, compiled."""
    given = ["f", *(f"s{i}" for i in range(count))]
    passed = ", ".join([*given, *(f"{k}={k}" for k in keywords)])
    names = {"np": np, "ng": ng}
    exec(f"def g({', '.join([*given, *keywords])}): return {function}({passed})", names)
    return njit(**options)(names["g"])


def inside(f, *spacings, **keywords):
    """np.gradient(...), called by a jitted function, with what it is called with known at run time only."""
    return jitted(len(spacings), *keywords)(f, *spacings, **keywords)


def assert_same(expected, got):
    """The same values, dtype and layout. Arrays made inside @njit belong to Numba's memory, not to themselves."""
    if isinstance(expected, tuple):
        for a, b in zip(expected, got, strict=True):
            assert_same(a, b)
        return
    assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
    assert got.strides == expected.strides or not got.size
    assert same_bits(expected, got)


def check(f, *spacings, **keywords):
    with np.errstate(all="ignore"):
        expected = np.gradient(f, *spacings, **keywords)
    got = inside(f, *spacings, **keywords)
    assert type(got) is type(expected)
    if isinstance(f, np.ndarray) and not f.flags.forc:
        # NumPy keeps the order of axes in memory, Numba's types know C and Fortran order only.
        expected, got = ([a.copy(order="C") for a in np.atleast_2d(r)] for r in (expected, got))
        expected, got = tuple(expected), tuple(got)
    assert_same(expected, got)


@pytest.mark.parametrize("dtype", ["f8", *COMPLEX, "b"])
def test_dtypes(dtype):
    """Of run time, so that all kernels of the dtype are there."""
    f = values(dtype, (5, 6))
    check(f, 0.3, uneven(6), edge_order=2)
    check(f, 0.3, uneven(6), edge_order=1)


@pytest.mark.parametrize("dtype", ["f4", "c8"])
@pytest.mark.parametrize("h", [0.1, 3, np.float32(0.1), np.int8(3), np.array(0.1)])
def test_numbers(dtype, h):
    f = values(dtype, (9,))
    if dtype == "c8" and type(h) is np.int8:
        with pytest.raises(TypingError, match=r"give np.float32\(h\)"):
            inside(f, h)
        return
    for edge_order in (1, 2):
        check(f, h, edge_order=edge_order)


@pytest.mark.parametrize("dtype", ["f4", "c8"])
@pytest.mark.parametrize("of", ["f8", "f4"])
def test_coordinates(dtype, of):
    for x in (uneven(8, of), np.arange(8, dtype=of) / 4, uneven(8, of)[::-1].copy()):
        for edge_order in (1, 2):
            check(values(dtype, (3, 8)), x, axis=1, edge_order=edge_order)


@pytest.mark.parametrize("x", [np.arange(8) ** 2, uneven(8)[::-1]], ids=["integers", "backwards in memory"])
def test_coordinates_that_are_copied(x):
    for edge_order in (1, 2):
        check(values("f4", (3, 8)), x, axis=1, edge_order=edge_order)


@pytest.mark.parametrize("axis", [0, -1, 1, None, (0, 1), (1,), (-1, 0)], ids=str)
def test_axes_at_run_time(axis):
    check(values("f8", (4, 5)), 0.5, axis=axis)


def test_axes_in_the_source():
    a, b, c = 1, -1, 2

    @njit
    def g(f, h):
        one, two = np.gradient(f, h, 0.5, axis=(a, b), edge_order=c)
        return one, two, np.gradient(f, axis=1), np.gradient(f, edge_order=c, axis=-2), np.gradient(f, h, axis=None)

    f = values("f8", (4, 5, 6))
    expected = *np.gradient(f, 0.3, 0.5, axis=(1, -1), edge_order=2), np.gradient(f, axis=1)
    expected += np.gradient(f, edge_order=2, axis=-2), np.gradient(f, 0.3, axis=None)
    for one, other in zip(expected, g(f, 0.3), strict=True):
        assert_same(one, other)


def test_shapes_and_layouts():
    for f in values("f8", (7,)), values("f8", (3, 4, 5)):
        check(f)
        check(np.repeat(f, 2, -1)[..., ::2])
    for given in np.asfortranarray(f), read_only(f.copy()):
        check(given)
    check(f.T, axis=2)


def test_mixed_spacings():
    f = values("f4", (4, 5, 6))
    check(f, uneven(4), np.float32(0.5), uneven(6, "f4"), edge_order=2)
    check(f, uneven(6), 2, axis=(-1, 0))


@pytest.mark.filterwarnings("ignore::numba.core.errors.NumbaPendingDeprecationWarning")
def test_lists_and_tuples():
    for f in ([1, 2, 4, 7, 11, 16], (1.0, 2.0, 4.0)):
        check(f)
    assert_same(np.gradient([5.0, 7, 4, 8], [0.0, 1, 3, 3.5]), inside(List([5.0, 7, 4, 8]), List([0.0, 1, 3, 3.5])))
    check(values("f8", (4,)), (0.0, 1.0, 3.0, 3.5))


def test_nothing_to_do():
    check(np.array(3.0))
    check(np.zeros((0, 3)), axis=1)


# Of the same types where they can be: each signature takes seconds to compile.
ERRORS = {
    "axis": ((4, 5), (), {"axis": 2}),
    "axis of many": ((4, 5), (), {"axis": (0, -3)}),
    "axis of none": ((), (), {"axis": 0}),
    "repeated axis": ((4, 5), (), {"axis": (0, -2)}),
    "number of spacings": ((4, 5), (1.0, 2.0, 3.0), {}),
    "coordinates for two axes": ((4, 4), (uneven(4),), {}),
    "2-D coordinates": ((4, 4), (np.ones((4, 4)),), {"axis": 0}),
    "length of coordinates": ((4,), (uneven(5),), {"edge_order": 1}),
    "one coordinate": ((1,), (uneven(1),), {"edge_order": 1}),
    "edge_order": ((4,), (), {"edge_order": 3}),
    "short": ((1,), (), {"edge_order": 1}),
    "short for 2": ((2,), (), {"edge_order": 2}),
    "axis before number": ((4, 5), (1.0, 2.0), {"axis": (0, 3)}),
    "length before order": ((4,), (uneven(5),), {"edge_order": 3}),
    "order before short": ((1,), (), {"edge_order": 3}),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_are_numpys(case):
    shape, spacings, keywords = ERRORS[case]
    f = values("f8", shape) if shape else np.array(1.0)
    with pytest.raises(Exception) as expected:  # noqa: PT011
        np.gradient(f, *spacings, **keywords)
    with pytest.raises(type(expected.value)) as got:
        inside(f, *spacings, **keywords)
    assert str(got.value) == str(expected.value)


@pytest.mark.parametrize(
    ("f", "spacings", "keywords", "says"),
    [
        (np.zeros(4, bool), (), {}, r"dtype bool; inside @njit it takes float32.*f.astype\(np.float64\)"),
        (np.zeros(4, "M8[s]"), (), {}, r"dtype datetime64\[s\]; inside @njit it takes"),
        ("text", (), {}, r"`f` is .*; give an array, or np.array\(f\)"),
        (np.zeros(4), (1j,), {}, "a spacing is complex128; give a real number"),
        (np.zeros(4), (np.zeros(4, complex),), {}, "coordinates have dtype complex128; give float32"),
        (np.zeros(4), (), {"axis": List([0])}, r"`axis` is ListType.*; .*give a tuple"),
        (np.zeros(4), (), {"axis": 0.5}, "`axis` is float64; give None, an integer or a tuple of integers"),
        (np.zeros(4), (), {"edge_order": 1.5}, "`edge_order` is float64; give 1 or 2"),
    ],
)
def test_what_cannot_be_typed(f, spacings, keywords, says):
    with pytest.raises(TypingError, match=says):
        inside(f, *spacings, **keywords)


def test_what_may_be_none():
    @njit
    def g(f, i):
        axis = None if i < 0 else i  # in the call, Python 3.13 makes two of it
        return np.gradient(f, axis=axis)

    with pytest.raises(TypingError, match="branch on it, a call in each"):
        g(np.zeros(4), 0)


def test_out_is_refused():
    f = np.zeros(4)
    with pytest.raises(TypingError, match="`out` is given, which is not to be had inside @njit; leave it away"):
        jitted(0, "out", function="ng.gradient")(f, f)


def test_fastmath_and_parallel_callers():
    f, x = values("f8", (40, 50)) * 1e3, uneven(50)
    f[3, 4], f[7, 8] = np.nan, np.inf

    @njit(fastmath=True, parallel=True)
    def g(f, x):
        rows = np.empty_like(f)
        for i in prange(len(f)):
            rows[i] = np.gradient(f[i], x, edge_order=2)
        return rows, np.gradient(f, 0.3, axis=0)

    rows, columns = g(f, x)
    assert_same(np.gradient(f, x, axis=1, edge_order=2), rows)
    assert_same(np.gradient(f, 0.3, axis=0), columns)


@pytest.fixture
def asked(monkeypatch):
    """The keys of what compiled code asks to be done outside, on three threads."""
    keys = []

    def fill_at(key, *numbers):
        keys.append(key)
        assert done(key, *numbers)
        return True

    done = shared.fill_at
    monkeypatch.setattr(shared, "fill_at", fill_at)
    ng.set_num_threads(3)
    yield keys
    ng.set_num_threads(None)


def test_large_arrays_are_shared(asked):
    """By a caller who holds the GIL; by others, which are parallel themselves, they are done where they are."""
    f = values("f8", (70, 60, 300))
    x = uneven(f.size)
    check(f)
    check(np.asfortranarray(f))
    assert asked == ["number 1 <f8 <f8 <f8"] * 6
    asked.clear()
    check(f.ravel(), x)
    check(f.ravel(), x, edge_order=2)
    check(f.ravel(), np.arange(f.size) * 0.5, edge_order=2)
    kinds = [key.rpartition(" <f8 <f8 <f8")[0] for key in asked]
    assert kinds == ["coordinates 1", "coordinates 2", "number 2"]
    asked.clear()
    check(f[:2])
    assert_same(np.gradient(f), jitted(0, nogil=True)(f))
    assert not asked


def test_ctrl_c_while_it_is_shared(monkeypatch):
    def fill_at(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(shared, "fill_at", fill_at)
    with pytest.raises(KeyboardInterrupt):
        inside(values("f8", (70, 60, 300)))


def flags_of(address):
    """What Linux was told of the memory at an address."""
    holds = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first, *rest = line.split()
        if "-" in first:
            low, high = (int(end, 16) for end in first.split("-"))
            holds = low <= address < high
        elif holds and first == "VmFlags:":
            return rest
    return []


@pytest.mark.skipif(not Path("/sys/kernel/mm/transparent_hugepage").exists(), reason="a system without large pages")
def test_large_pages():
    """Large results have them, as NumPy's have; Numba's own have not."""
    f = np.ones((1 << 16, 65))
    for given in (f, np.asfortranarray(f)):
        result = inside(given)[0]
        assert "hg" in flags_of(result.ctypes.data + result.nbytes // 2)
    plain = njit(lambda n: np.empty(n))(f.size)
    assert "hg" not in flags_of(plain.ctypes.data + plain.nbytes // 2)


def test_closures():
    h = 0.25

    @njit
    def outer(f):
        def inner(g):
            return np.gradient(g, h)

        return inner(inner(f))

    f = values("f8", (20,))
    assert_same(np.gradient(np.gradient(f, h), h), outer(f))


CACHED = """
import numpy as np
import numgrad.interop.numba.overload
numgrad.interop.numba.overload.init()
from cached import g
x = np.array([0, 1, 3, 4.5])
assert (g(x**2, x) == np.gradient(x**2, x, edge_order=2)).all()
print(sum(g.stats.cache_hits.values()), sum(g.stats.cache_misses.values()))
"""


def test_cached_in_a_second_process(tmp_path):
    (tmp_path / "cached.py").write_text(
        "import numpy as np\nfrom numba import njit\n"
        "@njit(cache=True)\ndef g(f, x): return np.gradient(f, x, edge_order=2)\n"
    )
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n" + CACHED
    assert finish(start(code=code)).split() == ["0", "1"]
    assert finish(start(code=code)).split() == ["1", "0"]


def test_numgrads_own():
    f = values("f8", (4, 5))
    for a, b in zip(np.gradient(f, 0.3, 2.0), jitted(2, function="ng.gradient")(f, 0.3, 2.0), strict=True):
        assert_same(a, b)


def test_nothing_to_import():
    """Numba itself finds the entry point; of numgrad nothing is imported by the script."""
    if not any(e.value == "numgrad.interop.numba.overload:init" for e in entry_points(group="numba_extensions")):
        pytest.skip("installed before there was an entry point")
    code = "import numpy as np, numba\nprint(numba.njit(lambda f: np.gradient(f))(np.array([1.0, 2, 4, 7])))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[1.  1.5 2.5 3. ]"


def test_steps_aside():
    """Where Numba has an np.gradient of its own, that one is called; numgrad.gradient stays numgrad's."""
    code = (
        "import numpy as np, numgrad as ng\nfrom numba import njit\nfrom numba.extending import overload\n"
        "from numba.core import entrypoints\nentrypoints._already_initialized = True\n"
        "overload(np.gradient)(lambda f: lambda f: f * 0 + 17)\n"
        "from numgrad.interop.numba.overload import init\ninit()\n"
        "print(njit(lambda f: np.gradient(f))(np.zeros(3)), njit(lambda f: ng.gradient(f))(np.zeros(3)))"
    )
    assert finish(start(code=code)).strip() == "[17. 17. 17.] [0. 0. 0.]"


def test_it_is_light():
    """What every user of Numba pays: no kernel is compiled or built, no module of the typing is imported."""
    code = (
        "import numba, sys\nfrom numgrad.interop.numba.overload import init\ninit()\n"
        "print(*[m for m in sys.modules if m.startswith('numgrad.interop')])"
    )
    overload_alone = ["numgrad.interop", "numgrad.interop.numba", "numgrad.interop.numba.overload"]
    assert finish(start(code=code)).split() == overload_alone


# Of NumPy's own tests those that Numba cannot express.
BEYOND_NUMBA = {
    "test_basic": "lists of lists",
    "test_masked": "masked arrays",
    "test_datetime64": "differences of times",
    "test_timedelta64": "differences of times",
    "test_inexact_dtypes": "float16",
}


@pytest.mark.filterwarnings("ignore::numba.core.errors.NumbaPendingDeprecationWarning")
class TestGradient(upstream.TestGradient):
    """NumPy's tests, each call made by a jitted function."""

    @pytest.fixture(autouse=True)
    def _inside(self, monkeypatch, request):
        if request.node.originalname in BEYOND_NUMBA:
            pytest.skip(f"Numba cannot express it: {BEYOND_NUMBA[request.node.originalname]}")
        monkeypatch.setattr(upstream, "gradient", inside)


def test_types_of_results():
    g, f = jitted(0), np.zeros((3, 3, 3))
    g(f)
    assert g.overloads[(typeof(f),)].signature.return_type == types.UniTuple(types.Array(types.float64, 3, "C"), 3)
