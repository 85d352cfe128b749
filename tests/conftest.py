"""Kernels are compiled afresh in every run, into a cache of the run's own, which subprocesses share."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def pytest_configure(config: pytest.Config) -> None:
    assert "numba" not in sys.modules, "Numba has read its environment already"


@pytest.fixture(scope="session", autouse=True)
def _fresh_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    if "numba" not in sys.modules:
        os.environ["NUMBA_CACHE_DIR"] = str(tmp_path_factory.mktemp("numba"))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
