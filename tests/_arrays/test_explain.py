"""The arithmetic of one point: evaluated as it is printed, and compared with results and with exact weights."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest
import sympy

import numgrad as ng
from numgrad._arrays.written import number

pytestmark = pytest.mark.tier(0)

F = np.array([1.0, 2, 4, 7, 11, 16])
X = np.array([0, 1, 3, 4, 4.5, 7, 8, 10, 10.5, 12, 13, 16])
RNG = np.random.default_rng(0)
NOISY = RNG.standard_normal(12)
GAPPED = np.where(np.arange(12) == 5, np.nan, NOISY)
PLANE = RNG.standard_normal((9, 8))
WORDS = re.compile(r"[fguv](\[\d+(, \d+)*\])?[\[(]|\bh\b|sum|weight")


def value_of(text):
    return eval(text, {"__builtins__": {}, "nan": math.nan, "inf": math.inf, "sqrt": math.sqrt})


def agrees(text, value, size):
    """Whether a number is what is printed, to the digits that are, and to what rounding does in the test itself."""
    if isinstance(value, (complex, np.complexfloating)):
        real, imag = re.fullmatch(r"\((.*\d)([-+].*)j\)", text).groups()
        return agrees(real, value.real, size) and agrees(imag, value.imag, size)
    shown = value_of(text)
    if math.isnan(value):
        return math.isnan(shown)
    digits = re.fullmatch(r"[-+]?\d*(?:\.(\d+))?(?:e([-+]\d+))?", text)
    place = int(digits[2] or 0) - len(digits[1] or "")
    if math.isinf(shown):
        return shown == value
    return abs(Fraction(text) - Fraction(float(value))) <= 0.5001 * 10.0**place + 1e-15 * size


def check(explained, value):
    """Evaluate all that is printed of a derivative."""
    assert explained.value == value or np.isnan(explained.value)
    assert np.isnan(explained.value) == np.isnan(value)
    text = re.sub(r"\n +=", " =", repr(explained))
    first, *lines = text.splitlines()
    head = [part.strip() for part in first.split(" = ")]
    size = sum([abs(w * s) for w, s in zip(explained.weights, explained.samples, strict=True)], 0.0)
    assert agrees(head[-1], value, 0)
    checked = 0
    for part in head[1:]:
        if not WORDS.search(part):
            assert agrees(head[-1], value_of(part), size), part
            checked += 1
    rows = [re.split(r"\s{2,}", line.strip()) for line in lines if re.match(r"  +-?[fguv]\[", line)]
    for _, w, s, product in [row for row in rows if len(row) == 4]:
        assert value_of(w) * value_of(s) == pytest.approx(value_of(product), rel=1e-15, nan_ok=True)
        checked += 1
    for line in [line for line in lines if line.startswith("  sum")]:
        total = sum([value_of(row[-1]) for row in rows if len(row) == 4])
        *_, last, shown = line.split(" = ")
        divided = value_of(line.split(" = ")[0].replace("sum /", f"{total!r} /")) if " / " in line else total
        assert agrees(shown, divided, size)
        if "/" in line:
            assert agrees(shown, value_of(last), size)
    assert checked
    return text


def test_what_the_issue_shows():
    assert repr(ng.explain(F, at=2)).startswith(
        "f'(x[2]) = (f[3] - f[1]) / (2 h) = (7 - 2) / 2 = 2.5\n  order 2, inside"
    )
    first = repr(ng.explain(F, at=0))
    assert first.startswith("f'(x[0]) = (f[1] - f[0]) / h = 2 - 1 = 1\n  order 1, at an end: no samples before f[0]")
    assert "edge_order=2 makes it order 2" in first
    assert repr(ng.explain(F, at=-1, edge_order=2)).startswith(
        "f'(x[5]) = (f[3] - 4 f[4] + 3 f[5]) / (2 h) = (7 - 4 * 11 + 3 * 16) / 2 = 5.5\n  order 2, at an end"
    )
    assert repr(ng.explain(F, 0.1, at=2)).splitlines()[0].endswith("= (7 - 2) / 0.2 = 25")
    assert "edge_accuracy=2 makes it order 2" in repr(ng.explain(ng.derivative, F, edge_accuracy=1, at=-1))


@pytest.mark.parametrize("dtype", ["f8", "f4", "i4", "c16"])
def test_gradients_are_evaluated_as_printed(dtype):
    f = (PLANE * 100).astype(dtype)
    if dtype == "c16":
        f = f + 1j * PLANE[::-1]
    for spacings in ((), (0.1, 3), (X[:9], X[:8]), (np.arange(9) * 0.5, -X[:8]), (np.float32(0.3), X[:8].astype("f4"))):
        for edge_order in (1, 2):
            results = ng.gradient(f, *spacings, edge_order=edge_order)
            for at in (0, 0), (4, 7), (-1, 3), (2, 1):
                explained = ng.explain(f, *spacings, edge_order=edge_order, at=at)
                for one, result in zip(explained, results, strict=True):
                    check(one, result[at])


DERIVATIVES = [
    {"n": 1, "accuracy": 4},
    {"n": 2, "accuracy": 8},
    {"n": 3, "accuracy": 2, "edge_accuracy": 1},
    {"n": 2, "boundary": "nan"},
    {"n": 1, "accuracy": 6, "boundary": "periodic"},
    {"n": 2, "nan": "one-sided"},
    {"n": 1, "accuracy": 4, "nan": "one-sided", "edge_accuracy": 2},
    {"n": 0, "window": 5, "degree": 2},
    {"n": 1, "window": 7, "degree": 3, "boundary": "periodic"},
    {"n": 1, "window": 5, "degree": 4, "nan": "one-sided"},
]


@pytest.mark.parametrize("options", DERIVATIVES, ids=str)
def test_derivatives_are_evaluated_as_printed(options):
    for f in NOISY, GAPPED, (NOISY * 100).astype("f4"), (NOISY * 100).astype("i8"), NOISY + 1j * NOISY[::-1]:
        for x in (0.25, X) if f is NOISY or f is GAPPED else (-X,):
            given = options | ({"period": 18.0} if options.get("boundary") == "periodic" and np.ndim(x) else {})
            result = ng.derivative(f, x, **given)
            for at in 0, 4, 6, 10:
                (explained,) = ng.explain(ng.derivative, f, x, at=at, **given)
                if explained.names:
                    check(explained, result[at])
                else:
                    assert np.isnan(result[at])
                    assert "nan" in repr(explained)


def test_lines_and_layouts():
    own = np.cumsum(RNG.random((9, 8)) + 0.1, axis=0)
    for f in PLANE, np.asfortranarray(PLANE), PLANE[:, ::-1]:
        result = ng.derivative(f, own, axis=0, n=2)
        for at in (0, 0), (4, 7), (-1, 3):
            (explained,) = ng.explain(ng.derivative, f, own, axis=0, n=2, at=at)
            text = check(explained, result[at])
            assert text.startswith(f"d2f/dx0^2 = sum of weight * value = {explained.shown()}\n")


@pytest.mark.parametrize("name", ["laplacian", "divergence", "curl", "jacobian", "hessian"])
def test_fields_are_evaluated_as_printed(name):
    v = PLANE if name in ("laplacian", "hessian") else [PLANE, PLANE**2]
    for spacings, options in (
        ((0.5, X[:8]), {"accuracy": 4}), ((), {"boundary": "periodic"}), ((X[:9], 2.0), {"boundary": "nan"}),
    ):  # fmt: skip
        function = getattr(ng, name)
        result = function(v, *spacings, **options)
        for at in (0, 0), (4, 5), (-1, 2):
            blocks = ng.explain(function, v, *spacings, at=at, **options)
            for block, value in zip(blocks, result[(..., *at)].reshape(-1), strict=True):
                assert block.value == value or np.isnan(value)
                head = re.sub(r"\n     =", " =", repr(block)).splitlines()[0].split(": ")[1].split(" = ")
                size = sum([abs(term.value) for term in block.terms])
                assert agrees(head[-1], value, size)
                if len(head) == 3:
                    assert agrees(head[-1], value_of(head[1]), size)
                for term in block.terms:
                    if term.names:
                        check(term, term.value)


GRIDS = {
    "even": (np.linspace(-90, 90, 7), np.arange(0, 360, 45)),
    "between, falling": (np.linspace(80, -80, 9), np.arange(0, 360, 36) - 180),
    "Gauss, uneven": (
        np.degrees(np.arcsin(np.polynomial.legendre.leggauss(8)[0])), np.array([0, 40, 95, 130, 180, 220, 275, 310.0])
    ),
    "a region": (np.array([10, 20, 32, 40, 48, 57.0]), np.arange(-20, 40, 10)),
    "odd": (np.linspace(-90, 90, 7), np.arange(0, 360, 40)),
}  # fmt: skip
FLOWS = {"gradient": "f", "laplacian": "f", "divergence": "uv", "vorticity": "uv", "advection": "fuv"}


def on_the_sphere(block, value, name, latitude, radius):
    """Evaluate all that is printed of a field: its derivatives, these times their factors, and their sum."""
    assert block.value == value
    head = re.sub(r"\n     =", " =", repr(block)).splitlines()[0].split(": ")[1].split(" = ")
    assert agrees(head[-1], value, sum([abs(term.value) for term in block.terms]))
    assert agrees(head[-1], value_of(head[1]), sum([abs(term.value) for term in block.terms]))
    for sign, term in zip(block.signs, block.terms, strict=True):
        lines = re.sub(r"\n +=", " =", repr(term)).splitlines()[0].split(" = ")
        for value in term.value, value_of(lines[-2]):
            assert agrees(lines[-1], value, abs(term.value))
        n = 2 if name == "laplacian" else 1
        cos, tan = np.cos(np.radians(latitude)), np.tan(np.radians(latitude))
        if term.part is not None:
            check(term.part, term.part.value)
        if abs(latitude) == 90:
            assert "the pole" in repr(block)
        elif "tan" in term.name:
            assert sign == (name != "vorticity")
            expected = term.part.value * tan if n == 2 else term.factors[0] * tan
            assert term.value == pytest.approx(expected / radius**n, rel=1e-12)
        elif name != "advection":
            below = radius * cos if "lon" in term.words[0] else radius
            assert term.value == pytest.approx(term.part.value / below**n, rel=1e-12)
            assert sign == (name == "vorticity" and "lat" in term.words[0])


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("name", FLOWS)
def test_fields_on_the_sphere_are_evaluated_as_printed(name, grid):
    latitude, longitude = GRIDS[grid]
    function, radius = getattr(ng.sphere, name), 2.5
    samples = np.random.default_rng(5).standard_normal((len(FLOWS[name]), latitude.size, longitude.size)).round(3)
    accuracy = 4 if grid in ("between, falling", "a region") else 2
    places = {"latitude": latitude, "longitude": longitude, "radius": radius, "accuracy": accuracy}
    result = np.asarray(function(*samples, **places))
    for i, j in ((0, 1), (1, 0), (-1, -1)):
        blocks = ng.explain(function, *samples, **places, at=(i, j))
        for block, value in zip(blocks, result.reshape(-1, *result.shape[-2:])[:, i, j], strict=True):
            if np.isnan(value):
                assert np.isnan(block.value)
                assert "no rows lie across" in repr(block)
            else:
                on_the_sphere(block, value, name, latitude[i], radius)


def test_reasons_on_the_sphere():
    latitude, longitude = GRIDS["even"]
    u, v = np.random.default_rng(5).standard_normal((2, 7, 8)).astype(np.float32)

    def said(at, part=slice(None), **options):
        text = repr(ng.explain(ng.sphere.vorticity, u[part], v[part], latitude[part], longitude, at=at, **options))
        return " ".join(text.split())

    inside = said((3, 3))
    assert inside.startswith("vorticity at [3, 3], latitude 0: dv/dx - du/dy + u tan(lat) / R")
    assert "dv/dx = dv/dlon / (R cos(lat))" in inside
    assert inside.count("order 2, inside: samples to either side") == 2
    assert "order 2, around the globe: beyond the last meridian comes the first" in said((3, 7))
    pole = said((6, 3))
    for words in "dv/dx - 2 du/dy", "order 2, across the pole", "(-u[5, 7])":
        assert words in pole
    assert "dv/dlon and cos(lat) are 0: their quotient has a limit, by g = dv/dlat" in pole
    assert "order 4, across the pole" in said((5, 3), accuracy=4)
    assert "order 2, at an end: no samples before u[0, 3], where the formula inside has 1" in said((0, 3), slice(2, 7))
    uneven = GRIDS["Gauss, uneven"]
    (block,) = ng.explain(ng.sphere.laplacian, np.vander(uneven[0] / 90, 8), *uneven, at=(4, 4))
    # So many points less the order of the derivative.
    assert [(len(term.part.names), term.part.order) for term in block.terms] == [(5, 3), (5, 3), (5, 4)]


def test_axes_and_objects_on_the_sphere():
    """The same point is explained alike, wherever the axes of latitudes and longitudes are."""
    xr, dask = pytest.importorskip("xarray"), pytest.importorskip("dask.array")
    latitude, longitude = GRIDS["even"]
    u, v = np.random.default_rng(5).standard_normal((2, 7, 8)) + np.array([[[0]], [[1j]]])
    vorticity = ng.sphere.vorticity
    (plain,) = ng.explain(vorticity, u, v, latitude, longitude, at=(6, 3))
    stacks = [np.stack([0 * f, f]).transpose(2, 0, 1) for f in (u, v)]
    (turned,) = ng.explain(vorticity, *stacks, latitude, longitude, axis=(2, 0), at=(3, 1, 6))
    assert plain.value == turned.value == vorticity(u, v, latitude, longitude)[6, 3]
    assert repr(turned).split() == re.sub(r"\[(\d), (\d)\]", r"[\2, 1, \1]", repr(plain)).split()
    given = [xr.DataArray(f, {"lat": latitude, "lon": longitude}) for f in (u, v)]
    assert repr(ng.explain(vorticity, given[0], given[1].T, at=(6, 3))[0]) == repr(plain)
    rows = ng.explain(vorticity, u, v, latitude, longitude)
    assert [(row.axis, row.spacing) for row in rows] == [(1, "45 degrees"), (0, "30 degrees")]
    assert ng.explain(vorticity, *given) == rows
    lazy = [dask.from_array(f, 4) for f in (u, v)]
    assert "on each chunk" in repr(ng.explain(vorticity, *lazy, latitude, longitude))
    for wrong in (*lazy, latitude, longitude), [one.chunk(4) for one in given]:
        with pytest.raises(TypeError, match="`at` is given with a Array; give its numbers"):
            ng.explain(vorticity, *wrong, at=(6, 3))
    with pytest.raises(TypeError, match="`f` is a Dataset; give one of its variables: 'q'"):
        ng.explain(ng.sphere.laplacian, given[0].to_dataset(name="q"), at=(6, 3))
    with pytest.raises(IndexError, match="`at` is 3, but `u` has 2 dimensions; give a tuple of 2 indices"):
        ng.explain(vorticity, u, v, latitude, longitude, at=3)
    with pytest.raises(ValueError, match="degrees from -90 to 90"):
        ng.explain(vorticity, u, v, latitude + 20, longitude, at=(6, 3))


def test_weights_are_the_exact_ones():
    """Against SymPy's, for even and uneven grids."""
    for n, accuracy, at in (1, 8, 6), (1, 8, 0), (2, 4, 1), (3, 4, 9), (4, 2, 5):
        (even,) = ng.explain(ng.derivative, NOISY, 0.5, n=n, accuracy=accuracy, at=at)
        places = [sympy.Integer(p - at) for p in even.places]
        exact = sympy.finite_diff_weights(n, places, 0)[n][-1]
        integers, divisor, order, h = even.scale
        assert [Fraction(w, divisor) for w in integers] == [Fraction(str(w)) for w in exact]
        assert (order, h) == (n, 0.5)
        (uneven,) = ng.explain(ng.derivative, NOISY, X, n=n, accuracy=accuracy, at=at)
        places = [sympy.Rational(X[p]) for p in uneven.places]
        exact = sympy.finite_diff_weights(n, places, sympy.Rational(X[at]))[n][-1]
        assert uneven.weights == pytest.approx([float(w) for w in exact], rel=1e-12)
        assert (even.order, uneven.order) == (accuracy, accuracy)


