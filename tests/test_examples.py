"""The examples run as a user runs them, and print what they promise."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


# On a slow machine dask's nannies and event loops tell how slow it is.
QUIET = {
    "DASK_LOGGING": str(dict.fromkeys(("distributed", "distributed.client", "distributed.gc"), "error")),
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "600s",
}


GALLERY = ROOT / "docs" / "gallery"
OUTPUT = re.compile(
    r"^\.\. rst-class:: sphx-glr-script-out\n\n \.\. code-block:: none\n\n((?:    .*\n|\n)*)", re.MULTILINE
)


def shown(script):
    """What the gallery says that an example has printed, if it was built after all that the example is made of."""
    page = GALLERY / f"{script.stem}.rst"
    sources = [script, *(ROOT / "numgrad").rglob("*.py")]
    if not page.exists() or page.stat().st_mtime < max(source.stat().st_mtime for source in sources):
        return None
    assert page.with_suffix(".py").read_text() == script.read_text()
    return textwrap.dedent("".join(OUTPUT.findall(page.read_text())))


def printed(script, folder):
    """What an example prints; each is run once, by those who build the documentation before they run the tests."""
    if (text := shown(script)) is not None:
        return text
    environment = {**os.environ, "MPLBACKEND": "agg", "PYTHONWARNINGS": "error", **QUIET}
    done = subprocess.run(
        [sys.executable, script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def test_all_are_here():
    assert {e.stem for e in EXAMPLES} >= {
        "linear_regression",
        "fit_model",
        "array_gradient",
        "terrain",
        "turning_points",
        "noisy",
        "accuracy",
        "vector_fields",
        "planet",
        "learning_rates",
        "real_data",
        "streaming",
        "exact_or_numeric",
        "exact_derivatives",
        "cluster_regression",
        "out_of_core",
    }


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda p: p.stem)
def test_example(script, tmp_path):
    text = printed(script, tmp_path)
    assert text.strip()
    assert not list(tmp_path.iterdir())
    if script.stem == "linear_regression":
        theta = [float(v) for v in re.search(r"theta = \[([\d. ]+)\]", text).group(1).split()]
        assert abs(theta[0] - 29.3) < 0.6
        assert abs(theta[1] - 1.01) < 0.02
        assert "82% of the limit, 6 digits of theta take 108,901 iterations" in text
    if script.stem == "learning_rates":
        assert "diverging, 1.01 times the limit: diverged in iteration" in text
    if script.stem == "real_data":
        assert re.findall(r"R2 = ([\d.]+)", text) == ["0.517748"] * 2
    if script.stem == "streaming":
        read, found, exact = (re.findall(p, text) for p in (r"read in (\d+) MiB", r"descent: +(.*)", r"squares: (.*)"))
        assert max(map(int, read)) <= 8
        assert found == exact
    if script.stem == "planet":
        errors = [float(e) for e in re.findall(r"vorticity ([\d.e-]+) of the largest", text)]
        assert (np.array(errors) < [3e-3, 2e-5, 4e-10]).all()
    if script.stem == "turning_points":
        assert "from minimum to minimum: 10.9 years" in text
    if script.stem == "accuracy":
        orders = [float(o) for o in re.findall(r"order ([\d.]+)", text)]
        assert np.allclose(orders, [2, 4, 6, 8] * 2, atol=0.55)
    if script.stem == "exact_or_numeric":
        inside = [float(o) for o in re.findall(r"order ([\d.]+) inside", text)]
        assert np.allclose(inside, [2, 4, 6, 8], atol=0.4)
        assert np.allclose([float(o) for o in re.findall(r"order ([\d.]+), smallest", text)], [2, 4, 6], atol=0.4)
        assert float(re.search(r"step found: error (\S+)", text).group(1)) < 1e-13
    if script.stem == "cluster_regression":
        assert float(re.search(r"largest error ([\d.]+)", text).group(1)) < 0.01
    if script.stem == "out_of_core":
        assert float(re.search(r"largest residual inside: ([\d.]+)", text).group(1)) < 1e-4
    if script.stem == "vector_fields":
        errors = [float(e) for e in re.findall(r"divergence (\S+),", text)]
        assert errors == sorted(errors, reverse=True)
        assert errors[-1] < 1e-6
    if script.stem == "array_gradient":
        assert "[1.  1.5 2.5 3.5 4.5 5. ]" in text
