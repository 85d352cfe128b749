"""Divergence, curl, laplacian, jacobian and hessian: definitions, identities, other libraries' answers, errors."""

import numpy as np
import pytest
from helpers import assert_same, same_bits, uneven, values
from scipy import ndimage

import numgrad as ng

pytestmark = pytest.mark.tier(0)

FUNCTIONS = {f.__name__: f for f in (ng.laplacian, ng.divergence, ng.curl, ng.jacobian, ng.hessian)}
SCALAR = ("laplacian", "hessian")


def definition(name, v, k, d):
    """The field by its terms; d(f, i, n) is the n-th derivative along the i-th of k axes."""
    if name == "laplacian":
        return sum(d(v, i, 2) for i in range(k))
    if name == "hessian":
        rows = [[d(v, i, 2) if i == j else d(d(v, max(i, j), 1), min(i, j), 1) for j in range(k)] for i in range(k)]
        return np.array(rows)
    if name == "divergence":
        return sum(d(v[i], i, 1) for i in range(k))
    if name == "jacobian":
        return np.array([[d(c, j, 1) for j in range(k)] for c in v])
    if k == 2:
        return d(v[1], 0, 1) - d(v[0], 1, 1)
    return np.array([d(v[(i + 2) % 3], (i + 1) % 3, 1) - d(v[(i + 1) % 3], (i + 2) % 3, 1) for i in range(3)])


def sample(name, dtype, shape, k):
    return values(dtype, shape if name in SCALAR else (k, *shape))


def axes_of(name, axes):
    """Axes of a component, as axes of what the function takes."""
    return tuple(a if name in SCALAR else a + 1 for a in axes)


def close(a, b, scale=1e-11):
    return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=scale * np.nanmax(abs(b)), equal_nan=True)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("boundary", ["one-sided", "periodic", "nan"])
@pytest.mark.parametrize("accuracy", [2, 4])
def test_definitions(name, boundary, accuracy):
    """Two and three dimensions, numbers and coordinates, separate fields along other axes."""
    for shape, axes in (((9, 8), (0, 1)), ((8, 9, 10), (0, 1, 2)), ((2, 8, 9), (1, 2)), ((8, 3, 9), (2, 0))):
        v, k = sample(name, "f8", shape, len(axes)), len(axes)
        for have_coordinates in ((False,) * k, (True,) * k, (False, True, False)[:k]):
            spacings = [
                uneven(shape[a]) if c else 0.5 - i for i, (a, c) in enumerate(zip(axes, have_coordinates, strict=True))
            ]
            periods = [200.0 if c and boundary == "periodic" else None for c in have_coordinates]

            def d(f, i, n, axes=axes, spacings=spacings, periods=periods):
                return ng.derivative(
                    f, spacings[i], n=n, axis=axes[i], accuracy=accuracy, boundary=boundary,
                    edge_accuracy=accuracy if boundary == "one-sided" else None, period=periods[i],
                )  # fmt: skip

            got = FUNCTIONS[name](
                v, *spacings, axis=axes_of(name, axes), accuracy=accuracy, boundary=boundary, period=periods
            )
            assert close(got, definition(name, v, k, d)), (shape, have_coordinates)
            if any(periods):
                again = FUNCTIONS[name](
                    v, *spacings, axis=axes_of(name, axes), accuracy=accuracy, boundary=boundary, period=200.0
                )
                assert same_bits(got, again)


def test_a_generator_of_components():
    v = values("f8", (2, 9, 8))
    assert same_bits(ng.divergence(c for c in v), ng.divergence(v))


def test_a_boundary_for_each_axis():
    f = values("f8", (9, 10))
    got = ng.laplacian(f, boundary=("periodic", "one-sided"))
    along = ng.derivative(f, n=2, axis=0, boundary="periodic") + ng.derivative(f, n=2, axis=1)
    assert close(got, along)


@pytest.mark.parametrize("accuracy", [2, 4, 8])
@pytest.mark.parametrize("spacing", ["numbers", "coordinates"])
def test_identities_on_periodic_grids(accuracy, spacing):
    shape = (12, 13, 14)
    steps = (0.3, 0.7, -1.1) if spacing == "numbers" else [uneven(n) for n in shape]
    options = {"accuracy": accuracy, "boundary": "periodic", "period": None if spacing == "numbers" else 200.0}
    f, v = values("f8", shape), values("f8", (3, *shape))
    gradient = ng.jacobian([f], *steps, **options)[0]
    largest = abs(ng.hessian(f, *steps, **options)).max()
    assert abs(ng.curl(gradient, *steps, **options)).max() < 1e-12 * largest
    turned = ng.curl(v, *steps, **options)
    largest = abs(ng.jacobian(turned, *steps, **options)).max()
    assert abs(ng.divergence(turned, *steps, **options)).max() < 1e-12 * largest
    flat = ng.jacobian([f[0]], *steps[1:], **options)[0]
    assert abs(ng.curl(flat, *steps[1:], **options)).max() < 1e-12 * largest


