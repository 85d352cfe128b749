"""Quantities of pint and astropy: results have the right units, or the call is refused in words that say what to do."""

import numpy as np
import pytest

import numgrad as ng

pytestmark = pytest.mark.tier(0)

X = np.array([0, 1, 3, 4, 6, 7, 8.0])
PLANE = np.outer(X, X**2)


class Pint:
    def __init__(self):
        registry = pytest.importorskip("pint").UnitRegistry()
        self.m, self.cm, self.s = registry.m, registry.cm, registry.s
        self.type = registry.Quantity

    def numbers(self, q, unit):
        return q.m_as(unit)

    def unit(self, q):
        return q.units


class Astropy:
    def __init__(self):
        units = pytest.importorskip("astropy.units")
        self.m, self.cm, self.s, self.type = units.m, units.cm, units.s, units.Quantity

    def numbers(self, q, unit):
        return q.to_value(unit)

    def unit(self, q):
        return q.unit


@pytest.fixture(params=[Pint, Astropy], scope="module")
def u(request):
    return request.param()


def assert_is(u, got, numbers, unit, same=None):
    """A quantity with these numbers in this unit, and in itself as the last one says."""
    assert isinstance(got, u.type)
    np.testing.assert_allclose(u.numbers(got, unit), numbers, rtol=1e-13, atol=1e-13)
    if same is not None:
        assert u.unit(got) == same


def test_derivatives(u):
    f = X**3 * u.m
    assert_is(u, ng.derivative(f, X * u.s), ng.derivative(X**3, X), u.m / u.s, u.m / u.s)
    assert_is(u, ng.derivative(f, X * u.s, n=2), 6 * X, u.m / u.s**2)
    assert_is(u, ng.derivative(f, X * u.s, n=2), 6e2 * X, u.cm / u.s**2)
    assert_is(u, ng.derivative(f, 0.5 * u.s, n=3), ng.derivative(X**3, 0.5, n=3), u.m / u.s**3)
    assert_is(u, ng.derivative(f), ng.derivative(X**3), u.m)
    assert_is(u, ng.derivative(f, X, n=2), 6 * X, u.m)
    smoothed = ng.derivative(f, X * u.s, n=0, window=3, degree=1)
    assert_is(u, smoothed, ng.derivative(X**3, X, n=0, window=3, degree=1), u.m)


def test_options_in_units(u):
    around = ng.derivative(X**3 * u.m, X * u.s, boundary="periodic", period=9 * u.s)
    assert_is(u, around, ng.derivative(X**3, X, boundary="periodic", period=9.0), u.m / u.s)
    value, error = ng.derivative(X**3 * u.m, X * u.s, sigma=10 * u.cm)
    expected = ng.derivative(X**3, X, sigma=0.1)
    assert_is(u, value, expected.value, u.m / u.s)
    assert_is(u, error, expected.error, u.m / u.s)


def test_fields(u):
    f = PLANE * u.m
    assert_is(u, ng.laplacian(f, 2 * u.m), ng.laplacian(PLANE, 2.0), 1 / u.m)
    assert_is(u, ng.laplacian(f, 100 * u.cm, 2 * u.m), ng.laplacian(PLANE, 1.0, 2.0), 1 / u.m)
    assert_is(u, ng.hessian(f, X * u.s, X * u.s), ng.hessian(PLANE, X, X), u.m / u.s**2)
    v, numbers = [f, 3 * f], [PLANE, 3 * PLANE]
    for function in ng.divergence, ng.curl, ng.jacobian:
        assert_is(u, function(v, 1 * u.s, 2 * u.s), function(numbers, 1.0, 2.0), u.m / u.s)
        assert_is(u, function([f, (300 * PLANE) * u.cm], 1 * u.s, 2 * u.s), function(numbers, 1.0, 2.0), u.m / u.s)
        assert_is(u, function(np.stack(v), 1 * u.s, 2 * u.s), function(numbers, 1.0, 2.0), u.m / u.s)
    around = ng.laplacian(f, X * u.s, X * u.s, boundary="periodic", period=9 * u.s)
    assert_is(u, around, ng.laplacian(PLANE, X, X, boundary="periodic", period=9.0), u.m / u.s**2)