def test_orders_are_those_of_the_stencils():
    for n, accuracy in (1, 2), (2, 2), (1, 6), (3, 4):
        (inside,) = ng.explain(ng.derivative, NOISY, n=n, accuracy=accuracy, at=6)
        stencil = ng.Stencil.central(n, accuracy)
        assert inside.order == stencil.accuracy
        assert tuple([p - 6 for p in inside.places]) == stencil.offsets
        (end,) = ng.explain(ng.derivative, NOISY, n=n, accuracy=accuracy, at=0)
        assert end.order == ng.Stencil.forward(n, accuracy).accuracy
    (window,) = ng.explain(ng.derivative, NOISY, window=7, degree=2, at=6)
    assert window.order == ng.Stencil.smoothing(1, 7, 2).accuracy


REASONS = {
    "inside": (6, {}),
    r"at an end: 1 sample before f\[1\], where the formula inside has 2": (1, {"accuracy": 4}),
    "around the end of a period": (0, {"boundary": "periodic"}),
    r"boundary='nan' leaves empty: the formula needs 1 samples before f\[0\]": (0, {"boundary": "nan", "n": 2}),
    r"beside a gap: f\[5\] is NaN, and no sample beyond it": (4, {"nan": "one-sided"}),
    r"a gap: f\[5\] is NaN, and so is the result": (5, {"nan": "one-sided"}),
    r"f\[5\] is NaN, and so is the result": (4, {}),
    r"between f\[5\], which is NaN, .* fewer than the 7 samples": (3, {"nan": "one-sided", "accuracy": 6}),
    "distances of neighbours are 1, 0.5": (3, {"x": X}),
    "a polynomial of degree 2 that fits 5 samples": (8, {"window": 5, "degree": 2}),
}


