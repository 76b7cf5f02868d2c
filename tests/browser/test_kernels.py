"""The page's kernels do in a real browser what torch does, for every member of the family."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

import web.kernels
from browser.explorer_process import PATIENT
from members import CASES, MEMBERS, OF_IMAGES, SHAPES, data, labels
from narrows.fitted.levels import error_maps
from narrows.web.portable.model import portable
from web.kernels import job, returned

ROOT = Path(__file__).parents[2]
HERE = "http://127.0.0.1:9"
FEW = 5
PARITY = 1e-5
"""Of the data's range, or of the largest number in a code."""

IN_BROWSER = """async ([harness, { frame, calls }]) => {
  const { answered } = await import(harness);
  return answered(Uint8Array.from(atob(frame), (letter) => letter.charCodeAt(0)).buffer, calls);
}"""


@pytest.fixture(scope="module")
def computed(browser):
    """What the kernels in a page make of a job; the page is given this repository's files, without a server."""
    page = browser.new_page()

    def give(route):
        path = ROOT / route.request.url.removeprefix(f"{HERE}/")
        kind = "text/javascript" if path.suffix in (".js", ".mjs") else "text/html"
        route.fulfill(body=path.read_bytes() if path.is_file() else b"", content_type=kind)

    page.route(f"{HERE}/**", give)
    page.goto(f"{HERE}/empty", timeout=PATIENT)
    harness = f"{HERE}/{Path(web.kernels.HARNESS).relative_to(ROOT)}"
    yield lambda given: [returned(answer) for answer in page.evaluate(IN_BROWSER, [harness, given])]
    page.close()


@pytest.mark.parametrize("case", [case for case in CASES if case[0] != "own nets"], ids="/".join)
def test_every_member(case, computed):
    name, kind = case
    X = data(SHAPES[kind])
    y = labels(len(X))
    model = clone((MEMBERS | OF_IMAGES)[name]).fit(X, y)
    fitted, x = model.fitted_, X[:FEW]
    known = y[:FEW] if fitted.conditional else None
    classes = None if known is None else np.searchsorted(fitted.require_classes(), known)
    mu, sigma = model.encode_distribution(x, known)
    z = mu + 0.1  # no code that there is, of a quantised one
    restored = model.reconstruct(x, known)
    codes, decoded, back, maps = computed(
        job(
            portable(fitted),
            ("encode", x, FEW, classes),
            ("decode", z, FEW, classes),
            ("reconstruct", x, FEW, classes),
            ("errorMaps", x, restored),
        )
    )
    reach = max(1.0, np.abs(mu).max())
    np.testing.assert_allclose(codes["mu"] / reach, mu.ravel() / reach, rtol=0, atol=PARITY)
    np.testing.assert_allclose(codes["sigma"], sigma.ravel(), rtol=PARITY, atol=PARITY)
    spread = np.ptp(X)
    expected = model.inverse_transform(z.astype(np.float32), known)
    np.testing.assert_allclose(decoded / spread, np.ravel(expected) / spread, rtol=0, atol=PARITY)
    np.testing.assert_allclose(back / spread, np.ravel(restored) / spread, rtol=0, atol=PARITY)
    np.testing.assert_allclose(maps["data"], error_maps(fitted, x, restored).ravel(), rtol=1e-5, atol=1e-8)
