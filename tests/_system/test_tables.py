"""Results in notebooks: HTML that is well formed, escaped, of a bounded size, and says what the text says."""

import os
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

import numgrad as ng
from numgrad._system import tables

pytestmark = pytest.mark.tier(0)


class Page(HTMLParser):
    """The cells of tables, row by row, and all text; asserts that tags are those that are wanted, and closed."""

    TAGS = frozenset(["div", "table", "caption", "thead", "tbody", "tr", "th", "td", "p", "pre", "details", "summary"])

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.rows, self.text = [], [], ""
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        assert tag in self.TAGS
        assert "color" not in str(attributes)
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data

    @property
    def figures(self):
        return {row[0]: row[1] for row in self.rows if len(row) == 2}


def page(result):
    return Page(result._repr_html_())


T = np.linspace(0, 10, 41)
NOISE = 0.1 * np.random.default_rng(0).standard_normal(41)
X = np.column_stack([np.ones(50), np.linspace(-1, 2, 50)])
LATITUDE, LONGITUDE = [-60, 0, 60], [0, 90, 180, 270]
RESULTS = {
    "descent": lambda: ng.gradient_descent(X, X @ [3.0, 2.0], learning_rate=0.1),
    "iteration": lambda: ng.gradient_descent(X, X @ [3.0, 2.0], momentum=0.5).explain(2),
    "step size": lambda: ng.step_size(X),
    "no step size": lambda: ng.step_size(np.zeros((3, 2))),
    "rows": lambda: ng.CompressedRows().update(X, X[:, 0]),
    "no rows": ng.CompressedRows,
    "turning points": lambda: ng.turning_points(np.sin(T), T),
    "no turning points": lambda: ng.turning_points(T),
    "smooth": lambda: ng.smooth(np.sin(T) + NOISE, T),
    "smooth lines": lambda: ng.smooth([np.sin(T) + NOISE, np.cos(T) + NOISE[::-1]], T),
    "significant": lambda: ng.smooth(np.sin(T) + NOISE, T).turning_points(),
    "samples": lambda: ng.CompressedSamples(0, 10).update(np.sin(T), T),
    "derivative": lambda: ng.functions.derivative(np.sin, 0.5),
    "derivatives": lambda: ng.functions.derivative(np.sin, [[0.5, 1.0]], vectorized=True),
    "jacobian": lambda: ng.functions.jacobian(lambda x: x**2 + 1j, [1.0, 2.0]),
    "none": lambda: ng.functions.derivative(lambda x: np.zeros(0), 1.0),
    "stencil": lambda: ng.Stencil.central(2, accuracy=4),
    "long stencil": lambda: ng.Stencil.smoothing(1, 101, 3),
    "error": lambda: ng.derivative([0, 1, 4, 9, 16], sigma=0.1),
    "sphere": lambda: ng.sphere.gradient(np.ones((3, 4)), LATITUDE, LONGITUDE),
    "kernels": lambda: ng.explain(np.zeros((4, 5)), 0.1, [0, 1, 3, 4, 7]),
    "kernel": lambda: ng.explain(np.zeros(4))[0],
    "numpy": lambda: ng.explain(np.zeros(3, np.float16)),
    "point": lambda: ng.explain([1, 2, 4, 7, 11, 16], at=2),
    "long point": lambda: ng.explain(ng.derivative, np.sqrt(T), accuracy=10, at=0, sigma=0.1),
    "gap": lambda: ng.explain(ng.derivative, [np.nan, 1.0, 2.0, 4.0], nan="one-sided", at=0),
    "sum": lambda: ng.explain(ng.laplacian, np.eye(4), at=(1, 2)),
    "turn": lambda: ng.explain(ng.turning_points, np.sin(T), at=6),
    "no turn": lambda: ng.explain(ng.turning_points, np.sin(T), at=7),
    "metric": lambda: ng.explain(ng.sphere.gradient, np.eye(3, 4), LATITUDE, LONGITUDE, at=(1, 1)),
    "function": lambda: ng.explain(ng.functions.derivative, np.sin, 0.5),
    "quotients": lambda: ng.explain(ng.functions.derivative, np.sin, 0.5, at=0),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_have_tables(name):
    result = RESULTS[name]()
    found = page(result)
    assert len(found.rows) <= 60
    assert found.rows or name in ("no turning points", "error", "sphere", "numpy", "gap", "no turn")
    if name in ("turning points", "significant"):
        lines = [line.split() for line in repr(result).splitlines()]
        assert found.rows == lines
    if name in ("point", "sum", "turn", "metric", "quotients"):
        first = repr(result).splitlines()[0]
        assert first in found.text


def test_what_tables_say():
    run = RESULTS["descent"]()
    figures = page(run).figures
    assert figures["end"] == run.stop_reason == "completed 1000 iterations"
    assert figures["iterations"] == "1,000"
    assert float(figures["cost"].rpartition(" ")[2]) == pytest.approx(run.cost[-1], rel=1e-5)
    assert float(figures["feature 1"]) == pytest.approx(run.theta[1], rel=1e-5)
    assert float(page(ng.step_size(X)).figures["limit, 2/L"]) == pytest.approx(ng.step_size(X).limit, rel=1e-5)
    assert float(page(RESULTS["derivative"]()).figures["value"]) == pytest.approx(np.cos(0.5), abs=1e-12)
    (index, value, error, converged, step) = page(RESULTS["derivatives"]()).rows[-1]
    assert (index, converged) == ("0, 1", "yes")
    assert float(value) == pytest.approx(np.cos(1), abs=1e-12)
    assert 0 < float(error) < 1e-10 < float(step)
    assert ["1", "4/3"] in page(ng.Stencil.central(2, accuracy=4)).rows
    assert ["f[1]", "-1", "2", "-2"] in page(ng.explain([1, 2, 4, 7, 11, 16], at=2)).rows


def test_all_is_escaped():
    import pandas as pd

    bad = "<img src=x onerror=alert(1)>&amp;"
    X = pd.DataFrame({bad: np.arange(5.0), '"b"': np.ones(5)})
    for result in (ng.gradient_descent(X, X[bad], learning_rate=0.1), ng.step_size(X)):
        assert bad in page(result).text  # which would have met the tag, were it one
    assert Page(tables.together(tables.text(bad), tables.code([bad]), tables.folded(bad, ""))).text == bad * 3
    assert bad in page(ng.WithError(bad, {bad: 1})).text


def test_large_results_stay_small():
    rng = np.random.default_rng(0)
    many = ng.turning_points(rng.random((2, 3000)))
    assert f"... {len(many) - tables.ROWS:,} more" in page(many).text
    run = ng.gradient_descent(rng.random((60, 40)), rng.random((60, 3)), n_iter=2, learning_rate=1e-4)
    assert page(run).rows[-1][:2] == ["feature 39", "target 2"]
    wide = ng.Stencil.smoothing(1, 767, 3)
    found = ng.functions.derivative(np.sin, np.zeros((5, 60)), vectorized=True)
    fields = tables.all_of([ng.explain([1, 2, 4], at=k % 3) for k in range(100)])
    said = tables.figures("x" * 10**6, [("y" * 10**6, "z" * 10**6)]) + tables.text("w" * 10**6)
    pages = [*[r._repr_html_() for r in (many, run, wide, found, ng.WithError(np.zeros(10**6), 0.0))], fields, said]
    assert max(map(len, pages)) < 25_000
    assert all(Page(html).text for html in pages)


@pytest.mark.parametrize("most", [2, 5, 6, 20])
def test_first_and_last_rows(most):
    for count in (0, 1, most, most + 1, 100):
        shown = tables.ends(count, most)
        assert len(shown) <= most
        assert shown == sorted({*shown})
        assert shown == [*range(count)] or (shown[0], shown[-1]) == (0, count - 1)
        table = tables.Table(["a"], lambda i: [str(i)], count)
        lines, page = table.text(most), Page(table.html(most=most))
        assert [line.strip() for line in lines] == [row[0] for row in page.rows]
        assert (f"... {count - len(shown)} more" in lines) == (count > most)


def test_results_of_other_libraries_show_themselves():
    import pandas as pd

    found = ng.WithError(pd.DataFrame({"a": [1.0]}), pd.Series([2.0]))._repr_html_()
    assert pd.DataFrame({"a": [1.0]})._repr_html_() in found
    assert "dtype: float64</pre>" in found


def test_tables_import_nothing_heavy():
    code = (
        "import sys, numgrad as ng; before = {*sys.modules}; ng.turning_points([0, 1, 0])._repr_html_();"
        "print(*{name.partition('.')[0] for name in {*sys.modules} - before} - {'numgrad'})"
    )
    environment = os.environ | {"NUMGRAD_TIER": "0"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert not {"numba", "matplotlib", "pandas", "IPython", "scipy"} & {*done.stdout.split()}
