"""Tiers decided by hand, by `warm_up` and NUMGRAD_TIER, and what `explain` says of them."""

import threading

import numpy as np
import pytest
from helpers import finish, start

import numgrad as ng
from numgrad import _warm_up
from numgrad._arrays.plan.compose import has_streaming_stores
from numgrad._compile import tiers


def test_small_calls_are_in_tier_1_afterwards():
    """Those whose plans were made before, too, and those whose kernels were compiled for other calls."""
    code = """
import os, sys, threading
import numpy as np
del os.environ["NUMGRAD_TIER"]
import numgrad as ng
from numgrad._compile import jit
from numgrad._arrays import gradient as _gradient
from numgrad._system import original

x = np.array([0, 1, 3, 3.5, 7])
calls = [
    (ng.gradient, np.arange(10.0)), (ng.gradient, np.ones((5, 5))), (ng.gradient, np.ones((5, 5)), 0.3, x),
    (ng.derivative, np.ones(50)), (ng.derivative, np.ones((3, 5)), x), (ng.hessian, np.ones((9, 9))),
    (ng.turning_points, np.arange(9.0)),
]
apart = np.ones((1500, 1600))[::2, ::2]
before = [call(*given) for call, *given in calls]
explained = [row for call, *given in calls for row in ng.explain(call, *given)]
assert {row.tier for row in explained} == {0}
assert "numba" not in sys.modules

named = "gradient", "turning_points", ng.hessian
threads = [threading.Thread(target=ng.warm_up, args=named) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
explained = [row for call, *given in calls for row in ng.explain(call, *given)]
assert {(row.tier, row.tier_reason) for row in explained} == {(1, "its kernels are compiled")}

def refused(*given, **options):
    raise AssertionError("in tier 0")

original.gradient = _gradient._strict = refused
for draft in jit._compiled:
    draft.__dict__["plain"] = refused
count = len(jit._compiled), len(jit._entry_points)
for (call, *given), expected in zip(calls, before, strict=True):
    assert repr(call(*given)) == repr(expected)
ng.warm_up(*named)
assert count == (len(jit._compiled), len(jit._entry_points))
for f in (np.ones(10, np.float32), apart):  # of other kernels
    assert ng.explain(f)[0].tier == 0
"""
    finish(start(code=code))


def test_ctrl_c_while_it_compiles(tmp_path):
    code = """
import os, signal
import numpy as np
import numgrad as ng
from numba.core import event
signal.signal(signal.SIGINT, signal.default_int_handler)
before = ng.turning_points(np.sin(np.arange(20.0)))

class Interrupt(event.Listener):
    def on_start(self, event):
        os.kill(os.getpid(), signal.SIGINT)
    def on_end(self, event):
        pass

try:
    with event.install_listener("numba:compile", Interrupt()):
        ng.warm_up("turning_points")
except KeyboardInterrupt:
    print("interrupted")
ng.warm_up("turning_points")
print(ng.explain(ng.turning_points, np.arange(9.0))[0].tier)
assert repr(ng.turning_points(np.sin(np.arange(20.0)))) == repr(before)
"""
    assert finish(start(code=code, cache=tmp_path, NUMGRAD_TIER="")) == "interrupted\n1\n"


def test_a_tier_is_forced_in_one_thread_only(monkeypatch):
    monkeypatch.setenv("NUMGRAD_TIER", "0")
    seen = []
    with tiers.compiling():
        other = threading.Thread(target=lambda: seen.append(tiers.wanted()))
        other.start()
        other.join()
        with tiers.compiling():
            seen.append(tiers.wanted())
        seen.append(tiers.wanted())

    def fails():
        seen.append(tiers.wanted())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _warm_up.run([_warm_up.Group("", fails)], progress=False)
    assert [*seen, tiers.wanted()] == ["0", "1", "1", "1", "0"]


@pytest.mark.parametrize("given", ["2", "fast", " 1"])
def test_an_unknown_tier(monkeypatch, given):
    monkeypatch.setenv("NUMGRAD_TIER", given)
    with pytest.raises(ValueError, match=f"NUMGRAD_TIER is '{given}'; give 0 .* or 1 .*, or unset it"):
        ng.derivative(np.zeros(1237), n=2, accuracy=14)