@pytest.mark.parametrize("accuracy", [2, 4, 8])
def test_summation_by_parts(accuracy):
    """On an even periodic grid, sum(f dg) = -sum(g df), and the laplacian is symmetric with a sum of zero."""
    f, g = values("f8", (16, 17)), values("f8", (16, 17))[::-1].copy()
    options = {"accuracy": accuracy, "boundary": "periodic"}
    for axis in (0, 1):
        for n in (1, 2, 3):
            there = (f * ng.derivative(g, 0.3, n=n, axis=axis, **options)).sum()
            back = (g * ng.derivative(f, 0.3, n=n, axis=axis, **options)).sum()
            size = abs(f * ng.derivative(g, 0.3, n=n, axis=axis, **options)).sum()
            assert abs(there - (-1) ** n * back) < 1e-13 * size
    assert abs((f * ng.laplacian(g, **options) - g * ng.laplacian(f, **options)).sum()) < 1e-13 * abs(f * g).sum() * 10
    assert abs(ng.laplacian(f, **options).sum()) < 1e-13 * abs(ng.laplacian(f, **options)).sum()


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_laplacian_is_that_of_scipy(dtype):
    for shape in ((30,), (20, 30), (7, 8, 9)):
        f = values(dtype, shape)
        got = ng.laplacian(f, boundary="periodic")
        assert got.dtype == f.dtype
        assert close(got, ndimage.laplace(f, mode="wrap"), 1e-6 if dtype == "f4" else 1e-14)


@pytest.mark.parametrize("accuracy", [2, 4])
def test_order_of_convergence(accuracy):
    """The mixed derivative, and a sum, at every point."""
    errors = []
    for n in (41, 81):
        x, y = np.linspace(0, 1, n)[:, None], np.linspace(0, 1, n)[None, :] ** 2 + np.linspace(0, 1, n)[None, :]
        f = np.exp(x + 2 * y)
        hessian = ng.hessian(f, 1 / (n - 1), y[0], accuracy=accuracy)
        laplacian = ng.laplacian(f, 1 / (n - 1), y[0], accuracy=accuracy)
        errors.append([abs(hessian[0, 1] - 2 * f).max(), abs(laplacian - 5 * f).max()])
    measured = np.log2(np.array(errors[0]) / errors[1])
    assert (measured > accuracy - 0.35).all()


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["f4", "c8", "c16", "i4", "u1"])
def test_dtypes_and_layouts(name, dtype):
    v = sample(name, dtype, (9, 8), 2)
    expected = FUNCTIONS[name](v.astype("c16") if v.dtype.kind == "c" else v.astype("f8"), 0.5)
    wanted = {"f4": "f4", "c8": "c8", "c16": "c16"}.get(dtype, "f8")
    for layout in (np.ascontiguousarray, np.asfortranarray, lambda a: np.repeat(a, 2, axis=-1)[..., ::2]):
        got = FUNCTIONS[name](layout(v), 0.5)
        assert got.dtype == wanted
        assert close(got, expected, 1e-5 if dtype in ("f4", "c8") else 1e-14)
    if name not in SCALAR:
        turned = [np.asfortranarray(c) for c in v]
        got = FUNCTIONS[name](turned, 0.5)
        assert same_bits(got, FUNCTIONS[name](v, 0.5))
        assert got[(0,) * (got.ndim - 2)].flags.f_contiguous
        assert same_bits(FUNCTIONS[name](v.tolist() if dtype in ("i4", "u1") else list(v), 0.5), got)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_out(name):
    v = sample(name, "f8", (9, 8), 2)
    expected = FUNCTIONS[name](v, 0.5)
    for out in (np.empty_like(expected), np.empty_like(expected, order="F"), np.empty((*expected.shape, 2))[..., 0]):
        assert FUNCTIONS[name](v, 0.5, out=out) is out
        assert same_bits(out, expected)
    memory = np.zeros((4, *v.shape[-2:])) if expected.ndim < 4 else np.zeros((2, 2, *v.shape[-2:]))
    given = memory.reshape(-1)[: v.size].reshape(v.shape)  # out begins where v does
    given[...] = v
    out = memory.reshape(-1)[: expected.size].reshape(expected.shape)
    FUNCTIONS[name](given, 0.5, out=out)
    assert same_bits(out, expected)
    given = np.arange(9.0) ** 1.5
    expected = FUNCTIONS[name](v, given, 0.5)
    out = np.empty_like(expected)
    out.reshape(-1)[:9] = given
    FUNCTIONS[name](v, out.reshape(-1)[:9], 0.5, out=out)  # coordinates in what is written
    assert same_bits(out, expected)
    if name in SCALAR:
        assert FUNCTIONS[name](v[:0], axis=-1).size == 0


