"""Numbers with a sign of money or per cent, such as $1,234.50, 12,5 % and 1.234,56 €, as spreadsheets write them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

__all__ = ["SignedNumbers", "is_signed"]

SIGNS = ("US$", *"$€£¥₹%‰", "USD", "EUR", "GBP", "CHF", "JPY", "CNY", "CZK", "PLN", "SEK", "Kč", "zł", "kr", "Ft")

SPACES = " \xa0\u202f"

SIGN = "|".join(map(re.escape, SIGNS))
SIGNED = re.compile(
    rf"(?P<minus>-?)(?P<before>(?:(?:{SIGN})[{SPACES}]?)?)(?P<inner>-?)(?P<digits>\d[\d.,'{SPACES}]*?)"
    rf"(?P<after>(?:[{SPACES}]?(?:{SIGN}))?)"
)

DIGITS = {
    point: re.compile(rf"(?:\d+|\d{{1,3}}(?:(?P<mark>[{marks}'{SPACES}])\d{{3}})(?:(?P=mark)\d{{3}})*)(?:\{point}\d+)?")
    for point, marks in ((".", ","), (",", "."))
}
"""What can stand between the signs, by what stands before the decimals; a mark between thousands is always the same."""


def is_signed(cell: str) -> bool:
    """Say whether a cell writes a number, perhaps with a sign."""
    return SIGNED.fullmatch(cell) is not None


@dataclass(frozen=True, slots=True)
class SignedNumbers:
    """How the cells of a column write numbers with one sign.

    Attributes
    ----------
    before, after
        What most have before and after the digits, with white space.
    point
        What stands before the decimals; both ``".,"`` where cells such as $1,234 leave open which.
    thousands
        What stands between thousands; "" for nothing.
    """

    before: str
    after: str
    point: str
    thousands: str

    @classmethod
    def of(cls, cells: Collection[str]) -> Self | None:
        """Return how all ``cells``, none of which is missing, write numbers with one sign; None where they do not."""
        found = [match for match in map(SIGNED.fullmatch, cells) if match]
        around = Counter((match["before"], match["after"]) for match in found)
        if len(found) < len(cells) or len({sign for pair in around for one in pair if (sign := one.strip())}) != 1:
            return None
        digits = [match["digits"] for match in found]
        points = [point for point, form in DIGITS.items() if all(map(form.fullmatch, digits))]
        if not points:
            return None
        if not any(mark in text for text in digits for mark in ".,"):
            points = points[:1]
        form = DIGITS[points[0]]
        marks = Counter(match["mark"] for text in digits if (match := form.fullmatch(text)) and match["mark"])
        (before, after), _ = around.most_common(1)[0]
        return cls(before, after, "".join(points), marks.most_common(1)[0][0] if marks else "")

    def plain(self, cell: str) -> str:
        """Return the number that a cell writes as Python does."""
        match = SIGNED.fullmatch(cell)
        assert match is not None
        digits = re.sub(rf"[^\d{re.escape(self.point)}]", "", match["digits"]).replace(self.point, ".")
        return f"{match['minus'] or match['inner']}{digits}"

    def written(self, number: float, decimals: int) -> str:
        """Return a number as the cells write theirs."""
        text = f"{abs(number):,.{decimals}f}".replace(",", "\0").replace(".", self.point).replace("\0", self.thousands)
        minus = "-" if number < 0 and re.search("[1-9]", text) else ""
        return f"{minus}{self.before}{text}{self.after}"