@pytest.mark.parametrize("reason", REASONS)
def test_reasons(reason):
    at, options = REASONS[reason]
    text = " ".join(repr(ng.explain(ng.derivative, GAPPED, at=at, **options)).split())
    assert re.search(reason, text), text


def test_errors_of_samples():
    result = ng.derivative(NOISY, X, sigma=0.1 * X + 0.1)
    for at in 0, 5, 11:
        (explained,) = ng.explain(ng.derivative, NOISY, X, sigma=0.1 * X + 0.1, at=at)
        assert explained.error == pytest.approx(result.error[at], rel=1e-14)
        *_, arithmetic, shown = re.search(r"error = (.*) = (.*)", re.sub(r"\n {15}", " ", repr(explained))).groups()
        assert agrees(shown, value_of(arithmetic), 1)
    (gapped,) = ng.explain(ng.derivative, GAPPED, sigma=0.1, at=4)
    assert np.isnan(gapped.error)


def test_what_numpy_computes():
    dates = np.array(["2020-01-01", "2020-01-03", "2020-01-07"], "M8[D]")
    assert "= (2020-01-07 - 2020-01-01) / 2 = 3 days" in repr(ng.explain(dates, at=1))
    half = repr(ng.explain(F.astype("f2"), at=2))
    assert half.startswith("f'(x[2]) = (f[3] - f[1]) / (2 h) = (7 - 2) / 2 = 2.5")
    assert "numpy.gradient, because f has dtype float16" in half
    masked = np.ma.array(F, mask=[0, 0, 0, 1, 0, 0])
    assert "(masked - 2) / 2 = masked" in repr(ng.explain(masked, at=2))
    assert "no sample beyond it" in repr(ng.explain(ng.derivative, masked, at=2))
    times = np.array([0, 1, 3], "m8[s]")
    assert "distances of neighbours are 1, 2" in repr(ng.explain(times, times, at=1))


