import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from narrows.foundations import boolean
from narrows.foundations.boolean import Certificate, Separation, count_separable, inputs, separate
from narrows.foundations.networks import Network, network
from narrows.foundations.perceptron import ThresholdUnit
from narrows.foundations.rules import rosenblatt

AND, OR, XOR, XNOR = [0, 0, 0, 1], [0, 1, 1, 1], [0, 1, 1, 0], [1, 0, 0, 1]
SQUARE = inputs(2)


def proves(answer, points, labels):
    """Check an answer against the task in rational arithmetic, from its definition; say whether it separates."""
    points = [[Fraction(v) for v in row] for row in np.asarray(points, dtype=object).tolist()]
    labels = [int(t) for t in labels]
    if isinstance(answer, Separation):
        for x, t in zip(points, labels, strict=True):
            assert (sum(w * v for w, v in zip(answer.weights, x, strict=True)) >= answer.theta) == t
        return True
    # Σλ(wᵀx − θ) over class 1 is ≥ 0 and Σλ(θ − wᵀx) over class 0 is > 0; together they must have no w and no θ left.
    assert len(answer.indices) == len(answer.multipliers) == len(set(answer.indices))
    assert all(m > 0 and isinstance(m, int) for m in answer.multipliers)
    assert any(labels[i] == 0 for i in answer.indices)
    signed = [(1 if labels[i] else -1) * m for i, m in zip(answer.indices, answer.multipliers, strict=True)]
    assert sum(signed) == 0
    for j in range(len(points[0])):
        assert sum(m * points[i][j] for i, m in zip(answer.indices, signed, strict=True)) == 0
    assert answer.points == tuple(tuple(points[i]) for i in answer.indices)
    assert answer.labels == tuple(labels[i] for i in answer.indices)
    return False


@st.composite
def labelled(draw, coordinate):
    n, d = draw(st.integers(1, 9)), draw(st.integers(1, 3))
    rows = st.lists(coordinate, min_size=d, max_size=d)
    points = draw(st.lists(rows, min_size=n, max_size=n))
    return points, draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))


def test_the_lectures_and_and_or():
    assert separate(SQUARE, AND) == Separation((1, 1), Fraction(3, 2))
    assert separate(SQUARE, OR) == Separation((1, 1), Fraction(1, 2))
    assert separate(SQUARE, AND).unit()(SQUARE).tolist() == AND


def test_the_lectures_proof_for_xor():
    answer = separate(SQUARE, XOR)
    assert not proves(answer, SQUARE, XOR)
    assert answer.multipliers == (1, 1, 1, 1)
    assert answer.lines() == [
        "0 < θ    for (0, 0) is of class 0",
        "w2 ≥ θ    for (0, 1) is of class 1",
        "w1 ≥ θ    for (1, 0) is of class 1",
        "w1 + w2 < θ    for (1, 1) is of class 0",
        "added up: 2·θ + w1 + w2 < 2·θ + w1 + w2, that is 0 < 0: a contradiction",
    ]


def test_a_proof_prints_multiples_signs_and_fractions():
    # The first point is the middle of the other two.
    points = [[Fraction(1, 3), -1], [0.1, -1], [Fraction(1, 3) + Fraction(1, 3) - Fraction(0.1), -1]]
    assert separate(points, [0, 1, 1]).lines()[:2] == [
        "2 × (1/3·w1 − w2 < θ)    for (1/3, -1) is of class 0",
        "0.1·w1 − w2 ≥ θ    for (0.1, -1) is of class 1",
    ]
    huge = separate([[10.0**300], [0.0], [1e-300]], [1, 1, 0])
    assert max(map(len, huge.lines())) < 200


def test_all_functions_of_up_to_three_inputs_and_their_counts():
    for n, count in ((1, 4), (2, 14), (3, 104)):
        x = inputs(n)
        tables = list(itertools.product([0, 1], repeat=2**n))
        assert sum(proves(separate(x, table), x, table) for table in tables) == count
        assert count_separable(n) == count


def test_of_four_inputs_one_function_of_each_class_is_decided(monkeypatch):
    """Of 65,536; OEIS A000370 counts the classes."""
    decided = []
    monkeypatch.setattr(boolean, "separate", lambda *task: decided.append(task) or separate(*task))
    assert count_separable(4) == 1882
    assert len(decided) == 222


