"""numgrad.derivative inside `@njit`: the bits, containers and errors that it has outside."""

import pickle
from functools import cache

import numpy as np
import pytest
from helpers import finish, same_bits, start, uneven, values
from numba import njit
from numba.core.errors import TypingError
from numba.typed import List

import numgrad as ng
from numgrad._compile import jit
from numgrad.interop.numba import overload as numba_overload

numba_overload.init()  # an editable installation of before has no entry point


@cache
def jitted(given="", constants=""):
    """A function of f and what is `given` by name, compiled with the other options as constants."""
    names = [name for name in given.split(", ") if name]
    passed = ", ".join(["f", *(f"{name}={name}" for name in names), *([constants] if constants else [])])
    made = {"ng": ng}
    exec(f"def g({', '.join(['f', *names])}): return ng.derivative({passed})", made)
    return njit(made["g"])


def options(constants):
    return eval(f"dict({constants})")


def check(f, constants="", **given):
    expected = ng.derivative(f, **given, **options(constants))
    got = jitted(", ".join(given), constants)(f, **given)
    assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
    assert got.strides == expected.strides or not f.flags.forc or not f.size
    assert same_bits(expected, got)


def check_error(f, constants="", **given):
    with pytest.raises(Exception) as expected:  # noqa: PT011
        ng.derivative(f, **given, **options(constants))
    with pytest.raises(type(expected.value)) as got:
        jitted(", ".join(given), constants)(f, **given)
    assert str(got.value) == str(expected.value)
    return got.value


def test_numbers():
    f = values("f8", (13, 12))
    for h in (0.3, -7e-5, 1e9 + 1):
        for axis in (0, -1):
            check(f, "n=3, accuracy=4", x=h, axis=axis)
    check(f.T, "n=2, axis=0, edge_accuracy=1", x=np.float32(0.3))
    check(values("i2", (12,)), "n=2, boundary='periodic'", x=3)
    check(values("c8", (2, 9))[:, ::-1], "n=1, accuracy=4, boundary='nan'", x=np.array(0.3))


def test_squares_are_the_c_librarys():
    """A square is not what `h**2` is for all h: LLVM must not put one there."""
    f, g = values("f8", (6,)), jitted("x", "n=2")
    for h in np.random.default_rng(0).standard_normal(2000).tolist():
        assert same_bits(ng.derivative(f, h, n=2), g(f, h))


def test_second_order_is_gradient():
    f = values("f4", (3, 12))
    for x in (0.3, np.float32(0.3), uneven(12, "f4")):
        check(f, "edge_accuracy=1", x=x)
    check(f)
    check(f, "n=2, x=None")
    check(f, "n=2", x=None)
    check_error(f[:, :2], "n=2", x=None)


@pytest.mark.parametrize("shape", [(12,), (2, 12)])
def test_coordinates(shape):
    """Those whose distances have products that float64 cannot hold, too."""
    f = values("f8", shape)
    for scale in (1, -1e60, 1e-60):
        check(f, "accuracy=6, boundary='periodic'", x=uneven(12) * scale, period=abs(scale) * 1000.0)


def test_coordinates_of_each_line():
    f, x = values("f8", (3, 9)), uneven(9) * np.arange(1.0, 4.0)[:, None]
    check(f, x=x)
    check(f, x=x * 1e100)
    check(f[:1], x=x[:1])  # one line for all, which is gradient's
    check(np.asfortranarray(f), "accuracy=4, boundary='nan'", x=x.astype("f4"))


def test_integers_beyond_floats():
    """Nanoseconds since 1970, at steps of some hundred: of one line for all, and of each line its own."""
    first = 1_700_000_000_000_000_000
    f, x = values("f8", (2, 6)), first + np.array([[0, 1, 3, 4, 7, 8], [9, 8, 6, 4, 1, 0]]) * 300
    x[1] -= first  # a line that is no longer beyond
    check(f, "n=2", x=x[0])
    check(f, "n=2", x=x)
    check(np.asfortranarray(f), "n=2", x=x[::-1] + np.array([[0], [-(2**60)]]))
    check(f, "edge_accuracy=1", x=x[0].astype("u8") + np.uint64(2**63))
    x[0, 2] = x[0, 1]
    assert str(first + 300) in str(check_error(f, "n=2", x=x))
    assert str(first + 300) in str(check_error(f, "n=2", x=x[0]))


def test_gaps():
    f = values("f8", (2, 24))
    f[0, 3] = f[0, 12] = f[1, 0] = np.nan
    check(f, "nan='one-sided'", x=0.3)
    check(f[0], "nan='one-sided'", x=uneven(24))
    check(values("i4", (9,)), "n=2, nan='one-sided'", x=0.3)