def test_numbers_beyond_the_ordinary():
    (lost,) = ng.explain(np.array([2**60, 2**60 + 1000, 3]), at=0)
    assert "= 0\n" in repr(lost)
    assert "1024, is no larger than what rounding may do" in " ".join(repr(lost).split())
    (long,) = ng.explain(ng.derivative, np.sin(np.arange(200.0)), window=101, degree=3, at=100)
    assert "... 3" in repr(long)
    assert len(repr(long).splitlines()) < 80
    assert [number(v) for v in (1.0, -0.0, np.float32(0.1), 3, 1e300, 1 - 2j)] == [
        "1", "0", "0.1", "3", "1e+300", "(1-2j)"
    ]  # fmt: skip


BAD = {
    "6": (6, IndexError, r"`at` is 6, but axis 0 of f has 6 points: from -6 to 5"),
    "-7": (-7, IndexError, "from -6 to 5"),
    "1.5": (1.5, TypeError, "give the index of a point, of integers"),
    "True": (True, TypeError, "of integers"),
    "pair": ((1, 2), IndexError, "f has 1 dimension; give one index"),
    "word": ("a", TypeError, "of integers"),
}


@pytest.mark.parametrize("name", BAD)
def test_wrong_places(name):
    at, kind, message = BAD[name]
    for function in (), (ng.derivative,):
        with pytest.raises(kind, match=message):
            ng.explain(*function, F, at=at)