@given(labelled(st.integers(-2, 2)))
@settings(deadline=None, max_examples=200)
def test_small_integer_points_are_decided_with_a_proof(example):
    proves(separate(*example), *example)


@given(labelled(st.floats(allow_nan=False, allow_infinity=False)))
@settings(deadline=None, max_examples=150)
def test_any_floats_are_decided_with_a_proof(example):
    proves(separate(*example), *example)


@given(labelled(st.fractions(min_value=-3, max_value=3, max_denominator=50)))
@settings(deadline=None, max_examples=100)
def test_fractions_are_decided_with_a_proof(example):
    proves(separate(*example), *example)


@given(labelled(st.sampled_from([0.1, 0.2, 0.3, 0.1 + 0.2, 0.30000000000000004 + 1e-16, 0.4, 1 / 3, 2 / 3])))
@settings(deadline=None, max_examples=150)
def test_points_that_rounding_would_confuse_are_decided_with_a_proof(example):
    answer = separate(*example)
    if proves(answer, *example):
        assert answer(example[0]).tolist() == example[1]


def test_floats_are_exactly_what_they_are():
    # In decimals (0.3) would be the middle of 0.1 and 0.5; as binary fractions it is not, and so the plane exists.
    points, labels = [[0.1, 0.1], [0.3, 0.3 + 2**-54], [0.5, 0.5]], [0, 1, 0]
    assert proves(separate(points, labels), points, labels)
    assert not proves(separate([[0.25], [0.5], [0.75]], labels), [[0.25], [0.5], [0.75]], labels)
    big = [[2**80], [2**80 + 1], [2**80 + 2]]
    assert not proves(separate(big, labels), big, labels)
    assert proves(separate(big, [0, 0, 1]), big, [0, 0, 1])


@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-6, 1e-9, 1e-12, 1e-15]), st.booleans())
@settings(deadline=None, max_examples=25)
def test_points_close_to_the_boundary(seed, gap, offset):
    rng = np.random.default_rng(seed)
    w, labels = rng.normal(size=4), rng.integers(0, 2, 60)
    x = rng.normal(size=(60, 4))
    x += np.outer((2 * labels - 1) * gap - x @ w, w / (w @ w)) + 1000 * offset
    answer = separate(x, labels)
    if proves(answer, x, labels) and gap >= 1e-9:
        assert answer.unit()(x).tolist() == labels.tolist()
    if gap == 1e-6:
        assert isinstance(answer, Separation)


def test_contradictory_points_are_a_certificate_of_two():
    points, labels = [[0, 1], [0.5, 3], [1, 1], [0.5, 3]], [0, 1, 1, 0]
    answer = separate(points, labels)
    assert not proves(answer, points, labels)
    assert answer.indices == (1, 3)
    assert answer.lines() == [
        "1/2·w1 + 3·w2 ≥ θ    for (1/2, 3) is of class 1",
        "1/2·w1 + 3·w2 < θ    for (1/2, 3) is of class 0",
        "added up: θ + 1/2·w1 + 3·w2 < θ + 1/2·w1 + 3·w2, that is 0 < 0: a contradiction",
    ]


def test_a_contradictory_pair_is_found_among_other_contradictions():
    rng = np.random.default_rng(0)
    points, labels = np.vstack([rng.normal(size=(40, 2)), [[3, 3], [3, 3]]]), [*rng.integers(0, 2, 40), 1, 0]
    assert separate(points, labels).indices == (40, 41)


@pytest.mark.parametrize("label", [0, 1, -1, True])
def test_one_class_alone_is_separable(label):
    points = [[0.0, 5.0], [1.0, -3.0]]
    answer = separate(points, [label, label])
    assert proves(answer, points, [label > 0] * 2)
    assert answer == Separation((0, 0), Fraction(-1 if label > 0 else 1))
    assert answer.unit()(points).tolist() == [int(label > 0)] * 2


def test_labels_may_be_any_two_numbers():
    assert separate(SQUARE, [-1, -1, -1, 1]) == separate(SQUARE, AND)
    assert separate(SQUARE, [2, 2, 2, 5]) == separate(SQUARE, AND)