def test_why(monkeypatch):
    """Of work between too little and enough, `explain` has the figures by which it is judged."""
    f = np.zeros((40, 50))
    for tier in "01":
        monkeypatch.setenv("NUMGRAD_TIER", tier)
        for row in (
            *ng.explain(ng.derivative, f, n=7, accuracy=10),
            *ng.explain(ng.curl, [f, f], accuracy=4),
            *ng.explain(np.zeros((1237, 3)), 0.7),
        ):
            assert (row.tier, row.tier_reason) == (int(tier), f"NUMGRAD_TIER is {tier}")
        assert repr(ng.explain(ng.curl, [f, f], accuracy=4)).splitlines()[2:] == [
            f"tier {tier}, because NUMGRAD_TIER is {tier}"
        ]
    monkeypatch.setenv("NUMGRAD_TIER", "")
    (small,), (middle,), (large,) = (
        ng.explain(ng.derivative, np.zeros(n), n=7, accuracy=10) for n in (99, 1000, 10**7)
    )
    assert (small.tier, middle.tier, large.tier) == (0, 0, 1)
    assert "s to come, are less than the" in small.tier_reason
    assert "s to come, are less than the" in middle.tier_reason
    assert "s to come, are not less than the" in large.tier_reason
    (numpy,) = ng.explain(np.zeros(3, np.float16))
    assert (numpy.tier, numpy.tier_reason) == (0, "")
    assert repr(ng.explain(np.zeros(3, np.float16))) == "numpy.gradient, because f has dtype float16"


def test_all_that_compiles_is_known():
    """A new function that has kernels belongs in the table."""
    without = {
        "CompressedRows", "CompressedSamples", "Descent", "Smooth", "Stencil", "StepSize", "TurningPoints", "WithError",
        "explain", "get_num_threads", "set_num_threads", "warm_up", "weights",
    }  # fmt: skip
    # What is compiled of these depends on the user's function alone.
    of_functions = {"Derivative", "derivative_of", "gradient_of", "hessian_of", "rule", "value_and_gradient"}
    names = {*ng.__all__} - without | {f"functions.{name}" for name in {*ng.functions.__all__} - of_functions}
    assert names == set(_warm_up.KNOWN)


def test_the_calls_are_calls(monkeypatch):
    """All of them run, of all dtypes; those of arrays in tier 0, to compile less, and with less memory."""
    groups = list(_warm_up.groups_of((), None, "all"))
    assert len({group.words for group in groups}) == len(groups) > 150
    for group in _warm_up.groups_of(["step_size", "gradient_descent"], "float64", "all"):
        group.work()
    monkeypatch.setenv("NUMGRAD_TIER", "0")
    monkeypatch.setattr(_warm_up, "cache_size", lambda: 1 << 13)
    for group in groups:
        if not group.words.startswith(("step_size", "gradient_descent")):
            group.work()


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_the_calls_have_the_kernels_of_their_names(dtype):
    samples = _warm_up.Samples(np.dtype(dtype))
    found = {}
    for row in _warm_up.CALLS:
        if row.function in (ng.gradient, ng.derivative):
            rows = found[row.function.__name__, row.words] = []
            row.make(
                lambda *given, of=row.function, to=rows, **options: to.extend(ng.explain(of, *given, **options)),
                samples,
            )
    marks = {"short lines": "short lines", "elements apart": "by rows", "gaps": "+ gaps"}
    if has_streaming_stores():
        marks["large arrays"] = "streaming"
    for (_, words), rows in found.items():
        for row in rows:
            assert {what for what, mark in marks.items() if mark in f"{row.kernel} {row.stores}"} == {words} & {*marks}


def test_groups():
    words = [group.words for group in _warm_up.groups_of(["functions.hessian", ng.step_size], "float32", "usual")]
    assert words == [
        "functions.hessian, plain functions", "functions.hessian, jitted functions", "step_size, rows, float32",
    ]  # fmt: skip
    every = [g.words for g in _warm_up.groups_of(["gradient"], np.int8, "all")]
    assert every == ["gradient, numbers, int8", "gradient, coordinates, int8"]
    assert not list(_warm_up.groups_of(["turning_points"], ["int16"], "all"))


@pytest.mark.parametrize(
    ("given", "options", "error", "message"),
    [
        (["nonsense"], {}, ValueError, "`functions` is 'nonsense'; give one of 'gradient', .*'functions.hessian'"),
        ([np.gradient], {}, TypeError, "`functions` is <function gradient .*; give one of 'gradient'"),
        ([ng.weights], {}, TypeError, "`functions` is <function weights"),
        ([], {"dtypes": "float16"}, ValueError, "`dtypes` has 'float16'; give some of float32, .*uint64"),
        ([], {"dtypes": ["f8", 5]}, ValueError, "`dtypes` has 5; give some of"),
        ([], {"dtypes": 5}, ValueError, "`dtypes` has 5; give some of"),
        ([], {"kernels": "most"}, ValueError, "`kernels` is 'most'; give one of 'usual', 'all'"),
        ([], {"progress": 1}, TypeError, "`progress` is 1; give True or False"),
    ],
)
def test_what_it_refuses(given, options, error, message):
    with pytest.raises(error, match=message):
        ng.warm_up(*given, **options)