def test_wrong_places_of_planes():
    for function in ng.derivative, ng.laplacian:
        with pytest.raises(IndexError, match="f has 2 dimensions; give a tuple of 2 indices"):
            ng.explain(function, PLANE, at=1)
    with pytest.raises(IndexError, match="axis 1 of a component has 8 points"):
        ng.explain(ng.curl, [PLANE, PLANE], at=(1, 8))
    with pytest.raises(ValueError, match="needs at least"):
        ng.explain(ng.derivative, F, accuracy=8, at=1)


def test_turning_points():
    t = np.linspace(0, 10, 41)
    for y, x, options in (
        (np.sin(t), t, {}),
        (np.sin(t), 0.25, {}),
        (NOISY, X, {}),
        (NOISY, X, {"periodic": True, "period": 17.0}),
        (NOISY, 1.0, {"periodic": True}),
        (NOISY.astype("f4"), -X, {}),
    ):
        found = ng.turning_points(y, x, **options)
        for i in range(len(y)):
            (explained,) = ng.explain(ng.turning_points, y, x, at=i, **options)
            text = re.sub(r"\n +=", " =", repr(explained))
            which = np.flatnonzero(found.index == i)
            assert explained.kind == ("".join(found.kind[which]))
            if not len(which):
                assert "samples do not turn here" in text
                continue
            assert (explained.position, explained.value) == (found.position[which[0]], found.value[which[0]])
            for name in "position", "value":
                _, arithmetic, shown = re.search(f"  {name} = (.*) = (.*) = (.*)", text).groups()
                size = 1e9 if y.dtype == "f4" else 10 + abs(value_of(arithmetic))
                assert agrees(shown, value_of(arithmetic), size)
            for term in explained.terms:
                check(term, term.value)
    (plateau,) = ng.explain(ng.turning_points, [1, 2, 2, 1], at=2)
    assert "a plateau from f[1] to f[2], whose middle it is: position 1.5, value 2" in repr(plateau)
    (end,) = ng.explain(ng.turning_points, [3, 2, 1, 4], ends=True, at=0)
    assert "an end: position 0, value 3" in repr(end)


