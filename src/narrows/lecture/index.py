"""All pages on one HTML page, which needs nothing but the figures next to it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from narrows.drawing.html import document
from narrows.lecture.page import Fact, Page

__all__ = ["index_page"]


def index_page(pages: Sequence[Page]) -> str:
    """Return the page as HTML, in which each figure is a PNG named after its row's `stem`, in the same folder."""
    entries = "\n".join(
        f'<li><a href="#{page.row.label}"><b>{page.row.label}</b>{escape(page.row.title)}</a></li>' for page in pages
    )
    body = f"""<header>
<h1>From the threshold unit to convolution</h1>
<p class="lead">The first half of the lecture “Úvod do generativních modelů” by Jan Konečný, in our own words. Every
number and every figure was computed by <code>narrows lecture --all</code> when this page was made.</p>
</header>
<nav aria-label="Rows of the lecture"><ol>
{entries}
</ol></nav>
<main>
{"".join(map(_section, pages))}</main>
"""
    return document("From the threshold unit to convolution", body)


def _section(page: Page) -> str:
    row, image = page.row, f"{page.row.stem}.png"
    return f"""<section id="{row.label}">
<h2><a href="#{row.label}">{row.label}</a>{escape(row.title)}</h2>
<p>{escape(page.text)}</p>
<figure><a href="{image}"><img src="{image}" alt="{escape(page.alt)}" loading="lazy"></a></figure>
<dl>
{"".join(map(_fact, page.facts))}</dl>
</section>
"""


def _fact(fact: Fact) -> str:
    return f"<div><dt>{escape(fact.name)}</dt><dd>{escape(fact.shown())}</dd></div>\n"