def decide_alone(points, labels):
    """The exact method from nothing, without what HiGHS proposes."""
    grid = np.array(points, dtype=object)
    return boolean._decide(grid, 1, np.array(labels, dtype=bool), np.arange(0))


@given(st.integers(1, 4), st.data())
@settings(deadline=None, max_examples=100)
def test_the_exact_method_needs_no_proposal(n, data):
    table = data.draw(st.lists(st.integers(0, 1), min_size=2**n, max_size=2**n))
    if len(set(table)) == 1:
        return
    x = inputs(n)
    w, multipliers = decide_alone(x, table)
    s = x.astype(object) @ w
    fires = np.array(table, dtype=bool)
    assert (s[fires].min() > s[~fires].max()) == (not multipliers)
    assert bool(multipliers) == isinstance(separate(x, table), Certificate)


def test_the_linear_program_proposes_what_separates_as_far_as_floats_say():
    x, labels = inputs(3).astype(float), inputs(3).sum(1) >= 2
    w, decisive = boolean._propose(x, labels)
    assert (x @ w)[labels].min() > (x @ w)[~labels].max()
    assert len(decisive)


def test_weights_are_pythons_whole_numbers_and_tried_ever_finer():
    x, labels = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([True, False])
    tried = [w.tolist() for w in boolean._roundings(np.array([1.0, 1 / 3]), x, labels)]
    assert (tried[0], tried[-1]) == ([1, 0], [2**50, round(2**50 / 3)])
    assert {w.dtype for w in boolean._roundings(np.array([1.0, 1 / 3]), x, labels)} == {np.dtype(object)}


def test_a_useless_linear_program_changes_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    tasks = [(inputs(4), rng.integers(0, 2, 16)) for _ in range(20)]
    tasks += [(x := rng.normal(size=(30, 3)), x @ [1, 2, 3] > 0.1) for _ in range(20)]
    honest = [isinstance(separate(*task), Separation) for task in tasks]
    monkeypatch.setattr(boolean, "_propose", lambda x, t: (rng.normal(size=x.shape[1]), np.flatnonzero(t)[:2]))
    assert [proves(separate(*task), *task) for task in tasks] == honest


def test_proposed_weights_that_only_seem_to_separate_are_refused(monkeypatch):
    # (1, 0) puts two points of different classes on one value, (−1, −1) turns the classes round.
    wrong = [np.array(w, dtype=object) for w in ([1, 0], [0, 1], [-1, -1])]
    monkeypatch.setattr(boolean, "_roundings", lambda *_: iter(wrong))
    for table in itertools.product([0, 1], repeat=4):
        assert proves(separate(SQUARE, table), SQUARE, table) == (list(table) not in (XOR, XNOR))


def test_a_unit_with_numbers_beyond_floats_is_scaled():
    unit = Separation((2**3000, -(2**2999)), Fraction(-5, 2)).unit()
    assert unit([[1, 1.9], [1, 2.1], [-1, -1], [-1, -3]]).tolist() == [1, 0, 0, 1]
    unit = Separation((1, -1), Fraction(10**400)).unit()
    assert unit.weights[0] == -unit.weights[1] > 0
    assert unit.theta > 1e300


@pytest.fixture
def begun(monkeypatch):
    """How many of the points each exact simplex began with: of very many it would take minutes."""
    counts, decide = [], boolean._decide
    monkeypatch.setattr(
        boolean, "_decide", lambda x, scale, t, few: counts.append(len(few)) or decide(x, scale, t, few)
    )
    return counts


def test_twelve_inputs(begun):
    x, rng = inputs(12), np.random.default_rng(0)
    weights = rng.integers(-9, 10, 12)
    threshold = (x @ weights >= 3).astype(int)
    assert separate(x, threshold)(x).tolist() == threshold.tolist()
    place = (x @ 2 ** np.arange(12) >= 1234).astype(int)
    assert separate(x, place).unit()(x).tolist() == place.tolist()
    assert begun == []  # the linear program's weights, rounded, did
    for table in (rng.integers(0, 2, 4096), x.sum(axis=1) % 2, threshold ^ (np.arange(4096) == 77)):
        assert not proves(separate(x, table), x, table)
    assert len(begun) == 3
    assert all(0 < count <= 14 for count in begun)  # of a corner, as many as variables


