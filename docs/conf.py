"""Sphinx's settings."""

from typing import Any

from docutils.nodes import SkipNode
from latex2mathml.converter import convert

project = "narrows"
author = "the narrows authors"
extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "narrows"
html_show_copyright = False
autosummary_generate = True
numpydoc_show_class_members = False
default_role = "code"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
html_math_renderer = "mathml"


def inline(writer: Any, node: Any) -> None:
    """Write a formula of a line as MathML."""
    writer.body.append(convert(node.astext()))
    raise SkipNode


def displayed(writer: Any, node: Any) -> None:
    """Write a formula on a line of its own as MathML."""
    writer.body.append(f'<div class="math">{convert(node.astext(), display="block")}</div>')
    raise SkipNode


def setup(app: Any) -> None:
    """Let browsers draw formulas by themselves: MathJax would be fetched from elsewhere, and the site works offline."""
    app.add_html_math_renderer("mathml", (inline, None), (displayed, None))
