"""Calls of which the kind is known: the same results and the same errors as by the long way, which they leave away."""

import pickle

import numpy as np
import pytest
from helpers import assert_same, uneven, values

import numgrad as ng
from numgrad._arrays import derivative, explain, known, terms

X, Y = uneven(9), uneven(8) ** 1.25
FIELDS = (ng.laplacian, ng.divergence, ng.curl, ng.jacobian, ng.hessian)
DERIVATIVES = {
    "number": ((0.3,), {"n": 2}),
    "integer": ((2,), {"n": 2}),
    "as gradient does": ((np.float64(0.3),), {}),
    "coordinates": ((X,), {"n": 2}),
    "falling": ((-X,), {"n": 2}),
    "integers": ((np.cumsum(np.arange(1, 10)),), {"n": 2}),
    "float32": ((X.astype("f4"),), {}),
    "uneven, as gradient does": ((X,), {}),
    "even, as gradient does": ((np.arange(9.0),), {"edge_accuracy": 1}),
    "periodic": ((X,), {"n": 2, "boundary": "periodic", "period": 1e3}),
}


@pytest.fixture
def only_short(monkeypatch):
    """A function that closes the long way."""
    known.slot.cache_clear()

    def refuse(*args, **options):
        raise AssertionError("this call goes the long way")

    def apply():
        monkeypatch.setattr(derivative, "read_call", refuse)
        monkeypatch.setattr(terms, "_read", refuse)
        monkeypatch.setattr(explain, "_row", refuse)

    yield apply
    known.slot.cache_clear()


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives(name, only_short):
    spacings, options = DERIVATIVES[name]
    f = values("f8", (9,))
    expected = ng.derivative(f, *spacings, **options)
    before = [ng.derivative(f, *spacings, **options) for _ in range(2)]
    other = ng.derivative(np.repeat(f, 2)[::2], *spacings, **options)  # no memory that is known
    explained = repr(ng.explain(ng.derivative, f, *spacings, **options))
    only_short()
    out = np.empty(9)
    for found in (*before, other, ng.derivative(f, *spacings, **options)):
        assert_same(expected, found)
    assert ng.derivative(f, *spacings, out=out, **options) is out
    assert_same(expected, out)
    if name not in ("float32", "even, as gradient does", "integers"):
        assert repr(ng.explain(ng.derivative, f, *spacings, **options)) == explained


@pytest.mark.parametrize("field", FIELDS)
def test_fields(field, only_short):
    v = values("f8", (9, 8) if field in (ng.laplacian, ng.hessian) else (2, 9, 8))
    ways = [(v, ()), (v, (0.5,)), (v, (X, Y)), (v, (0.5, Y))]
    if len(v) == 2:
        ways.append((list(v), (X, Y)))
    expected = [[field(f, *given) for _ in range(3)].pop() for f, given in ways]
    explained = [repr(ng.explain(field, f, *given)) for f, given in ways]
    only_short()
    for (f, given), result, words in zip(ways, expected, explained, strict=True):
        assert_same(result, field(f, *given))
        assert_same(result, field(f, *given, out=np.empty_like(result)))
        if field is not ng.hessian and type(f) is np.ndarray:
            assert repr(ng.explain(field, f, *given)) == words


def test_gradients_are_explained(only_short):
    f = values("f8", (9,))
    for given in ((), (0.3,), (X,)):
        ng.gradient(f, *given)
        words = repr(ng.explain(f, *given))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(explain, "_row", None)
            assert repr(ng.explain(f, *given)) == words
    assert repr(pickle.loads(pickle.dumps(ng.explain(f)))) == repr(ng.explain(f))
    assert "evenly 1.0 apart" in repr(ng.explain(f, np.arange(9.0)))
    assert "coordinates repeat" in repr(ng.explain(f, np.repeat(X, 2)[:9]))


def changed(x, place, value):
    x = x.copy()
    x[place] = value
    return x