@pytest.mark.tier(1)
@pytest.mark.parametrize("streaming", [False, True], ids=["plain", "streaming"])
@pytest.mark.parametrize("threads", [1, 3])
def test_large_paths_agree(streaming, threads, lower):
    cases = [
        (name, sample(name, dtype, shape, len(shape)), spacings)
        for name in FUNCTIONS
        for shape, dtype in (((21, 17), "f8"), ((21, 17), "f4"), ((7, 9, 11), "f8"))
        if dtype == "f8" or name == "laplacian"
        for spacings in ((0.3,), (0.3, *map(uneven, shape[1:])))
    ]
    expected = [FUNCTIONS[name](v, *spacings) for name, v, spacings in cases]
    lower(50, threads, streaming)
    for (name, v, spacings), wanted in zip(cases, expected, strict=True):
        assert_same(wanted, FUNCTIONS[name](v, *spacings))


@pytest.mark.filterwarnings("ignore:overflow encountered in scalar:RuntimeWarning")  # distances below zero, as Python
def test_sums_as_python(lower):
    f = values("f8", (9, 8))
    expected = ng.laplacian(f, 0.5)
    lower(30, 1, True)
    assert same_bits(ng.laplacian(f, 0.5), expected)


@pytest.mark.parametrize("name", ["laplacian", "divergence", "curl", "jacobian", "hessian"])
def test_small_calls_that_are_known_are_those_that_are_not(name):
    """From the second call on, those of arrays in C order on even grids go without detours."""
    field = getattr(ng, name)
    for dtype in ("f8", "i4"):
        f = values(dtype, (6, 7) if name in ("laplacian", "hessian") else (2, 6, 7))
        for given in ((), (0.5,), (2, np.float64(0.3))):
            for options in ({}, {"accuracy": 4, "boundary": ("periodic", "nan")}, {"axis": (-2, -1)}):
                expected = field(np.asfortranarray(f), *given, **options).copy(order="C")
                out = np.empty(expected.shape, expected.dtype)
                assert_same(expected, field(f, *given, out=out, **options))
                for _ in range(3):
                    assert_same(expected, field(f, *given, **options))
    with pytest.raises(ValueError, match="accuracy"):
        field(f, accuracy=3)
    with pytest.raises(TypeError, match="accuracy"):
        field(f, accuracy=[2])


def test_explain():
    kernels = [row.kernel for row in ng.explain(ng.hessian, np.zeros((9, 8), "f4"), 0.5, np.arange(8))]
    even, uneven_ = "stencil of {} samples for n={}", "stencil of {} samples for n={} with coordinates"
    assert kernels == [even.format(3, 2), uneven_.format(4, 2), uneven_.format(3, 1), even.format(2, 1)]
    assert ng.explain(ng.divergence, [GRID, GRID])[1].axis == 1
    assert ng.explain(ng.laplacian, GRID, out=np.empty((5, 6)))[0].threads == 1
    with pytest.raises(ValueError, match="`out` has shape"):
        ng.explain(ng.laplacian, GRID, out=np.empty((5, 5)))
    with pytest.raises(TypeError, match="does not know"):
        ng.explain(np.sum, GRID)
    assert ng.explain(ng.laplacian, np.zeros((5, 0, 5)), axis=0)[0].view == (0, 5, 0)
    with pytest.raises(ValueError, match="`min_change` is -1"):
        ng.explain(ng.turning_points, GRID, min_change=-1)
    with pytest.raises(TypeError, match="bogus"):
        ng.explain(ng.turning_points, GRID, bogus=1)
    with pytest.raises(ValueError, match="a curl is of 2 or 3"):
        ng.explain(ng.curl, [GRID[0]])
    (row,) = ng.explain(ng.derivative, GRID.T, n=2, axis=0, accuracy=4)
    assert row.kernel == "stencil of 5 samples for n=2"
    (row,) = ng.explain(ng.derivative, GRID[:, ::2].repeat(3, axis=1)[:, ::2], nan="one-sided")
    assert row.kernel == "stencil of 2 samples for n=1 + gaps on a copy"
    assert ng.explain(ng.derivative, GRID) == ng.explain(ng.gradient, GRID, axis=1, edge_order=2)
    (row,) = ng.explain(ng.turning_points, GRID, periodic=True)
    assert (row.kernel, row.view, row.axis) == ("turning points", (5, 6, 1), 1)