def test_two_thousand_points_in_ten_dimensions(begun):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2000, 10)), rng.normal(size=10)
    labels = (x @ w > 0.1).astype(int)
    assert proves(separate(x, labels), x, labels)
    for wrong in (labels ^ (np.arange(2000) == 5), rng.integers(0, 2, 2000)):
        assert not proves(separate(x, wrong), x, wrong)
    close = x + np.outer((2 * labels - 1) * 1e-9 - x @ w, w / (w @ w))
    assert proves(separate(close, labels), close, labels)
    assert len(begun) == 3
    assert all(0 < count <= 12 for count in begun)


@pytest.mark.parametrize("seed", range(8))
def test_the_verdict_is_that_of_a_linear_program_and_of_the_perceptron_rule(seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 3, (9, 3))
    labels = rng.integers(0, 2, 9)
    s = (2 * labels - 1)[:, None]
    feasible = linprog(np.zeros(4), A_ub=np.hstack([-s * x, s]), b_ub=-np.ones(9), bounds=(None, None)).status == 0
    assert isinstance(separate(x, labels), Separation) == feasible
    last = list(rosenblatt(x, labels, epochs=3000))[-9:]
    assert (not any(step.updated for step in last)) == feasible


def test_weights_are_small_where_small_ones_do():
    x = inputs(5)
    for w, theta in (((1, 1, 1, 1, 1), 3), ((1, 1, 1, 1, 0), 2), ((2, 1, 1, 1, 0), 3), ((3, 2, 2, 1, 1), 5)):
        answer = separate(x, (x @ w >= theta).astype(int))
        assert sum(map(abs, answer.weights)) <= sum(w)
        assert math.gcd(*answer.weights) == 1


def test_a_certificate_must_hold():
    point = (Fraction(1), Fraction(2))
    assert Certificate((0, 1), (point, point), (0, 1), (1, 1)).multipliers == (1, 1)
    for labels, multipliers in (
        ((0, 1), (1, 2)),
        ((0, 1), (0, 0)),
        ((0, 1), (-1, -1)),
        ((1, 1), (1, 1)),
        ((2, 3), (1, 1)),
    ):
        with pytest.raises(ValueError, match="multipliers must make the inequalities contradict"):
            Certificate((0, 1), (point, point), labels, multipliers)
    with pytest.raises(ValueError, match="multipliers must"):
        Certificate((), (), (), ())


@pytest.mark.parametrize("table", [XOR, XNOR])
def test_xor_and_xnor_with_two_hidden_units(table):
    net = network(table)
    assert [len(layer) for layer in net.layers] == [2, 1]
    assert net(SQUARE).tolist() == table
    assert [int(net(x)) for x in SQUARE] == table


def test_a_separable_function_needs_one_unit():
    for table in itertools.product([0, 1], repeat=8):
        answer = separate(inputs(3), table)
        assert (len(network(table).layers) == 1) == isinstance(answer, Separation)


def test_functions_of_one_input():
    for table in ([0, 1], [1, 0]):
        assert network(table)([[0], [1]]).tolist() == table


def test_all_functions_of_three_inputs():
    for table in itertools.product([0, 1], repeat=8):
        net = network(table)
        assert net(inputs(3)).tolist() == list(table)
        assert len(net.layers[0]) <= 3


@given(st.integers(4, 6).flatmap(lambda n: st.lists(st.integers(0, 1), min_size=2**n, max_size=2**n)))
@settings(deadline=None, max_examples=80)
def test_random_functions_of_four_to_six_inputs(table):
    n = len(table).bit_length() - 1
    net = network(table)
    assert net(inputs(n)).tolist() == table
    assert len(net.layers) <= 2
    for unit in itertools.chain(*net.layers):
        assert (unit.weights == np.rint(unit.weights)).all()
    if len(net.layers) == 2:
        assert {weight for unit in net.layers[0] for weight in unit.weights} <= {-1, 0, 1}
        (output,) = net.layers[1]
        for place, weight in enumerate(output.weights):
            less = output.weights - np.sign(weight) * np.eye(len(output.weights))[place]
            other = Network((net.layers[0], (ThresholdUnit(less, output.theta),)))
            assert other(inputs(n)).tolist() != table  # each has the least weight that it needs


