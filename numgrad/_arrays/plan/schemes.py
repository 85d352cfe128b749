"""Every kernel of arrays as a row of data, and the table that says when it is used."""

from functools import partial
from typing import Any

from numgrad._arrays.kernels.coordinates import own_taps
from numgrad._arrays.kernels.edges import with_edges
from numgrad._arrays.kernels.factors import with_factors
from numgrad._arrays.kernels.gapped import gapped
from numgrad._arrays.kernels.nonuniform import nonuniform
from numgrad._arrays.kernels.ragged import ragged
from numgrad._arrays.kernels.short import short
from numgrad._arrays.kernels.smoothing import even_window, tabled
from numgrad._arrays.kernels.stencil import constant_taps, varying_taps
from numgrad._arrays.kernels.streamed import copied
from numgrad._arrays.kernels.uniform import uniform
from numgrad._arrays.plan import coefficients as of
from numgrad._arrays.plan.types import Case, Lines, Scheme

# The work for a result that has coordinates of its own, with three divisions.
DIVISIONS = 4


def _taps(inner: int, taps: int) -> int:
    return 1 + taps // 4


UNIFORM = Scheme(uniform, "uniform", of.of_number)
NONUNIFORM = Scheme(nonuniform, "nonuniform", of.of_coordinates, lambda inner, taps: DIVISIONS if inner == 1 else 1)
EVEN_STENCIL = Scheme(constant_taps, "stencil", of.of_even_stencil, _taps)
STENCIL = Scheme(varying_taps, "stencil with coordinates", of.of_stencil, _taps, of.kept_table_of)
OWN_STENCILS = Scheme(
    own_taps, "stencil with coordinates of each line", of.of_own_stencils, lambda inner, taps: max(DIVISIONS, taps)
)
EVEN_WINDOW = Scheme(even_window, "smoothing stencil", of.of_even_window, _taps)
WINDOW = Scheme(tabled, "smoothing stencil with coordinates", of.of_stencil, _taps, of.kept_table_of)
OWN_WINDOWS = Scheme(
    own_taps,
    "smoothing stencil with coordinates of each line",
    of.of_own_stencils,
    lambda inner, taps: DIVISIONS * taps,
)
WINDOWS = EVEN_WINDOW, WINDOW, OWN_WINDOWS
# Schemes that go around another one. The cost is that of the innermost.
EDGES = Scheme(with_edges, "edges", of.of_edges)
SHORT_LINES = Scheme(short, "short lines", of.of_short_lines)
GAPS = Scheme(gapped, "gaps", of.of_gaps)
RAGGED = Scheme(ragged, "lines of any lengths", of.of_lines)
ROW_FACTORS = Scheme(with_factors, "factors of rows", of.of_factors)
POINT_FACTORS = Scheme(with_factors, "factors of points", of.of_factors)
COPY = Scheme(copied, "copy", lambda case, inside, spacing: ())

# The scheme of the points inside, by the kind of derivative and the kind of spacing.
INSIDE = {
    ("gradient", "number"): UNIFORM,
    ("gradient", "coordinates"): NONUNIFORM,
    ("stencil", "number"): EVEN_STENCIL,
    ("stencil", "coordinates"): STENCIL,
    ("stencil", "coordinates of each line"): OWN_STENCILS,
    ("window", "number"): EVEN_WINDOW,
    ("window", "coordinates"): WINDOW,
    ("window", "coordinates of each line"): OWN_WINDOWS,
}


def schemes(
    what: str,
    spacing: str,
    *,
    edge_order: int = 1,
    is_short: bool = False,
    gaps: bool = False,
    are_ragged: bool = False,
) -> tuple[Scheme, ...]:
    """Return the schemes of a case, from the innermost on."""
    around = ((EDGES, edge_order == 2), (SHORT_LINES, is_short), (GAPS, gaps), (RAGGED, are_ragged))
    return INSIDE[what, spacing], *[scheme for scheme, is_wanted in around if is_wanted]


def maker(case: Case) -> Any:
    """Return the function that makes the coefficients of a case from its spacing."""
    innermost, *around = case.recipe.schemes
    if innermost.prepare is not None:
        case = case._replace(ready=innermost.prepare(case))
    if not around:
        return partial(innermost.coefficients, case, ())
    return partial(_coefficients, case)


def _coefficients(case: Case, spacing: Any) -> tuple[Any, ...]:
    made: tuple[Any, ...] = ()
    x = spacing.x if isinstance(spacing, Lines) else spacing
    for scheme in case.recipe.schemes:
        made = scheme.coefficients(case, made, spacing if scheme is RAGGED else x)
    return made
