"""The examples run as a user runs them, and print what the README says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def run(script, *arguments, cwd):
    environment = {**os.environ, "MPLBACKEND": "agg", "PYTHONWARNINGS": "error"}
    command = [sys.executable, script, *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def test_all_are_here():
    assert {e.stem for e in EXAMPLES} >= {"linear_regression", "fit_model", "array_gradient", "terrain"}


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda p: p.stem)
def test_example(script, tmp_path):
    text = (
        run(script, "--save", tmp_path, cwd=tmp_path) if "--save" in script.read_text() else run(script, cwd=tmp_path)
    )
    assert text.strip()
    for picture in tmp_path.glob("*.png"):
        assert picture.stat().st_size > 10_000
    assert ("--save" in script.read_text()) == bool(list(tmp_path.glob("*.png")))
    if script.stem == "linear_regression":
        theta = [float(v) for v in re.search(r"theta = \[([\d. ]+)\]", text).group(1).split()]
        assert abs(theta[0] - 29.3) < 0.6
        assert abs(theta[1] - 1.01) < 0.02
    if script.stem == "array_gradient":
        assert "[1.  1.5 2.5 3.5 4.5 5. ]" in text
