"""One HTML page that says how good a model is: the diagnosis first, then figures, numbers, and how to repeat it.

It is self-contained: its figures are in it, there is no script, and it opens without a network.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from narrows.drawing.html import document
from narrows.evaluation.summary import Evaluation, Number
from narrows.runs.files import by_itself
from narrows.runs.section import Section, four_digits, interval_of

if TYPE_CHECKING:  # it takes a third of a second, and who draws has it
    from matplotlib.figure import Figure

__all__ = ["report"]


def report(
    title: str,
    evaluation: Evaluation,
    sections: Sequence[Section],
    *,
    about: Sequence[tuple[str, str]],
    command: str,
    python: str,
) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    title
        Of the page.
    evaluation
        What is said, and the numbers.
    sections
        In their order; one whose figure cannot be drawn is left out with a warning.
    about
        Facts by name: what was trained on what.
    command, python
        What to type, and lines of Python, to repeat it.
    """
    facts = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>\n" for name, text in about)
    repeat = f"<pre>{escape(command)}</pre>\n<pre>{escape(python)}</pre>"
    body = f"""<header>
<h1>{escape(title)}</h1>
<p class="lead">{escape(_lead(evaluation))}</p>
</header>
<main>
<section id="diagnosis"><h2>Diagnosis</h2>
{_diagnosis(evaluation)}</section>
<section id="about"><h2>What was trained on what</h2>
<dl>
{facts}</dl></section>
{"".join(map(_shown, sections))}<section id="numbers"><h2>All numbers</h2>
<p>Each with its 95 % confidence interval, where it is estimated.</p>
{_table(evaluation.numbers())}</section>
<section id="repeat"><h2>To repeat it</h2>
{repeat}
</section>
</main>
"""
    return document(title, body)


def _lead(evaluation: Evaluation) -> str:
    lead = f"Evaluated on {len(evaluation.places):,} examples that it has not seen in training"
    if evaluation.repeated:
        lead += f", {evaluation.repeated:,} of which are equal to some that it has"
    return lead + "."


def _diagnosis(evaluation: Evaluation) -> str:
    if not evaluation.findings:
        return (
            '<div class="card good"><h3>No fault was found.</h3><p>It beats principal components, or is at least no '
            "worse, all units work, and training and test data are alike. That is no proof that there is none: look "
            "at the figures.</p></div>\n"
        )
    return "".join(
        f'<div class="card bad"><h3>{escape(found.kind)}</h3><p>{escape(found.words)}</p>'
        f"<p><b>{escape(found.figure)}</b></p><p>Try: {escape(found.advice)}</p></div>\n"
        for found in evaluation.findings
    )


def _shown(section: Section) -> str:
    shown = ""
    with by_itself(f"the report's section {section.title!r} was left out"):
        drawn = section.draw()
        shown = drawn if isinstance(drawn, str) else _image(drawn, section.title)
    if not shown:
        return ""
    words = f"<h2>{escape(section.title)}</h2>\n<p>{escape(section.text)}</p>"
    return f"<section>{words}\n{shown}</section>\n"


def _image(figure: Figure, title: str) -> str:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=130)
    width = 7.8 * figure.get_figwidth()  # letters of all figures are as large
    data = base64.b64encode(file.getvalue()).decode()
    image = f'<img src="data:image/png;base64,{data}" alt="{escape(title)}" style="max-width: {width:.1f}rem">'
    return f'<figure class="wide">{image}</figure>'


def _table(numbers: Sequence[Number]) -> str:
    rows = "".join(
        f"<tr><td>{escape(number.name)}</td><td class=n>{four_digits(number.estimate.value)}</td>"
        f"<td class=n>{interval_of(number.estimate)}</td><td class=unit>{escape(_unit(number))}</td></tr>\n"
        for number in numbers
    )
    head = "<tr><th>number</th><th class=n>value</th><th class=n>95 % interval</th><th>unit</th></tr>"
    return f'<div class="wide"><table><thead>{head}</thead>\n{rows}</table></div>\n'


def _unit(number: Number) -> str:
    return number.unit + (f"; {number.better} is better" if number.better else "")
