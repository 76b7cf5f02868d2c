"""Sphinx's settings."""

project = "narrows"
author = "the narrows authors"
extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.intersphinx"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "narrows"
autosummary_generate = True
myst_heading_anchors = 3
numpydoc_show_class_members = False
default_role = "code"
