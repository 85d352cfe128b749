"""numgrad against NumPy, side by side: `python -m pytest benchmarks`, or one case with `-k`."""

import pytest

from benchmarks.cases import CASES


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.id)
def case(request):
    return request.param


@pytest.fixture(scope="module")
def calls(case):
    return dict(zip(("numpy", "numgrad"), case.make(), strict=True))


@pytest.mark.parametrize("library", ["numpy", "numgrad"])
def test_speed(benchmark, case, calls, library):
    benchmark.group = case.name
    result = calls[library]()  # compiles; pytest-benchmark sets its rounds by its first call
    assert case.agree(calls["numpy"](), result)
    benchmark(calls[library])
