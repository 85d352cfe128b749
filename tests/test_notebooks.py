"""The notebooks run from top to bottom, with sliders and without; the documentation runs all but these in a kernel."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "docs" / "notebooks").glob("*.ipynb"))
moved = []


class Slider:
    """Stands for the sliders of ipywidgets, which is no part of the tests."""

    def __init__(self, value, min, max, step=1, continuous_update=True):
        assert min <= value <= max
        self.places = min, value, max


def interact(function, **sliders):
    """Call a function at each end of its sliders, and in between."""
    for values in zip(*[slider.places for slider in sliders.values()], strict=True):
        moved.append(dict(zip(sliders, values, strict=True)))
        function(**moved[-1])


def cells(path):
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


@pytest.mark.tier(0)
@pytest.mark.parametrize("sliders", [False, True])
def test_seed_questions(sliders, monkeypatch):
    import matplotlib.pyplot as plt

    monkeypatch.setattr(plt, "show", lambda: None)
    widgets = SimpleNamespace(FloatSlider=Slider, IntSlider=Slider, interact=interact) if sliders else None
    monkeypatch.setitem(sys.modules, "ipywidgets", widgets)
    moved.clear()
    (path,) = [path for path in NOTEBOOKS if path.stem == "seed_questions"]
    names = {}
    for number, cell in enumerate(cells(path)):
        code = "".join([line for line in cell["source"] if not line.startswith("%")])
        exec(compile(code, f"{path.name}, code cell {number}", "exec"), names)
    assert len(moved) == 3 * sliders
    assert not sliders or moved[0]["rate"] < names["step"].limit < moved[2]["rate"]
    assert len(plt.get_fignums()) == 4 + 3 * sliders
    plt.close("all")
    assert names["iteration"] == 2
    exact = np.linalg.lstsq(names["X"], names["target"])[0]
    assert np.allclose(names["run"].theta_least_squares, exact)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_without_results(path):
    assert [cell for cell in cells(path) if cell["outputs"] or cell["execution_count"]] == []
