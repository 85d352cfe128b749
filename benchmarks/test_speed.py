"""numgrad against NumPy, side by side: `python -m pytest benchmarks`, or one case with `-k`.

BENCHMARK_TURNS=5 lets the two take turns five times, so that a machine that slows down for a while slows both.
"""

import os

import pytest

from benchmarks.cases import CASES


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.id)
def case(request):
    return request.param


@pytest.fixture(scope="module")
def calls(case):
    return dict(zip(("numpy", "numgrad"), case.make(), strict=True))


TURNS = int(os.environ.get("BENCHMARK_TURNS", "1"))


@pytest.mark.parametrize("library", ["numpy", "numgrad"])
@pytest.mark.parametrize("turn", range(TURNS))
def test_speed(benchmark, case, calls, turn, library):
    benchmark.group = case.name
    result = calls[library]()  # compiles; pytest-benchmark sets its rounds by its first call
    assert case.agree(calls["numpy"](), result)
    benchmark(calls[library])
