"""gradient against np.gradient, bit for bit."""

import warnings

import numpy as np
import pytest
from helpers import COORDINATES, FAST, LAYOUTS, SCALARS, assert_same, same_bits, uneven, values

import numgrad as ng
from numgrad._arrays.plan import dispatch
from numgrad._arrays.plan.dispatch import plan_for, prepare
from numgrad._arrays.plan.spacing import NotFast

SHAPES = [(2,), (3,), (10,), (5000,), (2, 2), (3, 7), (600, 9), (9, 600), (4, 5, 6), (3, 1, 4), (2, 3, 4, 5)]


def check(f, *varargs, fast=True, **kwargs):
    """Both results agree, f is untouched, and the fast path was taken or not as said."""
    before = f.copy() if isinstance(f, np.ndarray) else f
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = np.gradient(f, *varargs, **kwargs)
        assert_same(expected, ng.gradient(f, *varargs, **kwargs))
    with np.errstate(all="ignore"):
        chosen = prepare(f, varargs, kwargs.get("axis"), kwargs.get("edge_order", 1))[0]
    assert (type(chosen) is not NotFast) is fast
    if isinstance(f, np.ndarray):
        assert same_bits(before, f)


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("dtype", FAST)
@pytest.mark.parametrize("spacing", [(), (0.1,), (np.float64(0.1),)], ids=["default", "weak", "strong"])
def test_dtypes(dtype, spacing, edge_order):
    for shape in SHAPES:
        if min(shape) > edge_order:
            check(values(dtype, shape), *spacing, edge_order=edge_order)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["f4", "f8", "c16", "i4"])
def test_layouts(dtype, layout):
    for shape in [(7,), (4, 5), (3, 4, 5), (5, 1, 4), (2, 3, 2, 4)]:
        f = LAYOUTS[layout](values(dtype, shape))
        longest = int(np.argmax(shape))
        check(f, axis=longest)
        check(f, uneven(max(shape)), axis=longest, edge_order=2)
        if min(shape) > 1:
            check(f)
            check(f, 0.3)


@pytest.mark.parametrize("name", SCALARS)
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "i2"])
def test_scalar_spacings(dtype, name):
    h = SCALARS[name]
    # What is not finite or is zero in the dtype NumPy divides in, and what it would divide in two dtypes.
    slow = {"nan", "inf"}
    if dtype in ("f4", "c8"):
        slow |= {"huge", "above float32", "tiny", "below float32"}
    if dtype == "c8":
        slow |= {"b", "h", "B", "H"}
    fast = name not in slow
    for edge_order in (1, 2):
        check(values(dtype, (6,)), h, edge_order=edge_order, fast=fast)
        check(values(dtype, (3, 4)), h, edge_order=edge_order, fast=fast)


@pytest.mark.parametrize("name", COORDINATES)
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16", "u1"])
def test_coordinates(dtype, name):
    fast = name not in ("float16", "longdouble")
    for edge_order in (1, 2):
        for n in (3, 8, 3000):
            if n > {"unsigned": 80, "float16": 8}.get(name, n):
                continue
            x = COORDINATES[name](n)
            check(values(dtype, (n,)), x, edge_order=edge_order, fast=fast)
            check(values(dtype, (4, n)), x, axis=1, edge_order=edge_order, fast=fast)
            check(values(dtype, (n, 3)), x, axis=0, edge_order=edge_order, fast=fast)
            check(values(dtype, (n, 2, 3)), x, axis=0, edge_order=edge_order, fast=fast)


