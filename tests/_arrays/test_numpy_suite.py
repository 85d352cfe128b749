"""NumPy's own tests of gradient, run on numgrad."""

import numpy as np
import pytest
from numpy.lib.tests import test_function_base as upstream

import numgrad


class TestGradient(upstream.TestGradient):
    @pytest.fixture(autouse=True)
    def _numgrad(self, monkeypatch):
        monkeypatch.setattr(upstream, "gradient", numgrad.gradient)
        monkeypatch.setattr(np, "gradient", numgrad.gradient)


def test_all_of_them_are_here(request):
    names = {item.name for item in request.session.items if "/test_numpy_suite.py::Test" in item.nodeid}
    chosen = request.config.option.keyword or any("::" in argument for argument in request.config.args)
    assert chosen or len(names) >= 28


def test_the_tests_see_numgrad(monkeypatch):
    calls = []
    monkeypatch.setattr(upstream, "gradient", lambda *a, **k: calls.append(a) or numgrad.gradient(*a, **k))
    monkeypatch.setattr(np, "gradient", upstream.gradient)
    upstream.TestGradient().test_basic()
    assert calls