def test_objects_of_xarray():
    xr = pytest.importorskip("xarray")
    given = xr.DataArray(F, {"x": X[:6]}, "x")
    assert repr(ng.explain(ng.derivative, given, at=2)) == repr(ng.explain(ng.derivative, F, X[:6], at=2))
    assert repr(ng.explain(ng.derivative, given, "x", n=2, at=2)) == repr(
        ng.explain(ng.derivative, F, X[:6], n=2, at=2)
    )
    assert "(7 - 2) / 2 = 2.5" in repr(ng.explain(given, at=2))
    assert "coordinates" in repr(ng.explain(ng.derivative, given))
    turned = ng.explain(ng.turning_points, given, at=2)
    assert repr(turned) == repr(ng.explain(ng.turning_points, F, X[:6], at=2))
    plane = xr.DataArray(PLANE, {"x": X[:9], "y": X[:8]}, ("x", "y"))
    for function, v, numbers in (ng.laplacian, plane, PLANE), (ng.curl, [plane, 2 * plane], [PLANE, 2 * PLANE]):
        there = ng.explain(function, v, "x", "y", at=(3, 4))
        assert repr(there) == repr(ng.explain(function, numbers, X[:9], X[:8], at=(3, 4)))
    (term,) = ng.explain(ng.laplacian, plane, "y", at=(3, 4))
    assert term.value == ng.laplacian(plane, "y").values[3, 4]
    with pytest.raises(TypeError, match="`f` is a Dataset; give one of its variables"):
        ng.explain(ng.laplacian, plane.to_dataset(name="f"), at=(3, 4))
    lazy = pytest.importorskip("dask.array").from_array(F, 3)
    for samples in lazy, given.chunk(3):
        with pytest.raises(TypeError, match="`at` is given with a Array; give its numbers"):
            ng.explain(ng.derivative, samples, at=2)


