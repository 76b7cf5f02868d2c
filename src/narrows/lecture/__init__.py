"""The first half of the lecture “Úvod do generativních modelů” as pages: a few lines, numbers computed now, a figure.

`rows` lists them and finds one by number or topic; `pages` makes them, from `narrows.foundations`; `drawings` draws.
"""