@pytest.mark.filterwarnings("ignore::numba.core.errors.NumbaPendingDeprecationWarning")
def test_lists_and_tuples():
    expected = ng.derivative([1, 2, 4, 8, 9], [1, 2, 3, 5, 9], edge_accuracy=1)
    g = jitted("x", "edge_accuracy=1")
    assert same_bits(expected, g([1, 2, 4, 8, 9], [1, 2, 3, 5, 9]))
    assert same_bits(expected, g((1, 2, 4, 8, 9), List([1, 2, 3, 5, 9])))
    assert same_bits(expected, njit(lambda: ng.derivative((1, 2, 4, 8, 9), (1, 2, 3, 5, 9), edge_accuracy=1))())


def test_nothing_to_do():
    check(np.zeros((0, 6)), "n=2", x=0.3)
    check_error(np.array(1.0), "n=2", x=0.3)


def test_errors_of_numbers():
    f = values("f8", (3, 12))
    check_error(f, "n=3, accuracy=4", x=0.3, axis=2)
    check_error(f, "n=3, accuracy=4", x=0.3, axis=0)
    for h in (0.0, np.nan, np.inf, 1e-200):
        raised = check_error(f, "n=3, accuracy=4", x=h, axis=-1)
    assert str(pickle.loads(pickle.dumps(raised))) == str(raised)
    check_error(f, x=0.3, period=3)


@pytest.mark.parametrize(
    ("constants", "given"),
    [("", {}), ("accuracy=6, boundary='periodic'", {"period": 1000.0})],
    ids=["gradient", "table"],
)
def test_errors_of_coordinates(constants, given):
    f, x = values("f8", (2, 12)), uneven(12)
    check_error(f, constants, x=x[1:], **given)
    for at, value in ((4, x[3]), (0, np.nan), (-1, 0.0)):
        wrong = x.copy()
        wrong[at] = value
        check_error(f, constants, x=wrong, **given)
    if given:
        for period in (1.5, np.inf):
            check_error(f, constants, x=x, period=period)
        check_error(f, constants, x=x * 1e-320, period=1000.0)
    else:
        check_error(f, constants, x=x[:, None, None])
        check_error(f, "boundary='periodic'", x=x)


@pytest.mark.parametrize(
    "constants",
    ["accuracy=3", "boundary='wrap'", "boundary=None", "nan='drop'", "n=True", "n=60, accuracy=6",
     "edge_accuracy=2, boundary='nan'"],
)  # fmt: skip
def test_errors_of_constants(constants):
    check_error(np.zeros(9), constants, x=0.3)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"n": 2}, "`n` is int64; inside @njit it must be a constant, as in n=2"),
        ({"boundary": "nan"}, "`boundary` is unicode_type; .* as in boundary='periodic'"),
        ({"axis": 1.0}, "`axis` is float64; give an integer"),
        ({"x": 1j}, "`x` is complex128; give a real number, or coordinates of float32, float64 or integers"),
        ({"period": "year"}, "`period` is unicode_type; give a number"),
        ({"out": np.zeros(9)}, "derivative: `out` is given, which is not to be had inside @njit; leave it away"),
    ],
)
def test_what_cannot_be_typed(given, says):
    with pytest.raises(TypingError, match=says):
        jitted(", ".join(given))(np.zeros(9), *given.values())


def test_found_when_first_named():
    """Nothing has asked for numgrad.derivative before; and the options go by name only, as outside."""
    code = (
        "import numpy as np, numgrad\nfrom numba import njit\nfrom numgrad.interop.numba.overload import init\ninit()\n"
        "print(njit(lambda f: numgrad.derivative(f, 0.5, edge_accuracy=1))(np.array([1.0, 2, 4, 7])))\n"
        "try: njit(lambda f: numgrad.derivative(f, 0.5, 2))(np.array([1.0, 2, 4, 7]))\n"
        "except Exception as error: print('too many positional arguments' in str(error))"
    )
    assert finish(start(code=code)).split("\n")[:2] == ["[2. 3. 5. 6.]", "True"]


def test_kernels_are_those_outside():
    """Of other types, literal integers among them, Numba compiles a kernel anew; and two spoil its cache."""
    f, x = values("f8", (2, 12)), uneven(12)
    check(f, "n=3, accuracy=4", x=0.3)
    check(f, "accuracy=6, boundary='periodic'", x=x, period=1000.0)
    check(f, x=x)
    signatures = {kernel: getattr(kernel, "signatures", ()) for kernel in jit._compiled.values()}
    assert signatures
    assert {kernel: found for kernel, found in signatures.items() if len(found) > 1} == {}