def test_series():
    """By the index or the coordinate that `derivative` goes by, and with gaps as it has them."""
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    frames = pytest.importorskip("numgrad.interop.dataframes")
    series = pandas.Series(GAPPED, index=X)
    assert repr(ng.explain(series, at=2)) == repr(ng.explain(GAPPED, at=2))
    days = pandas.Series(GAPPED, pandas.Timestamp("2024-02-27") + pandas.to_timedelta(X, "D"))
    table = polars.DataFrame({"x": X, "y": GAPPED, "s": X + 1})
    for given, x, options, own in (
        (series, None, {}, {}), (days, None, {}, {"datetime_unit": "D"}), (table["y"], X, {}, {}),
        (table["y"], table["x"], {"n": 2}, {}), (series, 0.5, {"edge_accuracy": 1}, {}),
        (table, "x", {"sigma": X + 1}, {"columns": "y", "sigma": "s"}), (series, None, {"nan": "propagate"}, {}),
    ):  # fmt: skip
        plain = {"nan": "one-sided"} | options
        result = np.asarray(getattr(found := frames.derivative(given, x, **options | own), "value", found)).ravel()
        for at in (0, 2, 4, 5, -1):
            there = ng.explain(ng.derivative, given, x, at=at, **options | own)
            assert repr(there) == repr(
                ng.explain(ng.derivative, GAPPED, x if isinstance(x, float) else X, at=at, **plain)
            )
            assert there[0].value == pytest.approx(result[at], rel=1e-14, nan_ok=True)
        assert "axis 0: " in repr(ng.explain(ng.derivative, given, x, **options | own))
    turned = ng.explain(ng.turning_points, days, datetime_unit="D", at=2)
    assert repr(turned) == repr(ng.explain(ng.turning_points, GAPPED, X, at=2))
    for wrong, message in ((table, "a data frame, of columns 'x', 'y', 's'.*columns='x'"), (table.lazy(), "collect")):
        with pytest.raises(TypeError, match=message):
            ng.explain(ng.derivative, wrong, at=2)
    with pytest.raises(TypeError, match="give the rows of one group"):
        ng.explain(ng.derivative, table, by="x", columns="y", at=2)
    with pytest.raises(ValueError, match="the index repeats"):
        ng.explain(ng.derivative, pandas.Series(F, [0, 0, 1, 2, 3, 4]), at=2)