GRID = np.zeros((5, 6))
BAD = {
    "spacings": (lambda: ng.laplacian(GRID, 1, 2, 3), ValueError, "there are 3 spacings for 2 axes"),
    "one for two": (lambda: ng.laplacian(GRID, np.arange(5)), ValueError, "given for one of 2 axes"),
    "length": (lambda: ng.laplacian(GRID, 1, np.arange(5)), ValueError, r"`spacing 1` has shape \(5,\).* 6 points"),
    "zero": (lambda: ng.laplacian(GRID, 1, 0), ValueError, "`spacing 1` is 0.0"),
    "repeated": (lambda: ng.laplacian(GRID, [0, 1, 1, 2, 3], 1), ValueError, "`spacing 0` goes from 1.0 to 1.0 at 2"),
    "short": (lambda: ng.laplacian(GRID, accuracy=6), ValueError, "axis 0 has 5 points; n=2 .* at least 8"),
    "odd": (lambda: ng.laplacian(GRID, accuracy=3), ValueError, "`accuracy` is 3; give an even number"),
    "boundary": (lambda: ng.laplacian(GRID, boundary="wrap"), ValueError, "'wrap'; give one of"),
    "boundaries": (lambda: ng.laplacian(GRID, boundary=("nan",)), ValueError, "`boundary` has 1 entries for 2 axes"),
    "period": (
        lambda: ng.laplacian(GRID, np.arange(5), 1, boundary="periodic"), ValueError, "`period` is missing"
    ),
    "useless period": (lambda: ng.laplacian(GRID, boundary="periodic", period=9), ValueError, "leave it away"),
    "small period": (
        lambda: ng.laplacian(GRID, np.arange(5), 1, boundary="periodic", period=4), ValueError, "span 4"
    ),
    "axis": (lambda: ng.laplacian(GRID, axis=2), np.exceptions.AxisError, "out of bounds"),
    "repeated axis": (lambda: ng.laplacian(GRID, axis=(0, 0)), ValueError, "repeated axis"),
    "scalar": (lambda: ng.laplacian(1.0), ValueError, "there are no axes"),
    "no axes": (lambda: ng.laplacian(GRID, axis=()), ValueError, "`axis` is empty"),
    "bool": (lambda: ng.hessian(GRID > 0), TypeError, "`f` has dtype bool"),
    "components": (lambda: ng.divergence([GRID]), ValueError, "1 components, a divergence along 2 axes"),
    "no components": (lambda: ng.divergence([]), ValueError, "`v` has no components"),
    "number": (lambda: ng.divergence(3.0), ValueError, "`v` has no components"),
    "shapes": (lambda: ng.jacobian([GRID, GRID[1:]]), ValueError, r"shapes \(5, 6\) and \(4, 6\), the 1-th"),
    "curl in one": (lambda: ng.curl([GRID[0]]), ValueError, "1 axes of space; a curl is of 2 or 3"),
    "curl in four": (lambda: ng.curl(np.zeros((4, 5, 5, 5, 5))), ValueError, "4 axes of space"),
    "curl of two": (lambda: ng.curl(np.zeros((2, 5, 5, 5))), ValueError, "2 components, a curl along 3 axes"),
    "component axis": (lambda: ng.curl(np.zeros((2, 5, 6)), axis=(0, 1)), ValueError, "axis 0 of `v` holds the comp"),
    "out": (lambda: ng.hessian(GRID, out=np.empty((2, 5, 6))), ValueError, r"`out` has shape \(2, 5, 6\), the result"),
    "dtype of out": (lambda: ng.curl([GRID, GRID], out=GRID.astype("f4")), TypeError, "`out` has dtype float32"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_errors(name):
    call, kind, message = BAD[name]
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.tier(0)
def test_an_axis_that_is_all_ends_has_no_weights_to_find():
    for _ in range(3):
        assert np.isnan(ng.laplacian(np.zeros((3, 9)), [0, 1, 3.0], 1.0, boundary="nan")).all()
