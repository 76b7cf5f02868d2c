"""One HTML page that needs nothing else: the frame and the style of all that narrows writes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

__all__ = ["document", "table"]

NUMBER = re.compile(r"-?[\d,]+(\.\d+)?(e[+-]\d+)?%?( \(.*\))?$")

A_LINE = 36
"""Letters of a cell that stand in one line."""

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #fff; --card: #f6f8fa; --line: #d8dee4;
  --accent: #0072b2; --good: #009e73; --bad: #d55e00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #9aa4af; --paper: #14171b; --card: #1d2127;
  --line: #333a42; --accent: #6cb8e8; --good: #3ddbab; --bad: #ff8a3d; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body { margin: 0 auto; padding: 2rem 1.1rem 4rem; max-width: 50rem; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.6 system-ui, sans-serif; }
h1 { font-size: clamp(1.7rem, 5vw, 2.4rem); line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.4rem; line-height: 1.3; margin: 0 0 .4rem; }
h2 a { color: var(--soft); font-weight: 500; text-decoration: none; margin-right: .5rem; }
.lead, footer { color: var(--soft); }
nav ol { list-style: none; padding: 0; margin: 1.5rem 0 0; display: grid; gap: .1rem 1.5rem;
  grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); }
nav a { display: block; padding: .3rem 0; color: var(--accent); text-decoration: none; }
nav a:hover, nav a:focus-visible { text-decoration: underline; }
nav b { display: inline-block; min-width: 2.6rem; color: var(--soft); font-weight: 500; }
section { border-top: 1px solid var(--line); margin-top: 3rem; padding-top: 2rem; }
figure { margin: 1.4rem 0; }
figure a { display: block; }
img { display: block; width: 100%; height: auto; background: #fff; border: 1px solid var(--line);
  border-radius: .5rem; }
dl { margin: 0; padding: .3rem 1rem; background: var(--card); border-radius: .5rem; font-size: .95rem; }
dl div { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); gap: .1rem 1.2rem; padding: .4rem 0; }
dl div + div { border-top: 1px solid var(--line); }
dt { color: var(--soft); }
dd { margin: 0; font-variant-numeric: tabular-nums; white-space: pre-line; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--soft); font-weight: 500; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
h3 { font-size: 1.05rem; margin: 1.4rem 0 .3rem; }
.card { padding: .8rem 1rem; background: var(--card); border-radius: .5rem; border-left: .3rem solid var(--line); }
.card + .card { margin-top: .8rem; } .card h3 { margin: 0; } .card p { margin: .2rem 0; }
.card.bad { border-color: var(--bad); } .card.good { border-color: var(--good); }
.wide { overflow-x: auto; } .wide td { white-space: nowrap; } .wide td.long { white-space: normal; min-width: 22rem; }
.wide td.unit { white-space: normal; min-width: 9rem; }
td.odd { color: var(--bad); font-weight: 600; } tr.part td { color: var(--soft); }
pre { padding: .8rem 1rem; background: var(--card); border-radius: .5rem; overflow-x: auto; font-size: .9rem; }
@media (max-width: 34rem) { dl div { display: flex; flex-wrap: wrap; justify-content: space-between; }
  figure a { overflow-x: auto; } img { min-width: 34rem; } }
@media print { :root { --ink: #000; --soft: #444; --paper: #fff; --card: #fff; --line: #bbb; --accent: #000; }
  body { max-width: none; padding: 0; font-size: 10.5pt; } nav { break-after: page; }
  section { margin-top: 1.5rem; padding-top: 1rem; } h2, section > p { break-after: avoid; }
  figure, dl div { break-inside: avoid; } }
"""


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], marked: Sequence[Sequence[bool]] = ()) -> str:
    """Return a table as HTML.

    Parameters
    ----------
    headings, rows
        Texts. A cell that reads as a number stands to the right; one of more than `A_LINE` letters is broken.
    marked
        Which cells are to be seen at once, as many as there are; or none.
    """
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = ""
    for line, row in enumerate(rows):
        cells = []
        for place, cell in enumerate(row):
            kind = "odd " * bool(marked and marked[line][place]) + "n" * bool(NUMBER.match(cell))
            kind += "long" * (len(cell) > A_LINE)
            cells.append(f'<td class="{kind}">{escape(cell)}</td>')
        body += f"<tr>{''.join(cells)}</tr>\n"
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>\n'


def document(title: str, body: str) -> str:
    """Return a page as HTML: ``body``, itself HTML, under a ``title`` that is text."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
{body}</body>
</html>
"""
