"""Intervals against SciPy's, closed forms, and their own promise: they hold the truth about as often as they say."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from narrows.evaluation import intervals
from narrows.evaluation.intervals import Estimate, bootstrap, bootstrap_means, half_samples, share


def holds(estimate, truth):
    return estimate.low <= truth <= estimate.high


def ratio(a, b):
    return a.mean() / b.mean()


# Bootstrap


@pytest.mark.parametrize("statistic", [np.mean, np.median, lambda a: np.quantile(a, 0.9)])
def test_interval_is_that_of_scipy(statistic):
    values = np.random.default_rng(0).exponential(size=200)
    theirs = stats.bootstrap((values,), statistic, method="percentile", rng=1, n_resamples=20_000, vectorized=False)
    low, high = theirs.confidence_interval
    ours = bootstrap(statistic, values)
    assert ours.value == statistic(values)
    assert [ours.low, ours.high] == pytest.approx([low, high], abs=0.08 * (high - low))


def test_interval_of_pairs_is_that_of_scipy():
    rng = np.random.default_rng(0)
    b = rng.exponential(size=300)
    a = b * rng.uniform(0.8, 1.0, 300)
    theirs = stats.bootstrap(
        (a, b), ratio, paired=True, method="percentile", rng=1, n_resamples=20_000, vectorized=False
    ).confidence_interval
    ours = bootstrap(ratio, a, b)
    width = theirs.high - theirs.low
    assert [ours.low, ours.high] == pytest.approx([theirs.low, theirs.high], abs=0.08 * width)
    apart = math.hypot(a.std() / a.mean(), b.std() / b.mean()) / math.sqrt(300) * 2 * 1.96 * ratio(a, b)
    assert ours.high - ours.low < apart / 5  # as wide as of unpaired numbers it would be this


@pytest.mark.parametrize(
    ("draw", "truth"),
    [
        (lambda rng: rng.normal(3, 2, 60), 3),
        (lambda rng: rng.exponential(1, 100), 1),
        (lambda rng: np.square(rng.normal(0, 1, (100, 8))).mean(1), 1),
    ],
    ids=["normal", "exponential", "squared errors"],
)
def test_intervals_of_means_hold_the_truth_in_95_of_100_cases(monkeypatch, draw, truth):
    monkeypatch.setattr(intervals, "RESAMPLES", 400)
    rng = np.random.default_rng(0)
    held = np.mean([holds(bootstrap(np.mean, draw(rng), random_state=i), truth) for i in range(400)])
    assert 0.915 <= held <= 0.975  # two and a half standard deviations, and half a percent for few examples


def test_intervals_of_paired_ratios_hold_the_truth(monkeypatch):
    monkeypatch.setattr(intervals, "RESAMPLES", 400)
    rng = np.random.default_rng(0)

    def once(i):
        difficulty = rng.exponential(1, 100)
        a, b = difficulty * rng.uniform(0.6, 1.0, 100), difficulty * rng.uniform(0.8, 1.2, 100)
        return holds(bootstrap(ratio, a, b, random_state=i), 0.8)

    assert 0.915 <= np.mean([once(i) for i in range(400)]) <= 0.98


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.integers(2, 30), st.floats(0.1, 100), st.floats(-1e3, 1e3))
def test_interval_moves_and_grows_with_the_values(seed, n, scale, shift):
    values = np.random.default_rng(seed).normal(size=n)
    first, moved = bootstrap(np.mean, values), bootstrap(np.mean, scale * values + shift)
    assert first.low <= first.value <= first.high
    for name in Estimate.__slots__:
        assert getattr(moved, name) == pytest.approx(scale * getattr(first, name) + shift, rel=1e-9, abs=1e-9)


def test_means_of_columns_are_those_of_the_bootstrap():
    x = np.random.default_rng(0).exponential(size=(200, 2))
    first, second = bootstrap_means(x)
    for found, column in ((first, x[:, 0]), (second, x[:, 1])):
        one = bootstrap(np.mean, column)
        assert found.value == pytest.approx(one.value)
        assert (found.low, found.high) == pytest.approx((one.low, one.high))
    ratio = bootstrap_means(x, of=lambda means: means[..., :1] / means[..., 1:])[0]
    one = bootstrap(lambda a, b: a.mean() / b.mean(), *x.T)
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((one.value, one.low, one.high))
    x[50:, 1] = np.nan
    assert bootstrap_means(x)[1].value == pytest.approx(x[:50, 1].mean())
    with pytest.raises(ValueError, match="a finite number in each column"):
        bootstrap_means(np.full((3, 1), np.nan))


def test_means_of_what_is_known_are_of_that_alone():
    x = np.random.default_rng(0).exponential(size=(60, 2))
    x[::3, 1] = np.nan
    one = bootstrap(np.nanmean, x[:, 1])
    found = bootstrap_means(x)[1]
    assert (found.value, found.low, found.high) == pytest.approx((one.value, one.low, one.high))
    assert bootstrap_means([[3.0], [math.nan], [math.nan]]) == [Estimate(3, 3, 3)]  # of draws with none of them, none
    assert bootstrap_means([[1.0], [1.0]]) == [Estimate(1, 1, 1)]


@pytest.mark.parametrize(
    "numbers", [[1.0, 2.0], [[1.0, 2.0]], [[1.0, math.inf], [1.0, 2.0]], [[math.nan, 1.0], [math.nan, 2.0]]]
)
def test_numbers_without_a_mean_are_refused(numbers):
    with pytest.raises(ValueError, match=r"must be \(n, k\), n ≥ 2, with a finite number in each column"):
        bootstrap_means(numbers)


def test_what_follows_from_means_must_be_finite_in_every_draw():
    made = []

    def of(means):
        made.append(np.stack([means[..., 0], np.where(means[..., 0] > 0.5, math.inf, 0)], -1))
        return made[-1]

    with pytest.raises(ValueError, match=r"statistic is \[0\.4 0\. *\]") as caught:
        bootstrap_means([[0.0], [0.0], [0.0], [1.0], [1.0]], of=of)
    assert f"not finite in {np.isinf(made[1][:, 1]).sum():,} of 2,000 draws" in str(caught.value)


def test_a_statistic_that_the_examples_themselves_do_not_have_is_refused():
    first = iter([math.nan])
    with pytest.raises(ValueError, match="statistic is nan for the examples and not finite in 0 of 2,000"):
        bootstrap(lambda _: next(first, 1.0), [1.0, 2.0])


def test_the_same_seed_the_same_interval_and_numpys_state_untouched():
    values = np.random.default_rng(0).normal(size=50)
    np.random.seed(0)  # noqa: NPY002 - the state that must not change
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - as above
    assert bootstrap(np.mean, values, random_state=7) == bootstrap(np.mean, values, random_state=7)
    assert bootstrap(np.mean, values, random_state=7) != bootstrap(np.mean, values, random_state=8)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002 - as above


def test_strata_keep_their_numbers():
    group = np.repeat([0, 1, 2], [3, 10, 1])
    counts = bootstrap(lambda g: np.bincount(g, minlength=3) @ [1, 100, 10_000], group, strata=group)
    assert (counts.low, counts.value, counts.high) == (11_003, 11_003, 11_003)
    free = bootstrap(lambda g: np.bincount(g, minlength=3) @ [1, 100, 10_000], group)
    assert free.low < free.high


@pytest.mark.parametrize(
    ("arrays", "strata", "message"),
    [
        ([np.zeros(1)], None, r"\[\(1,\)\]"),
        ([np.zeros(3), np.zeros(4)], None, r"\(3,\), \(4,\)"),
        ([np.zeros(3)], np.zeros(2), r"\(3,\), \(2,\)"),
        ([np.float64(3.0)], None, "same examples"),
        ([], None, "same examples"),
        ([[1.0, math.nan]], None, "statistic is nan"),
    ],
)
def test_what_has_no_interval_is_refused(arrays, strata, message):
    with pytest.raises(ValueError, match=message):
        bootstrap(np.mean, *arrays, strata=strata)


def test_a_statistic_that_some_draws_do_not_have_is_refused():
    with (
        np.errstate(divide="ignore", invalid="ignore"),
        pytest.raises(ValueError, match=r"not finite in [\d,]+ of 2,000"),
    ):
        bootstrap(ratio, [1.0, 1.0, 1.0], [0.0, 0.0, 1.0])


# Shares


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 400), st.data())
def test_share_is_scipys_wilson_interval(n, data):
    hits = data.draw(st.integers(0, n))
    found = share(np.arange(n) < hits)
    theirs = stats.binomtest(hits, n).proportion_ci(0.95, "wilson")
    assert found.value == hits / n
    assert [found.low, found.high] == pytest.approx([theirs.low, theirs.high], abs=1e-12)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_share_of_what_are_no_truth_values_is_refused():
    with pytest.raises(TypeError, match="float64"):
        share([0.0, 1.0])
    for shape, told in (((0,), r"\(0,\)"), ((2, 2), r"\(2, 2\)")):
        with pytest.raises(ValueError, match=told):
            share(np.zeros(shape, bool))


# Halves


def test_halves_vary_as_much_as_whole_sets():
    values = np.random.default_rng(0).normal(size=200)
    (mean,) = half_samples(lambda rows: [values[rows].mean()], 200, halves=2000)
    assert mean.value == pytest.approx(values.mean())
    error = values.std(ddof=1) / math.sqrt(200)
    assert (mean.high - mean.low) / 2 == pytest.approx(1.96 * error, rel=0.06)


def test_halves_take_half_of_every_set_and_no_example_twice():
    seen = []

    def sizes(a, b):
        seen.append((len(a), len(set(a)), len(b), len(set(b)), a.max(), b.max()))
        return [0.0]

    half_samples(sizes, 10, 7, halves=30)
    assert set(seen[:30]) <= {(5, 5, 3, 3, i, j) for i in range(10) for j in range(7)}
    assert seen[30] == (10, 10, 7, 7, 9, 6)


def test_extrapolation_takes_away_a_bias_of_order_1_over_n():
    rng = np.random.default_rng(0)
    values = rng.normal(size=40)

    def biased(rows):
        return [values[rows].var(), 5 + 3 / len(rows), 2.0]

    variance, line, constant = half_samples(biased, 40, halves=4000, extrapolate=True)
    assert variance.value == pytest.approx(values.var(ddof=1), rel=0.01)
    assert line.value == pytest.approx(5)
    assert (constant.low, constant.value, constant.high) == (2, 2, 2)


def test_halves_hold_the_truth_in_95_of_100_cases():
    rng = np.random.default_rng(0)

    def once(i):
        a, b = rng.normal(1, 1, 60), rng.exponential(1, 90)
        (found,) = half_samples(lambda p, q: [a[p].mean() - b[q].mean()], 60, 90, halves=30, random_state=i)
        return holds(found, 0)

    assert 0.92 <= np.mean([once(i) for i in range(400)]) <= 0.985


def test_bounds_are_kept_each_its_own():
    found = half_samples(lambda rows: [rows.mean(), rows.mean()], 10, bounds=([0, 4.4], [4.6, math.inf]))
    assert found[0].high == 4.6
    assert found[0].low < 4.4
    assert found[1].low == 4.4
    assert found[1].high > 4.6


@pytest.mark.parametrize(("sizes", "halves", "match"), [((3,), 10, "sizes=3"), ((9,), 1, "halves=1")])
def test_too_few_to_halve(sizes, halves, match):
    with pytest.raises(ValueError, match=match):
        half_samples(lambda _: [0.0], *sizes, halves=halves)


def test_of_the_least_that_can_be_halved_the_interval_is_students():
    drawn = []
    found = half_samples(lambda rows: (drawn.append(rows.mean()), [rows.mean()])[1], 4, halves=2)[0]
    width = stats.t(1).ppf(0.975) * np.std(drawn[:2], ddof=1)
    assert (found.low, found.value, found.high) == pytest.approx((1.5 - width, 1.5, 1.5 + width))
    assert width > 0


@pytest.mark.parametrize(
    ("lacking", "told"),
    [(lambda rows: rows[0] == 0, r"is \[nan\] .* in \d+"), (lambda rows: len(rows) == 10, r"is \[nan\] .* in 0"),
     (lambda rows: rows[-1] == 8, r"is \[1\.\] .* in [1-9]\d*")],
    ids=["all and some halves", "all", "some halves"],
)  # fmt: skip
def test_halves_without_a_number_are_refused(lacking, told):
    with pytest.raises(ValueError, match=told + " of 50 halves"):
        half_samples(lambda rows: [math.nan if lacking(rows) else 1.0], 10)