@pytest.mark.parametrize("dtype", ["c8", "c16", "f2", "G"])
def test_both_dtypes_on_short_lines(dtype, monkeypatch):
    """A table holds weights in the precision of the coordinates, and divisors in that of the quotient."""
    monkeypatch.setattr(dispatch, "MANY_WITH_COORDINATES", 1 << 8)
    plan_for.cache_clear()
    for x_dtype in ("f4", "f8", "f2", "g", "i1", "u8"):
        for shape in ((100, 4, 1), (100, 3, 2)):
            f = values(dtype, shape)
            x = np.array([0, 1, 3, 4][: shape[1]], x_dtype)
            x = x if np.dtype(x_dtype).kind in "iu" else x * np.dtype(x_dtype).type(0.1)
            for edge_order in (1, 2):
                assert_same(
                    np.gradient(f, x, axis=1, edge_order=edge_order), ng.gradient(f, x, axis=1, edge_order=edge_order)
                )
    plan_for.cache_clear()


@pytest.mark.parametrize("edge_order", [1, 2])
def test_mixtures_and_axes(edge_order):
    f = values("f8", (5, 6, 7))
    x, y, z = uneven(5), uneven(6, "f4"), np.arange(7) * 2
    check(f, x, 0.5, z, edge_order=edge_order)
    check(f, x, y, z, edge_order=edge_order)
    check(f, 1, 2.0, np.float32(3), edge_order=edge_order)
    check(f, z, x, axis=(2, 0), edge_order=edge_order)
    check(f, y, axis=-2, edge_order=edge_order)
    for axis in (0, -1, np.int64(1), (0,), [1], (-1, 0), (2, 1, 0), np.array(1)):
        check(f, axis=axis, edge_order=edge_order)
        check(f, 0.1, axis=axis, edge_order=edge_order)
    check(f, edge_order=np.int64(edge_order))


def test_two_points_are_an_even_coordinate():
    check(values("f4", (2,)), np.array([1.0, 1.7]))
    check(values("f4", (2,)), np.array([1.0, 1.7], "f4"))


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, 1.7e308], ids=str)
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_special_values(dtype, special):
    with np.errstate(all="ignore"):
        for i in range(5):
            f = values(dtype, (5,))
            f[i] = special
            for spacing in ((), (0.1,), (-0.5,), (np.float64(3),), (uneven(5),), (uneven(5, "f4"),)):
                check(f, *spacing)
                check(f, *spacing, edge_order=2)
            if np.dtype(dtype).kind == "c":
                f[i] = complex(1, special)
                check(f, 0.1)
                check(f, uneven(5), edge_order=2)


