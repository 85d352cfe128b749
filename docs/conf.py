"""How Sphinx builds the documentation: ``python -m sphinx docs docs/_build``, without a network."""

import re
import warnings
from contextlib import ExitStack
from datetime import date

from docutils import nodes
from docutils.parsers.rst import Parser
from docutils.utils import new_document
from latex2mathml.converter import convert
from matplotlib import rcParams, style
from matplotlib.sphinxext import plot_directive
from myst_parser.mocking import MockStateMachine
from sphinx_gallery.sorting import FunctionSortKey

import numgrad

project, author = "numgrad", "the numgrad developers"
copyright = f"{date.today().year}, {author}"
version = release = numgrad.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "numpydoc",
    "matplotlib.sphinxext.plot_directive",
]
exclude_patterns = ["_build", "gallery/**.ipynb", "**.ipynb_checkpoints"]
templates_path = ["_templates"]

# Pages
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "auto"  # notebooks that are kept without their results
nb_execution_raise_on_error = True
nb_execution_timeout = 300
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# Pictures: ```{plot} with code is run, and its figures are shown.
plot_include_source = True
plot_html_show_source_link = False
plot_html_show_formats = False
plot_formats = [("png", 150)]
plot_pre_code = "pass"  # all that a reader needs is in the code that is shown
plot_rcparams = {**style.library["tableau-colorblind10"], "savefig.bbox": "tight"}
plot_apply_rcparams = True

# Reference: the docstrings say what is what; their types are words, not links.
autosummary_generate = True
autosummary_generate_overwrite = True
suppress_warnings = ["config.cache"]
autodoc_typehints = "none"
autodoc_default_options = {
    "member-order": "bysource",
    # What scikit-learn gives every estimator, about which its own pages say more.
    "exclude-members": "get_metadata_routing, set_fit_request, set_partial_fit_request, set_score_request",
}
default_role = "literal"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
nitpick_ignore_regex = [(r"py:.*", r"(numpy|numba|scipy|xarray|pandas|polars|dask|matplotlib|sklearn)\..*")]


during_example = ExitStack()


def strict(gallery, file, when):
    """Let a warning of an example be an error, and of nothing else; and let its figures be sharp."""
    if when == "before":
        during_example.enter_context(warnings.catch_warnings())
        warnings.simplefilter("error")
        rcParams["savefig.dpi"] = 150
    else:
        during_example.close()


# Examples: each is run once, here; tests/test_examples.py reads what it has printed.
ORDER = [
    *("array_gradient", "accuracy", "vector_fields", "terrain", "planet", "turning_points", "noisy"),
    *("exact_derivatives", "exact_or_numeric", "linear_regression", "learning_rates", "fit_model", "real_data"),
    *("streaming", "cluster_regression", "out_of_core"),
]
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "within_subsection_order": FunctionSortKey(lambda file: ORDER.index(file.removesuffix(".py"))),
    "filename_pattern": r"\.py$",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "capture_repr": (),
    "reset_argv": lambda *_: [],
    "reset_modules": ("matplotlib", strict),
    "reset_modules_order": "both",
    "remove_config_comments": True,
    "min_reported_time": 1e9,
}

# Look
html_theme = "pydata_sphinx_theme"
html_math_renderer = "mathml"  # which browsers draw themselves, from no other place
html_title = f"numgrad {release}"
html_static_path = ["_static"]
html_css_files = ["numgrad.css"]
html_show_sourcelink = False
html_sidebars = {"gallery/*": [], "reference/errors": []}  # their lines are long
html_theme_options = {
    "github_url": "https://github.com/numgrad/numgrad",
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "navigation_with_keys": False,
    "header_links_before_dropdown": 7,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


class Plot(plot_directive.PlotDirective):
    """matplotlib's directive, which hands reStructuredText back to its parser; in Markdown there is none to take it."""

    def run(self):
        lines = []
        if isinstance(self.state_machine, MockStateMachine):
            self.state_machine.insert_input = lambda more, source: lines.extend(more)
        errors = super().run()
        document = new_document(self.state.document["source"], self.state.document.settings)
        document.reporter = self.state.document.reporter
        Parser().parse("\n".join(lines), document)
        return errors + document.children


def write_math(translator, node):
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def write_equation(translator, node):
    translator.body.append(f'<div class="equation">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def hide_signature(app, what, name, thing, options, signature, annotation):
    """Results are not made by hand: their constructors take what is nobody's concern."""
    return ("", annotation) if what == "class" and signature and re.search(r"[(, ]_", signature) else None


def trim(app, doctree):
    """Leave out the empty line that ends the output of an example in a docstring or in a page."""
    for block in doctree.findall(nodes.literal_block):
        block.rawsource = block.astext().rstrip("\n")  # which has to be what the block has, to be highlighted
        block.children = [nodes.Text(block.rawsource)]


def setup(app):
    app.connect("doctree-read", trim)
    app.connect("autodoc-process-signature", hide_signature)
    app.add_html_math_renderer("mathml", (write_math, None), (write_equation, None))
    app.add_directive("plot", Plot, override=True)