WRONG = {
    "repeats": ((changed(X, 3, X[2]),), {"n": 2}, ValueError, "only rise"),
    "turns": ((changed(X, 8, -1.0),), {"n": 2}, ValueError, "only rise"),
    "turns, as gradient does": ((changed(X, 8, -1.0),), {}, ValueError, "only rise"),
    "nan": ((changed(X, 3, np.nan),), {"n": 2}, ValueError, "not finite"),
    "infinite": ((changed(X, 8, np.inf),), {"n": 2}, ValueError, "not finite"),
    "too fine": ((X * 1e-170,), {"n": 2}, ValueError, "beyond the range"),
    "a short period": ((X,), {"n": 2, "boundary": "periodic", "period": 1.0}, ValueError, "span"),
    "a wide line": ((X * 1e3,), {"n": 2, "boundary": "periodic", "period": 1e3}, ValueError, "span"),
    "True": ((0.3,), {"n": True}, TypeError, "`n`"),
    "1.0": ((0.3,), {"n": 1.0}, TypeError, "`n`"),
    "a spacing that is True": ((True,), {"n": 2}, TypeError, "dtype bool"),
    "zero": ((0.0,), {"n": 2}, ValueError, "not zero"),
    "no key": ((0.3,), {"accuracy": [2]}, TypeError, "accuracy"),
    "out of two dimensions": ((X,), {"n": 2, "out": np.empty((1, 9))}, ValueError, "shape"),
    "out of another dtype": ((X,), {"n": 2, "out": np.empty(9, "f4")}, TypeError, "dtype"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors(name):
    f = values("f8", (9,))
    for given, options in (*DERIVATIVES.values(), ((1.0,), {"n": 1}), ((1.0,), {"n": 2})):
        for _ in range(3):
            ng.derivative(f, *given, **options)
    spacings, options, kind, words = WRONG[name]
    for call in (ng.derivative, lambda *a, **o: ng.explain(ng.derivative, *a, **o)):
        with pytest.raises(kind, match=words):
            call(f, *spacings, **options)


def test_what_looks_alike_is_not():
    """Memory in another layout, coordinates beyond the range of products, results that share memory with a source."""
    f, g = values("f8", (9,)), values("f8", (4, 4))
    for _ in range(3):
        ng.derivative(f, X, n=2)
        ng.laplacian(g, axis=(0, 1))
    expected = ng.derivative(f, X, n=2)
    unaligned = np.frombuffer(b" " + X.tobytes(), np.uint8)[1:].view("f8")
    for x, scale in ((X * 2.0**400, 2.0**-800), (np.repeat(X, 2)[::2], 1.0), (unaligned, 1.0)):
        assert np.allclose(ng.derivative(f, x, n=2), expected * scale, rtol=1e-13, atol=0)
    wide = 2**60 + np.cumsum(np.arange(1, 10))
    assert_same(ng.derivative(f, wide - 2**60, n=2), ng.derivative(f, wide, n=2))
    target = f.copy()
    assert_same(expected, ng.derivative(target, X, n=2, out=target))
    x = X.copy()
    assert_same(expected, ng.derivative(f, x, n=2, out=x))
    with pytest.raises(TypeError):
        ng.laplacian(g, axis=(0.0, 1))
    with pytest.raises(TypeError, match="bool"):
        ng.laplacian(g, True)


def test_coordinates_that_change_in_place():
    f, x, y = values("f8", (9, 8)), X.copy(), Y.copy()
    for _ in range(3):
        ng.laplacian(f, x, y)
    x *= 2
    y[3] += 1e-3
    expected = ng.derivative(f, x, n=2, axis=0) + ng.derivative(f, y, n=2, axis=1)
    assert np.allclose(ng.laplacian(f, x, y), expected, rtol=1e-13, atol=0)
    y[3] = y[2]
    with pytest.raises(ValueError, match="only rise"):
        ng.laplacian(f, x, y)