@pytest.mark.parametrize("n", range(2, 11))
def test_parity_needs_as_many_hidden_units_as_inputs(n):
    parity = inputs(n).sum(axis=1) % 2
    net = network(parity)
    assert [len(layer) for layer in net.layers] == [n, 1]
    assert net(inputs(n)).tolist() == parity.tolist()


def test_a_disjunction_of_separate_terms_needs_a_unit_a_term():
    for n in (4, 6, 8, 10):
        x = inputs(n)
        table = (x[:, ::2] & x[:, 1::2]).any(axis=1).astype(int)
        for target in (table, 1 - table):
            net = network(target)
            assert [len(layer) for layer in net.layers] == [n // 2, 1]
            assert net(x).tolist() == target.tolist()


def test_a_random_function_of_nine_inputs():
    table = np.random.default_rng(0).integers(0, 2, 512)
    net = network(table)
    assert net(inputs(9)).tolist() == table.tolist()
    others = {int(np.count_nonzero(unit.weights)) for unit in net.layers[0]}
    assert others <= {1, 2, 9}  # more directions than these would take long


def test_a_network_can_be_wired_by_hand():
    either, both = ThresholdUnit([1, 1], 1), ThresholdUnit([1, 1], 2)
    assert Network(((either, both), (ThresholdUnit([1, -1], 1),)))(SQUARE).tolist() == XOR


def test_inputs_are_in_the_order_of_a_truth_table():
    assert inputs(3).tolist() == [list(row) for row in itertools.product([0, 1], repeat=3)]


def test_numbers_of_many_kinds_are_points():
    for kind in (np.int8, np.uint64, np.float32, bool, object):
        assert separate(SQUARE.astype(kind), AND) == separate(SQUARE, AND)
    assert separate([[np.float32(0.5)], [np.int64(2)]], [0, 1]) == separate([[0.5], [2]], [0, 1])


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: separate([[1, 2], [3]], [0, 1]), r"points must be a rectangular table.*got shape \(2,\)"),
        (lambda: separate([1, 2], [0, 1]), r"points must be a rectangular table.*got shape \(2,\)"),
        (lambda: separate([], []), r"points must be a rectangular table.*got shape \(0,\)"),
        (lambda: separate([[1], [math.nan]], [0, 1]), r"points must be finite numbers, got nan at index \(1, 0\)"),
        (lambda: separate([[1], [-math.inf]], [0, 1]), r"points must be finite numbers, got -inf at index \(1, 0\)"),
        (lambda: separate([[1], ["x"]], [0, 1]), r"points must be finite numbers, got 'x' at index \(1, 0\)"),
        (lambda: separate([[1], [None]], [0, 1]), r"points must be finite numbers, got None"),
        (lambda: separate(SQUARE, [0, 1, 1]), r"labels must be one class per point, shape \(4,\), got shape \(3,\)"),
        (lambda: separate(SQUARE, [0, 1, 2, 1]), r"labels must be of two classes.*\[0.0, 1.0, 2.0\]"),
        (lambda: separate(SQUARE, [[0, 1], [1]]), r"labels must be numbers in a rectangular table"),
        (lambda: separate(SQUARE, [0, 1, math.nan, 1]), "labels must be finite, got nan"),
        (lambda: network([0, 1, 1]), "labels must be 2ⁿ values, n = 1 to 12, got 3"),
        (lambda: network([1]), "labels must be 2ⁿ values, n = 1 to 12, got 1"),
        (lambda: network(np.zeros(2**13)), "got 8192"),
        (lambda: network([[0, 1], [1, 0]]), r"labels must be one class per point.*\(2, 2\)"),
        (lambda: network([0, 1, 2, 1]), "labels must be of two classes"),
        (lambda: network(XOR)([1, 2, 3]), "x must have shape"),
        (lambda: separate(SQUARE, AND)([[1, 2], [3]]), "points must be a rectangular table"),
        (lambda: inputs(0), "n must be at least 1, got 0"),
        (lambda: count_separable(5), "n must be 1 to 4, got 5"),
        (lambda: count_separable(0), "n must be 1 to 4, got 0"),
    ],
)
def test_bad_input_is_named(call, match):
    with pytest.raises(ValueError, match=match):
        call()