@pytest.mark.parametrize("size", [4094, 4095, 4096, 4097, 8191, 8192, 65536, 65537, 140000])
def test_around_thresholds(size):
    check(values("f8", (size,)), 0.1)
    check(values("f4", (size,)), uneven(size))
    for n in (2, 3, 5, 64):
        check(values("f8", (size // n, n)))
        check(values("f8", (n, size // n)), 0.5, edge_order=1 if n == 2 else 2)


def test_lists_and_tuples():
    check([1, 2, 4, 7, 11, 16])
    check((1.0, 2.0, 4.0))
    check([[1, 2, 3], [3, 4, 7]], [1, 4], [0, 1, 5])
    check([1 + 2j, 3, 4])


@pytest.mark.parametrize(
    "f",
    [
        values("f8", (5,)).astype("f2"),
        values("f8", (5,)).astype(np.longdouble),
        values("c16", (5,)).astype(np.clongdouble),
        values("f8", (5,)).astype(">f8"),
        values("i4", (5,)).astype(">i4"),
        np.array(["2001-02-03", "2001-02-05", "2001-02-10"], "M8[D]"),
        np.array([3, 8, 20], "m8[s]"),
        np.array([1, 2.5, 7], object),
        np.float64(3.0),
        np.array(3.0),
        np.empty((5, 0)),
    ],
    ids=lambda f: f"{f.dtype}{f.shape}",
)
def test_numpy_does_the_rest(f):
    kwargs = {"axis": 0} if f.size == 0 else {}
    check(f, fast=False, **kwargs)


def test_no_axes():
    check(values("f8", (4, 4)), axis=(), fast=False)


def test_masked_arrays_keep_their_mask():
    f = np.ma.masked_array([1.0, 4, 9, 16, 25], mask=[0, 0, 1, 0, 0])
    ng.gradient(f.data)  # a specialisation for the plain array exists
    expected, got = np.gradient(f), ng.gradient(f)
    assert type(got) is np.ma.MaskedArray
    assert np.array_equal(expected.mask, got.mask)
    assert got.mask.any()
    assert np.array_equal(expected.filled(-1), got.filled(-1))


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_subclasses_stay(tmp_path):
    m = np.matrix([[1.0, 2], [4, 9]])
    for a, b in zip(np.gradient(m), ng.gradient(m), strict=True):
        assert type(b) is np.matrix
        assert np.array_equal(a, b)

    class Tagged(np.ndarray):
        pass

    f = values("f8", (6,)).view(Tagged)
    assert type(ng.gradient(f)) is Tagged
    mapped = np.memmap(tmp_path / "f", "f8", "w+", shape=(6,))
    mapped[:] = np.arange(6) ** 2
    assert type(ng.gradient(mapped)) is np.memmap
    assert np.array_equal(ng.gradient(mapped), np.gradient(np.asarray(mapped)))


def test_duck_arrays_are_asked():
    class Duck:
        def __array_function__(self, func, types, args, kwargs):
            return func.__name__, kwargs

    assert ng.gradient(Duck(), axis=1) == ("gradient", {"axis": 1, "edge_order": 1})
    assert ng.gradient(np.zeros(3), Duck())[0] == "gradient"


def test_edge_orders_numpy_takes_by_accident():
    f = values("f8", (5,))
    for edge_order in (0, -1, 1.5, True, 2.0):
        check(f, edge_order=edge_order, fast=edge_order is True)


ERRORS = {
    "scalar counts": (lambda g: g(np.zeros((3, 3)), 1, 2, 3), TypeError),
    "no such axis": (lambda g: g(np.zeros(3), axis=1), np.exceptions.AxisError),
    "repeated axis": (lambda g: g(np.zeros((3, 3)), axis=(0, -2)), ValueError),
    "axis of floats": (lambda g: g(np.zeros(3), axis=0.5), TypeError),
    "axis of a string": (lambda g: g(np.zeros(3), axis="x"), TypeError),
    "2-D coordinates": (lambda g: g(np.zeros((3, 3)), np.zeros((3, 3)), 1), ValueError),
    "short coordinates": (lambda g: g(np.zeros(3), [1, 2]), ValueError),
    "one set of coordinates for two axes": (lambda g: g(np.zeros((3, 3)), [1, 2, 3]), TypeError),
    "edge order": (lambda g: g(np.zeros(5), edge_order=3), ValueError),
    "edge order of a string": (lambda g: g(np.zeros(5), edge_order="1"), TypeError),
    "edge order of an array": (lambda g: g(np.zeros(5), edge_order=np.array([1, 2])), ValueError),
    "too short": (lambda g: g(np.zeros((3, 1))), ValueError),
    "too short for order 2": (lambda g: g(np.zeros(2), edge_order=2), ValueError),
    "length 1 with coordinates": (lambda g: g(np.zeros(1), [1.0]), IndexError),
    "empty": (lambda g: g(np.zeros(0)), ValueError),
    "bool": (lambda g: g(np.array([True, False, True])), TypeError),
    "zero": (lambda g: g(np.zeros(5), 0.0, edge_order=2), ZeroDivisionError),
    "beyond floats": (lambda g: g(np.zeros(5), 10**400), OverflowError),
    "beyond floats, and 2-D coordinates": (lambda g: g(np.zeros((3, 3)), 10**400, np.zeros((3, 3))), ValueError),
    "beyond floats, and short coordinates": (lambda g: g(np.zeros((3, 3)), 10**400, [1, 2]), ValueError),
    "beyond floats, and too short": (lambda g: g(np.zeros((3, 1)), 1.0, 10**400), ValueError),
    "beyond floats, and an edge order": (lambda g: g(np.zeros(5), 10**400, edge_order=3), ValueError),
    "beyond floats, as an edge order": (lambda g: g(np.zeros(5), edge_order=10**5000), ValueError),
    "ragged": (lambda g: g([[1, 2], [3]]), ValueError),
    "ragged coordinates": (lambda g: g(np.zeros(2), [[1, 2], [3]]), ValueError),
    "ragged coordinates and a bad axis": (lambda g: g(np.zeros(2), [[1, 2], [3]], axis=5), np.exceptions.AxisError),
    "ragged coordinates and scalar counts": (lambda g: g(np.zeros((2, 2)), [[1], [2, 3]], 1, 1), TypeError),
    "string spacing": (lambda g: g(np.zeros(3), "a"), TypeError),
    "unknown keyword": (lambda g: g(np.zeros(3), order=2), TypeError),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_numpys(name):
    call, kind = ERRORS[name]
    with np.errstate(all="ignore"), pytest.raises(kind) as expected:
        call(np.gradient)
    with np.errstate(all="ignore"), pytest.raises(kind) as got:
        call(ng.gradient)
    assert str(got.value) == str(expected.value)
    assert type(got.value) is type(expected.value)


def warnings_of(function, *args, **kwargs):
    """The result, and the floating-point warnings on the way."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function(*args, **kwargs)
    return result, [str(w.message) for w in caught]


@pytest.mark.parametrize("h", [0, 0.0, -0.0, np.float32(0), np.int8(0), np.array(0.0)], ids=repr)
def test_zero_spacing_warns_as_numpy(h):
    for f in (values("f8", (5,)), values("f4", (3, 4))):
        expected, messages = warnings_of(np.gradient, f, h)
        got, same_messages = warnings_of(ng.gradient, f, h)
        assert messages == same_messages != []
        assert_same(expected, got)


@pytest.mark.parametrize("apart", [1, 2], ids=["a step of zero", "there and back"])
@pytest.mark.parametrize("at", [0, 1, 3000, 5997])
def test_repeated_coordinates_warn_as_numpy(at, apart):
    x = uneven(6000)
    x[at] = x[at + apart]
    for f, axis in (
        (values("f8", (6000,)), 0),
        (values("f8", (6000, 12)), 0),
        (values("f8", (6000, 3)), 0),
        (values("i4", (3, 6000)), 1),
        (values("f8", (12000, 24))[::2, ::2], 0),
        (values("f8", (24, 12000))[::2, ::2], 1),
    ):
        expected, messages = warnings_of(np.gradient, f, x, axis=axis)
        got, same_messages = warnings_of(ng.gradient, f, x, axis=axis)
        assert messages == same_messages != []
        assert_same(expected, got)
        assert "coordinates repeat" in str(ng.explain(f, x, axis=axis))
        out = np.zeros(f.shape)
        assert warnings_of(ng.gradient, f, x, axis=axis, out=out)[1] == messages
        assert same_bits(out, expected)


@pytest.mark.parametrize("n", [3, 4, 5])
def test_short_lines_that_go_there_and_back_warn_as_numpy(n):
    f, x = values("f8", (600, n)), uneven(n)
    x[n - 3] = x[n - 1]
    for edge_order in (1, 2):
        expected, messages = warnings_of(np.gradient, f, x, axis=1, edge_order=edge_order)
        got, same_messages = warnings_of(ng.gradient, f, x, axis=1, edge_order=edge_order)
        assert messages == same_messages != []
        assert_same(expected, got)


def test_a_step_of_zero_in_one_of_many_axes():
    x = np.array([0.0, 1, 1, 3])
    f = values("f8", (4, 5))
    with np.errstate(all="ignore"):
        assert_same(np.gradient(f, x, 2.0), ng.gradient(f, x, 2.0))


def test_fast_kernels_raise_no_warnings():
    f = np.array([1.7e308, -1.7e308, 1.7e308, np.inf, -np.inf])
    with np.errstate(all="raise"):
        got = ng.gradient(f, 1e-5)
    with np.errstate(all="ignore"):
        assert_same(np.gradient(f, 1e-5), got)


def test_naive_oracle():
    """The definition, one Python float at a time."""
    f, x = values("f8", (9,)).tolist(), uneven(9).tolist()
    expected = [(f[1] - f[0]) / (x[1] - x[0])]
    for i in range(1, 8):
        p, q = x[i] - x[i - 1], x[i + 1] - x[i]
        expected.append(-q / (p * (p + q)) * f[i - 1] + (q - p) / (p * q) * f[i] + p / (q * (p + q)) * f[i + 1])
    expected.append((f[8] - f[7]) / (x[8] - x[7]))
    assert ng.gradient(f, x).tolist() == expected
    h = 0.3
    inner = [(f[i + 1] - f[i - 1]) / (2 * h) for i in range(1, 8)]
    ends = -1.5 / h * f[0] + 2 / h * f[1] + -0.5 / h * f[2], 0.5 / h * f[6] + -2 / h * f[7] + 1.5 / h * f[8]
    assert ng.gradient(f, h, edge_order=2).tolist() == [ends[0], *inner, ends[1]]


@pytest.mark.parametrize("edge_order", [1, 2])
def test_order_of_accuracy(edge_order):
    inside, ends = [], []
    for n in (101, 201):
        x = np.linspace(0, 1, n)
        error = abs(ng.gradient(np.exp(x), x, edge_order=edge_order) - np.exp(x))
        inside.append(error[1:-1].max())
        ends.append(error[[0, -1]].max())
    assert abs(np.log2(inside[0] / inside[1]) - 2) < 0.1
    assert abs(np.log2(ends[0] / ends[1]) - edge_order) < 0.1


def test_replacing_numpys_own_is_safe(monkeypatch):
    monkeypatch.setattr(np, "gradient", ng.gradient)
    assert ng.gradient(np.arange(3).astype("f2")).dtype == np.float16


def test_huge_even_steps_warn_as_numpy():
    f, x = values("f8", (2,)), np.array([0.0, 1e308])
    expected, messages = warnings_of(np.gradient, f, x)
    got, same_messages = warnings_of(ng.gradient, f, x)
    assert messages == same_messages
    assert_same(expected, got)


LIMITS = [5e-324, 1e-310, 1e-160, 1e-45, 1e-40, 1e-30, 0.3, 1.0, 1e20, 1e38, 1e154, 4e307, 8.9e307, 1.7e308, 0.0]
LIMITS += [float("inf"), float("nan")]


def spacing_at_the_limits(rng, n):
    """A number, or coordinates, of which steps, their products or their quotients leave the range of floats."""
    size, kind = float(rng.choice(LIMITS)), rng.choice(["f4", "f8"])
    if rng.random() < 0.3:
        return [size, -size, np.dtype(kind).type(size)][rng.integers(3)]
    x = [
        rng.choice(LIMITS, n) * rng.choice([1, -1], n),
        size * np.arange(n),
        size * np.cumsum(rng.choice([1, 1.5, 2], n)),
        rng.choice([1e307, -1.7e308, 3e38]) + size * np.arange(n),
    ][rng.integers(4)]
    return x.astype(kind)


def test_no_warning_where_numpy_has_none():
    """With warnings as errors it would be an exception. Fewer than NumPy's are all right: kernels have none."""
    rng = np.random.default_rng(17)
    for _ in range(1500):
        f = values(str(rng.choice(["f4", "f8", "c16"])), [(3,), (5,), (4, 3)][rng.integers(3)])
        with np.errstate(all="ignore"):
            spacing = spacing_at_the_limits(rng, f.shape[-1])
        options = {"axis": -1, "edge_order": int(rng.integers(1, 3))}
        try:
            expected, messages = warnings_of(np.gradient, f, spacing, **options)
        except ZeroDivisionError:
            continue
        got, own_messages = warnings_of(ng.gradient, f, spacing, **options)
        assert_same(expected, got)
        assert set(own_messages) <= set(messages), (f.dtype, f.shape, spacing, options)