BAD = {
    "plain samples": (lambda u: ng.derivative(X, X * u.s), "is in units of 's.*derivative\\(f.*x.*\\) \\* \\(f.unit"),
    "a list": (lambda u: ng.derivative(list(X * u.m)), "is in units of 'm"),
    "plain period": (
        lambda u: ng.derivative(X * u.m, X * u.s, boundary="periodic", period=9), "`period` has no unit, .* one like 's"
    ),
    "plain sigma": (lambda u: ng.derivative(X * u.m, X * u.s, sigma=1), "`sigma` has no unit, and one like 'm"),
    "other sigma": (lambda u: ng.derivative(X * u.m, X * u.s, sigma=1 * u.s), "`sigma` is in units of 's.*'m.* needed"),
    "out": (lambda u: ng.derivative(X * u.m, out=X * u.m), "`out` is not taken for quantities"),
    "plain component": (lambda u: ng.divergence([PLANE, PLANE * u.m]), "`v` has no unit, and one like 'm"),
    "one axis": (lambda u: ng.laplacian(PLANE * u.m, 1.0, 1 * u.m), "`spacing` has the unit 'm.*none is needed"),
    "other axis": (lambda u: ng.laplacian(PLANE * u.m, 1 * u.s, 1 * u.m), "`spacing` is in units of 'm.*'s.* needed"),
    "period of plain": (
        lambda u: ng.laplacian(PLANE, X, X, boundary="periodic", period=9 * u.s), "`period` is in units of 's"
    ),
    "turning points": (lambda u: ng.turning_points(X * u.m), "`y` is in units of 'm"),
    "least change": (lambda u: ng.turning_points(X, min_change=1 * u.m), "`min_change` is in units of 'm"),
    "smooth": (lambda u: ng.smooth(X * u.m), "`y` is in units of 'm"),
    "kinks": (lambda u: ng.smooth(X**2, X, kinks=[3.0] * u.s), "`kinks` is in units of 's"),
    "period of smooth": (lambda u: ng.smooth(X**2, X, period=9 * u.s), "`period` is in units of 's"),
    "places of smooth": (lambda u: ng.smooth(np.sin(X), X)(X * u.s), "`x` is in units of 's"),
    "rate": (lambda u: ng.gradient_descent(PLANE, X, learning_rate=1 * u.s), "`learning_rate` is in units of 's"),
    "on the sphere": (
        lambda u: ng.sphere.laplacian(PLANE * u.m, 9 * np.arange(7), 9 * np.arange(7)), "in units of 'm.*over metres"
    ),
    "formulas": (lambda u: ng.symbolic.compile("x^2", "x")(X * u.m), "`x` is in units of 'm"),
    "explained": (lambda u: ng.explain(ng.derivative, X * u.m, at=2), "a Quantity; give its numbers"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", BAD)
def test_refusals(u, name):
    call, message = BAD[name]
    with pytest.raises(TypeError, match=message):
        call(u)


def test_other_errors_come_through(u):
    with pytest.raises(TypeError, match=r"`n` is 1\.5"):
        ng.derivative(X * u.m, X * u.s, n=1.5)
    with pytest.raises(np.exceptions.AxisError):
        ng.derivative(X * u.m, axis=1)
    with pytest.raises(ValueError, match="accuracy"):
        ng.laplacian(X * u.m, accuracy=3)


def test_temperatures_change_by_degrees_without_a_zero():
    registry = pytest.importorskip("pint").UnitRegistry()
    got = ng.derivative(registry.Quantity(X + 20, "degC"), X * registry.s)
    assert got.units == registry.delta_degC / registry.s
    assert np.allclose(got.m_as("K/s"), 1.0)
    level = ng.derivative(registry.Quantity(X, "degC"), X * registry.s, n=0, window=3, degree=1)
    assert level.units == registry.degC


def test_masks_of_astropy_are_not_lost():
    units = pytest.importorskip("astropy.units")
    from astropy.utils.masked import Masked

    for given in Masked(X * units.m, mask=X > 6), Masked(X, mask=X > 6):
        with pytest.raises(TypeError, match="`f` has masked elements"):
            ng.derivative(given)


def test_units_of_other_libraries_are_refused():
    class Furlongs(np.ndarray):
        units = "furlong"

    for call in (
        lambda q: ng.derivative(q),
        lambda q: ng.derivative(X, q),
        lambda q: ng.laplacian(q),
        lambda q: ng.smooth(q),
    ):
        with pytest.raises(TypeError, match="in units of 'furlong', a Furlongs"):
            call(X.view(Furlongs))


def test_quantities_in_xarray_are_refused(u):
    xr = pytest.importorskip("xarray")
    given = xr.DataArray(X * u.m, {"t": ("t", X, {"units": "s"})}, "t")
    if not hasattr(given.data, "to"):
        pytest.skip("xarray keeps no quantities of astropy")
    with pytest.raises(TypeError, match="in units of 'm"):
        ng.derivative(given, "t")
    with pytest.raises(TypeError, match="in units of 'm"):
        ng.laplacian(given)
